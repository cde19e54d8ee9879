package queue

import "slices"

// A flush keeps PostgreSQL busy: while that executes one memtable, the statements of the
// next are encoded, and the rows of the one before are handed over to the observer.

// background is work that the flusher does not wait for at once.
type background struct {
	ended    chan struct{}
	panicked any
}

func inBackground(work func()) *background {
	b := &background{ended: make(chan struct{})}
	go func() {
		defer close(b.ended)
		defer func() { b.panicked = recover() }()
		work()
	}()
	return b
}

// done is closed when the work is done; it is nil if there is none.
func (b *background) done() <-chan struct{} {
	if b == nil {
		return nil
	}
	return b.ended
}

// wait returns when the work is done, and panics if it has.
func (b *background) wait() {
	<-b.ended
	if b.panicked != nil {
		panic(b.panicked)
	}
}

// leaving is a memtable that is in PostgreSQL and on its way out of the overlay.
type leaving struct {
	*background
	m *memtable
}

// depart takes m, which is in PostgreSQL, out of the overlay: beside the next flush, unless
// that has to know what became of m.
func (q *Queue) depart(m *memtable) {
	q.departed()
	if f := &m.flush; len(f.refused)+len(f.off)+len(q.doubts.rows) > 0 || m.rows == 0 {
		q.retire(m, f.refused)
		return
	}
	q.leaving = leaving{inBackground(func() { q.retire(m, nil) }), m}
}

// departed returns when no memtable is leaving any more.
func (q *Queue) departed() {
	l := q.leaving
	q.leaving = leaving{}
	if l.background != nil {
		l.wait()
	}
}

// waiting are the frozen memtables that are not in PostgreSQL yet; view is held.
func (q *Queue) waiting() []*memtable {
	if len(q.frozen) > 0 && q.frozen[0] == q.leaving.m {
		return q.frozen[1:]
	}
	return q.frozen
}

// encodeAfter has the statements of the memtable that follows m encoded; view is held.
func (q *Queue) encodeAfter(m *memtable) {
	if i := slices.Index(q.frozen, m) + 1; 0 < i && i < len(q.frozen) {
		next := q.frozen[i]
		go func() {
			defer func() { _ = recover() }() // it panics again when they are asked for
			_, _ = next.flush.statements()
		}()
	}
}
