package noop

import (
	"context"
	"database/sql/driver"
	"strings"
)

// Marker is what a statement has to begin with for a Shortcut to answer it.
const Marker = "/* at once */ "

// Shortcut is a driver on top of a real one: statements that begin with Marker
// are answered as the no-op driver answers them, all others by the real one.
// What a driver in front of it adds to a statement can so be measured in
// nanoseconds, though that driver needs a real server to start with.
type Shortcut struct {
	Driver driver.Driver
}

// Open opens a connection of the real driver, which has to serve the context
// forms of Exec, Query, Prepare and Begin, as those in use today do.
func (s Shortcut) Open(dsn string) (driver.Conn, error) {
	c, err := s.Driver.Open(dsn)
	if err != nil {
		return nil, err
	}
	return &shortcutConn{Conn: c}, nil
}

type shortcutConn struct {
	driver.Conn
	noop conn
}

var (
	_ driver.ExecerContext      = (*shortcutConn)(nil)
	_ driver.QueryerContext     = (*shortcutConn)(nil)
	_ driver.ConnPrepareContext = (*shortcutConn)(nil)
	_ driver.ConnBeginTx        = (*shortcutConn)(nil)
	_ driver.Pinger             = (*shortcutConn)(nil)
	_ driver.SessionResetter    = (*shortcutConn)(nil)
	_ driver.Validator          = (*shortcutConn)(nil)
	_ driver.NamedValueChecker  = (*shortcutConn)(nil)
)

// ExecContext answers a marked statement at once.
func (c *shortcutConn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	if strings.HasPrefix(query, Marker) {
		return c.noop.ExecContext(ctx, query, args)
	}
	return c.Conn.(driver.ExecerContext).ExecContext(ctx, query, args)
}

// QueryContext answers a marked statement at once.
func (c *shortcutConn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	if strings.HasPrefix(query, Marker) {
		return c.noop.QueryContext(ctx, query, args)
	}
	return c.Conn.(driver.QueryerContext).QueryContext(ctx, query, args)
}

// PrepareContext is the real driver's: prepared statements are never answered at once.
func (c *shortcutConn) PrepareContext(ctx context.Context, query string) (driver.Stmt, error) {
	return c.Conn.(driver.ConnPrepareContext).PrepareContext(ctx, query)
}

// BeginTx is the real driver's.
func (c *shortcutConn) BeginTx(ctx context.Context, opts driver.TxOptions) (driver.Tx, error) {
	return c.Conn.(driver.ConnBeginTx).BeginTx(ctx, opts)
}

// Ping is the real driver's, where it has one.
func (c *shortcutConn) Ping(ctx context.Context) error {
	if p, ok := c.Conn.(driver.Pinger); ok {
		return p.Ping(ctx)
	}
	return nil
}

// ResetSession is the real driver's, where it has one.
func (c *shortcutConn) ResetSession(ctx context.Context) error {
	if r, ok := c.Conn.(driver.SessionResetter); ok {
		return r.ResetSession(ctx)
	}
	return nil
}

// IsValid is the real driver's, where it has one.
func (c *shortcutConn) IsValid() bool {
	v, ok := c.Conn.(driver.Validator)
	return !ok || v.IsValid()
}

// CheckNamedValue is the real driver's, where it has one.
func (c *shortcutConn) CheckNamedValue(v *driver.NamedValue) error {
	if n, ok := c.Conn.(driver.NamedValueChecker); ok {
		return n.CheckNamedValue(v)
	}
	return driver.ErrSkip
}
