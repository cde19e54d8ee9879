package writebehind

import (
	"context"
	"database/sql/driver"
)

var (
	_ driver.Stmt             = (*Stmt)(nil)
	_ driver.StmtExecContext  = (*Stmt)(nil)
	_ driver.StmtQueryContext = (*Stmt)(nil)
)

// Stmt is a prepared statement. See unprepared.go for one that PostgreSQL has not
// heard of yet.
type Stmt struct {
	conn   *Conn
	query  string
	inputs int         // while real is nil: the number of parameters, -1 if that is not told
	real   driver.Stmt // nil for a statement to the shim itself, and for an unprepared one
}

// Prepare implements driver.Conn.
func (c *Conn) Prepare(query string) (driver.Stmt, error) {
	return c.PrepareContext(context.Background(), query)
}

// PrepareContext prepares a statement: in memory if PostgreSQL is certain to accept
// it, else on the real connection, so that PostgreSQL refuses at once what it would
// refuse later.
func (c *Conn) PrepareContext(ctx context.Context, query string) (driver.Stmt, error) {
	p, err := c.plan(ctx, query)
	if err != nil {
		return nil, err
	}
	if p == nil {
		defer c.endEarly()
		real, err := prepareReal(ctx, c.real, query)
		if err != nil || !c.connector.settings.optsIn() {
			return real, err
		}
		return &Stmt{conn: c, query: query, real: real}, nil
	}
	if p.control.verb != noControl {
		return &Stmt{conn: c, query: query, inputs: -1}, nil
	}
	if c.buffer != nil {
		if stmt, err := c.prepareBuffered(ctx, p); stmt != nil || err != nil {
			return stmt, err
		}
	} else if p.accepted() && c.free(ctx) {
		return c.prepareLater(p), nil
	}
	if err := c.meet(ctx); err != nil {
		return nil, err
	}
	if p.stmt.Verb == "COPY" {
		// lib/pq begins the COPY here and ends it at Close: the transaction
		// around it keeps the tables.
		h, err := c.enter(ctx, p, nil)
		if err != nil {
			return nil, err
		}
		defer func() { c.leave(ctx, p, h, nil) }()
	}
	if err := c.beforeSnapshot(ctx, p); err != nil { // to prepare takes it, too
		return nil, err
	}
	real, err := prepareReal(ctx, c.real, query)
	if err != nil {
		return nil, err
	}
	c.prepared = true
	return &Stmt{conn: c, query: query, real: real}, nil
}

func prepareReal(ctx context.Context, real driver.Conn, query string) (driver.Stmt, error) {
	if preparer, ok := real.(driver.ConnPrepareContext); ok {
		return preparer.PrepareContext(ctx, query)
	}
	return real.Prepare(query)
}

// NumInput returns the number of parameters, -1 if it is not told.
func (s *Stmt) NumInput() int {
	if s.real == nil {
		return s.inputs
	}
	return s.real.NumInput()
}

// Close closes the statement.
func (s *Stmt) Close() error {
	if s.real == nil {
		s.conn.forget(s)
		if !s.conn.IsValid() {
			return driver.ErrBadConn // as lib/pq, which cannot tell the server of the end
		}
		return nil
	}
	return s.real.Close()
}

// ExecContext executes the statement: deferred if it can be, else direct.
func (s *Stmt) ExecContext(ctx context.Context, args []driver.NamedValue) (driver.Result, error) {
	return s.conn.exec(ctx, s.query, s, args)
}

// QueryContext executes the statement: from overlay and cache if it can be,
// else direct.
func (s *Stmt) QueryContext(ctx context.Context, args []driver.NamedValue) (driver.Rows, error) {
	return s.conn.query(ctx, s.query, s, args)
}

func (s *Stmt) execReal(ctx context.Context, args []driver.NamedValue) (driver.Result, error) {
	if execer, ok := s.real.(driver.StmtExecContext); ok {
		return execer.ExecContext(ctx, args)
	}
	values, err := unnamed(args)
	if err != nil {
		return nil, err
	}
	return s.real.Exec(values) //nolint:staticcheck // a real driver may have no other
}

func (s *Stmt) queryReal(ctx context.Context, args []driver.NamedValue) (driver.Rows, error) {
	if queryer, ok := s.real.(driver.StmtQueryContext); ok {
		return queryer.QueryContext(ctx, args)
	}
	values, err := unnamed(args)
	if err != nil {
		return nil, err
	}
	return s.real.Query(values) //nolint:staticcheck // as above
}

// Exec implements the older part of driver.Stmt, which database/sql does not call.
func (s *Stmt) Exec(args []driver.Value) (driver.Result, error) {
	return s.ExecContext(context.Background(), named(args))
}

// Query implements the older part of driver.Stmt, which database/sql does not call.
func (s *Stmt) Query(args []driver.Value) (driver.Rows, error) {
	return s.QueryContext(context.Background(), named(args))
}
