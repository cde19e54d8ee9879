package writebehind

import (
	"bytes"
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"time"

	"github.com/writebehind/writebehind/internal/pgvalue"
	"github.com/writebehind/writebehind/internal/rowimage"
	"github.com/writebehind/writebehind/queue"
	"github.com/writebehind/writebehind/rewrite"
)

// wideValue is the length from which a value of an indexed column may be too
// long for the index (PostgreSQL refuses rows of a btree above 2704 bytes,
// nbtree.h: BTMaxItemSize; several columns share them).
const wideValue = 500

// errUncertain says that an attempt came to a point where only PostgreSQL knows.
var errUncertain = errors.New("not certain")

// deferWrite acknowledges a keyed write from memory. done is false, and nothing
// has happened, if it must run direct.
func (c *Conn) deferWrite(ctx context.Context, p *plan, args []driver.NamedValue) (result driver.Result, done bool, err error) {
	if p.write.looksFurther(p.table) {
		return c.deferRows(ctx, p, args)
	}
	a := &c.attempt
	if p.write.kind == rewrite.Insert {
		done = a.begin(c.engine, nil, p, args) && c.proposeRow(ctx, p.write.rows[0], args)
	} else {
		done = a.beginRow(c.engine, nil, p, p.write.key, args)
	}
	if !done || !c.engine.mayDefer(ctx) {
		return nil, false, nil
	}
	affected, receipt, done, err := c.sequence(ctx, p, args)
	if err != nil || !done {
		return nil, false, err
	}
	// No lock is held while the journal is synced: others build on this group.
	if err := c.engine.durable(receipt, affected > 0); err != nil {
		return nil, false, err
	}
	c.engine.deferred.Add(1)
	c.engine.countAsked(a.asked)
	c.last.note(a.draws)
	return driver.RowsAffected(affected), true, nil
}

// countAsked counts a deferred write that had to ask PostgreSQL something first.
func (e *engine) countAsked(asked bool) {
	if asked {
		e.lookedUp.Add(1)
	}
}

// looksFurther tells whether a write looks at more than one row before it is made.
func (w *writePlan) looksFurther(t *table) bool {
	return w.kind == rewrite.Insert && len(w.rows)+len(t.uniques)+len(t.parents) > 1
}

// deferRows is deferWrite for an INSERT of several rows, or one that looks at others. It
// is made in a transaction of its own.
func (c *Conn) deferRows(ctx context.Context, p *plan, args []driver.NamedValue) (result driver.Result, done bool, err error) {
	b := newBuffer(ctx, c, driver.TxOptions{})
	b.single = true
	b.take()
	affected, done := c.bufferWrite(ctx, b, p, "", args)
	var writes int
	var receipt queue.Receipt
	if done {
		writes, receipt, err = c.sequenceBuffer(ctx, b)
	}
	if b.state == bufferOpen {
		b.end(bufferOver)
	}
	b.give()
	switch {
	case errors.Is(err, errUncertain):
		return nil, false, nil
	case err != nil || !done:
		return nil, false, err
	}
	if err := c.engine.durable(receipt, writes > 0); err != nil {
		return nil, false, err
	}
	c.engine.deferred.Add(1)
	return driver.RowsAffected(affected), true, nil
}

// durable waits until a group is as durable as asked.
func (e *engine) durable(r queue.Receipt, wrote bool) error {
	if err := e.queue.Durable(r); err != nil {
		e.journalRefused(err)
		return journalError(err)
	}
	if wrote {
		e.journalTook()
	}
	return nil
}

// sequence makes a keyed write a group, with its row locked. done is false, and
// nothing has happened, if it must run direct.
func (c *Conn) sequence(ctx context.Context, p *plan, args []driver.NamedValue) (affected int64, r queue.Receipt, done bool, err error) {
	a := &c.attempt
	w, err := c.engine.locks.lock(ctx, a.hash, false)
	if err != nil {
		if p.write.kind != rewrite.Insert && a.misses(p.write.set, p.write.conditions, args) {
			return 0, a.basis, true, nil
		}
		w, err = c.engine.locks.lock(ctx, a.hash, true)
	}
	if errors.Is(err, errRowHeld) {
		return 0, r, false, nil // PostgreSQL knows how long to wait for a transaction
	} else if err != nil {
		return 0, r, false, err
	}
	defer c.engine.locks.unlock(a.hash)
	if a.waited(w) != nil {
		return 0, r, false, nil
	}
	if err := c.engine.rows.await(ctx, a.hash, c.engine.locks.patience, nil); errors.Is(err, errRowHeld) {
		return 0, r, false, nil
	} else if err != nil {
		return 0, r, false, err
	}
	for {
		a.stamp()
		if a.blocked() {
			return 0, r, false, nil
		}
		affected, r, ok, err := c.tryWrite(ctx, p, args)
		if errors.Is(err, errUncertain) || errors.Is(err, queue.ErrClosed) {
			return 0, r, false, nil
		}
		if errors.Is(err, queue.ErrJournal) {
			// The disk is full, or failing: PostgreSQL takes the write itself.
			c.engine.journalRefused(err)
			return 0, r, false, nil
		}
		if err != nil || ok {
			return affected, r, ok, err
		}
	}
}

func journalError(err error) error {
	return fmt.Errorf("writebehind: %w, the write has not happened: %w", ErrJournal, err)
}

// journalRefused notes that the journal did not take a write.
func (e *engine) journalRefused(err error) {
	if e.refusing.Swap(&err) == nil {
		e.logger.Warn("writebehind: the journal takes no writes, they are direct until it does", "error", err)
	}
}

// journalTook notes that the journal, if there is one, has taken a write.
func (e *engine) journalTook() {
	if e.refusing.Load() != nil && e.refusing.Swap(nil) != nil {
		e.logger.Info("writebehind: the journal takes writes again")
	}
}

// tryWrite makes one attempt with the row locked. ok is false if what it had
// read no longer held when it came to commit.
func (c *Conn) tryWrite(ctx context.Context, p *plan, args []driver.NamedValue) (affected int64, r queue.Receipt, ok bool, err error) {
	a := &c.attempt
	shape, err := c.compute(ctx, p, args)
	if err != nil {
		return 0, r, false, err
	}
	a.result = a.result[:0]
	if shape == nil { // no row is affected, if the image is one that stays
		return 0, a.basis, a.Valid(), nil
	}
	if a.given != nil {
		a.result = append(a.result, a.given)
	}
	r, ok, err = c.engine.queue.Commit(ctx, a, a.schema.version, queue.Mutation{Shape: shape, Key: a.key, Hash: a.hash, Image: a.imageOf(shape), Deltas: a.deltas, Blind: a.blind})
	if ok && shape.Kind == queue.Delete {
		c.engine.locks.bury(a.hash, a.key)
	}
	return 1, r, ok, withoutRoom(ctx, err)
}

// withoutRoom is the error of a commit for the application.
func withoutRoom(ctx context.Context, err error) error {
	switch {
	case err == nil || errors.Is(err, queue.ErrClosed) || errors.Is(err, queue.ErrJournal) || ctx.Err() != nil:
		return err
	case errors.Is(err, queue.ErrFull):
		return ErrFull
	default: // there is no room, and the flush that is to make some fails
		return fmt.Errorf("%w: %v", ErrFull, err) //nolint:errorlint // the cause is another statement's
	}
}

// compute works out what the write does to its row, which is locked: the shape of
// the mutation, nil if it does nothing, and in the attempt the row before and
// after.
func (c *Conn) compute(ctx context.Context, p *plan, args []driver.NamedValue) (shape *queue.Shape, err error) {
	a, w := &c.attempt, p.write
	a.deltas, a.blind = a.deltas[:0], false
	known, stale := a.look()
	switch {
	case stale:
		return nil, errUncertain
	case a.gone && w.kind != rewrite.Insert:
		a.found = false // what is there now is another row
	case known:
	case a.fresh != nil && !a.fresh.isFree(a.values[0]):
		return nil, errUncertain
	case a.fresh != nil, w.kind == rewrite.Insert && a.trusts(w):
		a.found, a.blind = false, true
	case c.ahead.tells(a):
	default:
		if err := a.readThrough(ctx); err != nil {
			return nil, err
		}
	}
	a.leans = a.leans[:0]
	if since := c.ahead.since; since.state != nil {
		if !since.stands() { // who wrote past it may have taken values that were free
			return nil, errUncertain
		}
		a.leans = append(a.leans, since)
	}
	switch {
	case w.kind == rewrite.Insert:
		shape, err = a.insert(w, args)
	case !a.found:
		// no row, nothing to do
	default:
		shape, err = a.change(w, args)
	}
	if err == nil {
		err = c.checkParents(ctx, shape)
	}
	if err != nil {
		return nil, err
	}
	evaluated := shape != nil && a.found // then the SET list was used on the row
	if !evaluated && !argumentsCertain(w.set, w.conditions, a.engine.values, args) {
		return nil, errUncertain
	}
	a.given = nil
	if w.returning != nil && shape != nil {
		a.given, err = a.known(a.imageOf(shape), w.returning.columns)
	}
	return shape, err
}

// imageOf is the image of the mutation that the attempt has come to: the row after it, or,
// of a Delete, before.
func (a *attempt) imageOf(shape *queue.Shape) []byte {
	if shape.Kind == queue.Delete {
		return a.image
	}
	return a.next
}

// trusts tells whether the proposed row's key is taken for a new one because the
// application says so. What is drawn here is not its word.
func (a *attempt) trusts(w *writePlan) bool {
	return !w.upsert && a.table.insert == insertTrust && !a.doubtful
}

// checkParents makes sure that the rows are there to which the row refers that a write
// makes, or changes.
func (c *Conn) checkParents(ctx context.Context, shape *queue.Shape) error {
	a := &c.attempt
	if len(a.table.parents) == 0 || shape == nil || shape.Kind == queue.Delete {
		return nil
	}
	if !a.found {
		return c.refersCertainly(ctx, allColumns(a.table.rel), func(column int) driver.Value { return a.cells[column] })
	}
	var row []driver.Value
	return c.refersCertainly(ctx, a.changed, func(column int) driver.Value {
		if row == nil {
			row = make([]driver.Value, len(a.table.rel.Columns))
			if err := rowimage.DecodeColumns(a.next, a.engine.values.Location, allColumns(a.table.rel), row); err != nil {
				return rowimage.Unknown{}
			}
		}
		return row[column]
	})
}

// argumentsCertain tells whether PostgreSQL would take the arguments that did not
// come to be used because there is no row to use them on: it reads them all.
func argumentsCertain(set []assignment, conditions []condition, session pgvalue.Session, args []driver.NamedValue) bool {
	for i := range set {
		if set[i].proposed >= 0 || set[i].source.draw != noDraw {
			continue
		}
		if _, ok := set[i].source.value(session, args); !ok {
			return false
		}
	}
	for i := range conditions {
		if conditions[i].op != rewrite.Equals {
			continue
		}
		if _, ok := conditions[i].source.value(session, args); !ok {
			return false
		}
	}
	return true
}

// insert computes what an INSERT does to the row; a nil shape means nothing.
func (a *attempt) insert(w *writePlan, args []driver.NamedValue) (*queue.Shape, error) {
	if a.found && !w.upsert {
		return nil, errUncertain // PostgreSQL says it better
	}
	for column := range a.table.others {
		if a.cells[column] != nil {
			return nil, errUncertain // whether the parent is there PostgreSQL knows
		}
	}
	if !a.admits(a.cells) { // PostgreSQL checks the row even if it comes to insert none
		return nil, errUncertain
	}
	if !a.found {
		var err error
		if a.next, err = rowimage.AppendRow(a.next[:0], a.engine.values.Location, a.cells); err != nil {
			return nil, errUncertain
		}
		return a.insertShape(w, args), nil
	}
	if w.nothing {
		return nil, nil
	}
	return a.assign(w, args, a.cells)
}

// change computes what an UPDATE or DELETE does to a row that is there.
func (a *attempt) change(w *writePlan, args []driver.NamedValue) (*queue.Shape, error) {
	holds, err := a.conditions(w.conditions, args)
	if err != nil || !holds {
		return nil, err
	}
	if w.kind == rewrite.Delete {
		return w.changeShape, nil
	}
	return a.assign(w, args, nil)
}

// conditions evaluates the conjuncts beside the key on the row.
func (a *attempt) conditions(conditions []condition, args []driver.NamedValue) (hold bool, err error) {
	hold = true
	var cell [1]driver.Value
	for i := range conditions {
		c := &conditions[i]
		if err := rowimage.DecodeColumns(a.image, a.engine.values.Location, []int{c.column}, cell[:]); err != nil {
			return false, err
		}
		h, known := a.holds(c, args, cell[0])
		if _, unknown := cell[0].(rowimage.Unknown); unknown || !known {
			return false, errUncertain
		}
		hold = hold && h
	}
	return hold, nil
}

// assign computes the row after a SET list. proposed is the row that an upsert
// proposed for insertion.
func (a *attempt) assign(w *writePlan, args []driver.NamedValue, proposed []driver.Value) (*queue.Shape, error) {
	session := a.engine.values
	var oldCells, newCells [16]driver.Value
	old, fresh := oldCells[:0], newCells[:0]
	for range w.set {
		old, fresh = append(old, nil), append(fresh, nil)
	}
	var increments columnSet
	if err := rowimage.DecodeColumns(a.image, session.Location, w.setColumns, old); err != nil {
		return nil, err
	}
	for i := range w.set {
		s := &w.set[i]
		var v driver.Value
		ok := true
		if s.proposed >= 0 {
			v = proposed[s.proposed]
		} else {
			v, ok = a.value(&s.source, args)
		}
		if ok && s.op != rewrite.SetTo {
			if w.additions&(1<<i) != 0 && a.increment(s, old[i], v) {
				increments.add(i)
			}
			v, ok = a.add(s, old[i], v)
		}
		if !ok || !a.storable(s.column, v) {
			return nil, errUncertain
		}
		if a.table.hazards[s.column] != "" && !same(session.Location, old[i], v) {
			return nil, errUncertain
		}
		fresh[i] = v
	}
	var err error
	if a.next, err = rowimage.Replace(a.next[:0], a.image, session.Location, w.setColumns, fresh); err != nil {
		return nil, errUncertain
	}
	if len(a.table.parents) > 0 {
		a.changed = a.changed[:0]
		for i, column := range w.setColumns {
			if !same(session.Location, old[i], fresh[i]) {
				a.changed = append(a.changed, column)
			}
		}
	}
	if len(a.table.checks) > 0 {
		if admitted, err := a.admitsChange(w.setColumns, old, fresh); err != nil {
			return nil, err
		} else if !admitted {
			return nil, errUncertain
		}
	}
	return a.shapeOf(queue.Update, w, increments, w.changeShape, w.addShape), nil
}

// add adds to, or subtracts from, a column. NULL on either side gives NULL, unless it
// counts as zero in the column.
func (a *attempt) add(s *assignment, old, v driver.Value) (driver.Value, bool) {
	if _, unknown := old.(rowimage.Unknown); unknown {
		return nil, false
	}
	if old == nil {
		old = s.zero
	}
	if old == nil || v == nil {
		return nil, true
	}
	return a.table.rel.Columns[s.column].Type.Add(old, v, s.op == rewrite.Subtract)
}

// storable tells whether it is certain that the column takes the canonical value.
func (a *attempt) storable(column int, v driver.Value) bool {
	c := &a.table.rel.Columns[column]
	if v == nil {
		return !c.NotNull
	}
	if c.IndexedWidth && width(v) > wideValue {
		return false
	}
	return true
}

func width(v driver.Value) int {
	switch v := v.(type) {
	case string:
		return len(v)
	case []byte:
		return len(v)
	}
	return 0
}

// same tells whether two canonical values are the same in every bit.
func same(loc *time.Location, a, b driver.Value) bool {
	x, errX := rowimage.Append(nil, loc, a)
	y, errY := rowimage.Append(nil, loc, b)
	return errX == nil && errY == nil && bytes.Equal(x, y)
}
