package queue

import (
	"context"
	"database/sql"
	"fmt"
)

// replay brings the groups of a memtable to PostgreSQL one by one, uncoalesced,
// in the order of their LSNs, each under a savepoint. A group that PostgreSQL
// refuses for good becomes a dead letter, whole, and so does a later one that was
// acknowledged on top of it.
type replay struct {
	flush   *flush
	queue   *Queue
	tx      *sql.Tx
	refused []refusal
	groups  int                // of them
	doubts  map[uint64]refusal // rows, by hash, that a refused group would have written
}

func (r *replay) run(ctx context.Context, m *memtable) error {
	var group []logged
	var failed error
	m.records(func(l logged) bool {
		if len(group) > 0 && group[0].lsn != l.lsn {
			failed = r.group(ctx, group)
			group = group[:0]
		}
		group = append(group, l)
		return failed == nil
	})
	if failed != nil {
		return failed
	}
	return r.group(ctx, group)
}

func (r *replay) group(ctx context.Context, group []logged) error {
	if err := r.builtOnRefused(group); err != nil {
		return r.refuse(ctx, group, err)
	}
	if _, err := r.tx.ExecContext(ctx, `SAVEPOINT writebehind_group`); err != nil {
		return err
	}
	err := r.flush.writeGroup(ctx, r.queue, r.tx, group)
	if err == nil {
		// A deferred constraint must speak here, where its group can be told.
		_, err = r.tx.ExecContext(ctx, `SET CONSTRAINTS ALL IMMEDIATE; SET CONSTRAINTS ALL DEFERRED`)
	}
	if err == nil {
		_, err = r.tx.ExecContext(ctx, `RELEASE SAVEPOINT writebehind_group`)
		return err
	}
	if !refused(err) && !(r.flush.force && misfit(err)) {
		return err
	}
	if _, err := r.tx.ExecContext(ctx, `ROLLBACK TO SAVEPOINT writebehind_group; RELEASE SAVEPOINT writebehind_group`); err != nil {
		return err
	}
	return r.refuse(ctx, group, err)
}

// refuse makes a group a dead letter.
func (r *replay) refuse(ctx context.Context, group []logged, cause error) error {
	r.groups++
	if !r.flush.force && r.queue.letters.exceeded(r.groups) {
		return fmt.Errorf("%w: %w", errTooMany, cause)
	}
	if r.doubts == nil {
		r.doubts = make(map[uint64]refusal)
	}
	for _, l := range group {
		one := refusal{lsn: l.lsn, table: r.queue.shapes.get(l.shape).Table, key: l.key, hash: l.hash, err: cause}
		r.refused = append(r.refused, one)
		r.doubts[l.hash] = one
	}
	return r.flush.bury(ctx, r.queue, r.tx, group, cause)
}

// builtOnRefused returns an error if the group was acknowledged on top of one
// that was refused, now or in an earlier memtable.
func (r *replay) builtOnRefused(group []logged) error {
	for _, l := range group {
		cause, ok := r.doubts[l.hash]
		if !ok {
			cause, ok = r.queue.doubts.cause(l.hash)
		}
		if ok && cause.lsn != l.lsn {
			return &builtOnError{cause}
		}
	}
	return nil
}

// builtOnError says that a group was refused because of an earlier one.
type builtOnError struct{ cause refusal }

func (e *builtOnError) Error() string {
	return fmt.Sprintf("queue: it was acknowledged on top of the group with LSN %d, which was refused: %v", e.cause.lsn, e.cause.err)
}

func (e *builtOnError) Unwrap() error { return e.cause.err }

func (f *flush) writeGroup(ctx context.Context, q *Queue, tx *sql.Tx, group []logged) error {
	for _, r := range group {
		var p params
		p.reset(q.shapes.get(r.shape))
		if err := p.addCells(q.opts.Location, r.cells); err != nil {
			return err
		}
		off, err := p.exec(ctx, tx, 1)
		if err != nil {
			return err
		}
		if len(off) > 0 {
			f.off.add(r.hash)
		}
	}
	return nil
}
