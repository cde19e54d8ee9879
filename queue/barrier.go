package queue

import (
	"context"
	"sync"
	"time"
)

// progress is what the flusher has done and how its attempts went; others wait
// on it.
type progress struct {
	mu       sync.Mutex
	moved    chan struct{} // closed and replaced at every change
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

func (p *progress) init() { p.moved = make(chan struct{}) }

// change changes the state and wakes everybody who waits.
func (p *progress) change(f func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	f()
	close(p.moved)
	p.moved = make(chan struct{})
}

func (p *progress) state() (flushed LSN, err error, at time.Time, paused bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.flushed, p.failed.err, p.failed.at, p.failed.paused
}

// wait returns when reached says so. It returns the error of a flush that was
// begun after the wait and cannot be helped by waiting.
func (p *progress) wait(ctx context.Context, wake func(), reached func() (bool, error)) error {
	p.mu.Lock()
	began := p.attempts
	p.urgent = true
	moved := p.moved
	p.mu.Unlock()
	wake()
	for {
		if ok, err := reached(); ok || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-moved:
		}
		p.mu.Lock()
		moved = p.moved
		failed := p.failed
		p.mu.Unlock()
		if failed.hopeless && failed.attempt > began {
			if ok, err := reached(); ok || err != nil {
				return err
			}
			return failed.err
		}
	}
}

// Drain waits until every group up to lsn is in PostgreSQL. It returns ctx's
// error, or the flusher's own when the server cannot be reached or the flusher
// is paused: then the groups are kept and tried again.
func (q *Queue) Drain(ctx context.Context, lsn LSN) error {
	if q.flushedTo(lsn) {
		return nil
	}
	return q.progress.wait(ctx, q.wake, func() (bool, error) { return q.flushedTo(lsn), nil })
}

func (q *Queue) flushedTo(lsn LSN) bool {
	q.progress.mu.Lock()
	defer q.progress.mu.Unlock()
	return q.progress.flushed >= lsn
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

// wake makes the flusher look at what there is to do.
func (q *Queue) wake() {
	select {
	case q.kick <- struct{}{}:
	default:
	}
}
