package compat

import (
	"database/sql"
	"os"
	"regexp"
	"slices"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/writebehind/writebehind"
	"github.com/writebehind/writebehind/internal/pgtest"
	"github.com/writebehind/writebehind/internal/prove/generate"
	"github.com/writebehind/writebehind/internal/prove/history"
	"github.com/writebehind/writebehind/internal/prove/run"
)

// endsPrepared finds what ends the statements that pgx has prepared on a connection for
// itself. It is not told, and each of them then fails once: those that it has been given,
// which are not those that were answered from memory.
var endsPrepared = regexp.MustCompile(`(?i)\b(discard|deallocate)\b`)

// TestHistoriesOnPGX is what make prove does, on pgx: random histories on pgx, and on
// writebehind over pgx. WRITEBEHIND_HISTORIES says how many.
func TestHistoriesOnPGX(t *testing.T) {
	number, err := strconv.ParseUint(os.Getenv("WRITEBEHIND_HISTORIES"), 10, 64)
	if err != nil {
		number = 6
	}
	bench, err := run.NewBench(t.Context(), pgtest.Shared(t), "writebehind")
	require.NoError(t, err)
	defer func() { require.NoError(t, bench.Close()) }()
	bench.Real = "pgx"
	bench.Counts = func(db *sql.DB) (run.Counts, error) {
		s, err := writebehind.Stats(db)
		return run.Counts{Deferred: s.Deferred, Cached: s.Cached}, err
	}
	var total run.Result
	for i := range number {
		h := generate.History(1, i, 200)
		h.Statements = slices.DeleteFunc(h.Statements, func(s history.Statement) bool { return endsPrepared.MatchString(s.SQL) })
		r, err := bench.Run(t.Context(), h)
		require.NoError(t, err)
		total.Sent += r.Sent
		total.Counts = total.Counts.Add(r.Counts)
		if r.Difference == nil {
			continue
		}
		if r.At < len(h.Statements) {
			t.Errorf("history %d statement %d %s", i, r.At, h.Statements[r.At])
		}
		t.Errorf("history %d:\n%s", i, r.Difference)
	}
	t.Logf("statements %d, deferred %d, cached %d", total.Sent, total.Counts.Deferred, total.Counts.Cached)
}
