package writebehind_test

import (
	"database/sql"
	"database/sql/driver"
	"fmt"
	"strconv"
	"testing"

	"github.com/lib/pq"
	"github.com/stretchr/testify/require"
)

func init() { sql.Register("floats", floatsDriver{}) }

// floatsDriver is lib/pq, but for the numerics that it returns as float64 and the
// intervals that it returns as a number, and those as text where it was not prepared.
type floatsDriver struct{}

func (floatsDriver) Open(dsn string) (driver.Conn, error) {
	real, err := pq.Open(dsn)
	if err != nil {
		return nil, err
	}
	return floatsConn{bareConn{real}}, nil
}

type floatsConn struct{ bareConn }

func (c floatsConn) Query(query string, args []driver.Value) (driver.Rows, error) {
	rows, err := c.real.(driver.Queryer).Query(query, args) //nolint:staticcheck // an old driver
	if err != nil {
		return nil, err
	}
	return floatsRows{rows, "text"}, nil
}

func (c floatsConn) Prepare(query string) (driver.Stmt, error) {
	real, err := c.real.Prepare(query)
	if err != nil {
		return nil, err
	}
	return floatsStmt{bareStmt{real}}, nil
}

type floatsStmt struct{ bareStmt }

func (s floatsStmt) Query(args []driver.Value) (driver.Rows, error) {
	rows, err := s.real.Query(args) //nolint:staticcheck // an old driver
	if err != nil {
		return nil, err
	}
	return floatsRows{rows, int64(1)}, nil
}

type floatsRows struct {
	driver.Rows
	interval any
}

func (r floatsRows) Next(dest []driver.Value) error {
	err := r.Rows.Next(dest)
	for i := range dest {
		b, isBytes := dest[i].([]byte)
		if err != nil || !isBytes {
			continue
		}
		switch r.Rows.(driver.RowsColumnTypeDatabaseTypeName).ColumnTypeDatabaseTypeName(i) {
		case "NUMERIC":
			dest[i], err = strconv.ParseFloat(string(b), 64)
		case "INTERVAL":
			dest[i] = r.interval
		}
	}
	return err
}

// What a driver returns in a form of its own is returned as it returns it, and is not
// computed with; what it returns now so, now so, is left to it.
func TestFormsThatAreNotKnownAreLeftToTheDriver(t *testing.T) {
	h := newHarness(t, itemsTable+`ALTER TABLE items ADD COLUMN since interval DEFAULT '1 day';`, "writebehind.driver=floats")
	shown := func(v any) string { return fmt.Sprintf("%T %v", v, v) }
	for range 2 {
		require.Equal(t, "float64 1.5", shown(h.value(h.shim, `SELECT price FROM items WHERE id = $1`, 1)))
	}
	require.EqualValues(t, 1, h.stats().Cached)

	for range 2 {
		require.Equal(t, "text", h.value(h.shim, `SELECT since FROM items WHERE id = $1`, 1))
		stmt, err := h.shim.Prepare(`SELECT since FROM items WHERE id = $1`)
		require.NoError(t, err)
		var since any
		require.NoError(t, stmt.QueryRow(1).Scan(&since))
		require.Equal(t, int64(1), since)
		require.NoError(t, stmt.Close())
	}
	require.EqualValues(t, 1, h.stats().Cached)

	require.EqualValues(t, 1, h.exec(`UPDATE items SET stock = stock + $1 WHERE id = $2`, 5, 1))
	require.EqualValues(t, 1, h.stats().Deferred)
	require.EqualValues(t, 1, h.exec(`UPDATE items SET price = $1 WHERE id = $2`, "2.5", 1))
	require.EqualValues(t, 1, h.exec(`UPDATE items SET price = price + $1 WHERE id = $2`, "1", 1))
	require.EqualValues(t, 1, h.stats().Deferred)
	require.Equal(t, "float64 3.5", shown(h.value(h.shim, `SELECT price FROM items WHERE id = $1`, 1)))
	require.EqualValues(t, 15, h.value(h.shim, `SELECT stock FROM items WHERE id = $1`, 1))
}
