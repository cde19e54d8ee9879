package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/writebehind/writebehind/internal/pgtest"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

// The labels come from people and from PostgreSQL's own parser; see the schema for
// the tables that they are about.
func TestStatementsOfLibrariesAreRecognised(t *testing.T) {
	const testdata = "../../rewrite/testdata"
	var out strings.Builder
	c, err := run(t.Context(), &out, filepath.Join(testdata, "schema.sql"), filepath.Join(testdata, "orm_sql.jsonl"))
	require.NoError(t, err)
	require.Zero(t, c.wrong, out.String())
	require.Positive(t, c.keyed)
	require.GreaterOrEqual(t, float64(c.recognised), 0.99*float64(c.keyed), out.String())
}

func TestReportCountsWhatIsLabelled(t *testing.T) {
	r := newReport([]statement{
		{Lib: "a", SQL: "S1", Keyed: true},
		{Lib: "a", SQL: "S2\nmore", Keyed: true},
		{Lib: "b", SQL: "S3"},
		{Lib: "b", SQL: "S4"},
		{Lib: "b", SQL: "S5", Keyed: true, Tags: "[either:pass]"},
		{Lib: "b", SQL: "S6", Note: "[either:select] a list"},
		{Lib: "b", SQL: "S7", Keyed: true},
	}, []answer{
		{decision: "deferred", keyed: true},
		{decision: "direct", reason: "unknown"},
		{decision: "direct", keyed: true, reason: "because"},
		{decision: "direct"},
		{decision: "direct"},
		{decision: "cached", keyed: true},
		{decision: "direct", keyed: true, reason: `column "x" is odd; it waits for what is pending for y`},
	})
	require.Equal(t, counts{statements: 7, keyed: 3, recognised: 2, missed: 1, served: 1, wrong: 1}, r.total)
	require.Equal(t, counts{statements: 2, keyed: 2, recognised: 1, missed: 1, served: 1}, *r.byLib["a"])
	var out strings.Builder
	require.NoError(t, r.write(&out))
	require.Contains(t, out.String(), "missed (a) direct: unknown\n    S2\n    more\n")
	require.Contains(t, out.String(), "wrong (b) direct: because\n    S3\n")
	require.Contains(t, out.String(), "     1  column … is odd\n")
	require.True(t, strings.HasSuffix(out.String(), "\ncorpus: keyed 3 recognised 2 missed 1 wrong 1\n"), out.String())
}

func TestBadLineIsNamed(t *testing.T) {
	name := filepath.Join(t.TempDir(), "bad.jsonl")
	require.NoError(t, os.WriteFile(name, []byte("{\"sql\": \"SELECT 1\"}\n{\n"), 0o600))
	_, err := readStatements(name)
	require.ErrorContains(t, err, "bad.jsonl:2")
}
