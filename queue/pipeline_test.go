package queue

import (
	"context"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"
)

// batches makes the queue flush each group by itself.
func batches(o *Options) { o.BatchRows = 1 }

func TestTheNextFlushDoesNotWaitForTheHandOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, batches)
		held, hold := make(chan struct{}), make(chan struct{})
		var once sync.Once
		f.watcher.on = func(call string) {
			if call == "flushed" {
				once.Do(func() { close(held); <-hold })
			}
		}
		f.commit(f.insert(1, "a", 1))
		<-held
		f.commit(f.insert(2, "b", 2))
		f.commit(f.insert(3, "c", 3))
		synctest.Wait()
		require.Equal(t, []string{"insert items 1", "insert items 2"}, f.server.did(false))
		f.pending(3)
		require.False(t, f.queue.FlushedTo(1), "it is in the overlay still")
		close(hold)
		f.drain()
		f.pending(0)
		require.Equal(t, []string{"insert items 3"}, f.server.did(false))
		var keys []string
		for _, r := range f.watcher.flushed {
			require.True(t, r.held)
			keys = append(keys, r.key)
		}
		require.Equal(t, []string{"items1", "items2", "items3"}, keys)
	})
}

func TestAFlushThatFailsWaitsForTheHandOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, batches)
		held, hold := make(chan struct{}), make(chan struct{})
		var once sync.Once
		f.watcher.on = func(call string) {
			if call == "flushed" {
				once.Do(func() { close(held); <-hold })
			}
		}
		f.server.bend(func(s *server) { s.hook = failing("insert items 2", 1, errLost) })
		f.commit(f.insert(1, "a", 1))
		<-held
		f.commit(f.insert(2, "b", 2))
		synctest.Wait()
		require.NoError(t, f.queue.Stats().LastError)
		close(hold)
		f.drain()
		require.Equal(t, map[string]row{"1": {"1", "a", "1"}, "2": {"2", "b", "2"}}, f.server.table("items"))
		require.EqualValues(t, 1, f.queue.Stats().Retries)
		require.NoError(t, f.queue.Stats().LastError)
	})
}

func TestARefusalIsKnownToTheNextFlush(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, batches)
		hold := make(chan struct{})
		f.server.bend(func(s *server) {
			s.rows["items 1"] = row{"1", "outside", "0"}
			s.hook = func(_ context.Context, words string) error {
				if words == "begin" {
					<-hold
				}
				return nil
			}
		})
		f.commit(f.insert(1, "a", 1))
		synctest.Wait()
		f.commit(f.update(1, "b", 2)) // on top of what is refused
		close(hold)
		f.drain()
		require.Equal(t, row{"1", "outside", "0"}, f.server.table("items")["1"])
		require.EqualValues(t, 2, f.queue.Stats().RefusedGroups)
	})
}

// An observer that panics ends neither the process nor the hand-over.
func TestAHandOverThatPanics(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, batches)
		var once sync.Once
		f.watcher.on = func(call string) {
			if call == "flushed" {
				once.Do(func() { panic("once") })
			}
		}
		f.commit(f.insert(1, "a", 1))
		f.commit(f.insert(2, "b", 2))
		require.NoError(t, f.queue.DrainPatiently(t.Context(), 2))
		f.pending(0)
		require.Equal(t, map[string]row{"1": {"1", "a", "1"}, "2": {"2", "b", "2"}}, f.server.table("items"))
		require.Equal(t, "insert items 1,insert items 2", strings.Join(f.server.did(false), ","), "nothing is flushed twice")
	})
}

// What cannot be encoded is an error of its own flush, and of no other.
func TestAnEncodingThatPanics(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, batches)
		hold := make(chan struct{})
		f.server.bend(func(s *server) { s.hook = func(context.Context, string) error { <-hold; return nil } })
		f.commit(f.insert(1, "a", 1))
		synctest.Wait()
		f.queue.frozen = append(f.queue.frozen, newMemtable(0))
		f.queue.frozen[1].flush.statements = sync.OnceValues(func() ([]statement, error) { panic("broken") })
		f.queue.encodeAfter(f.queue.frozen[0])
		synctest.Wait()
		require.PanicsWithValue(t, "broken", func() { _, _ = f.queue.frozen[1].flush.statements() })
		f.queue.frozen = f.queue.frozen[:1]
		close(hold)
		f.drain()
	})
}
