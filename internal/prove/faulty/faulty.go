// Package faulty is the plain driver with a planted mistake, to see that the
// differential tester notices it.
package faulty

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"strings"

	"github.com/lib/pq"
)

// Fault takes the place of a method of the connection; nil leaves it alone.
// Prepared statements are not touched, but for COPY.
type Fault struct {
	// Exec is called for every statement without rows; next sends it.
	Exec func(query string, args []driver.NamedValue, next Exec) (driver.Result, error)
	// Row changes a row of the result of a query in place.
	Row func(query string, row []driver.Value)
	// DatabaseType changes the type name of a column.
	DatabaseType func(name string) string
	// Query is called for every statement with rows, before it is sent.
	Query func(query string) error
	// Text changes the text of a statement before it is sent.
	Text func(query string) string
	// Tx changes a transaction begun by the application; begin begins it.
	Tx func(begin func() (driver.Tx, error)) (driver.Tx, error)
	// Copied tells whether a row of a COPY is sent.
	Copied func(row []driver.Value) bool
}

// Exec sends a statement to the plain driver.
type Exec func(query string, args []driver.NamedValue) (driver.Result, error)

// Register makes the plain driver with that fault known to database/sql. A
// name can be registered once.
func Register(name string, f Fault) { sql.Register(name, faultyDriver{f}) }

type faultyDriver struct{ fault Fault }

// realConn is what lib/pq's connection serves.
type realConn interface {
	driver.Conn
	driver.ExecerContext
	driver.QueryerContext
	driver.ConnPrepareContext
	driver.ConnBeginTx
	driver.Pinger
	driver.SessionResetter
	driver.Validator
	driver.NamedValueChecker
}

// realRows is what lib/pq's rows serve.
type realRows interface {
	driver.RowsNextResultSet
	driver.RowsColumnTypeDatabaseTypeName
	driver.RowsColumnTypeLength
	driver.RowsColumnTypePrecisionScale
	driver.RowsColumnTypeScanType
}

func (d faultyDriver) Open(dsn string) (driver.Conn, error) {
	c, err := pq.Open(dsn)
	if err != nil {
		return nil, err
	}
	real, ok := c.(realConn)
	if !ok {
		return nil, fmt.Errorf("faulty: %T lacks an interface", c)
	}
	return &conn{realConn: real, fault: d.fault}, nil
}

type conn struct {
	realConn
	fault Fault
}

func (c *conn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	query = c.text(query)
	next := func(query string, args []driver.NamedValue) (driver.Result, error) {
		return c.realConn.ExecContext(ctx, query, args)
	}
	if c.fault.Exec != nil {
		return c.fault.Exec(query, args, next)
	}
	return next(query, args)
}

func (c *conn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	if c.fault.Query != nil {
		if err := c.fault.Query(query); err != nil {
			return nil, err
		}
	}
	query = c.text(query)
	r, err := c.realConn.QueryContext(ctx, query, args)
	if err != nil {
		return nil, err
	}
	real, ok := r.(realRows)
	if !ok {
		return r, nil
	}
	return &rows{realRows: real, fault: c.fault, query: query}, nil
}

func (c *conn) text(query string) string {
	if c.fault.Text != nil {
		return c.fault.Text(query)
	}
	return query
}

func (c *conn) BeginTx(ctx context.Context, opts driver.TxOptions) (driver.Tx, error) {
	begin := func() (driver.Tx, error) { return c.realConn.BeginTx(ctx, opts) }
	if c.fault.Tx != nil {
		return c.fault.Tx(begin)
	}
	return begin()
}

func (c *conn) PrepareContext(ctx context.Context, query string) (driver.Stmt, error) {
	st, err := c.realConn.PrepareContext(ctx, query)
	if err == nil && c.fault.Copied != nil && strings.HasPrefix(strings.ToUpper(query), "COPY") {
		return copying{st, c.fault}, nil
	}
	return st, err
}

type copying struct {
	driver.Stmt
	fault Fault
}

func (s copying) Exec(args []driver.Value) (driver.Result, error) {
	if len(args) > 0 && !s.fault.Copied(args) {
		return driver.RowsAffected(0), nil
	}
	return s.Stmt.Exec(args) //nolint:staticcheck // lib/pq's statements serve both forms
}

type rows struct {
	realRows
	fault Fault
	query string
}

func (r *rows) Next(dest []driver.Value) error {
	err := r.realRows.Next(dest)
	if err == nil && r.fault.Row != nil {
		r.fault.Row(r.query, dest)
	}
	return err
}

func (r *rows) ColumnTypeDatabaseTypeName(i int) string {
	name := r.realRows.ColumnTypeDatabaseTypeName(i)
	if r.fault.DatabaseType != nil {
		return r.fault.DatabaseType(name)
	}
	return name
}
