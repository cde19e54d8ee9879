package queue

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime/debug"
	"sync/atomic"
	"time"

	"github.com/writebehind/writebehind/internal/pgerr"
)

// Pauses between attempts to flush the same memtable.
const (
	backoffFirst = 20 * time.Millisecond
	backoffLast  = 5 * time.Second
)

// run is the flusher: one goroutine for as long as the queue lives.
func (q *Queue) run() {
	defer close(q.done)
	for !q.supervise() {
		q.opts.Logger.Error("writebehind: flusher restarts")
	}
}

// supervise works until the queue is stopped and then returns true. If a panic
// ends the work it says so, so that barriers do not wait in vain, and returns
// false.
func (q *Queue) supervise() (stopped bool) {
	defer func() {
		if r := recover(); r != nil {
			err := fmt.Errorf("queue: flusher: %v", r)
			if q.leaving.done() != nil {
				<-q.leaving.done()
				q.leaving = leaving{}
			}
			q.opts.Logger.Error("writebehind: flusher panicked", "panic", r, "stack", string(debug.Stack()))
			q.fail(err, verdictPause)
			stopped = q.sleep(backoffLast)
		}
	}()
	for {
		m, wait := q.next()
		if m == nil {
			if q.sleep(wait) {
				q.departed()
				return true
			}
			continue
		}
		if q.settle(m) {
			return true
		}
	}
}

// next returns the oldest memtable that is due, or how long until one is; 0
// means that nothing is pending.
func (q *Queue) next() (*memtable, time.Duration) {
	q.progress.mu.Lock()
	urgent := q.progress.urgent
	q.progress.urgent = false
	q.progress.mu.Unlock()

	q.view.Lock()
	defer q.view.Unlock()
	waiting := q.waiting()
	if len(waiting) == 0 && q.active.rows > 0 {
		age := time.Since(q.active.born)
		if !urgent && age < q.opts.MaxDelay {
			return nil, q.opts.MaxDelay - age
		}
	}
	if urgent && (len(waiting) > 0 || q.flight.rows.Load() > 0) {
		// Those who wait may wait for groups in the active memtable, or in flight.
		q.progress.mu.Lock()
		q.progress.urgent = true
		q.progress.mu.Unlock()
	}
	if len(waiting) == 0 {
		q.freeze()
		waiting = q.waiting()
	}
	if len(waiting) == 0 {
		return nil, 0
	}
	q.encodeAfter(waiting[0])
	return waiting[0], 0
}

// sleep waits for a wake-up, at most d (0: without end). It returns true when
// the queue is stopped.
func (q *Queue) sleep(d time.Duration) bool {
	var timeout <-chan time.Time
	if d > 0 {
		timer := time.NewTimer(d)
		defer timer.Stop()
		timeout = timer.C
	}
	select {
	case <-q.life.Done():
		return true
	case <-q.kick:
	case <-timeout:
	case <-q.leaving.done():
		q.departed()
	}
	return false
}

// settle tries to flush m until it is in PostgreSQL. It returns true when the
// queue is stopped before that.
func (q *Queue) settle(m *memtable) (stopped bool) {
	f := &m.flush
	pause := backoffFirst
	for !f.done {
		if q.giveUp.Swap(false) {
			f.oneByOne, f.force = true, true
		}
		q.progress.mu.Lock()
		q.progress.attempts++
		q.progress.mu.Unlock()

		err := f.attempt(q, m)
		if err == nil {
			break
		}
		q.departed()
		if q.life.Err() != nil { // interrupted: no failure of the server's
			return true
		}
		var rewound *rewoundError
		if errors.As(err, &rewound) && q.goBack(rewound) == nil {
			return false // the memtable is gone, and others hold its rows
		}
		verdict := f.judge(err)
		if verdict == verdictReplay {
			f.oneByOne = true
			pause = backoffFirst
			continue
		}
		q.counters.retries.Add(1)
		q.fail(err, verdict)
		if pgerr.StaleSchema(err) {
			q.opts.Observer.Stale(err)
		}
		if pause, stopped = q.rest(pause); stopped {
			return true
		}
	}
	q.depart(m)
	return false
}

// rest is the pause after a failed attempt, cut short for those who wait. It
// returns the next one, which is longer only if all of this one was taken: how
// many have waited meanwhile says nothing of the server.
func (q *Queue) rest(pause time.Duration) (next time.Duration, stopped bool) {
	began := time.Now()
	whole := min(pause/2+rand.N(pause), backoffLast)
	if q.sleep(whole) {
		return 0, true
	}
	if time.Since(began) < whole {
		return pause, false
	}
	return min(2*pause, backoffLast), false
}

// fail records a failed attempt and wakes those who wait.
func (q *Queue) fail(err error, verdict verdict) {
	q.progress.change(func() {
		p := &q.progress
		if p.failed.err == nil || p.failed.paused != (verdict == verdictPause) {
			q.opts.Logger.Warn("writebehind: flush failed, the writes are kept and tried again",
				"error", pgerr.ForLog(err), "paused", verdict == verdictPause)
		}
		p.failed = failure{
			attempt: p.attempts, err: err, at: time.Now(),
			hopeless: verdict == verdictPause || verdict == verdictAway,
			paused:   verdict == verdictPause,
		}
	})
}

// retire takes a memtable that is in PostgreSQL out of the overlay. Its rows
// are handed to the observer first, so that a row is always somewhere.
func (q *Queue) retire(m *memtable, refused []refusal) {
	for _, r := range refused {
		q.doubts.add(r)
	}
	q.distrust(m)
	var doubted []uint64
	for n := range uint32(m.rows) {
		e := m.entry(n)
		clean := !e.stale && !q.doubts.has(e.hash)
		if !clean {
			doubted = append(doubted, e.hash)
		}
		q.tellFlushed(m, e, atomic.LoadUint32(&e.wanted) != 0, clean)
	}
	q.view.Lock()
	for _, hash := range doubted { // nobody sees one row with what was refused and another one without
		q.opts.Observer.Accepted(hash)
	}
	q.frozen[0] = nil // or the slice would keep it
	q.frozen = q.frozen[1:]
	for oid, lsn := range q.tables {
		if lsn <= m.last {
			delete(q.tables, oid)
		}
	}
	if m.rows == 0 {
		q.voided.Store(false)
	}
	q.rows.Add(-int64(m.rows))
	q.bytes.Add(-m.bytes())
	q.view.Unlock()

	q.wentBack = false
	q.giveUp.Store(false)
	q.counters.flushes.Add(1)
	q.counters.flushedRows.Add(uint64(m.rows))
	defer q.progress.change(func() {
		if q.progress.failed.err != nil {
			q.opts.Logger.Info("writebehind: flush works again")
		}
		q.progress.flushed = m.last
		q.progress.failed = failure{}
	})
	if q.opts.Journal != nil {
		if err := q.opts.Journal.Trim(m.last); err != nil {
			q.opts.Logger.Warn("writebehind: the journal could not be trimmed, the next flush tries again", "error", err)
		}
	}
	var last LSN
	for _, r := range refused {
		if r.lsn != last { // they come group by group
			q.counters.refusedGroups.Add(1)
			q.letters.made++
			last = r.lsn
		}
		q.opts.Observer.Refused(r.table, r.key, r.hash, r.lsn, r.err)
	}
	q.resolve(m)
}

// tellFlushed hands a row of a memtable to the observer.
func (q *Queue) tellFlushed(m *memtable, e *entry, wanted, clean bool) {
	var image []byte
	if e.imageLen > 0 {
		image = m.data.get(e.image, e.imageLen)
	}
	q.opts.Observer.Flushed(q.shapes.get(e.shape).Table, m.data.get(e.key, e.keyLen), e.hash, image, wanted, clean)
}
