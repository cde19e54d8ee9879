package run_test

import (
	"database/sql/driver"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/lib/pq"
	"github.com/stretchr/testify/require"

	"github.com/writebehind/writebehind/internal/prove/compare"
	"github.com/writebehind/writebehind/internal/prove/faulty"
	"github.com/writebehind/writebehind/internal/prove/history"
	"github.com/writebehind/writebehind/internal/prove/run"
)

// rows is a schema with two rows, and the statements on them.
func rows(statements ...history.Statement) history.History {
	return history.History{
		Schema:     []string{"CREATE TABLE t (id int8 PRIMARY KEY, n int4)", "INSERT INTO t VALUES (1, 10), (2, 20)"},
		Statements: statements,
	}
}

func on(conn int, text string) history.Statement { return history.Statement{Conn: conn, SQL: text} }

func ask(conn int, text string) history.Statement {
	return history.Statement{Conn: conn, Call: history.Query, SQL: text}
}

func call(conn int, c history.Call) history.Statement { return history.Statement{Conn: conn, Call: c} }

func TestMistakesOfTransactionsAndLocksAreFound(t *testing.T) {
	b := newBench(t, run.Reference)
	b.Patience = 300 * time.Millisecond
	var all sync.Mutex
	for name, test := range map[string]struct {
		fault   faulty.Fault
		history history.History
		at      int
		kind    compare.Kind
	}{
		"lost rollback": {
			faulty.Fault{Tx: func(begin func() (driver.Tx, error)) (driver.Tx, error) {
				tx, err := begin()
				return changed{tx, tx.Commit, tx.Commit}, err
			}},
			rows(call(0, history.Begin), on(0, "UPDATE t SET n = 11 WHERE id = 1"), call(0, history.Rollback), ask(0, "SELECT n FROM t WHERE id = 1")),
			3, compare.Value,
		},
		"dirty read": {
			faulty.Fault{Tx: func(func() (driver.Tx, error)) (driver.Tx, error) {
				return changed{nil, nothing, nothing}, nil
			}},
			rows(call(1, history.Begin), on(1, "UPDATE t SET n = 11 WHERE id = 1"), ask(0, "SELECT n FROM t WHERE id = 1"), call(1, history.Commit)),
			2, compare.Value,
		},
		"failed transaction that goes on": {
			faulty.Fault{Exec: func(q string, args []driver.NamedValue, next faulty.Exec) (driver.Result, error) {
				r, err := next(q, args)
				if failed := new(pq.Error); errors.As(err, &failed) && failed.Code == "25P02" {
					return driver.RowsAffected(1), nil
				}
				return r, err
			}},
			rows(call(0, history.Begin), on(0, "INSERT INTO t VALUES (1, 100)"), call(0, history.Rollback)),
			1, compare.ErrorDiffers,
		},
		"row that is not locked": {
			faulty.Fault{Text: func(q string) string { return strings.TrimSuffix(q, " FOR UPDATE") }},
			rows(call(1, history.Begin), ask(1, "SELECT n FROM t WHERE id = 1 FOR UPDATE"), on(0, "UPDATE t SET n = 11 WHERE id = 1"), call(1, history.Commit)),
			2, compare.Waiting,
		},
		"one lock for all rows": {
			faulty.Fault{
				Tx: func(begin func() (driver.Tx, error)) (driver.Tx, error) {
					all.Lock()
					tx, err := begin()
					return changed{
						tx,
						func() error { defer all.Unlock(); return tx.Commit() },
						func() error { defer all.Unlock(); return tx.Rollback() },
					}, err
				},
				Exec: func(q string, args []driver.NamedValue, next faulty.Exec) (driver.Result, error) {
					if strings.HasSuffix(q, "id = 2") {
						all.Lock()
						defer all.Unlock()
					}
					return next(q, args)
				},
			},
			rows(call(1, history.Begin), on(1, "UPDATE t SET n = 11 WHERE id = 1"), on(0, "UPDATE t SET n = 21 WHERE id = 2"), call(1, history.Commit)),
			2, compare.Hang,
		},
	} {
		t.Run(name, func(t *testing.T) {
			faulty.Register(t.Name(), test.fault)
			r, err := b.Under(t.Name()).Run(t.Context(), test.history)
			require.NoError(t, err)
			require.NotNil(t, r.Difference, "the mistake was not noticed")
			require.Equal(t, test.kind, r.Difference.Kind, "%s", r.Difference)
			require.Equal(t, test.at, r.At, "%s", r.Difference)
			require.False(t, r.Hung(), "it goes on once the others have ended")
			r, err = b.Run(t.Context(), test.history)
			require.NoError(t, err)
			require.Nil(t, r.Difference, "%s", r.Difference)
		})
	}
}

// changed is a transaction that ends in another way.
type changed struct {
	driver.Tx
	commit, rollback func() error
}

func (c changed) Commit() error   { return c.commit() }
func (c changed) Rollback() error { return c.rollback() }

func nothing() error { return nil }

func TestOneWaitsAndTheOtherGoesOn(t *testing.T) {
	for name, h := range map[string]history.History{
		"to its end": rows(
			call(1, history.Begin), on(1, "UPDATE t SET n = n + 1 WHERE id = 1"),
			on(0, "UPDATE t SET n = n * 2 WHERE id = 1"), ask(0, "SELECT n FROM t WHERE id = 1"),
			on(1, "UPDATE t SET n = n + 1 WHERE id = 1"), ask(2, "SELECT n FROM t WHERE id = 1"), call(1, history.Commit)),
		"never ends by itself": rows(
			on(1, "BEGIN"), on(1, "UPDATE t SET n = n + 1 WHERE id = 1"), on(0, "UPDATE t SET n = n * 2 WHERE id = 1")),
		"all rows at once": rows(
			on(1, "BEGIN"), on(1, "UPDATE t SET n = n + 1 WHERE id = 1"),
			history.Statement{SQL: "UPDATE t SET n = n * 2", Unordered: true}, on(1, "UPDATE t SET n = n + 1 WHERE id = 2"), on(1, "COMMIT")),
		"advisory lock": rows(
			ask(1, "SELECT pg_advisory_lock(1)"), ask(0, "SELECT pg_advisory_lock(1)")),
		"three in a row": rows(
			on(1, "BEGIN"), on(2, "BEGIN"), on(1, "UPDATE t SET n = n + 1 WHERE id = 1"), on(2, "UPDATE t SET n = n + 1 WHERE id = 2"),
			on(0, "UPDATE t SET n = n + 5 WHERE id = 2"), on(2, "UPDATE t SET n = n + 1 WHERE id = 1"), on(1, "ROLLBACK"), on(2, "COMMIT")),
	} {
		t.Run(name, func(t *testing.T) {
			r, err := newBench(t, run.Reference).Run(t.Context(), h)
			require.NoError(t, err)
			require.Nil(t, r.Difference, "%s", r.Difference)
			require.Equal(t, [2]bool{}, r.Deadlock)
			want := 1
			if name == "three in a row" {
				want = 2
			}
			require.Equal(t, want, r.Waited)
			if name != "all rows at once" { // where the second UPDATE is left out
				require.Equal(t, len(h.Statements), r.Sent)
			}
		})
	}
}

func TestDeadlockEndsTheHistory(t *testing.T) {
	b := newBench(t, run.Reference)
	r, err := b.Run(t.Context(), rows(
		on(0, "BEGIN"), on(1, "BEGIN"),
		on(0, "UPDATE t SET n = n + 1 WHERE id = 1"), on(1, "UPDATE t SET n = n + 1 WHERE id = 2"),
		on(0, "UPDATE t SET n = n + 1 WHERE id = 2"), on(1, "UPDATE t SET n = n + 1 WHERE id = 1"),
		on(0, "this is not reached"),
	))
	require.NoError(t, err)
	require.Nil(t, r.Difference, "%s", r.Difference)
	require.Equal(t, [2]bool{true, true}, r.Deadlock)
	require.Equal(t, 6, r.Sent)
	require.Equal(t, 4, r.Inside)
}
