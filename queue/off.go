package queue

import "slices"

// offRows are the rows, by hash, that did not become what they were expected to:
// another program has changed a column that a flush added to. What PostgreSQL
// has is right, and the images are not.
type offRows map[uint64]struct{}

func (o *offRows) add(hash uint64) {
	if *o == nil {
		*o = make(offRows)
	}
	(*o)[hash] = struct{}{}
}

func (o offRows) has(hash uint64) bool {
	_, ok := o[hash]
	return ok
}

// distrust makes stale what the overlay has of the rows that are off in the oldest
// memtable, which has been flushed. What is pending for them is flushed as it is:
// what it adds, it adds. Whoever has read one of them a moment ago is about to
// commit what follows from it: it has done so by now, or will not be valid.
func (q *Queue) distrust(m *memtable) {
	off := m.flush.off
	if len(off) == 0 {
		return
	}
	q.commit.Lock()
	defer q.commit.Unlock()
	q.markStale(off)
	for n := range uint32(m.rows) {
		if e := m.entry(n); off.has(e.hash) {
			q.tellFlushed(m, e, false, false)
		}
	}
}

func (q *Queue) markStale(off offRows) {
	q.view.Lock()
	defer q.view.Unlock()
	for _, m := range append(slices.Clone(q.frozen), q.active) {
		for hash := range off {
			for n := m.index[hash]; n != 0; n = m.entry(n - 1).next {
				m.entry(n - 1).stale = true
			}
		}
	}
	for _, t := range q.flight.groups {
		for i := range t.mutations {
			if off.has(t.mutations[i].Hash) {
				t.mutations[i].stale = true
			}
		}
	}
}
