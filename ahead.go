package writebehind

import (
	"bytes"
	"context"
	"slices"

	"github.com/writebehind/writebehind/internal/rowcache"
)

// ahead is what an INSERT has looked up before it came to its rows, all at once: those
// with its keys, those that its rows refer to, and those that have its values of UNIQUE
// columns.
type ahead struct {
	since  leaning             // the table of the INSERT as it was before
	rows   map[uint64]foretold // by the hash of the key
	wanted []wantedRow
	free   []wantedRow // that must not be there
}

// foretold is a row that was looked up, and what must still hold for that to be true.
type foretold struct {
	item  *lookupItem
	lease rowcache.Lease
	lost  uint64
}

func (h *ahead) reset() {
	h.since = leaning{}
	clear(h.rows)
	h.wanted, h.free = h.wanted[:0], h.free[:0]
}

// want asks for the row of an attempt, unless it is known.
func (h *ahead) want(a *attempt) {
	a.stamp()
	if _, asked := h.rows[a.hash]; asked || a.blocked() {
		return
	}
	if known, stale := a.look(); known || stale {
		return
	}
	item := newLookupItem(a.key, a.values)
	if h.rows == nil {
		h.rows = make(map[uint64]foretold)
	}
	h.rows[a.hash] = foretold{item, a.lease, a.lost}
	h.wanted = append(h.wanted, wantedRow{a.table, item})
}

// tells tells whether the row of an attempt was looked up and is still what it was then;
// it is the attempt's from then on.
func (h *ahead) tells(a *attempt) bool {
	f, ok := h.rows[a.hash]
	if !ok || !bytes.Equal(f.item.key, a.key) || f.lost != a.lost || f.lease.Epoch != a.lease.Epoch || a.engine.cache.Moved(a.hash, f.lease) {
		return false
	}
	a.receive(f.item)
	return true
}

// lookAhead looks up what the rows of an INSERT in a buffered transaction need. It
// returns errUncertain if PostgreSQL must answer.
func (c *Conn) lookAhead(ctx context.Context, b *buffer, p *plan, rows []proposal) error {
	a, h := &c.attempt, &c.ahead
	h.reset()
	h.since = leaning{a.table.state, a.table.state.epoch.Load()}
	for i := range rows {
		a.propose(&rows[i])
		if a.fresh == nil && !a.trusts(p.write) {
			h.want(a)
		}
		for j := range a.table.parents {
			if of := &a.table.parents[j]; c.aim(of, rows[i].cell) {
				h.want(&c.parent)
			}
		}
		if err := c.claim(ctx, b, rows[i].cells); err != nil {
			return err
		}
	}
	if len(h.wanted)+len(h.free) == 0 {
		return nil
	}
	a.asked = true
	wanted := slices.Concat(h.wanted, h.free)
	if err := b.aside(func() error { return findAll(ctx, c.engine, wanted, b) }); err != nil {
		return err
	}
	for _, w := range h.free {
		if w.item.found {
			return errUncertain
		}
	}
	return nil
}
