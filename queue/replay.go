package queue

import (
	"context"
	"database/sql"
)

// replay brings the groups to PostgreSQL one by one, uncoalesced, in the order
// of their LSNs, each under a savepoint. A group that PostgreSQL refuses for
// good is passed over, whole.
func (f *flush) replay(ctx context.Context, q *Queue, tx *sql.Tx, m *memtable) error {
	var group []logged
	var failed error
	m.records(func(r logged) bool {
		if len(group) > 0 && group[0].lsn != r.lsn {
			failed = f.replayGroup(ctx, q, tx, group)
			group = group[:0]
		}
		group = append(group, r)
		return failed == nil
	})
	if failed != nil {
		return failed
	}
	return f.replayGroup(ctx, q, tx, group)
}

func (f *flush) replayGroup(ctx context.Context, q *Queue, tx *sql.Tx, group []logged) error {
	if _, err := tx.ExecContext(ctx, `SAVEPOINT writebehind_group`); err != nil {
		return err
	}
	err := writeGroup(ctx, q, tx, group)
	if err == nil {
		// A deferred constraint must speak here, where its group can be told.
		_, err = tx.ExecContext(ctx, `SET CONSTRAINTS ALL IMMEDIATE; SET CONSTRAINTS ALL DEFERRED`)
	}
	if err == nil {
		_, err = tx.ExecContext(ctx, `RELEASE SAVEPOINT writebehind_group`)
		return err
	}
	if !refused(err) {
		return err
	}
	if _, err := tx.ExecContext(ctx, `ROLLBACK TO SAVEPOINT writebehind_group; RELEASE SAVEPOINT writebehind_group`); err != nil {
		return err
	}
	for _, r := range group {
		f.refused = append(f.refused, refusal{
			lsn: r.lsn, table: q.shapes.get(r.shape).Table, key: r.key, hash: r.hash, err: err,
		})
	}
	return nil
}

func writeGroup(ctx context.Context, q *Queue, tx *sql.Tx, group []logged) error {
	for _, r := range group {
		var p params
		p.reset(q.shapes.get(r.shape))
		if err := p.addCells(q.opts.Location, r.cells); err != nil {
			return err
		}
		if err := p.exec(ctx, tx, 1); err != nil {
			return err
		}
	}
	return nil
}
