package queue

// doubts are the rows, by hash, whose images in the overlay may build on what
// PostgreSQL has refused. Only the flusher touches them.
type doubts struct{ rows map[uint64]refusal }

func (d *doubts) add(r refusal) {
	if d.rows == nil {
		d.rows = make(map[uint64]refusal)
	}
	d.rows[r.hash] = r
}

func (d *doubts) has(hash uint64) bool {
	_, ok := d.rows[hash]
	return ok
}

// cause returns the refusal that a row is in doubt because of.
func (d *doubts) cause(hash uint64) (refusal, bool) {
	r, ok := d.rows[hash]
	return r, ok
}

// doubtful tells whether the memtable has a row in doubt: then its groups must
// be looked at one by one.
func (q *Queue) doubtful(m *memtable) bool {
	for hash := range q.doubts.rows {
		if m.index[hash] != 0 {
			return true
		}
	}
	return false
}

// resolve ends the doubt about rows of m, which has left the overlay. It lasts
// while a younger memtable has the row. Somebody may have read the row in m a
// moment ago and be about to commit what follows from it, so the observer is
// told once more: then such a commit is in the overlay by now, or will not be
// valid.
func (q *Queue) resolve(m *memtable) {
	if len(q.doubts.rows) == 0 {
		return
	}
	for n := range uint32(m.rows) {
		e := m.entry(n)
		if !q.doubts.has(e.hash) {
			continue
		}
		q.tellFlushed(m, e, false, false)
		if !q.holds(e.hash) {
			delete(q.doubts.rows, e.hash)
		}
	}
}

// holds tells whether the overlay has a row of the hash.
func (q *Queue) holds(hash uint64) bool {
	q.view.RLock()
	defer q.view.RUnlock()
	for _, m := range q.frozen {
		if m.index[hash] != 0 {
			return true
		}
	}
	return q.active.index[hash] != 0 || q.flight.newest[hash] != nil
}
