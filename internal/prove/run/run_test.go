package run_test

import (
	"database/sql/driver"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/lib/pq"
	"github.com/stretchr/testify/require"

	"github.com/writebehind/writebehind/internal/pgtest"
	"github.com/writebehind/writebehind/internal/prove/compare"
	"github.com/writebehind/writebehind/internal/prove/faulty"
	"github.com/writebehind/writebehind/internal/prove/generate"
	"github.com/writebehind/writebehind/internal/prove/history"
	"github.com/writebehind/writebehind/internal/prove/run"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

// small is a history in which each planted mistake shows.
func small() history.History {
	return history.History{
		Schema: []string{"CREATE TABLE t (id int8 PRIMARY KEY, s text, b bytea)"},
		Statements: []history.Statement{
			{SQL: "INSERT INTO t VALUES (1, 'a', 'b'), (2, 'c', 'd')"},
			{Call: history.Query, SQL: "SELECT * FROM t WHERE id = $1", Args: []any{int64(1)}},
			{SQL: "UPDATE t SET s = $1, b = $2 WHERE id = 1", Args: []any{"z", []byte("new")}},
			{Call: history.Query, SQL: "SELECT * FROM t WHERE id = $1", Args: []any{int64(1)}},
			{SQL: "DELETE FROM t WHERE id = 2"},
			{SQL: "INSERT INTO t VALUES (1, 'again', '')"},
		},
	}
}

func newBench(t *testing.T, driver string) *run.Bench {
	t.Helper()
	b, err := run.NewBench(t.Context(), pgtest.Shared(t), driver)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, b.Close()) })
	return b
}

func isUpdate(query string) bool { return strings.HasPrefix(query, "UPDATE") }

func TestPlantedMistakesAreFound(t *testing.T) {
	b := newBench(t, run.Reference)
	first := map[string]driver.Value{}
	var kept []driver.NamedValue
	for name, test := range map[string]struct {
		fault faulty.Fault
		at    int
		kind  compare.Kind
	}{
		"wrong RowsAffected": {faulty.Fault{Exec: func(q string, args []driver.NamedValue, next faulty.Exec) (driver.Result, error) {
			r, err := next(q, args)
			if err == nil && isUpdate(q) {
				return driver.RowsAffected(2), nil
			}
			return r, err
		}}, 2, compare.ResultDiffers},
		"stale row": {faulty.Fault{Row: func(q string, row []driver.Value) {
			if _, ok := first[q]; !ok {
				first[q] = row[1]
			}
			row[1] = first[q]
		}}, 3, compare.Value},
		"other Go type": {faulty.Fault{Row: func(_ string, row []driver.Value) {
			row[1] = []byte(row[1].(string))
		}}, 1, compare.Value},
		"other column type": {faulty.Fault{DatabaseType: func(string) string { return "TEXT" }}, 1, compare.Types},
		"dropped write": {faulty.Fault{Exec: func(q string, args []driver.NamedValue, next faulty.Exec) (driver.Result, error) {
			if strings.HasPrefix(q, "DELETE") {
				return driver.RowsAffected(1), nil
			}
			return next(q, args)
		}}, 6, compare.Contents},
		"invented error": {faulty.Fault{Query: func(string) error { return &pq.Error{Code: "XX000"} }}, 1, compare.ErrorDiffers},
		"error without its detail": {faulty.Fault{Exec: func(q string, args []driver.NamedValue, next faulty.Exec) (driver.Result, error) {
			r, err := next(q, args)
			if e := new(pq.Error); errors.As(err, &e) {
				e.Detail = ""
			}
			return r, err
		}}, 5, compare.ErrorDiffers},
		"swallowed error": {faulty.Fault{Exec: func(q string, args []driver.NamedValue, next faulty.Exec) (driver.Result, error) {
			if r, err := next(q, args); err == nil {
				return r, nil
			}
			return driver.RowsAffected(0), nil
		}}, 5, compare.ErrorDiffers},
		"panic": {faulty.Fault{Query: func(string) error { panic("planted") }}, 1, compare.Panicked},
		"kept the caller's buffer": {faulty.Fault{Exec: func(q string, args []driver.NamedValue, next faulty.Exec) (driver.Result, error) {
			if isUpdate(q) {
				kept = args
			}
			r, err := next(q, args)
			if strings.HasPrefix(q, "DELETE") && kept != nil {
				_, err = next("UPDATE t SET s = $1, b = $2 WHERE id = 1", kept)
			}
			return r, err
		}}, 6, compare.Contents},
	} {
		t.Run(name, func(t *testing.T) {
			faulty.Register(t.Name(), test.fault)
			r, err := b.Under(t.Name()).Run(t.Context(), small())
			require.NoError(t, err)
			require.NotNil(t, r.Difference, "the mistake was not noticed")
			require.Equal(t, test.kind, r.Difference.Kind, "%s", r.Difference)
			require.Equal(t, test.at, r.At, "%s", r.Difference)
		})
	}
}

func TestDriverThatNeverAnswersIsFound(t *testing.T) {
	release := make(chan struct{})
	faulty.Register(t.Name(), faulty.Fault{Query: func(string) error { <-release; return nil }})
	b := newBench(t, t.Name())
	defer close(release)
	b.Patience = 50 * time.Millisecond
	r, err := b.Run(t.Context(), small())
	require.NoError(t, err)
	require.True(t, r.Hung())
	require.Equal(t, 1, r.At)
	require.Contains(t, r.Difference.Subject, "QueryContext", "the stacks tell where it hangs")
}

func TestPlainDriverDoesNotDifferFromItself(t *testing.T) {
	b := newBench(t, run.Reference)
	r, err := b.Run(t.Context(), small())
	require.NoError(t, err)
	require.Nil(t, r.Difference)
	require.Equal(t, 6, r.Sent)
	for i := range uint64(4) {
		r, err := b.Run(t.Context(), generate.History(20, i, 150))
		require.NoError(t, err)
		require.Nil(t, r.Difference, "history %d statement %d: %s", i, r.At, r.Difference)
		if r.Deadlock == [2]bool{} {
			require.Greater(t, r.Sent, 100)
		}
	}
}

func TestReopensAlsoWhenTheConnectionWasBroken(t *testing.T) {
	h := history.History{
		Settings: history.Settings{Conn: true},
		Schema:   []string{"CREATE TABLE t (id int8 PRIMARY KEY)"},
		Statements: []history.Statement{
			{SQL: "COPY t FROM STDIN"},
			{SQL: "INSERT INTO t VALUES ($1)", Args: []any{int64(1)}}, // lib/pq gives up the connection
			{Call: history.Reopen},
			{Call: history.Query, SQL: "SELECT * FROM t"},
		},
	}
	r, err := newBench(t, run.Reference).Run(t.Context(), h)
	require.NoError(t, err)
	require.Nil(t, r.Difference, "%s", r.Difference)
}

func TestBadSchemaIsNoDifference(t *testing.T) {
	_, err := newBench(t, run.Reference).Run(t.Context(), history.History{Schema: []string{"CREATE TABLE ("}})
	require.ErrorIs(t, err, run.ErrSchema)
}

func TestMintedKeysNameTheSameRowOnBothSides(t *testing.T) {
	h := history.History{
		Schema: []string{"CREATE TABLE t (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), n int4)"},
		Statements: []history.Statement{
			{Call: history.Query, SQL: "INSERT INTO t (n) VALUES (1), (2) RETURNING id"},
			{SQL: "DELETE FROM t WHERE id = $1", Args: []any{history.Minted{From: history.UUIDs, N: 1}}},
			{Call: history.Query, SQL: "SELECT * FROM t", Unordered: true},
		},
	}
	r, err := newBench(t, run.Reference).Run(t.Context(), h)
	require.NoError(t, err)
	require.Nil(t, r.Difference, "%s", r.Difference)
}
