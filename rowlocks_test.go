package writebehind

import (
	"context"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// held returns the number of locks that are held or waited for.
func (l *rowLocks) held() (n int) {
	for i := range l.shards {
		l.shards[i].mu.Lock()
		n += len(l.shards[i].held)
		l.shards[i].mu.Unlock()
	}
	return n
}

// taken is lock without what became of the row.
func (l *rowLocks) taken(ctx context.Context, hash uint64) error {
	_, err := l.lock(ctx, hash, true)
	return err
}

func TestRowLockIsHeldByOne(t *testing.T) {
	var locks rowLocks
	const rows, workers, rounds = 5, 8, 500
	var inside [rows]int // guarded by the locks under test; the race detector watches
	var done [rows]int
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			for range rounds {
				row := rand.IntN(rows)
				hash := uint64(row) << 55 // some share a shard
				ctx, cancel := context.WithTimeout(t.Context(), time.Duration(rand.IntN(200))*time.Microsecond)
				if locks.taken(ctx, hash) == nil {
					inside[row]++
					if inside[row] != 1 {
						t.Errorf("%d hold row %d", inside[row], row)
					}
					inside[row]--
					done[row]++
					locks.unlock(hash)
				}
				cancel()
			}
		})
	}
	wg.Wait()
	require.Zero(t, locks.held(), "all are free, however many gave up waiting")
	for row := range uint64(rows) {
		require.NoError(t, locks.taken(t.Context(), row<<55))
		locks.unlock(row << 55)
		require.Positive(t, done[row])
	}
}

func TestRowLocksOfDifferentRowsAreIndependent(t *testing.T) {
	var locks rowLocks
	for hash := range uint64(100) {
		require.NoError(t, locks.taken(t.Context(), hash))
	}
	require.Equal(t, 100, locks.held())
	for hash := range uint64(100) {
		locks.unlock(hash)
	}
	require.Zero(t, locks.held())
}

func TestRowLockGoesToEachWhoWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var locks rowLocks
		require.NoError(t, locks.taken(t.Context(), 1))
		turns := make(chan int, 10)
		for i := range cap(turns) {
			go func() {
				if locks.taken(t.Context(), 1) == nil {
					turns <- i
				}
			}()
		}
		seen := make(map[int]bool)
		for range cap(turns) {
			synctest.Wait()
			require.Empty(t, turns, "one at a time")
			locks.unlock(1)
			seen[<-turns] = true
		}
		require.Len(t, seen, cap(turns))
		locks.unlock(1)
		require.Zero(t, locks.held())
	})
}

func TestWaiterThatGivesUpTakesNothingWithIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var locks rowLocks
		require.NoError(t, locks.taken(t.Context(), 1))
		errs := make(chan error, 3)
		ctx, cancel := context.WithCancel(t.Context())
		for range 2 {
			go func() { errs <- locks.taken(ctx, 1) }()
		}
		go func() { errs <- locks.taken(t.Context(), 1) }()
		synctest.Wait()
		cancel()
		require.ErrorIs(t, <-errs, context.Canceled)
		require.ErrorIs(t, <-errs, context.Canceled)
		locks.unlock(1)
		require.NoError(t, <-errs)
		require.Equal(t, 1, locks.held())
		locks.unlock(1)
		require.Zero(t, locks.held())
	})
}

// TestLockThatComesWithTheCancellationIsPassedOn gives the lock to a waiter at
// the moment at which it gives up, many times over.
func TestLockThatComesWithTheCancellationIsPassedOn(t *testing.T) {
	var locks rowLocks
	for range 2000 {
		require.NoError(t, locks.taken(t.Context(), 1))
		ctx, cancel := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		for _, c := range []context.Context{ctx, t.Context()} {
			wg.Go(func() {
				if locks.taken(c, 1) == nil {
					locks.unlock(1)
				}
			})
		}
		wg.Go(cancel)
		locks.unlock(1)
		wg.Wait()
		require.Zero(t, locks.held())
	}
}

func TestFreeRowLockAllocatesNothing(t *testing.T) {
	var locks rowLocks
	ctx := t.Context()
	require.Zero(t, testing.AllocsPerRun(100, func() {
		if locks.taken(ctx, 1) == nil {
			locks.unlock(1)
		}
	}))
}

func TestNobodyWaitsWithoutEndBehindATransactionThatCameFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		locks := rowLocks{patience: lockPatience{kept: 100 * time.Millisecond}}
		require.NoError(t, locks.taken(t.Context(), 1))
		done := make(chan error, 2)
		for range cap(done) {
			go func() { done <- locks.taken(t.Context(), 1) }()
		}
		synctest.Wait()
		s := locks.shard(1)
		s.mu.Lock() // so that nobody who waits is quicker
		lock := s.held[1]
		lock.taken = false
		lock.take(true, nil)
		lock.wake <- struct{}{}
		s.mu.Unlock()
		for range cap(done) {
			require.ErrorIs(t, <-done, errRowHeld)
		}
		locks.unlock(1)
		require.Zero(t, locks.held())
	})
}
