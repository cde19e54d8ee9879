package compat

import (
	"database/sql"
	"os"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/writebehind/writebehind"
	"github.com/writebehind/writebehind/internal/pgtest"
	"github.com/writebehind/writebehind/internal/prove/generate"
	"github.com/writebehind/writebehind/internal/prove/run"
)

// TestHistoriesOnPGX is what make prove does, on pgx: random histories on pgx, and on
// writebehind over pgx. WRITEBEHIND_HISTORIES says how many.
func TestHistoriesOnPGX(t *testing.T) {
	number, err := strconv.ParseUint(os.Getenv("WRITEBEHIND_HISTORIES"), 10, 64)
	if err != nil {
		number = 8
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
