package writebehind

import (
	"context"
	"database/sql/driver"
	"slices"

	"github.com/writebehind/writebehind/rewrite"
)

// Direct and deferred never mix on a row. A direct writer first takes hold of the
// rows that it may change, or of whole tables where it is not certain which rows
// those are: from then on no write to them is deferred and no read of them
// cached, by anybody in this process. It then waits until everything that it must
// come after is in PostgreSQL, runs, and lets go.

// held is what the statements of a transaction hold.
type held struct {
	tables []*tableState
	rows   map[uint64]heldRow // by the hash of the key
}

// heldRow is a row that is held.
type heldRow struct {
	table  *tableState
	locked bool // in this process, too: others wait there before they ask PostgreSQL
}

func (h *held) nothing() bool { return len(h.tables)+len(h.rows) == 0 }

// add takes over what one statement holds. Holding the same twice is holding it
// once; what was held twice must be released once: tables are returned, and of the
// row it is told.
func (h *held) add(s heldBy) (twice []*tableState, rowTwice bool) {
	for _, t := range s.tables {
		if slices.Contains(h.tables, t) {
			twice = append(twice, t)
		} else {
			h.tables = append(h.tables, t)
		}
	}
	if s.one {
		if h.rows == nil {
			h.rows = make(map[uint64]heldRow)
		}
		was, again := h.rows[s.hash]
		s.row.locked = s.row.locked || was.locked // not both: it is one lock
		h.rows[s.hash] = s.row
		return twice, again
	}
	return twice, false
}

// heldBy is what one statement holds: some tables, or one row.
type heldBy struct {
	tables []*tableState
	one    bool
	hash   uint64
	row    heldRow
}

func (h heldBy) nothing() bool { return len(h.tables) == 0 && !h.one }

// hold makes tables direct. Every call is matched by one of release. It returns
// the transactions that have buffered something for the tables, or (all) used them in
// any way: they must yield before the writer runs.
func (e *engine) hold(tables []*tableState, all bool) (buffers []*buffer) {
	e.queue.Exclusive(func() {
		for _, t := range tables {
			t.direct.Add(1)
			t.epoch.Add(1)
		}
		buffers = buffersOf(tables, all)
	})
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

// holdRow makes one row direct. Every call is matched by one of releaseRow. It
// returns the transaction that has locked the row and not come to PostgreSQL yet,
// if there is one: it must yield before the writer runs.
func (e *engine) holdRow(hash uint64) (keeper *buffer) {
	e.queue.Exclusive(func() {
		e.markRow(hash)
		keeper = e.locks.keeper(hash)
	})
	return keeper
}

// markRow makes a row direct, and unmarkRow ends that. What is known of it is
// forgotten. The queue's commit lock is held.
func (e *engine) markRow(hash uint64) {
	e.rows.add(hash)
	e.cache.Drop(hash)
}

func (e *engine) unmarkRow(hash uint64) {
	e.cache.Drop(hash)
	e.rows.remove(hash)
}

// releaseRow ends what holdRow began, as release does for tables.
func (e *engine) releaseRow(hash uint64, row heldRow) {
	e.queue.Exclusive(func() { e.unmarkRow(hash) })
	if row.locked {
		e.locks.unlock(hash)
	}
}

// releaseStatement releases what one statement holds.
func (e *engine) releaseStatement(h heldBy) {
	if len(h.tables) > 0 {
		e.release(h.tables)
	}
	if h.one {
		e.releaseRow(h.hash, h.row)
	}
}

// releaseAll releases what a transaction holds, and leaves h empty.
func (e *engine) releaseAll(h *held) {
	if len(h.tables) > 0 {
		e.release(h.tables)
	}
	if len(h.rows) > 0 {
		e.queue.Exclusive(func() {
			for hash := range h.rows {
				e.unmarkRow(hash)
			}
		})
		for hash, row := range h.rows {
			if row.locked {
				e.locks.unlock(hash)
			}
		}
		clear(h.rows)
	}
	h.tables = h.tables[:0]
}

// widen holds the tables of the rows that h holds instead of these.
func (e *engine) widen(h held) (tables []*tableState) {
	var more []*tableState
	for _, row := range h.rows {
		if !slices.Contains(h.tables, row.table) && !slices.Contains(more, row.table) {
			more = append(more, row.table)
		}
	}
	e.hold(more, false) // nobody has buffered anything for the rows
	rows := held{rows: h.rows}
	e.releaseAll(&rows)
	return append(slices.Clone(h.tables), more...)
}

// buffersOf returns the transactions that have buffered something for tables, or
// (all) used them in any way. The queue's commit lock is held.
func buffersOf(tables []*tableState, all bool) (buffers []*buffer) {
	add := func(those map[*buffer]struct{}) {
		for b := range those {
			if !slices.Contains(buffers, b) {
				buffers = append(buffers, b)
			}
		}
	}
	for _, t := range tables {
		add(t.buffers)
		if all {
			add(t.users)
		}
	}
	return buffers
}

func states(tables []*table) []*tableState {
	all := make([]*tableState, len(tables))
	for i, t := range tables {
		all[i] = t.state
	}
	return all
}

// holdTables holds the tables that a statement may change, after everything that
// was acknowledged before. all says that it may wait for everybody who has used them.
func (c *Conn) holdTables(ctx context.Context, tables []*table, all bool) (heldBy, error) {
	h := heldBy{tables: states(tables)}
	for hash := range c.held.rows {
		c.engine.mayDelete(hash)
	}
	err := yieldAll(ctx, c, c.engine.hold(h.tables, all))
	if err == nil {
		err = c.drainAll(ctx)
	}
	if err != nil {
		c.engine.releaseStatement(h)
		return heldBy{}, err
	}
	return h, nil
}

// holdRow holds the only row that a statement may change. ok is false if the
// arguments do not tell which that is.
func (c *Conn) holdRow(ctx context.Context, p *plan, args []driver.NamedValue) (h heldBy, ok bool, err error) {
	e, a := c.engine, &c.attempt
	if !a.beginRow(e, nil, p, p.row, args) {
		return heldBy{}, false, nil
	}
	if s := p.table.keySequence(); s != nil && p.stmt.Form == rewrite.Insert {
		s.burn(a.values[0])
	}
	if _, again := c.held.rows[a.hash]; again {
		if p.stmt.Form == rewrite.Delete {
			e.mayDelete(a.hash)
		}
		return heldBy{}, true, c.drainTables(ctx, p.reach.reads)
	}
	h = heldBy{one: true, hash: a.hash, row: heldRow{table: p.table.state}}
	if c.inTransaction() {
		h.row.locked = e.locks.tryKeep(a.hash)
	}
	keeper := e.holdRow(a.hash)
	if p.stmt.Form == rewrite.Delete {
		e.mayDelete(a.hash)
	}
	if keeper != nil {
		err = keeper.yield(ctx, c)
	}
	switch {
	case err != nil:
	case c.inTransaction(): // COMMIT comes after all that was acknowledged before it
		if err = c.drain(ctx, e.queue.NewestOfRow(a.key, a.hash)); err == nil {
			err = c.drainTables(ctx, p.reach.reads)
		}
	default:
		err = c.drainAll(ctx)
	}
	if err != nil {
		e.releaseStatement(h)
		return heldBy{}, true, err
	}
	return h, true, nil
}

// drainFor waits until nothing is pending that a statement which only reads may
// see.
func (c *Conn) drainFor(ctx context.Context, p *plan, args []driver.NamedValue) error {
	if a := &c.attempt; p.row != nil && c.readsKeys() && a.beginRow(c.engine, nil, p, p.row, args) {
		return c.drain(ctx, c.engine.queue.NewestOfRow(a.key, a.hash))
	}
	return c.drainTables(ctx, p.reach.reads)
}

// readsKeys tells whether the session takes a name and the text of a key as the
// engine does. Else it is not certain which row a statement is about.
func (c *Conn) readsKeys() bool {
	return c.dirty == "" && c.opaque == "" && !c.stale && !c.otherKeys
}
