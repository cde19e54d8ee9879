package writebehind

import (
	"cmp"
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"
)

// rowLocks are locks on rows within this process, by the hash of the row key.
// Two rows whose hashes collide share a lock, which costs a wait and no more.
type rowLocks struct {
	patience lockPatience
	waits    atomic.Int64 // statements that wait for a lock
	shards   [256]lockShard
}

type lockShard struct {
	mu   sync.Mutex
	held map[uint64]*rowLock
	free []*rowLock
}

// rowLock is a lock that is taken or waited for. Whoever comes by while it is
// free takes it, even if others wait: on a hot row a lock that is handed to a
// goroutine which has to be scheduled first moves as slowly as the scheduler.
// Only one who has waited for long gets it handed over.
type rowLock struct {
	taken    bool
	kept     bool    // taken, to the end of a transaction
	keeper   *buffer // that transaction, if it is, or was, buffered
	changes  uint    // how often it was taken
	handed   bool    // taken, by the one of those who wait that is woken next
	starving bool    // somebody has waited for long
	asks     bool    // PostgreSQL is to be asked, by all who wait
	deleted  uint    // how often a row was deleted while somebody waited
	last     []byte  // the key of the last such row
	waiting  int
	wake     chan struct{} // one token: somebody look again
}

// rowPatience is how long a goroutine looks on while others take the lock.
const rowPatience = 2 * time.Millisecond

func (l *rowLocks) shard(hash uint64) *lockShard { return &l.shards[hash>>56] }

// errRowHeld says that a row's lock was not to be had in time. Who has it may be
// waiting for whoever wants it, in a way that only PostgreSQL can see.
var errRowHeld = errors.New("the row is locked")

// rowWait is how a lock was come by.
type rowWait struct {
	waited bool
	gone   []byte // key of the row of that hash that was deleted last meanwhile; nil if none was
}

// lock takes the lock of a row for one statement, or returns ctx's error. Where a
// transaction keeps the lock, or it is not to wait, it gives up with errRowHeld.
func (l *rowLocks) lock(ctx context.Context, hash uint64, wait bool) (rowWait, error) {
	return l.acquire(ctx, hash, wait, false, nil)
}

// isTaken tells whether somebody has the lock of a row, other than the transaction b (nil:
// anybody).
func (l *rowLocks) isTaken(hash uint64, b *buffer) bool {
	s := l.shard(hash)
	s.mu.Lock()
	defer s.mu.Unlock()
	lock := s.held[hash]
	return lock != nil && lock.taken && (b == nil || lock.keeper != b)
}

// keep takes the lock of a row for the rest of a buffered transaction, or returns
// ctx's error, or errRowHeld if PostgreSQL must arbitrate, or the transaction is to yield.
func (l *rowLocks) keep(ctx context.Context, hash uint64, b *buffer, wait bool) (rowWait, error) {
	return l.acquire(ctx, hash, wait, true, b)
}

// tryKeep takes the lock of a row for the rest of a transaction that PostgreSQL
// knows of, if nobody has it.
func (l *rowLocks) tryKeep(hash uint64) bool {
	_, err := l.acquire(context.Background(), hash, false, true, nil)
	return err == nil
}

// keeper returns the transaction that keeps the lock of a row, if it is, or was,
// buffered.
func (l *rowLocks) keeper(hash uint64) *buffer {
	s := l.shard(hash)
	s.mu.Lock()
	defer s.mu.Unlock()
	if lock := s.held[hash]; lock != nil {
		return lock.keeper
	}
	return nil
}

func (l *rowLocks) acquire(ctx context.Context, hash uint64, wait, keep bool, keeper *buffer) (w rowWait, err error) {
	s := l.shard(hash)
	s.mu.Lock()
	defer s.mu.Unlock()
	lock := s.held[hash]
	switch {
	case lock == nil:
		s.make(hash).take(keep, keeper)
	case !lock.taken && !lock.starving:
		lock.take(keep, keeper)
	case !wait || lock.asks:
		return w, errRowHeld
	default:
		w.waited = true
		lock.waiting++
		deleted := lock.deleted
		err = l.await(ctx, s, hash, keep, keeper)
		lock.waiting--
		if err == nil {
			lock.handed = false
			lock.take(keep, keeper)
		} else if !lock.taken || lock.handed || lock.asks && lock.waiting > 0 {
			s.leave(hash, lock)
		}
		if lock.deleted != deleted {
			w.gone = lock.last
		}
	}
	return w, err
}

// await waits until a lock can be taken. The shard is locked, but not meanwhile.
func (l *rowLocks) await(ctx context.Context, s *lockShard, hash uint64, keep bool, keeper *buffer) error {
	lock := s.held[hash]
	var yield <-chan struct{}
	if keeper != nil {
		yield = keeper.wanted
		keeper.waiting.Store(hash)
		defer keeper.waiting.Store(0)
	}
	l.waits.Add(1)
	defer l.waits.Add(-1)
	patience := cmp.Or(l.patience.kept, keptPatience)
	timer := time.NewTimer(patience)
	defer timer.Stop()
	began, seen := time.Now(), lock.changes
	for {
		late := false
		err := func() error {
			s.mu.Unlock()
			defer s.mu.Lock()
			if l.waitsForItself(keeper, hash) {
				return errRowHeld
			}
			select {
			case <-lock.wake:
			case <-timer.C:
				late = true
			case <-yield:
				return errRowHeld
			case <-ctx.Done():
				return ctx.Err()
			}
			return nil
		}()
		switch {
		case err != nil:
			return err
		case lock.handed || !lock.taken:
			return nil
		case lock.asks:
			return errRowHeld
		case late && (keep || lock.kept) && (lock.changes == seen || l.patience.limit > 0 && time.Since(began) >= l.patience.limit):
			return errRowHeld
		case late:
			seen = lock.changes
			timer.Reset(patience)
		case time.Since(began) > rowPatience:
			lock.starving = true
		}
	}
}

// waitsForItself tells whether a transaction that waits for a row waits, by way of
// others that are buffered, for itself. Each of them looks when it begins to wait, so
// the last one sees the circle.
func (l *rowLocks) waitsForItself(b *buffer, hash uint64) bool {
	if b == nil {
		return false
	}
	for range maxWaits {
		next := l.keeper(hash)
		if next == b {
			return true
		}
		if next == nil {
			return false
		}
		if hash = next.waiting.Load(); hash == 0 {
			return false
		}
	}
	return true // it goes round without b
}

// maxWaits is more than there are transactions in a row that wait for one another.
const maxWaits = 10_000

// unlock gives the lock of a row back.
func (l *rowLocks) unlock(hash uint64) {
	s := l.shard(hash)
	s.mu.Lock()
	defer s.mu.Unlock()
	lock := s.held[hash]
	lock.taken, lock.handed = lock.starving, lock.starving
	lock.starving, lock.kept, lock.keeper, lock.asks = false, false, nil, false
	s.leave(hash, lock)
}

// take gives the lock to somebody. The shard is locked.
func (l *rowLock) take(keep bool, keeper *buffer) {
	l.taken, l.kept, l.keeper = true, keep, keeper
	l.changes++
}

// make makes a lock that nobody has or waits for.
func (s *lockShard) make(hash uint64) *rowLock {
	if s.held == nil {
		s.held = make(map[uint64]*rowLock)
	}
	var lock *rowLock
	if n := len(s.free); n > 0 {
		lock, s.free = s.free[n-1], s.free[:n-1]
	} else {
		lock = &rowLock{wake: make(chan struct{}, 1)}
	}
	s.held[hash] = lock
	return lock
}

// leave wakes one of those who wait for a lock that is nobody's, or its own, or that
// PostgreSQL is to be asked for, or forgets the lock.
func (s *lockShard) leave(hash uint64, lock *rowLock) {
	if lock.waiting > 0 {
		select {
		case lock.wake <- struct{}{}:
		default: // somebody is being woken
		}
		return
	}
	select {
	case <-lock.wake:
	default:
	}
	delete(s.held, hash)
	if len(s.free) < 64 {
		*lock = rowLock{wake: lock.wake}
		s.free = append(s.free, lock)
	}
}
