package writebehind

import (
	"context"
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
	handed   bool // taken, by the one of those who wait that is woken next
	starving bool // somebody has waited for long
	waiting  int
	wake     chan struct{} // one token: somebody look again
}

// rowPatience is how long a goroutine looks on while others take the lock.
const rowPatience = 2 * time.Millisecond

func (l *rowLocks) shard(hash uint64) *lockShard { return &l.shards[hash>>56] }

// lock takes the lock of a row, or returns ctx's error.
func (l *rowLocks) lock(ctx context.Context, hash uint64) error {
	s := l.shard(hash)
	s.mu.Lock()
	defer s.mu.Unlock()
	lock := s.held[hash]
	if lock == nil {
		s.take(hash)
		return nil
	}
	if !lock.taken && !lock.starving {
		lock.taken = true
		return nil
	}
	lock.waiting++
	began := time.Now()
	for {
		s.mu.Unlock()
		var err error
		select {
		case <-lock.wake:
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
			lock.taken, lock.handed = true, false
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
	lock.starving = false
	s.leave(hash, lock)
}

// take makes a lock that nobody has or waits for.
func (s *lockShard) take(hash uint64) {
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
