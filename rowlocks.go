package writebehind

import (
	"context"
	"errors"
	"sync"
	"time"
)

// rowLocks are locks on rows within this process, by the hash of the row key.
// Two rows whose hashes collide share a lock, which costs a wait and no more.
type rowLocks struct {
	shards [256]lockShard
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
	kept     bool // taken, to the end of a transaction
	handed   bool // taken, by the one of those who wait that is woken next
	starving bool // somebody has waited for long
	waiting  int
	wake     chan struct{} // one token: somebody look again
}

// rowPatience is how long a goroutine looks on while others take the lock.
const rowPatience = 2 * time.Millisecond

func (l *rowLocks) shard(hash uint64) *lockShard { return &l.shards[hash>>56] }

// errRowHeld says that a row's lock was not to be had in time. Who has it may be
// waiting for whoever wants it, in a way that only PostgreSQL can see.
var errRowHeld = errors.New("the row is locked")

// keptPatience is how long a lock is waited for where it is kept to the end of a
// transaction.
const keptPatience = time.Millisecond

// lock takes the lock of a row for one statement, or returns ctx's error. Where a
// transaction keeps the lock it gives up with errRowHeld.
func (l *rowLocks) lock(ctx context.Context, hash uint64) error {
	return l.acquire(ctx, hash, false, keptPatience)
}

// keep takes the lock of a row for the rest of a transaction, or returns ctx's
// error, or errRowHeld after a short wait, if it is to wait at all.
func (l *rowLocks) keep(ctx context.Context, hash uint64, wait bool) error {
	if !wait {
		return l.acquire(ctx, hash, true, 0)
	}
	return l.acquire(ctx, hash, true, keptPatience)
}

func (l *rowLocks) acquire(ctx context.Context, hash uint64, keep bool, patience time.Duration) error {
	s := l.shard(hash)
	s.mu.Lock()
	defer s.mu.Unlock()
	lock := s.held[hash]
	if lock == nil {
		s.take(hash).kept = keep
		return nil
	}
	if !lock.taken && !lock.starving {
		lock.taken, lock.kept = true, keep
		return nil
	}
	if patience == 0 {
		return errRowHeld
	}
	lock.waiting++
	began := time.Now()
	var timer *time.Timer
	var timeout <-chan time.Time
	defer func() {
		if timer != nil {
			timer.Stop()
		}
	}()
	for {
		if timer == nil && (keep || lock.kept) {
			timer = time.NewTimer(patience)
			timeout = timer.C
		}
		s.mu.Unlock()
		var err error
		select {
		case <-lock.wake:
		case <-timeout:
			err = errRowHeld
		case <-ctx.Done():
			err = ctx.Err()
		}
		s.mu.Lock()
		switch {
		case err != nil:
			lock.waiting--
			if !lock.taken || lock.handed {
				s.leave(hash, lock)
			}
			return err
		case lock.handed || !lock.taken:
			lock.waiting--
			lock.taken, lock.handed, lock.kept = true, false, keep
			return nil
		case time.Since(began) > rowPatience:
			lock.starving = true
		}
	}
}

// unlock gives the lock of a row back.
func (l *rowLocks) unlock(hash uint64) {
	s := l.shard(hash)
	s.mu.Lock()
	defer s.mu.Unlock()
	lock := s.held[hash]
	lock.taken, lock.handed = lock.starving, lock.starving
	lock.starving, lock.kept = false, false
	s.leave(hash, lock)
}

// take makes a lock that nobody has or waits for.
func (s *lockShard) take(hash uint64) *rowLock {
	if s.held == nil {
		s.held = make(map[uint64]*rowLock)
	}
	var lock *rowLock
	if n := len(s.free); n > 0 {
		lock, s.free = s.free[n-1], s.free[:n-1]
	} else {
		lock = &rowLock{wake: make(chan struct{}, 1)}
	}
	lock.taken = true
	s.held[hash] = lock
	return lock
}

// leave wakes one of those who wait for a lock that is nobody's, or its own, or
// forgets the lock.
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
