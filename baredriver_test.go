package writebehind_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"testing"

	"github.com/lib/pq"
	"github.com/stretchr/testify/require"

	"github.com/writebehind/writebehind"
)

func init() { sql.Register("bare", bareDriver{}) }

// bareDriver is lib/pq reduced to what database/sql demands of every driver.
type bareDriver struct{}

func (bareDriver) Open(dsn string) (driver.Conn, error) {
	real, err := pq.Open(dsn)
	if err != nil {
		return nil, err
	}
	return bareConn{real}, nil
}

type bareConn struct{ real driver.Conn }

func (c bareConn) Close() error              { return c.real.Close() }
func (c bareConn) Begin() (driver.Tx, error) { return c.real.Begin() } //nolint:staticcheck // that is the point

func (c bareConn) Prepare(query string) (driver.Stmt, error) {
	real, err := c.real.Prepare(query)
	if err != nil {
		return nil, err
	}
	return bareStmt{real}, nil
}

type bareStmt struct{ real driver.Stmt }

func (s bareStmt) Close() error  { return s.real.Close() }
func (s bareStmt) NumInput() int { return s.real.NumInput() }

func (s bareStmt) Exec(args []driver.Value) (driver.Result, error) {
	return s.real.Exec(args) //nolint:staticcheck // as above
}

func (s bareStmt) Query(args []driver.Value) (driver.Rows, error) {
	rows, err := s.real.Query(args) //nolint:staticcheck // as above
	if err != nil {
		return nil, err
	}
	return bareRows{rows}, nil
}

type bareRows struct{ real driver.Rows }

func (r bareRows) Columns() []string              { return r.real.Columns() }
func (r bareRows) Close() error                   { return r.real.Close() }
func (r bareRows) Next(dest []driver.Value) error { return r.real.Next(dest) }

func TestARealDriverNeedsNothingThatIsOptional(t *testing.T) {
	h := newHarness(t, itemsTable, "writebehind.driver=bare")
	require.EqualValues(t, 1, h.exec(`UPDATE items SET stock = stock + $1 WHERE id = $2`, 5, 1))
	require.EqualValues(t, 15, h.value(h.shim, `SELECT stock FROM items WHERE id = $1`, 1))
	require.EqualValues(t, 10, h.value(h.past, `SELECT stock FROM items WHERE id = 1`), "deferred")
	h.flush()
	require.EqualValues(t, 15, h.value(h.past, `SELECT stock FROM items WHERE id = 1`))

	require.EqualValues(t, 35, h.value(h.shim, `SELECT sum(stock) FROM items`), "direct")
	require.EqualValues(t, 2, h.exec(`UPDATE items SET stock = stock + 1`))
	require.EqualValues(t, 1, h.exec(`UPDATE items SET name = $1 WHERE stock = $2`, "uno", 16))
	require.Equal(t, "uno", h.value(h.shim, `SELECT name FROM items WHERE id = 1`))

	stmt, err := h.shim.Prepare(`UPDATE items SET name = $1 WHERE id = $2`)
	require.NoError(t, err)
	_, err = stmt.Exec("eins", 1)
	require.NoError(t, err)
	require.NoError(t, stmt.Close())
	require.EqualValues(t, 1, h.stats().PendingRows)

	tx, err := h.shim.Begin()
	require.NoError(t, err)
	var name string
	require.NoError(t, tx.QueryRow(`SELECT name FROM items WHERE id = 1`).Scan(&name))
	require.Equal(t, "eins", name)
	require.NoError(t, tx.Commit())
	_, err = h.shim.BeginTx(context.Background(), &sql.TxOptions{Isolation: sql.LevelSerializable})
	require.ErrorContains(t, err, "the real driver has no transaction options")

	rows, err := h.shim.Query(`SELECT id, name FROM items ORDER BY id`)
	require.NoError(t, err)
	types, err := rows.ColumnTypes()
	require.NoError(t, err)
	require.Equal(t, "name", types[1].Name())
	require.NoError(t, rows.Close())
	require.NoError(t, h.shim.Ping())
	require.NoError(t, writebehind.Flush(context.Background(), h.shim))
}
