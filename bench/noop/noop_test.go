package noop_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/writebehind/writebehind/bench/noop"
)

func TestNoopAnswersEverything(t *testing.T) {
	db, err := sql.Open(noop.Name, "anything")
	require.NoError(t, err)
	defer db.Close()
	requireAnswers(t, db, "SELECT anything")

	tx, err := db.Begin()
	require.NoError(t, err)
	stmt, err := tx.Prepare("SELECT $1")
	require.NoError(t, err)
	defer stmt.Close()
	var name string
	var price, n int64
	require.NoError(t, stmt.QueryRow(1).Scan(&name, &price, &n))
	require.NoError(t, tx.Commit())
}

// refusing is a real driver that refuses every statement.
type refusing struct{ driver.Conn }

var errRefused = errors.New("refused")

func (refusing) Open(string) (driver.Conn, error) { return refusing{}, nil }
func (refusing) Close() error                     { return nil }
func (refusing) ExecContext(context.Context, string, []driver.NamedValue) (driver.Result, error) {
	return nil, errRefused
}
func (refusing) QueryContext(context.Context, string, []driver.NamedValue) (driver.Rows, error) {
	return nil, errRefused
}

type connector struct{ inner driver.Driver }

func (c connector) Connect(context.Context) (driver.Conn, error) { return c.inner.Open("") }
func (c connector) Driver() driver.Driver                        { return c.inner }

func TestShortcutAnswersMarkedStatementsAlone(t *testing.T) {
	db := sql.OpenDB(connector{noop.Shortcut{Driver: refusing{}}})
	defer db.Close()
	requireAnswers(t, db, noop.Marker+"SELECT anything")

	_, err := db.Exec("UPDATE anything", 1)
	require.ErrorIs(t, err, errRefused)
	err = db.QueryRow("SELECT anything " + noop.Marker).Err()
	require.ErrorIs(t, err, errRefused)
}

func requireAnswers(t *testing.T, db *sql.DB, query string) {
	t.Helper()
	var name string
	var price, n int64
	require.NoError(t, db.QueryRow(query, 1).Scan(&name, &price, &n))
	require.Equal(t, []any{"item 4711", int64(4711), int64(1)}, []any{name, price, n})
	r, err := db.Exec(query, 1)
	require.NoError(t, err)
	affected, err := r.RowsAffected()
	require.NoError(t, err)
	require.EqualValues(t, 1, affected)
}
