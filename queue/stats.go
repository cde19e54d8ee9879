package queue

import "time"

// Stats is a snapshot of what the queue is doing.
type Stats struct {
	LSN, Flushed  LSN
	Rows, Bytes   int64 // pending
	Memtables     int   // that hold rows
	Oldest        time.Time
	Flushes       uint64 // transactions
	FlushedRows   uint64
	RefusedGroups uint64
	Retries       uint64
	Paused        bool
	LastError     error // of the flush that is being tried again; nil if all is well
	LastErrorTime time.Time
}

// Stats returns a snapshot.
func (q *Queue) Stats() Stats {
	s := Stats{
		Rows: q.pendingRows(), Bytes: q.bytes.Load() + q.flight.bytes.Load(),
		Flushes: q.counters.flushes.Load(), FlushedRows: q.counters.flushedRows.Load(),
		RefusedGroups: q.counters.refusedGroups.Load(), Retries: q.counters.retries.Load(),
	}
	q.commit.Lock()
	s.LSN = q.lsn
	q.commit.Unlock()
	q.view.RLock()
	s.Memtables = len(q.frozen)
	switch {
	case len(q.frozen) > 0:
		s.Oldest = q.frozen[0].born
	case q.active.rows > 0:
		s.Oldest = q.active.born
	}
	if q.active.rows > 0 {
		s.Memtables++
	}
	q.view.RUnlock()
	flushed, failed := q.progress.state()
	s.Flushed, s.LastError, s.LastErrorTime, s.Paused = flushed, failed.err, failed.at, failed.paused
	return s
}
