// Package noop is a database/sql driver that does nothing: every query returns
// the same row, every other statement one affected row, at once. What a
// statement costs on it is the cost of database/sql itself, below which no
// driver can be.
//
// It is registered as "noop" and takes any DSN. Connections have no state;
// transactions and prepared statements are accepted and do nothing either.
package noop

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"io"
)

// Name is the name under which the driver is registered.
const Name = "noop"

// Row is the row that every query returns, under the column names of Columns.
// It has the shape of the rows that the benchmarks read.
var (
	Row     = []driver.Value{"item 4711", int64(4711), int64(1)}
	Columns = []string{"name", "price", "n"}
)

func init() { sql.Register(Name, Driver{}) }

// Driver is the driver.
type Driver struct{}

// Open never fails.
func (Driver) Open(string) (driver.Conn, error) { return &conn{}, nil }

type conn struct{}

var (
	_ driver.ExecerContext   = (*conn)(nil)
	_ driver.QueryerContext  = (*conn)(nil)
	_ driver.ConnBeginTx     = (*conn)(nil)
	_ driver.Pinger          = (*conn)(nil)
	_ driver.SessionResetter = (*conn)(nil)
	_ driver.Validator       = (*conn)(nil)
)

// ExecContext affects one row.
func (c *conn) ExecContext(context.Context, string, []driver.NamedValue) (driver.Result, error) {
	return driver.RowsAffected(1), nil
}

// QueryContext returns Row.
func (c *conn) QueryContext(context.Context, string, []driver.NamedValue) (driver.Rows, error) {
	return &rows{}, nil
}

// Prepare accepts any statement.
func (c *conn) Prepare(string) (driver.Stmt, error) { return stmt{}, nil }

// Begin begins nothing.
func (c *conn) Begin() (driver.Tx, error) { return tx{}, nil }

// BeginTx begins nothing.
func (c *conn) BeginTx(context.Context, driver.TxOptions) (driver.Tx, error) { return tx{}, nil }

// Ping finds the connection alive.
func (c *conn) Ping(context.Context) error { return nil }

// ResetSession has nothing to reset.
func (c *conn) ResetSession(context.Context) error { return nil }

// IsValid is always true.
func (c *conn) IsValid() bool { return true }

// Close has nothing to close.
func (c *conn) Close() error { return nil }

type stmt struct{}

// NumInput leaves the number of arguments open.
func (stmt) NumInput() int { return -1 }

// Exec affects one row.
func (stmt) Exec([]driver.Value) (driver.Result, error) { return driver.RowsAffected(1), nil }

// Query returns Row.
func (stmt) Query([]driver.Value) (driver.Rows, error) { return &rows{}, nil }

// Close has nothing to close.
func (stmt) Close() error { return nil }

type tx struct{}

// Commit has nothing to commit.
func (tx) Commit() error { return nil }

// Rollback has nothing to roll back.
func (tx) Rollback() error { return nil }

type rows struct{ done bool }

// Columns returns the names of Row's columns.
func (r *rows) Columns() []string { return Columns }

// Close has nothing to close.
func (r *rows) Close() error { return nil }

// Next gives Row, once.
func (r *rows) Next(dest []driver.Value) error {
	if r.done {
		return io.EOF
	}
	r.done = true
	copy(dest, Row)
	return nil
}
