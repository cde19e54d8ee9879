package writebehind

import (
	"bytes"
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"time"

	"github.com/writebehind/writebehind/cachekeys"
	"github.com/writebehind/writebehind/internal/pgerr"
	"github.com/writebehind/writebehind/internal/rowcache"
	"github.com/writebehind/writebehind/internal/rowimage"
	"github.com/writebehind/writebehind/rewrite"
)

// lookups makes concurrent look-ups of rows of one table share a query: one is
// in flight, and whoever comes meanwhile joins the next. The query of a batch is
// sent after the last of its keys was asked for, so its answer is as fresh as
// each of them needs. It is nobody's own: a caller whose context ends leaves
// without harm to the others.
type lookups struct {
	mu   sync.Mutex
	busy bool         // a goroutine is at work
	next *lookupBatch // not begun
}

// lookupBatch is the keys of one query.
type lookupBatch struct {
	table *table
	items []*lookupItem
	after *lookupBatch // that follows it; nil for the last
	done  chan struct{}
	err   error
}

type lookupItem struct {
	key    []byte
	values []driver.Value
	image  []byte
	found  bool
}

// maxLookup bounds the keys of one query.
const maxLookup = 1000

// readThrough reads the row of an attempt from PostgreSQL and fills the cache. It
// returns errUncertain where only the statement itself can tell what is wrong.
func (a *attempt) readThrough(ctx context.Context) error {
	a.asked = true
	return a.buffer.aside(func() error { return a.readRow(ctx) })
}

// aside does without the turn, if there is a transaction, what waits for the server,
// which may take its time. It returns errUncertain if the transaction is buffered no
// longer.
func (b *buffer) aside(f func() error) error {
	if b == nil {
		return f()
	}
	b.give()
	err := f()
	b.take()
	if b.state != bufferOpen {
		return errUncertain
	}
	return err
}

func (a *attempt) readRow(ctx context.Context) error {
	item, err := a.table.state.lookups.find(ctx, a.engine, a.table, a.key, a.values, a.buffer)
	if err != nil {
		return err
	}
	a.receive(item)
	return nil
}

// receive takes what a look-up that began after the last stamp has found, and fills the
// cache.
func (a *attempt) receive(item *lookupItem) {
	a.keep(item.image)
	a.found = item.found
	if !a.blocked() && !a.engine.rows.has(a.hash) && (a.found || !a.table.guest) {
		verdict := rowcache.Present
		if !a.found {
			verdict = rowcache.Absent
		}
		a.engine.cache.Fill(a.key, a.hash, a.lease, a.image, verdict, a.table.ttl)
	}
}

// find looks one row up, with whoever else looks for rows of the table. It gives
// up when the transaction in which it is done, if any, is buffered no longer.
func (l *lookups) find(ctx context.Context, e *engine, t *table, key []byte, values []driver.Value, in *buffer) (*lookupItem, error) {
	item := newLookupItem(key, values)
	b := l.join(e, t, item)
	if err := wait(ctx, b.done, in); err != nil {
		return nil, err
	}
	return item, b.err
}

// newLookupItem copies what belongs to the caller, who may leave before the query is
// sent.
func newLookupItem(key []byte, values []driver.Value) *lookupItem {
	item := &lookupItem{key: bytes.Clone(key), values: slices.Clone(values)}
	for i, v := range item.values {
		if b, ok := v.([]byte); ok {
			item.values[i] = bytes.Clone(b)
		}
	}
	return item
}

// findAll looks rows up, also of several tables: all at once, with one query for each
// table unless others have taken a part of it. It gives up as find does.
func findAll(ctx context.Context, e *engine, wanted []wantedRow, in *buffer) error {
	byTable := make(map[*table][]*lookupItem)
	for _, w := range wanted {
		byTable[w.table] = append(byTable[w.table], w.item)
	}
	var batches []*lookupBatch
	for t, items := range byTable {
		batches = append(batches, t.state.lookups.joinAll(e, t, items)...)
	}
	for _, b := range batches {
		if err := wait(ctx, b.done, in); err != nil {
			return err
		}
		if b.err != nil {
			return b.err
		}
	}
	return nil
}

// wantedRow is a row to look up.
type wantedRow struct {
	table *table
	item  *lookupItem
}

// wait waits until done is closed, for a transaction (in, else nil) whose turn is
// given up. It fails with ctx, or when the transaction is buffered no longer.
func wait(ctx context.Context, done <-chan struct{}, in *buffer) error {
	var tick <-chan time.Time
	if in != nil {
		ticker := time.NewTicker(patienceForFlush)
		defer ticker.Stop()
		tick = ticker.C
	}
	for {
		select {
		case <-done:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		case <-tick:
			// Once the transaction is real others may wait for it, and the look-up may
			// wait for them, which PostgreSQL would not see.
			if !in.isOpen() {
				return errUncertain
			}
		}
	}
}

// isOpen takes the turn to tell whether the transaction is buffered still.
func (b *buffer) isOpen() bool {
	b.take()
	defer b.give()
	return b.state == bufferOpen
}

// join adds the item to the last batch that has not begun, or to a new one.
func (l *lookups) join(e *engine, t *table, item *lookupItem) *lookupBatch {
	l.mu.Lock()
	defer l.mu.Unlock()
	b := l.place(t, item)
	l.begin(e)
	return b
}

// joinAll is join for several items: none of their batches begins before all are in.
func (l *lookups) joinAll(e *engine, t *table, items []*lookupItem) (batches []*lookupBatch) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, item := range items {
		if b := l.place(t, item); len(batches) == 0 || batches[len(batches)-1] != b {
			batches = append(batches, b)
		}
	}
	l.begin(e)
	return batches
}

// place adds the item to a batch; mu is held.
func (l *lookups) place(t *table, item *lookupItem) *lookupBatch {
	last := l.next
	for last != nil && last.after != nil {
		last = last.after
	}
	if last == nil || last.table != t || len(last.items) >= maxLookup {
		fresh := &lookupBatch{table: t, done: make(chan struct{})}
		if last == nil {
			l.next = fresh
		} else {
			last.after = fresh
		}
		last = fresh
	}
	last.items = append(last.items, item)
	return last
}

// begin sees to it that the batches are served; mu is held.
func (l *lookups) begin(e *engine) {
	if !l.busy {
		l.busy = true
		e.working.Go(func() { l.serve(e) })
	}
}

// serve runs batches until there are none.
func (l *lookups) serve(e *engine) {
	for {
		l.mu.Lock()
		b := l.next
		if b == nil {
			l.busy = false
			l.mu.Unlock()
			return
		}
		l.next = b.after
		l.mu.Unlock()
		if err := e.lookUpSafely(b); err != nil {
			e.logger.Debug("writebehind: look-up failed", "table", b.table.rel.Name.String(), "error", pgerr.ForLog(err))
			b.err = errUncertain // the statement will run into the same, and say it better
		}
		close(b.done)
	}
}

// lookUpSafely makes of a panic in the real driver, which would have met one
// caller, an error: here it would end the process.
func (e *engine) lookUpSafely(b *lookupBatch) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("the real driver panicked: %v", r)
		}
	}()
	return e.lookUp(b)
}

// lookUp finds the rows of a batch in PostgreSQL.
func (e *engine) lookUp(b *lookupBatch) error {
	args, err := b.args()
	if err != nil {
		return err
	}
	for {
		r, used, err := e.readers.get(e.lifetime, e)
		if err != nil {
			return err
		}
		err = r.read(e.lifetime, e, b, args)
		if err == nil {
			e.readers.put(r)
			return nil
		}
		r.close()
		if used && pgerr.State(err) == "" && e.lifetime.Err() == nil {
			continue // it had gone stale while nobody used it
		}
		if pgerr.StaleSchema(err) {
			(*observer)(e).Stale(err)
		}
		return err
	}
}

// args are the keys of the batch, one array per key column.
func (b *lookupBatch) args() ([]driver.NamedValue, error) {
	rel := b.table.rel
	arrays := make([]rewrite.Array, len(rel.Key))
	var text []byte
	for _, item := range b.items {
		for i, v := range item.values {
			var ok bool
			if text, ok = rel.Columns[rel.Key[i]].Type.AppendText(text[:0], v); !ok {
				return nil, errUncertain
			}
			arrays[i].Append(text)
		}
	}
	args := make([]driver.NamedValue, len(arrays))
	for i := range arrays {
		args[i] = driver.NamedValue{Ordinal: i + 1, Value: string(arrays[i].Bytes())}
	}
	return args, nil
}

// collect gives the rows of an answer to the items that asked for them.
func (b *lookupBatch) collect(e *engine, rows driver.Rows) error {
	rel := b.table.rel
	byKey := make(map[string][]*lookupItem, len(b.items))
	for _, item := range b.items {
		item.image, item.found = nil, false // an answer that broke off may have come before
		byKey[string(item.key)] = append(byKey[string(item.key)], item)
	}
	row := make([]driver.Value, len(rel.Columns))
	keyValues := make([]driver.Value, len(rel.Key))
	if len(rows.Columns()) != len(row) {
		return errUncertain
	}
	var key []byte
	for {
		if err := rows.Next(row); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		if !e.forms.canonical(rel, row) {
			return errUncertain
		}
		for i, k := range rel.Key {
			keyValues[i] = row[k]
		}
		var ok bool
		if key, ok = cachekeys.Append(key[:0], rel, keyValues); !ok {
			return errUncertain
		}
		// The encoding copies: the values lie in the real driver's read buffer.
		image, err := rowimage.AppendRow(nil, e.values.Location, row)
		if err != nil {
			return err
		}
		for _, item := range byKey[string(key)] {
			item.image, item.found = image, true
		}
	}
}
