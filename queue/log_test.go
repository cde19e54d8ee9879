package queue

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/writebehind/writebehind/cachekeys"
	"github.com/writebehind/writebehind/internal/catalog"
	"github.com/writebehind/writebehind/queue/journal"
)

// memoryLog is a Journal whose disk is a slice. It syncs when it is let.
type memoryLog struct {
	mu        sync.Mutex
	groups    []loggedGroup
	defs      map[uint32][]byte
	durable   LSN
	trimmed   LSN
	gate      chan error // what each sync comes to; nil: at once and well
	full      error      // what Append answers
	broken    error      // what Err answers
	eager     bool       // groups are synced by others before Append has returned
	onDurable func(LSN)
	onFailed  func(LSN, error)
}

type loggedGroup struct {
	lsn     LSN
	payload []byte
}

func (l *memoryLog) Append(lsn LSN, payload []byte, defs ...*journal.Definition) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.full != nil {
		return l.full
	}
	if l.defs == nil {
		l.defs = make(map[uint32][]byte)
	}
	for _, d := range defs {
		l.defs[d.ID] = d.Text
	}
	l.groups = append(l.groups, loggedGroup{lsn, slices.Clone(payload)})
	if l.eager { // another writer is syncing, and takes this group along
		go func() {
			l.onDurable(lsn)
			l.mu.Lock()
			l.durable = max(l.durable, lsn)
			l.mu.Unlock()
		}()
		for range 100 {
			runtime.Gosched()
		}
	}
	return nil
}

func (l *memoryLog) Wait(lsn LSN) error {
	if l.eager {
		for { // the one who syncs it is on its way
			l.mu.Lock()
			durable := l.durable
			l.mu.Unlock()
			if durable >= lsn {
				return nil
			}
			runtime.Gosched()
		}
	}
	if l.gate != nil {
		if err := <-l.gate; err != nil {
			l.mu.Lock()
			if l.broken == nil { // else it could not be erased
				l.groups = slices.DeleteFunc(l.groups, func(g loggedGroup) bool { return g.lsn > l.durable })
			}
			durable := l.durable
			l.mu.Unlock()
			l.onFailed(durable, err)
			return err
		}
	}
	l.mu.Lock()
	l.durable = max(l.durable, lsn)
	l.mu.Unlock()
	l.onDurable(lsn)
	return nil
}

func (l *memoryLog) OnDurable(f func(LSN))       { l.onDurable = f }
func (l *memoryLog) OnFailed(f func(LSN, error)) { l.onFailed = f }
func (l *memoryLog) Full() bool                  { return false }

func (l *memoryLog) Err() error { return l.broken }

func (l *memoryLog) First() LSN {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.trimmed + 1
}

func (l *memoryLog) Trim(checkpoint LSN) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.trimmed = max(l.trimmed, min(checkpoint, 2)) // whole segments only: some groups stay
	return nil
}

func (l *memoryLog) Replay(from LSN, f func(journal.Record) error) error {
	for _, g := range l.groups {
		if g.lsn < from {
			continue
		}
		r := journal.Record{LSN: g.lsn, Payload: g.payload, Definition: func(id uint32) []byte { return l.defs[id] }}
		if err := f(r); err != nil {
			return err
		}
	}
	return nil
}

// reopen returns a queue that goes on with what a log and a server hold.
func reopen(t *testing.T, server *server, log *memoryLog, at LSN, tables ...*catalog.Relation) *fixture {
	t.Helper()
	f := &fixture{T: t, server: server, watcher: &watcher{}}
	db := sql.OpenDB(server)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	f.queue = Open(Options{
		DB: db, Location: time.UTC, Observer: f.watcher, Logger: slog.New(slog.DiscardHandler),
		MaxDelay: time.Hour, BatchRows: 1000, MaxRows: 1000, MaxBytes: 1 << 20, Block: true,
		Checkpoint: "journal-1", Flushed: at, Journal: log, Sync: true,
	})
	server.bend(func(s *fakeServer) { s.queue = f.queue })
	f.watcher.queue = f.queue
	_, err := f.queue.Restore(func(name catalog.Name, fits func(*catalog.Relation) bool) *catalog.Relation {
		for _, table := range tables {
			if table.Name == name && fits(table) {
				return table
			}
		}
		return nil
	}, hashOfKey, 1)
	require.NoError(t, err)
	f.queue.Run()
	t.Cleanup(func() { _ = f.queue.Close(t.Context()) })
	return f
}

// fakeServer is server, where a parameter hides the name.
type fakeServer = server

// hashOfKey is the key of items, which ends with the id in 8 bytes or fewer.
func hashOfKey(key []byte) uint64 { return uint64(len(key))<<32 | uint64(key[len(key)-1]) }

// keyed makes a mutation with the key that a journal's reader finds.
func (f *fixture) keyed(kind Kind, set []int, id int, name string, stock int) Mutation {
	m := f.mutation(items, kind, set, id, name, stock)
	key, err := rowKeyOf(items, time.UTC, m.Image)
	require.NoError(f, err)
	m.Key, m.Hash = key, hashOfKey(key)
	return m
}

func (f *fixture) look(id int) (string, State) {
	key, ok := cachekeys.Append(nil, items, []driver.Value{int64(id)})
	require.True(f, ok)
	b, state := f.queue.Get(nil, key, hashOfKey(key), 1)
	return string(b), state
}

func withLog(t *testing.T, log *memoryLog) *fixture {
	t.Helper()
	return newFixture(t, func(o *Options) { o.Journal, o.Sync = log, true })
}

func TestGroupInFlightIsSeenByWritersOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := &memoryLog{gate: make(chan error)}
		f := withLog(t, log)
		m := f.keyed(Insert, nil, 1, "a", 1)
		r, ok, err := f.queue.Commit(t.Context(), holding(true), 1, m)
		require.NoError(t, err)
		require.True(t, ok)
		_, state := f.look(1)
		require.Equal(t, Missing, state, "a crash could take it back")
		got, state, basis := f.queue.Pending(nil, m.Key, m.Hash, 1)
		require.Equal(t, Present, state)
		require.Equal(t, string(m.Image), string(got))
		require.Equal(t, r, basis)
		require.EqualValues(t, 1, f.queue.Stats().Rows, "it counts against the bounds")
		go func() { log.gate <- nil }()
		require.NoError(t, f.queue.Durable(r))
		_, state = f.look(1)
		require.Equal(t, Present, state)
		f.drain()
		require.Len(t, f.server.table("items"), 1)
	})
}

func TestGroupThatIsSyncedWhileItIsAppendedIsNotForgotten(t *testing.T) {
	f := withLog(t, &memoryLog{eager: true})
	for id := range 20 {
		f.commit(f.keyed(Insert, nil, id+1, "a", 1))
		_, state := f.look(id + 1)
		require.Equal(t, Present, state)
	}
	f.drain()
	require.Len(t, f.server.table("items"), 20)
}

func TestGroupThatDoesNotBecomeDurableNeverWas(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := &memoryLog{gate: make(chan error)}
		f := withLog(t, log)
		first, _, err := f.queue.Commit(t.Context(), holding(true), 1, f.keyed(Insert, nil, 1, "a", 1))
		require.NoError(t, err)
		second, _, err := f.queue.Commit(t.Context(), holding(true), 1, f.keyed(Update, []int{2}, 1, "a", 2))
		require.NoError(t, err)
		lost := f.queue.Lost()
		broken := errors.New("disk on fire")
		go func() { log.gate <- broken }()
		require.ErrorIs(t, f.queue.Durable(first), broken)
		require.NotEqual(t, lost, f.queue.Lost(), "whoever builds on it starts over")
		require.Zero(t, f.queue.Newest())
		require.True(t, f.queue.Empty())

		third, _, err := f.queue.Commit(t.Context(), holding(true), 1, f.keyed(Insert, nil, 2, "b", 1))
		require.NoError(t, err)
		require.EqualValues(t, 1, third.LSN, "the number is free again")
		go func() { log.gate <- nil; log.gate <- nil }()
		require.NoError(t, f.queue.Durable(third))
		require.ErrorIs(t, f.queue.Durable(second), broken, "also if its number has become another's")
		f.drain()
		require.Equal(t, map[string]row{"2": {"2", "b", "1"}}, f.server.table("items"))
	})
}

func TestGroupsThatCannotBeErasedArePassedByTheCheckpoint(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := &memoryLog{gate: make(chan error)}
		server := newServer()
		f := reopen(t, server, log, 0, items)
		commit := func(n int) Receipt {
			r, ok, err := f.queue.Commit(t.Context(), holding(true), 1, f.keyed(Upsert, []int{2}, n, "a", n))
			require.NoError(t, err)
			require.True(t, ok)
			return r
		}
		for n := range 4 {
			f.drain()
			go func() { log.gate <- nil }()
			require.NoError(t, f.queue.Durable(commit(n+1)))
		}
		lost := commit(5)
		commit(6)
		log.broken = errors.New("disk on fire")
		go func() { log.gate <- log.broken }()
		require.ErrorIs(t, f.queue.Durable(lost), log.broken)
		require.EqualValues(t, 6, f.queue.Newest(), "whatever comes next waits for them")
		f.server.bend(func(s *fakeServer) { s.at = 2; delete(s.rows, "items 3") }) // what is rebuilt is so without them
		f.drain()
		require.Len(t, f.server.table("items"), 4)
		require.EqualValues(t, 6, f.server.at)
		require.True(t, f.queue.Empty())
	})
}

func TestJournalThatTakesNothingChangesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := &memoryLog{full: errors.New("no space left")}
		f := withLog(t, log)
		_, ok, err := f.queue.Commit(t.Context(), holding(true), 1, f.keyed(Insert, nil, 1, "a", 1))
		require.ErrorIs(t, err, ErrJournal)
		require.False(t, ok)
		require.Zero(t, f.queue.Newest())
		log.full = nil
		f.commit(f.keyed(Insert, nil, 1, "a", 1))
		f.drain()
		require.Len(t, f.server.table("items"), 1)
	})
}

func TestRestoreGoesOnWhereThePredecessorStopped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := &memoryLog{}
		f := withLog(t, log)
		f.commit(f.keyed(Insert, nil, 1, "a", 1))
		f.drain()
		f.commit(f.keyed(Update, []int{2}, 1, "a", 2), f.keyed(Insert, nil, 2, "b", 1))
		f.commit(f.keyed(Update, []int{2}, 2, "b", 7))
		f.server.did(false)

		g := reopen(t, f.server, log, 1, items)
		require.EqualValues(t, 3, g.queue.Newest())
		got, state := g.look(2)
		require.Equal(t, Present, state)
		require.Equal(t, string(image(2, "b", 7)), got)
		g.drain()
		require.Equal(t, map[string]row{"1": {"1", "a", "2"}, "2": {"2", "b", "7"}}, f.server.table("items"))
		require.EqualValues(t, 3, f.server.at)
	})
}

func TestRestoredRowsOfAChangedTableAreFlushedAndNotRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := &memoryLog{}
		f := withLog(t, log)
		f.commit(f.keyed(Insert, nil, 1, "a", 1))
		g := reopen(t, f.server, log, 0)
		_, state := g.look(1)
		require.Equal(t, Stale, state)
		g.drain()
		require.Equal(t, map[string]row{"1": {"1", "a", "1"}}, f.server.table("items"))
	})
}

func TestCheckpointThatWentBackIsMadeGoodFromTheJournal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := &memoryLog{}
		server := newServer()
		f := reopen(t, server, log, 0, items)
		for n := range 4 {
			f.commit(f.keyed(Upsert, []int{2}, n+1, "a", n))
			f.drain()
		}
		f.commit(f.keyed(Upsert, []int{2}, 5, "a", 5))
		f.server.bend(func(s *fakeServer) { // a standby that never got the last two takes over
			s.at = 2
			delete(s.rows, "items 3")
			delete(s.rows, "items 4")
		})
		rewound := 0
		f.watcher.on = func(call string) {
			if call == "rewound" {
				rewound++
			}
		}
		f.drain()
		require.Equal(t, 1, rewound)
		require.Len(t, f.server.table("items"), 5)

		f.commit(f.keyed(Upsert, []int{2}, 6, "a", 6))
		f.server.bend(func(s *fakeServer) { s.at = 1 }) // further back than the journal reaches
		require.ErrorIs(t, f.queue.Drain(t.Context(), f.queue.Newest()), ErrRewound)
	})
}

func TestBarrierForAGroupInFlightFlushesOnceItIsDurable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := &memoryLog{gate: make(chan error)}
		f := withLog(t, log) // MaxDelay: 1h
		r, _, err := f.queue.Commit(t.Context(), holding(true), 1, f.keyed(Insert, nil, 1, "a", 1))
		require.NoError(t, err)
		began, done := time.Now(), make(chan error, 1)
		go func() { done <- f.queue.Drain(context.Background(), f.queue.Newest()) }()
		synctest.Wait() // the flusher has seen the barrier, and an empty memtable
		go func() { log.gate <- nil }()
		require.NoError(t, f.queue.Durable(r))
		require.NoError(t, <-done)
		require.Zero(t, time.Since(began))
	})
}

// TestEmptyNeverMissesAGroupThatBecomesDurable moves a group from what is in
// flight to the active memtable while others look.
func TestEmptyNeverMissesAGroupThatBecomesDurable(t *testing.T) {
	f := withLog(t, &memoryLog{})
	q := Open(Options{Observer: noObserver{}, BatchRows: 1 << 30})
	m := f.keyed(Insert, nil, 1, "a", 1)
	m.Shape = q.Shape(items, Insert, nil)
	for lsn := LSN(1); lsn <= 3_000; lsn++ {
		q.view.Lock()
		q.flight.add(newFlight(lsn, 1, []Mutation{m}))
		q.view.Unlock()
		moved := make(chan struct{})
		go func() {
			q.becameDurable(lsn)
			close(moved)
		}()
		for busy := true; busy; {
			require.False(t, q.Empty(), "round %d", lsn)
			select {
			case <-moved:
				busy = false
			default:
			}
		}
		q.view.Lock()
		q.active = newMemtable(0)
		q.rows.Store(0)
		q.bytes.Store(0)
		q.view.Unlock()
	}
}

type noObserver struct{ Observer }

func (noObserver) Accepted(uint64) {}

// brokenLog cannot be read to its end.
type brokenLog struct {
	*memoryLog
	whole atomic.Bool // it can, after all
}

func (l *brokenLog) Trim(LSN) error { return nil }

func (l *brokenLog) Replay(from LSN, f func(journal.Record) error) error {
	n := 0
	return l.memoryLog.Replay(from, func(r journal.Record) error {
		if n++; n > 1 && !l.whole.Load() {
			return errors.New("fake: it cannot be read")
		}
		return f(r)
	})
}

func TestRebuildThatFailsLeavesTheOverlayAsItWas(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := &memoryLog{}
		f := withLog(t, log)
		broken := &brokenLog{memoryLog: log}
		f.queue.opts.Journal = broken
		f.queue.restoring = &decoder{
			location: f.queue.opts.Location, shapes: &f.queue.shapes, known: make(map[string]decoded),
			resolve: func(catalog.Name, func(*catalog.Relation) bool) *catalog.Relation { return items }, hash: hashOfKey,
		}
		f.commit(f.keyed(Upsert, []int{2}, 1, "a", 1))
		f.drain()
		f.commit(f.keyed(Upsert, []int{2}, 2, "b", 2))
		f.commit(f.keyed(Upsert, []int{2}, 3, "c", 3))
		f.server.bend(func(s *server) {
			s.at = 0
			clear(s.rows)
		})
		require.ErrorIs(t, f.queue.Drain(t.Context(), 3), ErrRewound)
		require.EqualValues(t, 2, f.queue.Stats().Rows)
		for id, name := range map[int]string{2: "b", 3: "c"} {
			image, state := f.look(id)
			require.Equal(t, Present, state, name)
			require.Contains(t, fmt.Sprint(image), name)
		}
		broken.whole.Store(true)
		time.Sleep(2 * backoffLast)
		require.Len(t, f.server.table("items"), 3)
	})
}

// TestIncrementsAreRecoveredAsIncrements goes on with a journal whose groups are
// not flushed, after another program has changed the row.
func TestIncrementsAreRecoveredAsIncrements(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := &memoryLog{}
		server := newServer()
		server.rows["items 1"] = row{"1", "old", "0"}
		f := withLog(t, log)
		add := func(set, add []int, name string, stock int, delta int64) {
			m := f.keyed(Update, set, 1, name, stock)
			m.Shape = f.queue.Shape(items, Update, set, add...)
			m.Deltas = image(delta)
			f.commit(m)
		}
		add(nil, []int{2}, "old", 1, 1)
		add([]int{1}, []int{2}, "new", 3, 2)
		for _, refused := range []bool{false, true} { // then the groups are sent one by one
			server.bend(func(s *fakeServer) {
				s.rows["items 1"] = row{"1", "old", "100"}
				s.at, log.trimmed = 0, 0
				if refused {
					s.hook = failing("update", 1, pgError("23514"))
				}
			})
			g := reopen(t, server, log, 0, items)
			got, state := g.look(1)
			require.Equal(t, Present, state)
			require.Equal(t, string(image(1, "new", 3)), got)
			g.drain()
			require.Equal(t, row{"1", "new", "103"}, server.table("items")["1"])
			require.Empty(t, g.watcher.refused)
			require.False(t, g.watcher.flushed[0].clean, "the row is not what it was expected to be")
			_, state = g.look(1)
			require.Equal(t, Missing, state)
		}
	})
}

func TestDefinitionWithoutIncrementsIsReadAsBefore(t *testing.T) {
	d := &decoder{
		location: time.UTC, shapes: new(shapes), known: make(map[string]decoded), hash: hashOfKey,
		resolve: func(catalog.Name, func(*catalog.Relation) bool) *catalog.Relation { return nil },
	}
	known, err := d.define([]byte(`{"oid":1,"schema":"public","table":"items","kind":"update","set":["stock"],"key":["id"],` +
		`"columns":[{"name":"id","type":"bigint","value":{"OID":20,"Mod":-1}},{"name":"name","type":"text","value":{"OID":25,"Mod":-1}},` +
		`{"name":"stock","type":"bigint","value":{"OID":20,"Mod":-1}}]}`))
	require.NoError(t, err)
	require.Equal(t, []int{2}, known.shape.Set)
	require.Empty(t, known.shape.Add)
	again, err := d.define(known.shape.definition.Text)
	require.NoError(t, err)
	require.Equal(t, known.shape.sql, again.shape.sql)
}
