package writebehind

import (
	"context"
	"database/sql/driver"
	"fmt"
	"math"
	"sync"

	"github.com/writebehind/writebehind/cachekeys"
	"github.com/writebehind/writebehind/internal/rowcache"
	"github.com/writebehind/writebehind/queue"
)

// unique is a UNIQUE constraint beside the primary key that is checked here. The
// values that an INSERT gives its columns are locked like a row, so that two who want
// the same ones wait for each other; they must not be those of a row that is pending,
// and are looked up.
type unique struct {
	name    string
	ordinal byte
	columns []int
	lookups *table // the same table, with these columns for its key
}

// findUniques sorts the UNIQUE constraints of the table into those that are checked
// here and the first other one.
func (t *table) findUniques(mode uniqueMode) (other string) {
	for i, u := range t.rel.Uniques {
		switch {
		case mode == uniqueTrust && u.Columns != nil:
		case mode == uniqueDirect:
			return fmt.Sprintf("the table has the unique constraint %q, and writebehind.unique=direct", u.Name)
		case u.Columns == nil || u.Partial || !u.Bytewise || u.NullsNotDistinct || i > math.MaxUint8:
			return fmt.Sprintf("the table has the unique constraint %q, of a kind that is left to PostgreSQL", u.Name)
		default:
			rel := *t.rel
			rel.Key = u.Columns
			t.uniques = append(t.uniques, unique{u.Name, byte(i), u.Columns, &table{rel: &rel, state: &tableState{name: t.rel.Name}}})
		}
	}
	return ""
}

// claims are the values of UNIQUE columns that this process has given to rows, by
// their hash, with the group that did. Once that is flushed PostgreSQL knows of them.
type claims struct {
	mu        sync.Mutex
	groups    map[uint64]queue.LSN
	sweep     int       // at this size what is flushed is removed
	blind     queue.LSN // up to here it is not known which values were given
	forgotten bool      // blind is the newest group
}

// forget says that groups are pending of which nothing is known.
func (c *claims) forget() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.forgotten = true
}

func (c *claims) add(hash uint64, lsn queue.LSN, q *queue.Queue) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.groups == nil {
		c.groups = make(map[uint64]queue.LSN)
	}
	if len(c.groups) >= c.sweep {
		for h, group := range c.groups {
			if q.FlushedTo(group) {
				delete(c.groups, h)
			}
		}
		c.sweep = max(1024, 2*len(c.groups))
	}
	c.groups[hash] = lsn
}

// pending tells whether a row with these values may be acknowledged and not flushed.
func (c *claims) pending(hash uint64, q *queue.Queue) bool {
	c.mu.Lock()
	forgotten := c.forgotten
	c.mu.Unlock()
	newest := queue.LSN(0)
	if forgotten {
		newest = q.Newest()
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if forgotten {
		c.blind, c.forgotten = newest, false
	}
	lsn := max(c.blind, c.groups[hash])
	return lsn > 0 && !q.FlushedTo(lsn)
}

// claim locks the values that a row to be inserted gives the UNIQUE columns of its
// table, and asks for a look whether a row has them. It returns errUncertain where
// only PostgreSQL can tell.
func (c *Conn) claim(ctx context.Context, b *buffer, row []driver.Value) error {
	t, e := c.attempt.table, c.engine
	for i := range t.uniques {
		u := &t.uniques[i]
		values := make([]driver.Value, 0, len(u.columns))
		null := false
		for _, column := range u.columns {
			values, null = append(values, row[column]), null || row[column] == nil
		}
		if null { // no other row is equal to it
			continue
		}
		key, ok := cachekeys.Append(nil, u.lookups.rel, values)
		if !ok {
			return errUncertain
		}
		if !c.bornWithParent(b, u, row) {
			c.ahead.free = append(c.ahead.free, wantedRow{u.lookups, newLookupItem(key, values)})
		}
		// Not the key of a row: these have nothing before the table.
		key = append([]byte{u.ordinal}, key...)
		hash := rowcache.Hash(key)
		if b.keeps(hash) { // the values of another row of it
			return errUncertain
		}
		if _, err := b.keepRow(ctx, keptRow{hash: hash, table: t, key: key, values: true}, true); err != nil {
			return err
		}
		if e.claims.pending(hash, e.queue) {
			return errUncertain
		}
	}
	return nil
}

// bornWithParent tells whether the values of a UNIQUE constraint refer to a row that the
// transaction itself has made, or a group that is pending: then PostgreSQL has no row that
// refers to it, and those that do and are pending have claimed their values.
func (c *Conn) bornWithParent(b *buffer, u *unique, row []driver.Value) bool {
	for i := range c.attempt.table.parents {
		p := &c.attempt.table.parents[i]
		if p.table.guest || !p.validated || !containsAll(u.columns, p.columns) || !c.aim(p, func(column int) driver.Value { return row[column] }) {
			continue
		}
		r, certain := b.row(c.parent.key, c.parent.hash)
		if certain && (r != nil && r.born || r == nil && c.engine.queue.Made(c.parent.key, c.parent.hash)) {
			return true
		}
	}
	return false
}
