package writebehind

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"

	"github.com/writebehind/writebehind/internal/catalog"
	"github.com/writebehind/writebehind/queue"
)

// A buffered transaction is made real when it needs PostgreSQL: BEGIN is sent,
// and what was buffered is done again there. From then on PostgreSQL's own locks
// stand for those in this process, and its own errors are what the application
// gets.

// errMoved is what the replay of a buffered transaction says that did not find
// what the transaction had found.
var errMoved = errors.New("writebehind: the transaction cannot be brought to PostgreSQL: a row that it has used is not what it was")

// makeReal makes an open buffer real or, if that fails, broken. The caller has
// the turn.
func (b *buffer) makeReal() {
	if b.single {
		b.end(bufferOver)
		return
	}
	e := b.engine
	b.real.generation = e.activity.begin()
	newest := b.hold()
	if err := b.begin(newest); err != nil {
		b.real.failure = err
		e.activity.end(b.real.generation)
		b.end(bufferBroken)
		e.releaseAll(&b.real.held)
		return
	}
	b.real.fresh = !b.asked
	b.real.failure = b.replay()
	for i := range b.ops {
		if op := &b.ops[i]; op.deletes() {
			e.mayDelete(op.row.hash)
		}
	}
	b.end(bufferReal)
	e.madeReal.Add(1)
}

// hold makes the rows of the transaction direct. It returns the newest group that
// may be pending for them.
func (b *buffer) hold() (newest queue.LSN) {
	newest = b.needs
	if len(b.kept) == 0 {
		return newest
	}
	e, h := b.engine, &b.real.held
	h.rows = make(map[uint64]heldRow, len(b.kept))
	e.queue.Exclusive(func() {
		for _, r := range b.kept {
			e.markRow(r.hash)
			h.rows[r.hash] = heldRow{r.table.state, true}
		}
	})
	for _, r := range b.kept {
		newest = max(newest, e.queue.NewestOfRow(r.key, r.hash))
	}
	b.kept = nil // what it becomes keeps the locks
	return newest
}

// begin begins the transaction in PostgreSQL, with all there that was
// acknowledged before and concerns its rows.
func (b *buffer) begin(newest queue.LSN) error {
	e, r := b.engine, &b.real
	if !r.held.nothing() {
		if err := e.announce(b.ctx); err != nil {
			return err
		}
	}
	if err := b.beginAnywhere(); err != nil {
		return err
	}
	if !b.asked && newest == 0 {
		return nil // it must still have no snapshot
	}
	_, err := execAnyhow(b.ctx, r.conn, fmt.Sprintf("SELECT pg_catalog.pg_advisory_xact_lock(%d)", b.lock), nil)
	if err == nil {
		err = e.drainInside(b.ctx, r.conn, true, newest)
	}
	if err != nil {
		b.abort()
	}
	return err
}

// abort rolls back what begin has begun.
func (b *buffer) abort() {
	r := &b.real
	if r.tx != nil {
		_ = r.tx.Rollback() // the first error counts
	} else {
		insist(b.ctx, r.conn, "ROLLBACK")
	}
	if r.conn != b.owner.real {
		closeQuietly(r.conn)
	}
	r.conn, r.tx = nil, nil
}

// beginAnywhere begins the transaction on the connection's real one, or on a new one.
func (b *buffer) beginAnywhere() error {
	c, r := b.owner, &b.real
	r.conn, r.session = c.real, c.session
	if r.conn != nil {
		err := b.beginOn(!c.met)
		if err == nil || c.prepared || !c.lost(err) || b.ctx.Err() != nil {
			return err
		}
		// It had died before the transaction began, as far as the application is
		// concerned, and database/sql would take another one.
	}
	var err error
	if r.conn, err = c.connector.backend.dial(b.ctx); err != nil {
		return err
	}
	if err = b.beginOn(true); err != nil {
		closeQuietly(r.conn)
		r.conn = nil
	}
	return err
}

func (b *buffer) beginOn(unknown bool) (err error) {
	r := &b.real
	if unknown {
		if r.session, err = catalog.ReadSession(b.ctx, r.conn); err != nil {
			return err
		}
		if len(b.ops) > 0 && r.session.Class() != b.engine.session.Class() {
			return fmt.Errorf("writebehind: the transaction cannot be brought to PostgreSQL: %s", otherSession)
		}
	}
	if b.byText {
		_, err := execAnyhow(b.ctx, r.conn, "BEGIN", nil)
		return err
	}
	r.tx, err = beginReal(b.ctx, r.conn, b.opts)
	return err
}

// replay does in PostgreSQL what was buffered. After an error the transaction
// there has failed.
func (b *buffer) replay() error {
	if err := b.lockTouched(b.ctx); err != nil {
		return err
	}
	for i := range b.ops {
		op := &b.ops[i]
		if op.query == "" {
			continue
		}
		n, err := op.run(b.ctx, b.real.conn)
		if err == nil && n != op.rows {
			// Whatever the application does next, this must not be committed.
			insist(b.ctx, b.real.conn, failing)
			err = errMoved
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// run executes the operation and returns how many rows it affected or returned.
func (op *bufferedOp) run(ctx context.Context, conn driver.Conn) (int64, error) {
	if op.reads {
		rows, err := queryAnyhow(ctx, conn, op.query, op.args)
		if err != nil {
			return 0, err
		}
		n, err := countRows(rows)
		return n, errors.Join(err, rows.Close())
	}
	result, err := execAnyhow(ctx, conn, op.query, op.args)
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}

func countRows(rows driver.Rows) (n int64, err error) {
	row := make([]driver.Value, len(rows.Columns()))
	for {
		switch err := rows.Next(row); {
		case errors.Is(err, io.EOF):
			return n, nil
		case err != nil:
			return n, err
		}
		n++
	}
}

// yield makes the buffer real if it is open, for a connection (nil: for the engine)
// that writes past it. It fails with ctx, or when PostgreSQL ends the wait: what
// becomes of the buffer is its owner's to hear.
func (b *buffer) yield(ctx context.Context, c *Conn) error {
	select {
	case b.wanted <- struct{}{}: // it may be waiting for a row
	default:
	}
	var mine bool
	err := c.awaitYield(ctx, b.lock, func(ctx context.Context) bool {
		select {
		case b.turn <- struct{}{}:
			mine = true
		case <-ctx.Done():
		}
		return mine
	})
	if !mine {
		return err
	}
	if b.state != bufferOpen {
		b.give()
		return nil
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer b.give()
		b.makeReal()
	}()
	return c.awaitYield(ctx, b.lock, func(ctx context.Context) bool {
		select {
		case <-done:
			return true
		case <-ctx.Done():
			return false
		}
	})
}

// yieldAll makes real all that is buffered for tables that are direct now.
func yieldAll(ctx context.Context, c *Conn, buffers []*buffer) error {
	for _, b := range buffers {
		if err := b.yield(ctx, c); err != nil {
			return err
		}
	}
	return nil
}

// takeOver gives the connection what its buffer has become. The turn is taken;
// nobody else uses the buffer any more. It returns the error that the
// transaction has met while its owner did not look.
func (c *Conn) takeOver(b *buffer) error {
	r := &b.real
	if b.state == bufferBroken {
		return r.failure
	}
	failure := r.failure
	r.failure = nil
	if c.real != r.conn {
		if c.real != nil {
			closeQuietly(c.real)
		}
		c.real, c.met = r.conn, false
	}
	if !c.met {
		c.compare(r.session)
	}
	c.buffer = nil
	c.freshSnapshot = r.fresh // SET TRANSACTION may come next
	c.readCommitted = true
	if b.byText {
		c.textTx = true
	} else {
		c.tx.real = r.tx
	}
	c.held, r.held = r.held, held{} // it held nothing before
	c.counted, c.generation = true, r.generation
	return failure
}

// makeReal makes the connection's buffered transaction real. The turn is taken.
func (c *Conn) makeReal(b *buffer) error {
	if b.state == bufferOpen {
		b.makeReal()
	}
	return c.takeOver(b)
}
