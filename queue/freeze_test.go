package queue

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

func TestWriteIsFlushedWhenItIsOld(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, func(o *Options) { o.MaxDelay = 100 * time.Millisecond })
		f.commit(f.insert(1, "a", 10))
		time.Sleep(99 * time.Millisecond)
		synctest.Wait()
		f.pending(1)
		require.Empty(t, f.server.did(true))

		f.commit(f.insert(2, "b", 20)) // does not put the first off
		time.Sleep(time.Millisecond)
		synctest.Wait()
		f.pending(0)
		require.Equal(t, map[string]row{"1": {"1", "a", "10"}, "2": {"2", "b", "20"}}, f.server.table("items"))

		f.commit(f.insert(3, "c", 30)) // its age counts from its own arrival
		time.Sleep(99 * time.Millisecond)
		synctest.Wait()
		f.pending(1)
		time.Sleep(time.Millisecond)
		synctest.Wait()
		f.pending(0)
	})
}

func TestFullMemtableIsFlushedAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, func(o *Options) { o.BatchRows = 3 })
		f.commit(f.insert(1, "a", 1))
		f.commit(f.insert(2, "b", 2))
		f.commit(f.update(2, "b", 3)) // the same row again does not count
		synctest.Wait()
		f.pending(2)
		f.commit(f.insert(3, "c", 4))
		f.commit(f.insert(4, "d", 5))
		synctest.Wait()
		f.pending(1)
		require.Equal(t, []string{"insert items 1,2,3"}, f.server.did(false), "one statement for the rows of one shape")
	})
}

func TestBarrierFlushesAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, nil)
		began := time.Now()
		f.commit(f.insert(1, "a", 1))
		require.NoError(t, f.queue.Drain(t.Context(), f.queue.Newest()))
		require.Zero(t, time.Since(began))
		f.pending(0)
		require.NoError(t, f.queue.Drain(t.Context(), f.queue.Newest()), "nothing to wait for")
	})
}

func TestBarrierCoversWhatIsBehindTheFlushInFlight(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, nil)
		release := make(chan struct{})
		f.server.bend(func(s *server) {
			s.hook = func(_ context.Context, words string) error {
				if words == "insert items 1" {
					<-release
				}
				return nil
			}
		})
		f.commit(f.insert(1, "a", 1))
		var done [2]atomic.Bool
		for i := range done {
			lsn := f.queue.Newest()
			go func() {
				if f.queue.Drain(t.Context(), lsn) == nil {
					done[i].Store(true)
				}
			}()
			synctest.Wait()
			if i == 0 {
				f.commit(f.insert(2, "b", 2)) // arrives while the first is on its way
			}
		}
		require.False(t, done[0].Load() || done[1].Load())
		close(release)
		synctest.Wait()
		require.True(t, done[0].Load() && done[1].Load())
		require.Equal(t, []string{"insert items 1", "insert items 2"}, f.server.did(false))
	})
}

func TestBarrierGivesUpWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, nil)
		f.server.bend(func(s *server) { s.hook = hang })
		f.commit(f.insert(1, "a", 1))
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		require.ErrorIs(t, f.queue.Drain(ctx, f.queue.Newest()), context.DeadlineExceeded)
		f.pending(1)
	})
}

func TestSchemasDoNotShareAMemtable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, nil)
		f.commit(f.insert(1, "a", 1))
		_, ok, err := f.queue.Commit(t.Context(), holding(true), 2, f.insert(2, "b", 2))
		require.NoError(t, err)
		require.True(t, ok)
		synctest.Wait()
		require.Equal(t, []string{"insert items 1"}, f.server.did(false), "what was made under the old schema goes first")
		f.pending(1)
		_, state := f.getOf(items, 2, 2)
		require.Equal(t, Present, state)
		_, state = f.getOf(items, 2, 1)
		require.Equal(t, Stale, state)
	})
}

func TestWriterWaitsAtTheBoundOfRows(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, func(o *Options) { o.MaxRows = 4 })
		hold := make(chan struct{})
		f.server.bend(func(s *server) {
			s.hook = func(context.Context, string) error { <-hold; return nil }
		})
		for id := range 4 {
			f.commit(f.insert(id, "a", id))
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, _, err := f.queue.Commit(ctx, holding(true), 1, f.insert(5, "e", 5))
		require.ErrorIs(t, err, context.DeadlineExceeded)
		f.pending(4)

		var accepted atomic.Int32
		for id := 10; id < 30; id++ { // more than there is ever room for
			go func() {
				if _, ok, err := f.queue.Commit(t.Context(), holding(true), 1, f.insert(id, "a", id)); ok && err == nil {
					accepted.Add(1)
				}
			}()
		}
		synctest.Wait()
		require.Zero(t, accepted.Load())
		close(hold)
		synctest.Wait()
		require.EqualValues(t, 20, accepted.Load(), "nobody is forgotten, and nobody waits for MaxDelay")
		f.drain()
		require.Len(t, f.server.table("items"), 24)
		for _, a := range f.watcher.accepted {
			require.LessOrEqual(t, a.pending, int64(4))
		}
	})
}

func TestWriterWaitsAtTheBoundOfBytes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, func(o *Options) { o.MaxBytes = 1000 })
		began := time.Now()
		for range 100 { // one hot row, a log that grows
			f.commit(f.mutation(items, Upsert, []int{1, 2}, 1, "a", 1))
			require.Less(t, f.queue.Stats().Bytes, int64(1500))
		}
		require.Zero(t, time.Since(began))
		f.drain()
		require.Zero(t, f.queue.Stats().Bytes, "all that was counted is counted off")
	})
}

func TestFullQueueSaysSoAndFlushes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, func(o *Options) { o.MaxRows, o.Block = 2, false })
		f.commit(f.insert(1, "a", 1), f.insert(2, "b", 2))
		_, ok, err := f.queue.Commit(t.Context(), holding(true), 1, f.insert(3, "c", 3))
		require.False(t, ok)
		require.ErrorIs(t, err, ErrFull)
		synctest.Wait()
		f.pending(0)
		f.commit(f.insert(3, "c", 3))
	})
}

func TestWriterAtTheBoundHearsThatTheServerIsAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, func(o *Options) { o.MaxRows = 1 })
		f.server.bend(func(s *server) { s.hook = failing("begin", always, errLost) })
		f.commit(f.insert(1, "a", 1))
		_, ok, err := f.queue.Commit(t.Context(), holding(true), 1, f.insert(2, "b", 2))
		require.False(t, ok)
		require.ErrorIs(t, err, errLost)
		f.server.bend(func(s *server) { s.hook = nil })
		f.drain()
		require.Len(t, f.server.table("items"), 1, "what was refused a place was not taken")
	})
}

func TestWriteThatIsNoLongerValidLeavesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, nil)
		lsn, ok, err := f.queue.Commit(t.Context(), holding(false), 1, f.insert(1, "a", 1))
		require.NoError(t, err)
		require.False(t, ok)
		require.Zero(t, lsn)
		require.Zero(t, f.queue.Newest())
		_, state := f.get(1)
		require.Equal(t, Missing, state)
		require.Empty(t, f.watcher.accepted)
	})
}

func TestEmptyGroupHoldsNobodyUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, nil)
		_, ok, err := f.queue.Commit(t.Context(), holding(true), 1)
		require.NoError(t, err)
		require.True(t, ok)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		require.NoError(t, f.queue.Drain(ctx, f.queue.Newest()))
	})
}

func TestNewestOfKnowsWhatIsPendingForATable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, nil)
		first := f.commit(f.insert(1, "a", 1))
		second := f.commit(f.mutation(orders, Insert, nil, 7, "o", 1))
		require.Equal(t, first, f.queue.NewestOf(items.OID))
		require.Equal(t, second, f.queue.NewestOf(items.OID, orders.OID, tags.OID))
		require.Zero(t, f.queue.NewestOf(tags.OID))
		f.drain()
		require.Zero(t, f.queue.NewestOf(items.OID, orders.OID))
	})
}

func TestStatsTellWhatIsPending(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, nil)
		require.True(t, f.queue.Stats().Oldest.IsZero())
		now := time.Now()
		for id := range 3 {
			f.commit(f.insert(id, fmt.Sprint("n", id), id))
			time.Sleep(time.Second)
		}
		s := f.queue.Stats()
		require.EqualValues(t, 3, s.LSN)
		require.Zero(t, s.Flushed)
		require.EqualValues(t, 3, s.Rows)
		require.Positive(t, s.Bytes)
		require.Equal(t, 1, s.Memtables)
		require.True(t, s.Oldest.Equal(now))
		f.drain()
		s = f.queue.Stats()
		require.EqualValues(t, 3, s.Flushed)
		require.EqualValues(t, 3, s.FlushedRows)
		require.EqualValues(t, 1, s.Flushes)
		require.Zero(t, s.Rows)
		require.Zero(t, s.Memtables)
	})
}
