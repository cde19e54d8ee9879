package writebehind

import (
	"bytes"
	"cmp"
	"context"
	"database/sql/driver"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/writebehind/writebehind/rewrite"
)

// A SELECT of a list of keys is answered from a cut: all its rows as they were at one
// moment. Each row is an attempt of its own, stamped before it is looked at. When all
// have been seen, those that have moved since are looked at again, until none has:
// then all of them were so after the last look. What one group has written moves
// before anybody can see a part of it, so that it is seen as a whole or not at all.

// maxCuts is how often rows are looked at again that are written meanwhile.
const maxCuts = 8

// maxKeptAttempts is how many attempts a connection keeps to use again.
const maxKeptAttempts = 64

// cachedReadMany is cachedRead for a list of keys.
func (c *Conn) cachedReadMany(ctx context.Context, b *buffer, p *plan, args []driver.NamedValue) (rows driver.Rows, done bool, err error) {
	answer, err := c.answerMany(ctx, b, p, args)
	if cap(c.many) > maxKeptAttempts {
		c.many = nil
	}
	if err != nil {
		if errors.Is(err, errUncertain) {
			err = nil
		}
		return nil, false, err
	}
	return answer, true, nil
}

// answerMany computes the answer to a SELECT of a list of keys.
func (c *Conn) answerMany(ctx context.Context, b *buffer, p *plan, args []driver.NamedValue) (*cachedRows, error) {
	e, a, r := c.engine, &c.attempt, p.read
	if !a.begin(e, b, p, args) || a.blocked() {
		return nil, errUncertain
	}
	most, ok := r.mostRows(args)
	if !ok || !argumentsCertain(nil, r.conditions, e.values, args) || !c.listRows(p, args) {
		return nil, errUncertain
	}
	known, err := c.cut(ctx)
	if err != nil {
		return nil, err
	}
	rows, err := c.meeting(r, args)
	if err != nil {
		return nil, err
	}
	if int64(len(rows)) > most && r.exists.form != rewrite.CountRows && r.exists.form != rewrite.ExistsRow {
		if !r.total && r.exists.form == rewrite.Rows {
			return nil, errUncertain // which of them is PostgreSQL's to choose
		}
		rows = rows[:most]
	}
	if r.exists.form != rewrite.Rows {
		rows = r.exists.rows(len(rows))
	}
	if known {
		e.cached.Add(1)
		c.answered()
	} else {
		e.missed.Add(1)
	}
	return newCachedRows(r.result, rows), nil
}

// listRows makes an attempt of each row of the list, each once and in the order of
// the result; false if one of the keys is not certain.
func (c *Conn) listRows(p *plan, args []driver.NamedValue) bool {
	c.many = c.many[:0]
	ok := p.read.keys(p, c.engine.values, args, func(values []driver.Value) bool {
		if len(c.many) < cap(c.many) {
			c.many = c.many[:len(c.many)+1]
		} else {
			c.many = append(c.many, attempt{})
		}
		a := &c.many[len(c.many)-1]
		a.accompany(&c.attempt, p.table, false)
		a.values = append(a.values[:0], values...)
		return a.locate()
	})
	if !ok {
		return false
	}
	slices.SortFunc(c.many, func(a, b attempt) int {
		for _, o := range p.read.order {
			n := orderKeys(a.values[o.part], b.values[o.part])
			if n != 0 && o.descending {
				return -n
			}
			if n != 0 {
				return n
			}
		}
		return 0
	})
	c.many = slices.CompactFunc(c.many, func(a, b attempt) bool { return bytes.Equal(a.key, b.key) })
	return true
}

// orderKeys compares two values of a key column: text by its bytes.
func orderKeys(a, b driver.Value) int {
	switch a := a.(type) {
	case int64:
		return cmp.Compare(a, b.(int64))
	case string:
		return strings.Compare(a, b.(string))
	case []byte:
		return bytes.Compare(a, b.([]byte))
	case time.Time:
		return a.Compare(b.(time.Time))
	case bool:
		switch {
		case a == b.(bool):
			return 0
		case a:
			return 1
		}
	}
	return -1
}

// cut sees the connection's many rows as they were at one moment. known tells whether
// all came from memory.
func (c *Conn) cut(ctx context.Context) (known bool, err error) {
	rows := make([]*attempt, len(c.many))
	for i := range c.many {
		rows[i] = &c.many[i]
	}
	known = true
	for range maxCuts {
		memory, err := c.see(ctx, rows)
		if err != nil {
			return false, err
		}
		known = known && memory
		if rows, err = c.moved(rows[:0]); len(rows) == 0 || err != nil {
			return known, err
		}
	}
	return false, errUncertain // they are written all the time
}

// see looks at rows, and reads from PostgreSQL those of which nothing is known.
func (c *Conn) see(ctx context.Context, rows []*attempt) (known bool, err error) {
	for _, a := range rows {
		a.stamp()
	}
	if c.attempt.blocked() {
		return false, errUncertain
	}
	var missing []*attempt
	for _, a := range rows {
		known, stale := a.look()
		if stale || c.engine.rows.has(a.hash) {
			return false, errUncertain
		}
		if !known {
			missing = append(missing, a)
		}
	}
	if len(missing) == 0 {
		return true, nil
	}
	if !c.engine.cache.Enabled() {
		return false, errUncertain
	}
	return false, c.attempt.buffer.aside(func() error { return c.readRows(ctx, missing) })
}

// moved appends those of the many rows that may not be any more what was seen. If
// there are none, all were so together.
func (c *Conn) moved(rows []*attempt) ([]*attempt, error) {
	for i := range c.many {
		a := &c.many[i]
		own, certain := a.written()
		if !certain || a.blocked() || c.engine.rows.has(a.hash) {
			return nil, errUncertain
		}
		// What the transaction has written it has locked: others have not moved that.
		if !a.stands() || own == nil && a.moved() {
			rows = append(rows, a)
		}
	}
	return rows, nil
}

// readRows reads rows of the connection's table with one query, and fills the cache.
func (c *Conn) readRows(ctx context.Context, rows []*attempt) error {
	wanted := make([]wantedRow, len(rows))
	for i, a := range rows {
		wanted[i] = wantedRow{a.table, newLookupItem(a.key, a.values)}
	}
	if err := findAll(ctx, c.engine, wanted, c.attempt.buffer); err != nil {
		return err
	}
	for i, a := range rows {
		a.receive(wanted[i].item)
	}
	return nil
}

// meeting returns those of the many rows that are there and meet the conditions.
func (c *Conn) meeting(r *readPlan, args []driver.NamedValue) (rows [][]driver.Value, err error) {
	for i := range c.many {
		a := &c.many[i]
		if !a.found {
			continue
		}
		holds, err := a.conditions(r.conditions, args)
		if err != nil {
			return nil, errUncertain
		}
		if !holds {
			continue
		}
		var row []driver.Value
		if r.exists.form == rewrite.Rows {
			if row, err = a.known(a.image, r.columns); err != nil {
				return nil, err
			}
		}
		rows = append(rows, row)
	}
	return rows, nil
}
