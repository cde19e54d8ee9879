package writebehind

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"

	"github.com/writebehind/writebehind/queue"
	"github.com/writebehind/writebehind/rewrite"
)

// Statements in a buffered transaction. Each is answered from memory, or makes the
// transaction real and then runs like any other.

// mayBuffer tells whether a transaction with these options can be buffered: what
// PostgreSQL does at READ COMMITTED is known to the letter.
func (e *engine) mayBuffer(opts driver.TxOptions) bool {
	var level bool
	switch sql.IsolationLevel(opts.Isolation) {
	case sql.LevelDefault:
		level = e.session.DefaultTransactionIsolation == "read committed"
	case sql.LevelReadCommitted, sql.LevelReadUncommitted: // which is the same
		level = true
	}
	return level && e.settings.transactions == transactionsBuffer && !opts.ReadOnly && !e.session.DefaultTransactionReadOnly && e.unsuited(true) == ""
}

// enterBuffer takes the turn of the connection's open buffer. It returns nil
// without it if there is none any more: then the transaction is real.
func (c *Conn) enterBuffer() (*buffer, error) {
	b := c.buffer
	b.take()
	if b.state == bufferOpen {
		return b, nil
	}
	defer b.give()
	return nil, c.takeOver(b)
}

// leaveBuffer makes the connection's transaction real, if it is buffered.
func (c *Conn) leaveBuffer() error {
	b := c.buffer
	if b == nil {
		return nil
	}
	b.take()
	defer b.give()
	return c.makeReal(b)
}

// execBuffered executes a statement in the buffered transaction. done is false,
// without an error, if the transaction is real now and the statement must run
// there.
func (c *Conn) execBuffered(ctx context.Context, p *plan, query string, args []driver.NamedValue) (result driver.Result, done bool, err error) {
	b, err := c.enterBuffer()
	if b == nil {
		if c.buffer != nil && c.buffer.byText && (p.stmt.Step == rewrite.Rollback || p.stmt.Step == rewrite.Commit) {
			c.buffer = nil // it is broken: nothing is left to end
			done = p.stmt.Step == rewrite.Rollback
		}
		if done {
			err = nil
		}
		return driver.RowsAffected(0), done, err
	}
	if p.stmt.Step == rewrite.Commit && b.byText && len(args) == 0 {
		real, err := c.commitBuffered(ctx, b)
		return driver.RowsAffected(0), !real, err
	}
	defer b.give()
	switch {
	case p.stmt.Step != rewrite.NoStep && len(args) == 0:
		done = c.step(b, p.stmt, query)
		result = driver.RowsAffected(0)
	case p.write != nil && c.free(ctx) && !b.full():
		var n int64
		n, done = c.bufferWrite(ctx, b, p, query, args)
		result = driver.RowsAffected(n)
		b.asked = b.asked || done
	}
	if done {
		c.answered()
		return result, true, nil
	}
	return nil, false, c.leaveFor(ctx, b)
}

// leaveFor makes the transaction real for a statement. A statement whose context has
// ended has failed, and with it the transaction.
func (c *Conn) leaveFor(ctx context.Context, b *buffer) error {
	if err := ctx.Err(); err != nil && b.state == bufferOpen {
		b.real.failure = err
		b.end(bufferBroken)
	}
	return c.makeReal(b)
}

// queryBuffered is execBuffered for a statement that may return rows.
func (c *Conn) queryBuffered(ctx context.Context, p *plan, query string, args []driver.NamedValue) (rows driver.Rows, done bool, err error) {
	b, err := c.enterBuffer()
	if b == nil {
		return nil, false, err
	}
	defer b.give()
	switch {
	case b.full() || !c.free(ctx):
	case p.write != nil && p.write.returning != nil:
		if _, done = c.bufferWrite(ctx, b, p, query, args); done {
			rows = c.returned(p)
			c.answered()
		}
	case p.read != nil && c.catchUp(b) == nil:
		if p.read.lock == noRowLock {
			if rows, done, err = c.cachedRead(ctx, b, p, args); done && err == nil {
				done = b.touch(&c.attempt, accessShare)
			}
		} else {
			rows, done = c.lockingRead(ctx, b, p, query, args)
		}
	}
	if done && err == nil {
		b.asked = true
		return rows, true, nil
	}
	return nil, false, c.leaveFor(ctx, b)
}

// step does a step of the transaction; false if PostgreSQL must.
func (c *Conn) step(b *buffer, st *rewrite.Statement, query string) bool {
	if len(st.Savepoint) > maxName {
		return false
	}
	switch st.Step {
	case rewrite.Savepoint:
		if b.full() {
			return false
		}
		b.mark(st.Savepoint, query)
		return true
	case rewrite.RollbackTo:
		return b.backTo(st.Savepoint)
	case rewrite.Release:
		return b.release(st.Savepoint)
	case rewrite.Rollback:
		if b.byText {
			b.end(bufferOver)
			c.buffer = nil
			c.outlast(b)
			return true
		}
	}
	return false
}

// catchUp waits until those groups are durable that the transaction has built on. What it
// shows of a row is then nothing that a crash could take back, and it reads such a group as a
// whole: before that nobody sees the rows of the group that the transaction has not written.
func (c *Conn) catchUp(b *buffer) error {
	err := c.engine.queue.Durable(b.basis)
	if err == nil {
		b.basis = queue.Receipt{}
	}
	return err
}

// outlast waits, at the end of a transaction that was rolled back, until those groups are
// durable whose rows it has changed for itself: whoever has heard of that finds them from
// then on. (COMMIT waits for a group of its own, which comes after them.)
func (c *Conn) outlast(b *buffer) {
	_ = c.catchUp(b) // if they are lost, nothing is left to be found
}

// maxName is the longest name that PostgreSQL does not cut off, in bytes
// (NAMEDATALEN - 1).
const maxName = 63

// bufferWrite adds a keyed write to the transaction; done is false, and nothing
// has happened, if PostgreSQL must answer.
func (c *Conn) bufferWrite(ctx context.Context, b *buffer, p *plan, query string, args []driver.NamedValue) (affected int64, done bool) {
	before := b.here()
	affected, done = c.bufferRows(ctx, b, p, args)
	if b.state != bufferOpen {
		return 0, false
	}
	if !done || b.repeatable(before, bufferedOp{query: query, args: args, rows: affected}, c.attempt.drew) != nil {
		b.undo(before)
		return 0, false
	}
	if len(b.ops) > before.ops {
		b.ops[before.ops].first = true
	}
	c.engine.countAsked(c.attempt.asked)
	c.last.note(c.attempt.draws)
	return affected, true
}

// bufferRows writes the rows of a keyed write; done is false if PostgreSQL must answer.
func (c *Conn) bufferRows(ctx context.Context, b *buffer, p *plan, args []driver.NamedValue) (affected int64, done bool) {
	a, w := &c.attempt, p.write
	if w.kind != rewrite.Insert {
		if !a.beginRow(c.engine, b, p, w.key, args) || !c.engine.mayDefer(ctx) {
			return 0, false
		}
		return c.bufferRow(ctx, b, p, args)
	}
	if !a.begin(c.engine, b, p, args) || !c.engine.mayDefer(ctx) {
		return 0, false
	}
	rows, ok := c.proposeRows(ctx, w.rows, args)
	defer c.ahead.reset() // also of look-ups that failed, and have found nothing yet
	if !ok || w.looksFurther(p.table) && c.lookAhead(ctx, b, p, rows) != nil {
		return 0, false
	}
	first := len(b.ops)
	for i := range rows {
		a.propose(&rows[i])
		if w.upsert && !w.nothing && b.wrote(a, first) {
			return 0, false // PostgreSQL refuses to change a row twice
		}
		n, ok := c.bufferRow(ctx, b, p, args)
		if !ok {
			return 0, false
		}
		affected += n
	}
	return affected, true
}

// bufferRow writes the row of the attempt.
func (c *Conn) bufferRow(ctx context.Context, b *buffer, p *plan, args []driver.NamedValue) (affected int64, done bool) {
	a, w := &c.attempt, p.write
	if w.kind != rewrite.Insert && c.engine.locks.isTaken(a.hash, b) && a.misses(w.set, w.conditions, args) {
		return 0, b.touch(a, rowExclusive) && c.engine.queue.Durable(a.basis) == nil
	}
	kept := len(b.kept)
	if b.keep(ctx, a, true) != nil {
		return 0, false
	}
	var shape *queue.Shape
	if !c.settle(b, func() (err error) {
		shape, err = c.compute(ctx, p, args)
		return err
	}) {
		return 0, false
	}
	if shape == nil {
		return 0, b.touch(a, rowExclusive) && c.engine.queue.Durable(a.basis) == nil && b.letBe(a, kept, w.lock()) == nil
	}
	if a.given != nil {
		a.result = append(a.result, a.given)
	}
	if a.basis.LSN > b.basis.LSN {
		b.basis = a.basis
	}
	b.write(a, shape)
	if w.returning != nil && a.found && !b.single && c.catchUp(b) != nil {
		return 0, false
	}
	return 1, true
}

// settle computes something about the attempt's row until it holds at one moment,
// in which the transaction is registered with the table. false means that
// PostgreSQL must answer.
func (c *Conn) settle(b *buffer, compute func() error) bool {
	a := &c.attempt
	for {
		a.stamp()
		if a.blocked() || b.schema != nil && b.schema != a.schema {
			return false
		}
		r, certain := a.written()
		if !certain || compute() != nil {
			return false
		}
		holds := false
		a.engine.queue.Exclusive(func() {
			// What it has written it has locked: others have not moved that.
			if holds = a.stands() && (r != nil || !a.moved()); holds {
				b.register(a.table.state)
			}
		})
		if holds {
			return true
		}
	}
}

// lockingRead answers SELECT … FOR UPDATE and the like: the row is locked to the
// end of the transaction.
func (c *Conn) lockingRead(ctx context.Context, b *buffer, p *plan, query string, args []driver.NamedValue) (rows driver.Rows, done bool) {
	a := &c.attempt
	if !a.beginRow(c.engine, b, p, p.read.key, args) || !c.engine.mayDefer(ctx) {
		return nil, false
	}
	a.writes = true
	if c.engine.locks.isTaken(a.hash, b) && p.read.exists.form == rewrite.Rows && a.misses(nil, p.read.conditions, args) {
		if _, ok := p.read.mostRows(args); !ok || c.engine.queue.Durable(a.basis) != nil {
			return nil, false
		}
		c.engine.cached.Add(1)
		return c.oneRow(p.read.result), b.touch(a, rowShare)
	}
	kept := len(b.kept)
	if b.keep(ctx, a, p.read.lock == waitForRow) != nil {
		return nil, false
	}
	var answer *cachedRows
	if !c.settle(b, func() (err error) {
		answer, err = c.answer(ctx, p, args)
		return err
	}) {
		return nil, false
	}
	if c.engine.queue.Durable(a.basis) != nil {
		return nil, false
	}
	c.engine.cached.Add(1)
	if answer.row == nil {
		return answer, b.touch(a, rowShare) && b.letBe(a, kept, p.stmt.Lock) == nil
	}
	b.note(bufferedOp{query: query, args: args, rows: 1, reads: true})
	return answer, true
}

// commitBuffered commits the open buffer, whose turn is taken and given up. real
// says that nothing has happened and that the transaction is real now.
func (c *Conn) commitBuffered(ctx context.Context, b *buffer) (real bool, err error) {
	statements := b.statements()
	writes, receipt, err := c.sequenceBuffer(ctx, b)
	if errors.Is(err, errUncertain) {
		err = c.makeReal(b)
		b.give()
		return true, err
	}
	b.end(bufferOver)
	c.buffer = nil
	b.give()
	if err != nil {
		return false, err
	}
	e := c.engine
	if writes > 0 {
		// No row is locked while the journal is synced: others build on this group.
		if err := e.durable(receipt, true); err != nil {
			return false, err
		}
		e.deferred.Add(statements)
	}
	e.buffered.Add(1)
	c.answered()
	return false, nil
}

// sequenceBuffer makes the transaction one group. It returns errUncertain, and
// nothing has happened, if PostgreSQL must commit it.
func (c *Conn) sequenceBuffer(ctx context.Context, b *buffer) (writes int, r queue.Receipt, err error) {
	group := b.group()
	for len(group) > 0 {
		r, ok, err := c.engine.queue.Sequence(b, b.schema.version, group...)
		switch {
		case ok:
			b.claimed(r.LSN)
			b.buried()
			return len(group), r, nil
		case errors.Is(err, queue.ErrFull):
			if err := c.awaitRoom(ctx, b, len(group)); err != nil {
				return 0, r, err
			}
		case errors.Is(err, queue.ErrJournal):
			c.engine.journalRefused(err)
			return 0, r, errUncertain
		default:
			return 0, r, errUncertain
		}
	}
	return 0, r, nil
}

// awaitRoom waits for the flusher without the turn, so that nobody who wants the
// transaction to yield waits for the flusher, too.
func (c *Conn) awaitRoom(ctx context.Context, b *buffer, rows int) error {
	b.give()
	err := c.engine.queue.Room(ctx, rows)
	b.take()
	if b.state != bufferOpen {
		return errUncertain
	}
	return withoutRoom(ctx, err)
}
