package load

import (
	"database/sql"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/writebehind/writebehind"
	"github.com/writebehind/writebehind/internal/crash/check"
	"github.com/writebehind/writebehind/internal/crash/ledger"
	"github.com/writebehind/writebehind/internal/crash/record"
	"github.com/writebehind/writebehind/internal/pgtest"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

// notes enters what one worker tells into a ledger, as the laboratory would.
type notes struct {
	*testing.T
	mu     sync.Mutex
	ledger *ledger.Ledger
	kinds  map[string]int
}

func (n *notes) Report(l record.Line) {
	n.mu.Lock()
	defer n.mu.Unlock()
	text := string(l.Append(nil))
	back, err := record.Parse(strings.TrimSuffix(text, "\n"))
	n.NoError(err, "it has come through whole")
	n.NoError(n.ledger.Apply(back))
	switch l.Verb {
	case record.Intent:
		n.kinds[l.Op.Kind]++
	case record.Wrong, record.Torn:
		n.Error(l.Text)
	}
}

// NoError fails the test without ending the goroutine, which is the worker's.
func (n *notes) NoError(err error, about ...any) {
	n.Helper()
	if err != nil {
		n.Error(append([]any{err}, about...)...)
	}
}

// TestGroupsAreBuffered has one worker work without faults: its groups are buffered
// but for those that cannot be, and what it tells is what PostgreSQL holds.
func TestGroupsAreBuffered(t *testing.T) {
	server := pgtest.Shared(t)
	name := server.CreateDatabase(t)
	past, err := sql.Open("postgres", server.DSN(name))
	require.NoError(t, err)
	defer past.Close()
	_, err = past.Exec(Schema)
	require.NoError(t, err)
	db, err := sql.Open("writebehind", server.DSN(name, "writebehind.journal=none", "writebehind.transactions=buffer", "writebehind.tables="+Tables))
	require.NoError(t, err)
	defer db.Close()

	n := &notes{T: t, ledger: ledger.New(1, Counters()), kinds: make(map[string]int)}
	seed := uint64(time.Now().UnixNano()) //nolint:gosec // any number will do
	t.Logf("seed %d", seed)
	require.NoError(t, db.QueryRow("SELECT n FROM accounts WHERE id = 1").Err(), "what comes before there is an engine is direct")
	w := NewWorker(0, 1, seed, nil, db, n)
	for range 1500 {
		w.Step(t.Context())
	}
	st, err := writebehind.Stats(db)
	require.NoError(t, err)
	require.Zero(t, st.MadeReal)
	buffered := n.kinds["group"] + n.kinds["group-savepoint"]
	require.NotZero(t, n.kinds["group-rolled-back"])
	require.GreaterOrEqual(t, st.Buffered, uint64(buffered)) //nolint:gosec // a count

	w.Direct = 200
	for range 1500 {
		w.Step(t.Context())
	}
	st, err = writebehind.Stats(db)
	require.NoError(t, err)
	require.NotZero(t, n.kinds["group-failed"])
	real := n.kinds["group-real"] + n.kinds["group-failed"] + n.kinds["group-recovered"]
	require.InDelta(t, real, st.MadeReal, float64(real)/2, "some begin with what makes them real")
	require.NoError(t, writebehind.Flush(t.Context(), db))
	seen, err := Observe(t.Context(), past)
	require.NoError(t, err)
	require.Empty(t, check.Complete(n.ledger, seen).Findings)
	require.Empty(t, check.Prefix(n.ledger, seen).Findings)
}
