package writebehind

import (
	"context"
	"database/sql/driver"
	"errors"
)

var _ driver.Tx = (*Tx)(nil)

// Tx is a transaction: buffered (see buffer), or on the real connection. What the
// latter writes is direct, and what it holds stays direct until it ends.
type Tx struct {
	conn *Conn
	real driver.Tx       // nil while it is buffered
	ctx  context.Context //nolint:containedctx // driver.Tx's Commit has none, and it may have to wait
}

// Begin implements driver.Conn.
func (c *Conn) Begin() (driver.Tx, error) {
	return c.BeginTx(context.Background(), driver.TxOptions{})
}

// BeginTx begins a transaction, without PostgreSQL if it can be buffered.
func (c *Conn) BeginTx(ctx context.Context, opts driver.TxOptions) (driver.Tx, error) {
	if c.engine != nil && c.buffer == nil && c.engine.mayBuffer(opts) && c.free(ctx) {
		c.buffer = newBuffer(ctx, c, opts)
		c.tx = &Tx{conn: c, ctx: ctx}
		return c.tx, nil
	}
	if err := c.leaveBuffer(); err != nil { // begun by a statement: the real driver says what it thinks of it
		return nil, err
	}
	if err := c.dial(ctx); err != nil {
		return nil, err
	}
	if c.engine != nil { // inside the transaction it would be too late to ask
		if err := c.meet(ctx); err != nil {
			return nil, err
		}
	}
	real, err := beginReal(ctx, c.real, opts)
	if err != nil {
		return nil, err
	}
	if !c.connector.settings.optsIn() {
		return real, nil
	}
	// Above READ COMMITTED one snapshot serves the whole transaction, and its
	// first statement takes it. What level the default is the session decides.
	c.freshSnapshot = true
	c.tx = &Tx{conn: c, real: real, ctx: ctx}
	return c.tx, nil
}

func beginReal(ctx context.Context, real driver.Conn, opts driver.TxOptions) (driver.Tx, error) {
	if beginner, ok := real.(driver.ConnBeginTx); ok {
		return beginner.BeginTx(ctx, opts)
	}
	if opts.Isolation != 0 || opts.ReadOnly {
		return nil, errors.New("writebehind: the real driver has no transaction options")
	}
	return real.Begin() //nolint:staticcheck // it has no other
}

// Commit commits. A buffered transaction is acknowledged like any deferred write.
// One that PostgreSQL knows of, and that wrote to an opted-in table, comes after
// all that was acknowledged before it.
func (t *Tx) Commit() error {
	c := t.conn
	if c.buffer != nil {
		b, err := c.enterBuffer()
		if b != nil {
			var real bool
			if real, err = c.commitBuffered(t.ctx, b); !real {
				c.tx = nil
				return err
			}
		}
		if err != nil { // it has failed on its way to PostgreSQL
			return errors.Join(err, t.Rollback())
		}
	}
	if !c.held.nothing() {
		err := c.drainAll(t.ctx)
		if err == nil {
			err = c.engine.confirm(t.ctx)
		}
		if err != nil {
			return errors.Join(err, t.Rollback())
		}
	}
	err := t.real.Commit()
	t.end(err)
	return err
}

// Rollback ends the transaction without effect.
func (t *Tx) Rollback() error {
	c := t.conn
	if b := c.buffer; b != nil {
		b.take()
		if b.state == bufferOpen {
			b.end(bufferOver)
		}
		if b.state != bufferReal {
			b.give()
			c.buffer, c.tx = nil, nil
			c.outlast(b)
			return nil
		}
		_ = c.takeOver(b) // what has failed is rolled back
		b.give()
	}
	err := t.real.Rollback()
	t.end(err)
	return err
}

func (t *Tx) end(err error) {
	c := t.conn
	c.tx, c.textTx, c.freshSnapshot, c.readCommitted = nil, false, false, false
	c.finish(t.ctx, err)
}
