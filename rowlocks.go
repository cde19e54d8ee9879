package writebehind

import (
	"context"
	"sync"
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

// rowLock is a held lock. Its turn has room for one token, which the holder
// leaves to one of those who wait.
type rowLock struct {
	waiting int
	turn    chan struct{}
}

func (l *rowLocks) shard(hash uint64) *lockShard { return &l.shards[hash>>56] }

// lock takes the lock of a row, or returns ctx's error.
func (l *rowLocks) lock(ctx context.Context, hash uint64) error {
	s := l.shard(hash)
	s.mu.Lock()
	lock := s.held[hash]
	if lock == nil {
		s.hold(hash)
		s.mu.Unlock()
		return nil
	}
	lock.waiting++
	s.mu.Unlock()
	select {
	case <-lock.turn:
		s.mu.Lock()
		lock.waiting--
		s.mu.Unlock()
		return nil
	case <-ctx.Done():
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	lock.waiting--
	select {
	case <-lock.turn: // it came all the same: pass it on
		s.pass(hash, lock)
	default:
	}
	return ctx.Err()
}

// unlock gives the lock of a row back.
func (l *rowLocks) unlock(hash uint64) {
	s := l.shard(hash)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pass(hash, s.held[hash])
}

func (s *lockShard) hold(hash uint64) {
	if s.held == nil {
		s.held = make(map[uint64]*rowLock)
	}
	if n := len(s.free); n > 0 {
		s.held[hash] = s.free[n-1]
		s.free = s.free[:n-1]
		return
	}
	s.held[hash] = &rowLock{turn: make(chan struct{}, 1)}
}

// pass hands the lock to one who waits, or frees it.
func (s *lockShard) pass(hash uint64, lock *rowLock) {
	if lock.waiting > 0 {
		lock.turn <- struct{}{}
		return
	}
	delete(s.held, hash)
	if len(s.free) < 64 {
		s.free = append(s.free, lock)
	}
}
