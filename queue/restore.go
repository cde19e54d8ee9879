package queue

import (
	"context"
	"fmt"
	"slices"

	"github.com/writebehind/writebehind/queue/journal"
)

// Restore rebuilds the overlay from the journal: all groups after the
// checkpoint. It is called before Run. schema is the version under which resolve
// finds tables as they are; rows of others are stale until they are flushed.
func (q *Queue) Restore(resolve Resolver, hash func(key []byte) uint64, schema uint64) (groups int, err error) {
	q.commit.Lock()
	defer q.commit.Unlock()
	q.restoring = &decoder{location: q.opts.Location, shapes: &q.shapes, resolve: resolve, hash: hash, known: make(map[string]decoded)}
	q.view.Lock()
	defer q.view.Unlock()
	return q.rebuild(q.opts.Flushed, schema, ^LSN(0))
}

// rebuild applies the groups of the journal from after one LSN up to another;
// commit and view are held.
func (q *Queue) rebuild(after LSN, schema uint64, last LSN) (groups int, err error) {
	if first := q.opts.Journal.First(); first > after+1 {
		return 0, fmt.Errorf("%w: the journal begins at %d and PostgreSQL's checkpoint is %d: the database is an older copy of the one that the journal belongs to",
			ErrRewound, first, after)
	}
	err = q.opts.Journal.Replay(after+1, func(r journal.Record) error {
		if r.LSN > last {
			return nil
		}
		group, current, err := q.restoring.group(r)
		if err != nil {
			return err
		}
		version := schema
		if !current {
			version = pastSchema
		}
		q.apply(r.LSN, version, group)
		q.lsn = max(q.lsn, r.LSN)
		groups++
		return nil
	})
	return groups, err
}

// pastSchema is the version of rows whose table is not as it was: nobody reads
// them from the overlay.
const pastSchema = ^uint64(0)

// goBack makes good that the server has lost what it had committed: the overlay is
// rebuilt from the checkpoint that it has, or would have. It returns an error if
// that cannot be, or has been done and was of no use.
func (q *Queue) goBack(e *rewoundError) error {
	if q.opts.Journal == nil || q.restoring == nil || q.wentBack {
		return ErrRewound
	}
	if e.missing {
		if q.opts.Journal.First() > 1 {
			return ErrRewound
		}
		ctx, cancel := context.WithTimeout(q.life, statementTimeout)
		defer cancel()
		if err := NewCheckpoint(ctx, q.opts.DB, q.opts.Checkpoint); err != nil {
			return err
		}
	}
	return q.rewind(e.checkpoint)
}

// rewind rebuilds the overlay from a checkpoint. After an error it is as it was.
func (q *Queue) rewind(checkpoint LSN) error {
	q.commit.Lock()
	defer q.commit.Unlock()
	q.view.Lock()
	defer q.view.Unlock()
	if q.opts.Journal.First() > checkpoint+1 {
		return ErrRewound
	}
	last, schema := q.frozen[0].first-1, q.active.schema
	for _, m := range append(slices.Clone(q.frozen), q.active) {
		if m.rows > 0 {
			last = m.last
		}
	}
	q.opts.Observer.Rewound()
	frozen, active, tables := q.frozen, q.active, q.tables
	rows, bytes := q.rows.Load(), q.bytes.Load()
	// The old rows stay counted meanwhile: whoever finds none does not look.
	q.frozen, q.active, q.tables = nil, newMemtable(0), make(map[uint32]LSN)
	groups, err := q.rebuild(checkpoint, schema, last)
	if void := newestVoid(frozen); err == nil && void != nil {
		q.freeze()
		q.frozen = append(q.frozen, void)
	}
	if err != nil {
		q.frozen, q.active, q.tables = frozen, active, tables
		q.rows.Store(rows)
		q.bytes.Store(bytes)
		return err
	}
	q.rows.Add(-rows)
	q.bytes.Add(-bytes)
	q.doubts, q.wentBack = doubts{}, true
	q.giveUp.Store(false)
	q.progress.change(func() {
		q.progress.flushed = checkpoint
		q.progress.failed = failure{}
		q.progress.urgent = true // what was waited for is in the active memtable now
	})
	q.opts.Logger.Error("writebehind: PostgreSQL has lost what it had committed; the pending writes were rebuilt from the journal",
		"checkpoint", checkpoint, "groups", groups)
	return nil
}
