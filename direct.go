package writebehind

import (
	"context"
	"database/sql/driver"
	"fmt"
	"slices"

	"github.com/writebehind/writebehind/queue"
	"github.com/writebehind/writebehind/rewrite"
)

// Direct and deferred never mix on a table. A direct writer first takes hold of
// the tables it may change: from then on no write to them is deferred and no
// read cached, by anybody in this process. It then waits until everything that
// was acknowledged before is in PostgreSQL, runs, and lets go.

// hold makes tables direct. Every call is matched by one of release. It returns
// the transactions that have buffered something for the tables: they must yield
// before the writer runs.
func (e *engine) hold(tables []*tableState) (buffers []*buffer) {
	e.queue.Exclusive(func() {
		for _, t := range tables {
			t.direct.Add(1)
			t.epoch.Add(1)
		}
		buffers = buffersOf(tables)
	})
	return buffers
}

// buffersOf returns the transactions that have buffered something for tables. The
// queue's commit lock is held.
func buffersOf(tables []*tableState) (buffers []*buffer) {
	for _, t := range tables {
		for b := range t.buffers {
			if !slices.Contains(buffers, b) {
				buffers = append(buffers, b)
			}
		}
	}
	return buffers
}

// release ends what hold began. What the writer may have changed is forgotten
// before the table is open again.
func (e *engine) release(tables []*tableState) {
	e.queue.Exclusive(func() {
		for _, t := range tables {
			t.epoch.Add(1)
			t.direct.Add(-1)
		}
	})
}

func states(tables []*table) []*tableState {
	all := make([]*tableState, len(tables))
	for i, t := range tables {
		all[i] = t.state
	}
	return all
}

// drainAll waits until everything acknowledged so far is in PostgreSQL.
func (e *engine) drainAll(ctx context.Context) error {
	return e.drain(ctx, e.queue.Newest())
}

// drainAll waits, for a statement of the connection, until everything acknowledged
// so far is in PostgreSQL.
func (c *Conn) drainAll(ctx context.Context) error { return c.drain(ctx, c.engine.queue.Newest()) }

// drainTables waits until nothing is pending for the tables.
func (c *Conn) drainTables(ctx context.Context, tables []*table) error {
	var buffer [8]uint32
	oids := buffer[:0]
	for _, t := range tables {
		oids = append(oids, t.rel.OID)
	}
	return c.drain(ctx, c.engine.queue.NewestOf(oids...))
}

// flush is drainAll for those who ask for nothing else.
func (e *engine) flush(ctx context.Context) error {
	if err := e.queue.Drain(ctx, e.queue.Newest()); err != nil {
		return fmt.Errorf("writebehind: flush: %w: %w", ErrPending, err)
	}
	return nil
}

func (e *engine) drain(ctx context.Context, lsn queue.LSN) error {
	err := e.queue.Drain(ctx, lsn)
	if err == nil || ctx.Err() != nil {
		return err
	}
	return fmt.Errorf("writebehind: %w, and the statement needs them there: %v", ErrPending, err) //nolint:errorlint // the cause is another statement's
}

// enter does what must come before a direct statement. It returns the tables
// that the statement holds until leave.
func (c *Conn) enter(ctx context.Context, p *plan) ([]*tableState, error) {
	if c.misreads(p) {
		c.met = false
	}
	if err := c.meet(ctx); err != nil {
		return nil, err
	}
	if !c.counted {
		c.counted, c.generation = true, c.engine.activity.begin()
	}
	held, err := c.hold(ctx, p)
	if err != nil && !c.inTransaction() {
		c.letGo(ctx)
	}
	return held, err
}

func (c *Conn) hold(ctx context.Context, p *plan) ([]*tableState, error) {
	e := c.engine
	r := &p.reach
	if c.misreads(p) {
		all := p.schema.reachAll(rewrite.Unknown, c.opaque)
		all.ddl = r.ddl
		r = &all
	}
	if err := c.beforeSnapshot(ctx, p); err != nil {
		return nil, err
	}
	if commits(p.stmt) && len(c.held) > 0 {
		// A COMMIT comes after everything that was acknowledged before it.
		if err := c.drainAll(ctx); err != nil {
			return nil, err
		}
		return nil, e.confirm(ctx)
	}
	if r.nothing() {
		return nil, nil
	}
	e.direct.Add(1)
	if err := e.announce(ctx); err != nil {
		return nil, err
	}
	if len(r.writes) == 0 {
		return nil, c.drainTables(ctx, r.reads)
	}
	held := states(r.writes)
	err := yieldAll(ctx, e.hold(held))
	if err == nil {
		err = c.drainAll(ctx)
	}
	if err != nil {
		e.release(held)
		return nil, err
	}
	return held, nil
}

// commits tells whether a statement given as text ends a transaction that may
// have written.
func commits(st *rewrite.Statement) bool {
	if st.Transaction != rewrite.EndTransaction && st.Transaction != rewrite.InTransaction {
		return false
	}
	return st.Verb == "COMMIT" || st.Verb == "END" || st.Verb == "PREPARE"
}

// beforeSnapshot drains everything before the first statement of a transaction,
// which may take the snapshot for all of it.
func (c *Conn) beforeSnapshot(ctx context.Context, p *plan) error {
	if !c.freshSnapshot || p.stmt.Effect == rewrite.NoEffect {
		return nil
	}
	err := c.drainAll(ctx)
	c.freshSnapshot = false
	return err
}

// leave does what must come after a direct statement, or, inside a transaction,
// leaves it to the transaction's end.
func (c *Conn) leave(ctx context.Context, p *plan, held []*tableState, err error) {
	if err == driver.ErrSkip { //nolint:errorlint // a sentinel that is never wrapped: nothing has run yet
		c.engine.release(held)
		if !c.inTransaction() {
			c.letGo(ctx)
		}
		return
	}
	c.follow(p, err)
	if p.reach.ddl {
		c.reloads = true
	}
	if c.inTransaction() {
		for _, t := range held {
			if slices.Contains(c.held, t) {
				c.engine.release([]*tableState{t})
			} else {
				c.held = append(c.held, t)
			}
		}
		return
	}
	c.held = append(c.held, held...)
	if len(c.held) > 0 && c.lost(err) {
		c.doubt()
	}
	c.letGo(ctx)
}

// letGo ends what the connection's transaction, or its last statement, holds.
func (c *Conn) letGo(ctx context.Context) {
	c.endEarly()
	if c.counted {
		c.engine.activity.end(c.generation)
		c.counted = false
	}
	if c.reloads {
		c.reloads = false
		loading, cancel := context.WithTimeout(context.WithoutCancel(ctx), reloadTimeout)
		defer cancel()
		if err := c.engine.reload(loading); err != nil {
			c.engine.owe(c.held)
			c.held = nil
		}
	}
	if len(c.held) > 0 {
		c.engine.release(c.held)
		c.held = c.held[:0]
	}
}

// follow keeps track of what a statement made of the session.
func (c *Conn) follow(p *plan, err error) {
	st := p.stmt
	c.followSession(p)
	switch st.Transaction {
	case rewrite.BeginTransaction:
		if err == nil {
			c.textTx, c.freshSnapshot = true, true
		}
	case rewrite.EndTransaction:
		// Whatever COMMIT says, the transaction has ended.
		c.textTx = false
		if st.Verb == "PREPARE" && err == nil {
			// It lives on without a session, with all its locks: its tables stay
			// direct for as long as this process lives.
			c.held = nil
		}
	case rewrite.InTransaction:
		c.freshSnapshot = true // it may be COMMIT AND CHAIN
	case rewrite.MixedTransaction:
		// After an error, where it left the transaction is not known: stay on the
		// safe side until one is ended plainly.
		c.textTx = st.LeavesOpen || err != nil
		c.freshSnapshot = c.textTx
	}
}
