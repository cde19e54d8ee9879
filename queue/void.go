package queue

// A journal that has failed for good may still hold groups that it could neither
// sync nor erase. They have not happened, and must not at the next start either:
// others have written since. So the checkpoint passes them, after what is durable
// and before any later statement: they are an empty memtable.

// void makes the groups after the newest one, up to last, pass for flushed once it
// is. commit and view are held.
func (q *Queue) void(last LSN) {
	if last <= q.lsn {
		return
	}
	q.freeze()
	m := newMemtable(0)
	m.first, m.last = q.lsn+1, last
	q.append(m)
	q.lsn = last
	q.voided.Store(true)
	q.wake()
}

// newestVoid returns the memtable that stands for voided groups; nil if there is
// none.
func newestVoid(frozen []*memtable) *memtable {
	if n := len(frozen); n > 0 && frozen[n-1].rows == 0 {
		return frozen[n-1]
	}
	return nil
}
