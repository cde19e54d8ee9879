package queue

import (
	"context"
	"runtime"
	"testing"
	"testing/synctest"
	"time"
	"weak"

	"github.com/stretchr/testify/require"
)

// TestWhoHasHeardOfAMutationFindsIt guards a race: a reader that takes its lease
// after Accepted and then finds an empty overlay would fill the cache with the
// old row, and nothing would void that.
func TestWhoHasHeardOfAMutationFindsIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, nil)
		f.commit(f.insert(1, "a", 1), f.insert(2, "b", 1))
		require.Equal(t, []acceptedRow{{1, 2}, {2, 2}}, f.watcher.accepted)
	})
}

func TestRowIsHandedOverBeforeItLeaves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, nil)
		f.server.rows["items 3"] = row{"3", "c", "1"}
		read, unread := f.insert(1, "a", 1), f.insert(2, "b", 1)
		read.Blind, unread.Blind = true, true
		f.commit(read, unread, f.delete(3, "c", 1))
		f.get(1)
		f.drain()
		require.Equal(t, []flushedRow{
			{key: "items1", image: string(image(1, "a", 1)), wanted: true, clean: true, held: true},
			{key: "items2", image: string(image(2, "b", 1)), clean: true, held: true},
			{key: "items3", wanted: true, clean: true, held: true},
		}, f.watcher.flushed)
		_, state := f.get(1)
		require.Equal(t, Missing, state)
	})
}

func TestRefusalIsToldAfterTheCommit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, nil)
		f.server.rows["items 1"] = row{"1", "outside", "0"}
		committed := false
		f.watcher.on = func(call string) {
			if call == "refused" {
				f.server.bend(func(s *server) { committed = s.at == 1 && len(s.letters) == 1 })
			}
		}
		f.commit(f.insert(1, "a", 1))
		f.drain()
		require.True(t, committed)
	})
}

// cleans returns what Flushed was told of a row since the last call, and whether
// the overlay had it then.
func (f *fixture) cleans(key string) (rows []flushedRow) {
	f.watcher.bend(func(w *watcher) {
		for _, r := range w.flushed {
			if r.key == key {
				rows = append(rows, flushedRow{clean: r.clean, held: r.held})
			}
		}
		w.flushed = nil
	})
	return rows
}

func TestWhatBuildsOnARefusedGroupIsNotClean(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, func(o *Options) { o.BatchRows = 2 })
		f.server.rows["items 1"] = row{"1", "a", "1"}
		f.server.rows["items 2"] = row{"2", "b", "1"}
		f.server.rows["items 3"] = row{"3", "c", "1"}
		away := failing("begin", always, errLost)
		refuse := failing("update items 1", 2, pgError("23514")) // first set, then replay
		f.server.bend(func(s *server) { s.hook = away })
		stock := func(id int, name string, n int) Mutation { return f.mutation(items, Update, []int{2}, id, name, n) }
		f.commit(f.mutation(items, Update, []int{1}, 1, "bad", 1), stock(2, "b", 2))
		f.commit(stock(1, "bad", 2), stock(3, "c", 2))
		f.server.bend(func(s *server) { s.hook = refuse })
		f.drain()
		require.Equal(t, row{"1", "a", "1"}, f.server.table("items")["1"])
		require.Equal(t, row{"3", "c", "1"}, f.server.table("items")["3"], "what was acknowledged on top fails with it, whole")
		require.Equal(t, []string{"1 items 23514", "1 items 23514", "2 items 23514", "2 items 23514"}, f.server.letters)
		require.Equal(t, []flushedRow{
			{held: true}, // in the memtable that holds the refused group
			{held: true}, // told again: a younger memtable has the row
			{held: true}, // that one: its image builds on the refused value
			{},           // told again after it has left
		}, f.cleans("items1"))
	})
}

func TestDoubtLastsAsLongAsSomebodyCanBuildOnIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, nil)
		f.server.rows["items 1"] = row{"1", "a", "1"}
		f.server.bend(func(s *server) { s.hook = failing("update items 1", 2, pgError("23514")) })
		stock := func(n int) Mutation { return f.mutation(items, Update, []int{2}, 1, "bad", n) }
		// A writer that has read the row just before it leaves commits what follows
		// from it when it has left, and again, for as long as it can.
		builds := 3
		f.watcher.on = func(call string) {
			if call == "refused" || call == "flushed" && f.held(1) == 0 {
				if builds > 0 {
					builds--
					f.commit(stock(10 + builds))
				}
			}
		}
		f.commit(f.mutation(items, Update, []int{1}, 1, "bad", 1))
		for range 4 {
			f.drain()
		}
		require.Zero(t, builds)
		f.watcher.bend(func(w *watcher) {
			for _, r := range w.flushed {
				require.False(t, r.clean)
			}
			w.flushed = nil
		})
		f.commit(f.mutation(items, Update, []int{2}, 1, "a", 7)) // from what PostgreSQL says
		f.drain()
		require.Equal(t, []flushedRow{{clean: true, held: true}}, f.cleans("items1"))
	})
}

// held returns in how many memtables a row of items is.
func (f *fixture) held(id uint64) (n int) {
	f.queue.view.RLock()
	defer f.queue.view.RUnlock()
	for _, m := range append([]*memtable{f.queue.active}, f.queue.frozen...) {
		if m.index[id] != 0 {
			n++
		}
	}
	return n
}

func TestOtherRowsStayCleanWhenOneIsRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, nil)
		f.server.rows["items 1"] = row{"1", "outside", "0"}
		f.commit(f.insert(1, "a", 1))
		f.commit(f.insert(2, "b", 1))
		f.drain()
		require.Equal(t, []flushedRow{{clean: true, held: true}}, f.cleans("items2"))
	})
}

func TestFlushedMemtableIsGarbage(t *testing.T) {
	f := newFixture(t, nil)
	f.commit(f.insert(1, "a", 1))
	f.queue.view.Lock()
	m := weak.Make(f.queue.active)
	f.queue.view.Unlock()
	f.drain()
	require.Eventually(t, func() bool {
		runtime.GC()
		return m.Value() == nil
	}, 10*time.Second, time.Millisecond)
}

func TestCloseDrains(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, nil)
		f.commit(f.insert(1, "a", 1))
		require.NoError(t, f.queue.Close(t.Context()))
		f.pending(0)
		require.Len(t, f.server.table("items"), 1)
		_, ok, err := f.queue.Commit(t.Context(), holding(true), 1, f.insert(2, "b", 1))
		require.False(t, ok)
		require.ErrorIs(t, err, ErrClosed)
		require.NoError(t, f.queue.Close(t.Context()), "once more does nothing")
	})
}

func TestCloseOutlastsAServerThatIsAwayForAWhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, nil)
		f.server.bend(func(s *server) { s.hook = failing("begin", 5, errLost) })
		f.commit(f.insert(1, "a", 1))
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		require.NoError(t, f.queue.Close(ctx))
		require.Len(t, f.server.table("items"), 1)
	})
}

func TestCloseGivesUpWithItsContextAndSaysWhatIsLeft(t *testing.T) {
	stuck := make(chan struct{})
	for name, hook := range map[string]func(context.Context, string) error{
		"away":             failing("begin", always, errLost),
		"hangs":            hang,
		"hangs regardless": func(context.Context, string) error { <-stuck; return errLost },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				if name == "hangs regardless" {
					stuck = make(chan struct{}) // of this bubble
				}
				f := newFixture(t, func(o *Options) { o.MaxRows = 1 })
				f.server.bend(func(s *server) { s.hook = hook })
				f.commit(f.insert(1, "a", 1))
				ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
				defer cancel()
				began := time.Now()
				require.ErrorIs(t, f.queue.Close(ctx), context.DeadlineExceeded)
				require.LessOrEqual(t, time.Since(began), 20*time.Second+closeGrace)
				f.pending(1)
				if name == "hangs regardless" {
					close(stuck)
				}
			})
		})
	}
}

func TestNobodyWaitsForAQueueThatHasEnded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, func(o *Options) { o.MaxRows = 1 })
		f.server.bend(func(s *server) { s.hook = hang })
		f.commit(f.insert(1, "a", 1))
		writer, barrier := make(chan error, 1), make(chan error, 1)
		mutation := f.insert(2, "b", 1)
		go func() {
			_, _, err := f.queue.Commit(t.Context(), holding(true), 1, mutation)
			writer <- err
		}()
		go func() { barrier <- f.queue.Drain(t.Context(), 1) }()
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		require.ErrorIs(t, f.queue.Close(ctx), context.DeadlineExceeded)
		require.ErrorIs(t, <-writer, ErrClosed)
		require.ErrorIs(t, <-barrier, ErrClosed)
		require.ErrorIs(t, f.queue.Drain(t.Context(), 1), ErrClosed)
	})
}

func TestExclusiveKeepsWritersOut(t *testing.T) {
	f := newFixture(t, nil)
	inside := false
	done := make(chan LSN)
	mutation := f.insert(1, "a", 1)
	f.queue.Exclusive(func() {
		go func() {
			r, _, _ := f.queue.Commit(t.Context(), validator(func() bool { return !inside }), 1, mutation)
			done <- r.LSN
		}()
		inside = true
		runtime.Gosched()
		inside = false
	})
	require.EqualValues(t, 1, <-done)
}

// validator is a function as a Validator.
type validator func() bool

func (v validator) Valid() bool { return v() }
