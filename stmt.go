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

// Stmt is a prepared statement.
type Stmt struct {
	conn  *Conn
	query string
	real  driver.Stmt // nil for a statement to the shim itself
}

// Prepare implements driver.Conn.
func (c *Conn) Prepare(query string) (driver.Stmt, error) {
	return c.PrepareContext(context.Background(), query)
}

// PrepareContext prepares a statement on the real connection, so that
// PostgreSQL refuses at once what it would refuse later.
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
		return &Stmt{conn: c, query: query}, nil
	}
	if c.buffer != nil {
		if stmt, err := c.prepareBuffered(ctx, p, query); stmt != nil || err != nil {
			return stmt, err
		}
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

// prepareBuffered prepares a keyed statement beside the buffered transaction. It
// returns nil if that is real now, and the statement must be prepared in it.
func (c *Conn) prepareBuffered(ctx context.Context, p *plan, query string) (driver.Stmt, error) {
	b, err := c.enterBuffer()
	if b == nil {
		return nil, err
	}
	defer b.give()
	if p.read != nil || p.write != nil {
		if err := c.meet(ctx); err == nil {
			if real, err := prepareReal(ctx, c.real, query); err == nil {
				c.prepared = true
				return &Stmt{conn: c, query: query, real: real}, nil
			}
		}
	}
	return nil, c.makeReal(b) // an error must fail the transaction
}

func prepareReal(ctx context.Context, real driver.Conn, query string) (driver.Stmt, error) {
	if preparer, ok := real.(driver.ConnPrepareContext); ok {
		return preparer.PrepareContext(ctx, query)
	}
	return real.Prepare(query)
}

// NumInput returns the number of parameters, -1 if the real driver does not
// tell.
func (s *Stmt) NumInput() int {
	if s.real == nil {
		return -1
	}
	return s.real.NumInput()
}

// Close closes the statement.
func (s *Stmt) Close() error {
	if s.real == nil {
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
