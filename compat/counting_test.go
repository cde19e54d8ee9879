package compat

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"regexp"
	"sync/atomic"

	"github.com/lib/pq"
)

// countingDriver is lib/pq, and counts the keyed statements that a program sends:
// each INSERT, whose key is given or comes from a sequence, and what names rows by
// their keys.
const countingDriver = "postgres-counting"

func init() { sql.Register(countingDriver, counting{}) }

var (
	keyedSent atomic.Int64

	byKey  = regexp.MustCompile(`(?is)^(?:--[^\n]*\n|\s)*(INSERT\s|(SELECT|UPDATE|DELETE)\s.*\sWHERE\s.*\bid"?\)?\s*(=|IN\b))`)
	notKey = regexp.MustCompile(`(?i)\bJOIN\b`)
)

func count(query string) {
	if byKey.MatchString(query) && !notKey.MatchString(query) {
		keyedSent.Add(1)
	}
}

type counting struct{}

func (counting) Open(dsn string) (driver.Conn, error) {
	conn, err := pq.Open(dsn)
	if err != nil {
		return nil, err
	}
	return countingConn{conn.(fullConn)}, nil
}

// fullConn is what lib/pq's connection can do.
type fullConn interface {
	driver.Conn
	driver.ConnBeginTx
	driver.ConnPrepareContext
	driver.ExecerContext
	driver.NamedValueChecker
	driver.Pinger
	driver.QueryerContext
	driver.SessionResetter
	driver.Validator
}

type countingConn struct{ fullConn }

func (c countingConn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	count(query)
	return c.fullConn.ExecContext(ctx, query, args)
}

func (c countingConn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	count(query)
	return c.fullConn.QueryContext(ctx, query, args)
}

func (c countingConn) PrepareContext(ctx context.Context, query string) (driver.Stmt, error) {
	stmt, err := c.fullConn.PrepareContext(ctx, query)
	if err != nil {
		return nil, err
	}
	return countingStmt{stmt.(fullStmt), query}, nil
}

// fullStmt is what lib/pq's prepared statement can do.
type fullStmt interface {
	driver.Stmt
	driver.StmtExecContext
	driver.StmtQueryContext
}

type countingStmt struct {
	fullStmt
	query string
}

func (s countingStmt) ExecContext(ctx context.Context, args []driver.NamedValue) (driver.Result, error) {
	count(s.query)
	return s.fullStmt.ExecContext(ctx, args)
}

func (s countingStmt) QueryContext(ctx context.Context, args []driver.NamedValue) (driver.Rows, error) {
	count(s.query)
	return s.fullStmt.QueryContext(ctx, args)
}
