package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// stream is what go test -json prints of a package in which one test of each
// kind ran, and the last one took the process along.
const stream = `
{"Action":"start","Package":"p"}
{"Action":"run","Package":"p","Test":"TestGood"}
{"Action":"run","Package":"p","Test":"TestGood/sub"}
{"Action":"fail","Package":"p","Test":"TestGood/sub"}
{"Action":"pass","Package":"p","Test":"TestGood"}
{"Action":"run","Package":"p","Test":"TestSkipped"}
{"Action":"skip","Package":"p","Test":"TestSkipped"}
{"Action":"run","Package":"p","Test":"TestBad"}
{"Action":"output","Package":"p","Test":"TestBad/sub","Output":"deep "}
{"Action":"output","Package":"p","Test":"TestBad","Output":"reason\n"}
{"Action":"fail","Package":"p","Test":"TestBad"}
{"Action":"run","Package":"p","Test":"TestPanics"}
{"Action":"fail","Package":"p"}
`

func TestParseCountsTopLevelTests(t *testing.T) {
	t.Parallel()
	got, err := parse(strings.NewReader(stream))
	require.NoError(t, err)
	require.Equal(t, results{
		"p.TestGood":    {outcome: "pass"},
		"p.TestSkipped": {outcome: "skip"},
		"p.TestBad":     {outcome: "fail", output: "deep reason\n"},
		"p.TestPanics":  {outcome: "none"},
	}, got)
	require.Equal(t, 1, got.passed())
}

func TestPackageThatDoesNotBuildIsAnError(t *testing.T) {
	t.Parallel()
	_, err := parse(strings.NewReader(`
{"ImportPath":"p","Action":"build-output","Output":"x.go:1: undefined: y\n"}
{"ImportPath":"p","Action":"build-fail"}
`))
	require.ErrorContains(t, err, "undefined: y")
}

func TestWhatPassedIsNotRepeated(t *testing.T) {
	t.Parallel()
	names, unsettled := results{
		"a.Good": {outcome: "pass"}, "a.Skipped": {outcome: "skip"}, "a.Bad": {outcome: "fail"},
		"a.Twice": {outcome: "pass"}, "b.Twice": {outcome: "none"},
	}.settled()
	require.Equal(t, []string{"Good", "Skipped"}, names)
	require.Equal(t, 2, unsettled)
}

func TestAnyOtherOutcomeIsADifference(t *testing.T) {
	t.Parallel()
	plain := results{"p.A": {outcome: "pass"}, "p.B": {outcome: "pass"}, "p.C": {outcome: "skip"}, "p.D": {outcome: "fail"}}
	for name, c := range map[string]struct {
		through results
		want    []string
	}{
		"the same":   {plain, nil},
		"missing":    {results{"p.A": {outcome: "pass"}, "p.C": {outcome: "skip"}, "p.D": {outcome: "fail"}}, []string{"p.B"}},
		"more skips": {results{"p.A": {outcome: "skip"}, "p.B": {outcome: "pass"}, "p.C": {outcome: "skip"}, "p.D": {outcome: "fail"}}, []string{"p.A"}},
		"better":     {results{"p.A": {outcome: "pass"}, "p.B": {outcome: "pass"}, "p.C": {outcome: "skip"}, "p.D": {outcome: "pass"}}, []string{"p.D"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var out bytes.Buffer
			var compared comparison
			compared.add("all", plain, c.through)
			require.Equal(t, c.want, compared.rows[0].differing)
			same, err := compared.print(&out)
			require.NoError(t, err)
			require.Equal(t, len(c.want) == 0, same)
			for _, test := range c.want {
				require.Contains(t, out.String(), "all: "+test+": ")
			}
		})
	}
}

func TestLastLineSumsUp(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	var c comparison
	c.add("none", results{"p.A": {outcome: "pass"}}, results{"p.A": {outcome: "pass"}})
	c.add("all", results{"p.A": {outcome: "pass"}, "p.B": {outcome: "pass"}}, results{"p.A": {outcome: "pass"}})
	same, err := c.print(&out)
	require.NoError(t, err)
	require.False(t, same)
	require.True(t, strings.HasSuffix(out.String(), "\nconformance: 1/1 1/2\n"), out.String())
}

func TestSuiteThatOpensTheDatabaseElsewhereIsRefused(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	require.NoError(t, os.MkdirAll(filepath.Join(dir, pqtestDir), 0o700))
	for _, text := range []string{"package pqtest", openLine + "\n" + openLine} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, openFile), []byte(text), 0o600))
		require.ErrorContains(t, change(dir), "not once")
	}
}

// TestShortConformance runs a part of the suite in one mode; `make conformance`
// runs all of it in all modes.
func TestShortConformance(t *testing.T) {
	t.Parallel()
	const part = "^(TestExec|TestStatement|TestRowsCloseBeforeDone|TestParameterCountMismatch|TestEncodeDecode|" +
		"TestNoData|TestBinaryByteSlice|TestCommit|TestErrorOn|TestTx|TestQueryRow|TestScan|TestNull|TestArray)"
	var out bytes.Buffer
	same, err := run(t.Context(), []string{"-run", part, "-mode", "^all$"}, &out)
	require.NoError(t, err)
	require.True(t, same, out.String())
	require.Contains(t, out.String(), "\nconformance: ")
}
