package writebehind

import "bytes"

// Who waits for a row waits for that row, not for another one that is given its key: in
// PostgreSQL a statement has its snapshot before it begins to wait, and a row that is
// deleted meanwhile and inserted again is none that it sees. Where that is known here, in
// what was deleted from memory, those who wait are told. A transaction that PostgreSQL knows
// of may end as nobody here foresees: as soon as it may have deleted the row, all who wait
// for that wait in PostgreSQL.

// bury tells those who wait for the lock of a row, which the caller has, that the row was
// deleted, for good.
func (l *rowLocks) bury(hash uint64, key []byte) {
	s := l.shard(hash)
	s.mu.Lock()
	defer s.mu.Unlock()
	if lock := s.held[hash]; lock.waiting > 0 {
		lock.deleted++
		lock.last = bytes.Clone(key)
	}
}

// ask has all who wait for the lock of a row, and who come while it is taken, ask
// PostgreSQL.
func (l *rowLocks) ask(hash uint64) {
	s := l.shard(hash)
	s.mu.Lock()
	defer s.mu.Unlock()
	if lock := s.held[hash]; lock != nil && lock.taken && !lock.handed {
		lock.asks = true
		if lock.waiting > 0 {
			s.leave(hash, lock)
		}
	}
}

// ask has all who wait for a row, and who come while it is held, ask PostgreSQL.
func (d *directRows) ask(hash uint64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if r := d.rows[hash]; r != nil {
		r.asks = true
		r.tell()
	}
}

// mayDelete says that a transaction that PostgreSQL knows of may delete, or has deleted, a
// row that it holds.
func (e *engine) mayDelete(hash uint64) {
	e.locks.ask(hash)
	e.rows.ask(hash)
}

// waited notes what became of the row of the attempt while its lock was waited for. It
// returns errRowHeld if that is not certain.
func (a *attempt) waited(w rowWait) error {
	a.late = w.waited
	if w.gone == nil {
		return nil
	}
	if a.gone = bytes.Equal(w.gone, a.key); !a.gone {
		return errRowHeld // another row has its hash
	}
	return nil
}

// buried tells those who wait for the rows that the transaction has deleted, and that are
// still locked.
func (b *buffer) buried() {
	for i := range b.ops {
		if op := &b.ops[i]; op.deletes() {
			b.engine.locks.bury(op.row.hash, op.row.key)
		}
	}
}
