package writebehind

import (
	"context"
	"database/sql/driver"
	"errors"

	"github.com/writebehind/writebehind/internal/rowimage"
)

// cachedRead answers a keyed SELECT without PostgreSQL, or with a read of the
// row that fills the cache. done is false if it must run direct.
func (c *Conn) cachedRead(ctx context.Context, p *plan, args []driver.NamedValue) (rows driver.Rows, done bool, err error) {
	a, r := &c.attempt, p.read
	if !a.begin(c.engine, p, r.key, args) {
		return nil, false, nil
	}
	if r.limit >= 0 {
		if n, ok := args[r.limit].Value.(int64); !ok || n < 1 {
			return nil, false, nil
		}
	}
	a.stamp()
	if a.blocked() {
		return nil, false, nil
	}
	known, stale := a.look()
	if stale || !known && !c.engine.cache.Enabled() {
		return nil, false, nil
	}
	if known && (a.blocked() || a.table.state.epoch.Load() != a.lease.Epoch) {
		return nil, false, nil // it may have been cached under a direct writer that has ended since
	}
	if !known {
		if err := c.readThrough(ctx); err != nil {
			if errors.Is(err, errUncertain) {
				err = nil
			}
			return nil, false, err
		}
	}
	found := a.found
	if !found && !argumentsCertain(nil, r.conditions, c.engine.values, args) {
		return nil, false, nil
	}
	if found {
		found, err = a.conditions(r.conditions, args)
		if err != nil {
			return nil, false, nil //nolint:nilerr // not certain: PostgreSQL answers
		}
	}
	if known {
		c.engine.cached.Add(1)
		c.answered()
	} else {
		c.engine.missed.Add(1)
	}
	answer := &cachedRows{columns: r.result}
	if !found {
		return answer, true, nil
	}
	answer.row = make([]driver.Value, len(r.columns))
	if err := rowimage.DecodeColumns(a.image, c.engine.values.Location, r.columns, answer.row); err != nil {
		return nil, false, err
	}
	for _, v := range answer.row {
		if _, unknown := v.(rowimage.Unknown); unknown {
			return nil, false, nil
		}
	}
	return answer, true, nil
}
