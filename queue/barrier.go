package queue

import (
	"bytes"
	"context"
	"slices"
	"sync"
	"time"
)

// progress is what the flusher has done and how its attempts went; others wait
// on it.
type progress struct {
	mu       sync.Mutex
	moved    chan struct{}   // closed and replaced at every change
	ended    <-chan struct{} // closed when there will be no more changes
	flushed  LSN
	attempts uint64 // begun
	failed   failure
	urgent   bool // somebody waits: flush now
}

// failure is how the last failed attempt ended; the zero value means that the
// flusher is well.
type failure struct {
	attempt  uint64
	err      error
	at       time.Time
	hopeless bool // waiting longer is no answer: no connection, or paused
	paused   bool
}

func (p *progress) init(ended <-chan struct{}) {
	p.moved, p.ended = make(chan struct{}), ended
}

// change changes the state and wakes everybody who waits.
func (p *progress) change(f func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	f()
	close(p.moved)
	p.moved = make(chan struct{})
}

func (p *progress) state() (LSN, failure) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.flushed, p.failed
}

// wait returns when reached says so, and flushes until then. Unless patient, it
// returns the error of an attempt that was begun after the wait and cannot be
// helped by waiting.
func (q *Queue) wait(ctx context.Context, patient bool, reached func() bool) error {
	if reached() {
		return nil
	}
	p := &q.progress
	p.mu.Lock()
	began := p.attempts
	p.urgent = true
	moved := p.moved
	p.mu.Unlock()
	q.wake()
	for !reached() {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-p.ended:
			if reached() {
				return nil
			}
			return ErrClosed
		case <-moved:
		}
		p.mu.Lock()
		moved = p.moved
		failed := p.failed
		p.mu.Unlock()
		if !patient && failed.hopeless && failed.attempt > began && !reached() {
			return failed.err
		}
	}
	return nil
}

// hurry asks for a flush of all there is, without shortening the pause after one
// that failed.
func (q *Queue) hurry() {
	q.progress.mu.Lock()
	q.progress.urgent = true
	well := q.progress.failed.err == nil
	q.progress.mu.Unlock()
	if well {
		q.wake()
	}
}

// Drain waits until every group up to lsn is in PostgreSQL. It returns ctx's
// error, ErrClosed if the queue has been closed and has left the groups behind,
// or the flusher's own error when the server cannot be reached or the flusher is
// paused: then the groups are kept and tried again.
func (q *Queue) Drain(ctx context.Context, lsn LSN) error {
	return q.wait(ctx, false, func() bool { return q.FlushedTo(lsn) })
}

// WaitLock returns the advisory lock that a flush holds to its end.
func (q *Queue) WaitLock() int64 { return q.opts.WaitLock }

// DrainPatiently is Drain that waits on whatever the flusher meets: only ctx, or
// a Close that has given up, ends it.
func (q *Queue) DrainPatiently(ctx context.Context, lsn LSN) error {
	return q.wait(ctx, true, func() bool { return q.FlushedTo(lsn) })
}

// FlushedTo tells whether everything up to lsn is flushed, but for groups that
// never became durable.
func (q *Queue) FlushedTo(lsn LSN) bool {
	q.progress.mu.Lock()
	flushed := q.progress.flushed
	q.progress.mu.Unlock()
	return flushed >= lsn || q.lost.Load() > 0 && flushed >= q.Newest()
}

// Newest returns the LSN of the newest group.
func (q *Queue) Newest() LSN {
	q.commit.Lock()
	defer q.commit.Unlock()
	return q.lsn
}

// NewestOf returns the LSN of the newest group that may still be pending and
// touches one of the tables, given by OID; 0 if there is none.
func (q *Queue) NewestOf(oids ...uint32) LSN {
	if q.rows.Load() == 0 {
		return 0
	}
	q.view.RLock()
	defer q.view.RUnlock()
	var newest LSN
	for _, oid := range oids {
		newest = max(newest, q.tables[oid])
	}
	return newest
}

// NewestOfRow returns the LSN of a group up to which everything must be flushed for
// a row not to be pending any more; 0 if it is not.
func (q *Queue) NewestOfRow(key []byte, hash uint64) LSN {
	if q.pendingRows() == 0 {
		return 0
	}
	q.view.RLock()
	defer q.view.RUnlock()
	if t := q.flight.newest[hash]; t != nil {
		return t.lsn
	}
	if q.active.find(key, hash) != nil {
		return q.active.last
	}
	for i := len(q.frozen) - 1; i >= 0; i-- {
		if q.frozen[i].find(key, hash) != nil {
			return q.frozen[i].last
		}
	}
	return 0
}

// Made tells whether the row was inserted by a group that is pending: then PostgreSQL
// did not have it before.
func (q *Queue) Made(key []byte, hash uint64) bool {
	if q.pendingRows() == 0 {
		return false
	}
	q.view.RLock()
	defer q.view.RUnlock()
	inserts := func(s *Shape) bool { return s.Kind == Insert || s.Kind == Upsert }
	if t := q.flight.newest[hash]; t != nil && slices.ContainsFunc(t.mutations, func(m Mutation) bool {
		return m.Hash == hash && bytes.Equal(m.Key, key) && inserts(m.Shape)
	}) {
		return true
	}
	made := func(m *memtable) bool {
		e := m.find(key, hash)
		return e != nil && inserts(q.shapes.get(e.shape))
	}
	return made(q.active) || slices.ContainsFunc(q.frozen, made)
}

// wake makes the flusher look at what there is to do.
func (q *Queue) wake() {
	select {
	case q.kick <- struct{}{}:
	default:
	}
}
