package queue

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"log/slog"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lib/pq/oid"
	"github.com/stretchr/testify/require"

	"github.com/writebehind/writebehind/internal/catalog"
	"github.com/writebehind/writebehind/internal/pgvalue"
	"github.com/writebehind/writebehind/internal/rowimage"
)

// items is a table of a key and two columns; orders refers to it; tags has
// nothing but its key.
var (
	items  = relation(1, "items", "id", "name", "stock")
	orders = func() *catalog.Relation {
		r := relation(2, "orders", "id", "name", "item")
		r.References = []catalog.ForeignKey{{Child: r.Name, Parent: items.Name, ChildCols: []string{"item"}, ParentCols: []string{"id"}}}
		return r
	}()
	tags = relation(3, "tags", "id")
)

// relation makes a table; all columns are bigint but name, which is text.
func relation(number uint32, name string, columns ...string) *catalog.Relation {
	r := &catalog.Relation{OID: number, Name: catalog.Name{Schema: "public", Name: name}, Kind: 'r', Persistence: 'p', Key: []int{0}}
	for _, column := range columns {
		c := catalog.Column{Name: column, SQLType: "bigint", Type: pgvalue.Type{OID: uint32(oid.T_int8), Mod: -1}}
		if column == "name" {
			c.SQLType, c.Type.OID = "text", uint32(oid.T_text)
		}
		r.Columns = append(r.Columns, c)
	}
	return r
}

// fixture is a queue before a server of its own.
type fixture struct {
	*testing.T
	server  *server
	queue   *Queue
	watcher *watcher
}

// holding is a Validator that always, or never, holds.
type holding bool

func (h holding) Valid() bool { return bool(h) }

// newFixture opens a queue that flushes nothing by itself unless change says so.
func newFixture(t *testing.T, change func(*Options)) *fixture {
	t.Helper()
	f := &fixture{T: t, server: newServer(), watcher: &watcher{}}
	db := sql.OpenDB(f.server)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	opts := Options{
		DB: db, Location: time.UTC, Observer: f.watcher, Logger: slog.New(slog.DiscardHandler),
		MaxDelay: time.Hour, BatchRows: 1000, MaxRows: 1000, MaxBytes: 1 << 20, Block: true,
	}
	if change != nil {
		change(&opts)
	}
	opts.Checkpoint = "journal-1"
	f.queue = Open(opts)
	f.server.bend(func(s *server) { s.queue = f.queue })
	f.watcher.queue = f.queue
	f.queue.Run()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		_ = f.queue.Close(ctx) // a test that leaves rows behind has said so
	})
	return f
}

// image encodes a row of items or orders.
func image(values ...driver.Value) []byte {
	for i, v := range values {
		if n, ok := v.(int); ok {
			values[i] = int64(n)
		}
	}
	b, err := rowimage.AppendRow(nil, time.UTC, values)
	if err != nil {
		panic(err)
	}
	return b
}

// mutation makes a mutation of the row whose key is the first value. The hash
// of a key is the key itself.
func (f *fixture) mutation(table *catalog.Relation, kind Kind, set []int, values ...driver.Value) Mutation {
	id := values[0].(int)
	return Mutation{Shape: f.queue.Shape(table, kind, set), Key: rowKey(table, id), Hash: uint64(id), Image: image(values...)}
}

// adding is mutation of a row of items with columns that are added to.
func (f *fixture) adding(kind Kind, set, add []int, delta int64, values ...driver.Value) Mutation {
	m := f.mutation(items, kind, set, values...)
	m.Shape = f.queue.Shape(items, kind, set, add...)
	for range m.Shape.deltas() {
		m.Deltas = append(m.Deltas, image(delta)...)
	}
	return m
}

func rowKey(table *catalog.Relation, id int) []byte {
	return []byte(table.Name.Name + strconv.Itoa(id))
}

func (f *fixture) insert(values ...driver.Value) Mutation {
	return f.mutation(items, Insert, nil, values...)
}

// update sets name and stock.
func (f *fixture) update(values ...driver.Value) Mutation {
	return f.mutation(items, Update, []int{1, 2}, values...)
}

func (f *fixture) delete(values ...driver.Value) Mutation {
	return f.mutation(items, Delete, nil, values...)
}

// commit commits one group under schema 1.
func (f *fixture) commit(group ...Mutation) LSN {
	f.Helper()
	r, ok, err := f.queue.Commit(f.Context(), holding(true), 1, group...)
	require.NoError(f, err)
	require.True(f, ok)
	require.NoError(f, f.queue.Durable(r))
	return r.LSN
}

// drain waits until all is in PostgreSQL.
func (f *fixture) drain() {
	f.Helper()
	ctx, cancel := context.WithTimeout(f.Context(), 10*time.Minute)
	defer cancel()
	require.NoError(f, f.queue.Drain(ctx, f.queue.Newest()))
}

// settled waits, in a bubble, until all has been flushed without a barrier.
func (f *fixture) settled() {
	f.Helper()
	time.Sleep(2 * f.queue.opts.MaxDelay)
	synctest.Wait()
	f.pending(0)
}

// get looks a row of items up under schema 1.
func (f *fixture) get(id int) (string, State) {
	return f.getOf(items, id, 1)
}

func (f *fixture) getOf(table *catalog.Relation, id int, schema uint64) (string, State) {
	b, state := f.queue.Get(nil, rowKey(table, id), uint64(id), schema)
	return string(b), state
}

// pending says that the queue holds so many rows.
func (f *fixture) pending(rows int) {
	f.Helper()
	require.EqualValues(f, rows, f.queue.Stats().Rows)
}

// failing returns a hook that fails the statements that begin with these words,
// the first times of them.
func failing(words string, times int, err error) func(context.Context, string) error {
	var mu sync.Mutex
	return func(_ context.Context, statement string) error {
		mu.Lock()
		defer mu.Unlock()
		if times == 0 || len(statement) < len(words) || statement[:len(words)] != words {
			return nil
		}
		times--
		return err
	}
}

// hang is a hook under which the server does not answer.
func hang(ctx context.Context, _ string) error {
	<-ctx.Done()
	return ctx.Err()
}

// always is more times than any test waits for.
const always = 1 << 30

// watcher is an Observer that notes what it is told.
type watcher struct {
	queue *Queue

	mu       sync.Mutex
	flushed  []flushedRow
	refused  []refusal
	stale    []error
	accepted []acceptedRow
	// on, if set, is called with the name of each call but Accepted.
	on func(call string)
}

type flushedRow struct {
	key, image    string
	wanted, clean bool
	held          bool // the overlay still has the row
}

type acceptedRow struct {
	hash    uint64
	pending int64 // rows the queue admits to have
}

func (w *watcher) Accepted(hash uint64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.accepted = append(w.accepted, acceptedRow{hash, w.queue.rows.Load()})
}

func (w *watcher) Flushed(_ *catalog.Relation, key []byte, hash uint64, image []byte, wanted, clean bool) {
	_, state := w.queue.Get(nil, key, hash, 1)
	w.mu.Lock()
	w.flushed = append(w.flushed, flushedRow{string(key), string(image), wanted, clean, state != Missing})
	w.mu.Unlock()
	w.call("flushed")
}

func (w *watcher) Refused(table *catalog.Relation, key []byte, hash uint64, lsn LSN, err error) {
	w.mu.Lock()
	w.refused = append(w.refused, refusal{lsn: lsn, table: table, key: append([]byte(nil), key...), hash: hash, err: err})
	w.mu.Unlock()
	w.call("refused")
}

func (w *watcher) Stale(err error) {
	w.mu.Lock()
	w.stale = append(w.stale, err)
	w.mu.Unlock()
	w.call("stale")
}

func (w *watcher) Rewound() { w.call("rewound") }

func (w *watcher) call(name string) {
	w.mu.Lock()
	on := w.on
	w.mu.Unlock()
	if on != nil {
		on(name)
	}
}

func (w *watcher) bend(f func(*watcher)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	f(w)
}
