package writebehind

import (
	"context"
	"database/sql/driver"
	"errors"

	"github.com/writebehind/writebehind/rewrite"
)

// cachedRead answers a keyed SELECT without PostgreSQL, or with a read of the
// row that fills the cache; in a buffered transaction (b, else nil) from what it
// has written. done is false if it must run direct.
func (c *Conn) cachedRead(ctx context.Context, b *buffer, p *plan, args []driver.NamedValue) (rows driver.Rows, done bool, err error) {
	if p.read.list != nil {
		return c.cachedReadMany(ctx, b, p, args)
	}
	a := &c.attempt
	if !a.beginRow(c.engine, b, p, p.read.key, args) {
		return nil, false, nil
	}
	a.stamp()
	if a.blocked() {
		return nil, false, nil
	}
	answer, err := c.answer(ctx, p, args)
	if err != nil {
		if errors.Is(err, errUncertain) {
			err = nil
		}
		return nil, false, err
	}
	return answer, true, nil
}

// answer computes the answer to a keyed SELECT from the image of its row.
func (c *Conn) answer(ctx context.Context, p *plan, args []driver.NamedValue) (*cachedRows, error) {
	a, r := &c.attempt, p.read
	if _, ok := r.mostRows(args); !ok {
		return nil, errUncertain
	}
	known, stale := a.look()
	if a.gone { // what is there now is another row
		known, a.found = true, false
	}
	if stale || !known && !c.engine.cache.Enabled() {
		return nil, errUncertain
	}
	if known && (a.held() || a.table.state.epoch.Load() != a.lease.Epoch) {
		return nil, errUncertain // it may have been cached under a direct writer that has ended since
	}
	if !known {
		if err := a.readThrough(ctx); err != nil {
			return nil, err
		}
	}
	found := a.found
	if !found && !argumentsCertain(nil, r.conditions, c.engine.values, args) {
		return nil, errUncertain
	}
	var err error
	if found {
		if found, err = a.conditions(r.conditions, args); err != nil {
			return nil, errUncertain
		}
	}
	answer := c.oneRow(r.result)
	if r.exists.form != rewrite.Rows {
		answer.row = r.exists.row(found)
	} else if found {
		if err := a.decode(answer.only, r.columns); err != nil {
			return nil, err
		}
		answer.row = answer.only
	}
	if known {
		c.engine.cached.Add(1)
		c.answered()
	} else {
		c.engine.missed.Add(1)
	}
	return answer, nil
}
