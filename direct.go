package writebehind

import (
	"context"
	"database/sql/driver"
	"fmt"

	"github.com/writebehind/writebehind/internal/pgerr"
	"github.com/writebehind/writebehind/queue"
	"github.com/writebehind/writebehind/rewrite"
)

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

// enter does what must come before a direct statement. It returns what the
// statement holds until leave.
func (c *Conn) enter(ctx context.Context, p *plan, args []driver.NamedValue) (heldBy, error) {
	if c.misreads(p) {
		c.met = false
	}
	if err := c.meet(ctx); err != nil {
		return heldBy{}, err
	}
	if !c.counted {
		c.counted, c.generation = true, c.engine.activity.begin()
	}
	h, err := c.hold(ctx, p, args)
	if err == nil && len(c.unprepared) > 0 && endsPrepared(p) {
		err = c.prepareAll(ctx)
	}
	switch {
	case err == nil:
	case c.inTransaction():
		insist(ctx, c.real, failing)
	default:
		c.letGo(ctx)
	}
	return h, err
}

// failing is a statement that fails, and the transaction with it.
const failing = "SELECT 1/0"

func (c *Conn) hold(ctx context.Context, p *plan, args []driver.NamedValue) (heldBy, error) {
	e := c.engine
	r := &p.reach
	certain := true
	if c.misreads(p) {
		all := p.schema.reachAll(rewrite.Unknown, c.opaque)
		all.ddl = r.ddl
		r, certain = &all, false
	}
	if err := c.beforeSnapshot(ctx, p); err != nil {
		return heldBy{}, err
	}
	if commits(p.stmt) && !c.held.nothing() {
		// A COMMIT comes after everything that was acknowledged before it.
		if err := c.drainAll(ctx); err != nil {
			return heldBy{}, err
		}
		return heldBy{}, e.confirm(ctx)
	}
	if r.nothing() {
		return heldBy{}, nil
	}
	e.direct.Add(1)
	if err := e.announce(ctx); err != nil {
		return heldBy{}, err
	}
	switch {
	case len(r.writes) > 0 && certain && p.row != nil && c.readsKeys():
		if h, ok, err := c.holdRow(ctx, p, args); ok {
			return h, err
		}
		fallthrough
	case len(r.writes) > 0:
		return c.holdTables(ctx, r.writes, !certain || p.locksOutReaders())
	case certain:
		return heldBy{}, c.drainFor(ctx, p, args)
	default:
		return heldBy{}, c.drainTables(ctx, r.reads)
	}
}

// commits tells whether a statement given as text ends a transaction that may
// have written.
func commits(st *rewrite.Statement) bool {
	if st.Transaction != rewrite.EndTransaction && st.Transaction != rewrite.InTransaction {
		return false
	}
	return st.Verb == "COMMIT" || st.Verb == "END" || st.Verb == "PREPARE"
}

// endFailed ends a transaction begun by a statement whose COMMIT has failed before it
// came to PostgreSQL, which leaves none open.
func (c *Conn) endFailed(ctx context.Context, p *plan, err error) {
	if err == nil || !c.textTx || !commits(p.stmt) {
		return
	}
	insist(ctx, c.real, "ROLLBACK")
	c.textTx, c.freshSnapshot, c.readCommitted = false, false, false
	c.letGo(ctx)
}

// beforeSnapshot drains everything before the first statement of a transaction,
// which may take the snapshot for all of it.
func (c *Conn) beforeSnapshot(ctx context.Context, p *plan) error {
	st := p.stmt
	if !c.freshSnapshot || st.Effect == rewrite.NoEffect {
		return nil
	}
	if c.readCommitted && (st.Effect == rewrite.Reads || st.Effect == rewrite.Writes) && !st.Session {
		c.freshSnapshot = false // it takes one of its own, and so will those that follow
		return nil
	}
	err := c.drainAll(ctx)
	c.freshSnapshot = false
	return err
}

// leave does what must come after a direct statement, or, inside a transaction,
// leaves it to the transaction's end.
func (c *Conn) leave(ctx context.Context, p *plan, h heldBy, err error) {
	if err == driver.ErrSkip { //nolint:errorlint // a sentinel that is never wrapped: nothing has run yet
		c.engine.releaseStatement(h)
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
		twice, row := c.held.add(h)
		if len(twice) > 0 {
			c.engine.release(twice)
		}
		if row {
			c.engine.releaseRow(h.hash, heldRow{})
		}
		return
	}
	c.held.add(h)
	c.finish(ctx, err)
}

// finish is the end of what the connection's transaction, or its last statement,
// holds, which err says how it came to it.
func (c *Conn) finish(ctx context.Context, err error) {
	if !c.held.nothing() && c.lost(err) {
		c.doubt()
	}
	c.letGo(ctx)
}

// letGo ends what the connection's transaction, or its last statement, holds.
func (c *Conn) letGo(ctx context.Context) {
	c.otherKeys = false
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
			c.engine.owe(c.held.tables)
			c.held.tables = nil
		}
	}
	c.engine.releaseAll(&c.held)
}

// follow keeps track of what a statement made of the session.
func (c *Conn) follow(p *plan, err error) {
	st := p.stmt
	point := st.Step == rewrite.Savepoint || st.Step == rewrite.RollbackTo || st.Step == rewrite.Release
	if st.Session || st.Transaction != rewrite.NoTransaction && !point {
		c.readCommitted = false
	}
	c.followSession(p)
	switch st.Transaction {
	case rewrite.BeginTransaction:
		if err == nil {
			c.textTx, c.freshSnapshot = true, true
		}
	case rewrite.EndTransaction:
		if err != nil && pgerr.State(err) == "" && !c.lost(err) {
			break // the real driver has not sent it
		}
		// Whatever COMMIT says, the transaction has ended.
		c.textTx = false
		if st.Verb == "PREPARE" && err == nil {
			// It lives on without a session, with all its locks: they tell when it ends.
			c.engine.releaseFinished(c.engine.widen(c.held), false)
			c.held = held{}
		}
	case rewrite.InTransaction:
		if !point {
			c.freshSnapshot = true // it may be COMMIT AND CHAIN
		}
	case rewrite.MixedTransaction:
		// After an error, where it left the transaction is not known: stay on the
		// safe side until one is ended plainly.
		c.textTx = st.LeavesOpen || err != nil
		c.freshSnapshot = c.textTx
	}
}
