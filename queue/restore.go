package queue

import (
	"fmt"

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

// rewind rebuilds the overlay from a checkpoint that PostgreSQL was found to
// have gone back to. It returns an error if the journal no longer reaches there.
func (q *Queue) rewind(checkpoint LSN) error {
	if q.opts.Journal == nil || q.restoring == nil {
		return ErrRewound
	}
	q.commit.Lock()
	defer q.commit.Unlock()
	q.view.Lock()
	defer q.view.Unlock()
	if q.opts.Journal.First() > checkpoint+1 {
		return ErrRewound
	}
	last, schema := q.frozen[0].last, q.active.schema
	for _, m := range append(q.frozen, q.active) {
		if m.rows > 0 {
			last = m.last
		}
	}
	q.frozen, q.active = nil, newMemtable(0)
	q.rows.Store(0)
	q.bytes.Store(0)
	clear(q.tables)
	q.doubts = doubts{}
	groups, err := q.rebuild(checkpoint, schema, last)
	if err != nil {
		return err
	}
	q.opts.Observer.Rewound()
	q.progress.change(func() {
		q.progress.flushed = checkpoint
		q.progress.failed = failure{}
		q.progress.urgent = true // what was waited for is in the active memtable now
	})
	q.opts.Logger.Error("writebehind: PostgreSQL has lost what it had committed; the pending writes were rebuilt from the journal",
		"checkpoint", checkpoint, "groups", groups)
	return nil
}
