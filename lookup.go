package writebehind

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"sync"
	"sync/atomic"

	"github.com/writebehind/writebehind/cachekeys"
	"github.com/writebehind/writebehind/internal/rowcache"
	"github.com/writebehind/writebehind/internal/rowimage"
	"github.com/writebehind/writebehind/rewrite"
)

// lookups makes concurrent look-ups of rows of one table share a query: one is
// in flight, and whoever comes meanwhile joins the next. The query of a batch is
// sent after the last of its keys was asked for, so that its answer is as fresh
// as each of them needs.
type lookups struct {
	mu   sync.Mutex
	busy bool
	next *lookupBatch // not begun
}

// lookupBatch is the keys of one query. One of those who wait for it runs it.
type lookupBatch struct {
	table   *table
	items   []*lookupItem
	waiting atomic.Int32
	turn    chan struct{} // one token, for the one who shall run it
	done    chan struct{}
	err     error
}

type lookupItem struct {
	key    []byte
	values []driver.Value
	image  []byte
	found  bool
}

// maxLookup bounds the keys of one query.
const maxLookup = 1000

// errAgain says that the batch failed for a reason that is its runner's alone.
var errAgain = errors.New("the runner of the batch gave up")

// readThrough reads the row of the connection's attempt from PostgreSQL and
// fills the cache.
func (c *Conn) readThrough(ctx context.Context) error {
	a := &c.attempt
	item := &lookupItem{key: a.key, values: a.values}
	for {
		err := a.table.state.lookups.find(ctx, c, a.table, item)
		if errors.Is(err, errAgain) && ctx.Err() == nil {
			continue
		}
		if err != nil {
			return err
		}
		break
	}
	a.image, a.found = append(a.image[:0], item.image...), item.found
	if !a.blocked() {
		verdict := rowcache.Present
		if !a.found {
			verdict = rowcache.Absent
		}
		a.engine.cache.Fill(a.key, a.hash, a.lease, a.image, verdict, a.table.ttl)
	}
	return nil
}

// find looks one row up, with whoever else looks for rows of the table.
func (l *lookups) find(ctx context.Context, c *Conn, t *table, item *lookupItem) error {
	// The item may outlive the caller's wait, its key must not change then.
	item.key = append([]byte(nil), item.key...)
	item.values = append([]driver.Value(nil), item.values...)

	l.mu.Lock()
	b := l.next
	if b == nil || b.table != t || len(b.items) >= maxLookup {
		b = &lookupBatch{table: t, turn: make(chan struct{}, 1), done: make(chan struct{})}
		if l.next == nil {
			l.next = b
		}
	}
	b.items = append(b.items, item)
	b.waiting.Add(1)
	run := !l.busy || l.next != b
	if run && l.next == b {
		l.busy, l.next = true, nil
		l.mu.Unlock()
		return l.run(ctx, c, b, true)
	}
	l.mu.Unlock()
	if run { // a batch on its own: another table version, or the next one is full
		return l.run(ctx, c, b, false)
	}
	select {
	case <-b.done:
		return b.err
	case <-b.turn:
		return l.run(ctx, c, b, true)
	case <-ctx.Done():
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if b.waiting.Add(-1) == 0 {
		select {
		case <-b.turn: // the turn was given and nobody is left to take it
			l.pass()
		default:
			if l.next == b {
				l.next = nil
			}
		}
	}
	return ctx.Err()
}

// run sends the query of a batch. inTurn says that the next batch waits for it.
func (l *lookups) run(ctx context.Context, c *Conn, b *lookupBatch, inTurn bool) error {
	err := c.query(ctx, b)
	b.err = err
	if err != nil && (ctx.Err() != nil || errors.Is(err, driver.ErrBadConn)) {
		b.err = errAgain
	}
	close(b.done)
	if inTurn {
		l.mu.Lock()
		l.pass()
		l.mu.Unlock()
	}
	return err
}

// pass gives the turn to the next batch; mu is held.
func (l *lookups) pass() {
	b := l.next
	if b == nil {
		l.busy = false
		return
	}
	l.next = nil
	b.turn <- struct{}{}
}

// query sends the query of a batch on the real connection.
func (c *Conn) query(ctx context.Context, b *lookupBatch) error {
	rel := b.table.rel
	arrays := make([]rewrite.Array, len(rel.Key))
	var text []byte
	byKey := make(map[string][]*lookupItem, len(b.items))
	for _, item := range b.items {
		byKey[string(item.key)] = append(byKey[string(item.key)], item)
		for i, v := range item.values {
			var ok bool
			if text, ok = rel.Columns[rel.Key[i]].Type.AppendText(text[:0], v); !ok {
				return errUncertain
			}
			arrays[i].Append(text)
		}
	}
	args := make([]driver.NamedValue, len(arrays))
	for i := range arrays {
		args[i] = driver.NamedValue{Ordinal: i + 1, Value: string(arrays[i].Bytes())}
	}
	if err := c.meet(ctx); err != nil {
		return err
	}
	if c.dirty != "" {
		return errUncertain
	}
	rows, err := queryReal(ctx, c.real, rewrite.Lookup(rel), args)
	if err != nil {
		return c.lookupFailed(ctx, err)
	}
	defer rows.Close()
	row := make([]driver.Value, len(rel.Columns))
	if len(rows.Columns()) != len(row) {
		return errUncertain
	}
	keyValues := make([]driver.Value, len(rel.Key))
	for {
		if err := rows.Next(row); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return c.lookupFailed(ctx, err)
		}
		for i, k := range rel.Key {
			keyValues[i] = row[k]
		}
		key, ok := cachekeys.Append(nil, rel, keyValues)
		if !ok {
			return errUncertain
		}
		image, err := rowimage.AppendRow(nil, c.engine.values.Location, row)
		if err != nil {
			return errUncertain //nolint:nilerr // a value that no image can hold
		}
		for _, item := range byKey[string(key)] {
			item.image, item.found = image, true
		}
	}
}

// lookupFailed makes of the failure of a look-up what the statement's own
// failure would be: PostgreSQL refuses it itself if the fault is not ours.
func (c *Conn) lookupFailed(ctx context.Context, err error) error {
	if errors.Is(err, driver.ErrBadConn) || ctx.Err() != nil {
		return err
	}
	if state := sqlState(err); state != "" {
		c.engine.logger.Debug("writebehind: look-up refused", "error", withoutDetail(err))
		if state[:2] == "42" || state == "0A000" {
			(*observer)(c.engine).Stale(err)
		}
		return errUncertain
	}
	return fmt.Errorf("writebehind: looking a row up: %w", err)
}
