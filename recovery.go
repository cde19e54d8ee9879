package writebehind

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/writebehind/writebehind/internal/catalog"
	"github.com/writebehind/writebehind/internal/owner"
	"github.com/writebehind/writebehind/internal/rowcache"
	"github.com/writebehind/writebehind/internal/wbschema"
	"github.com/writebehind/writebehind/queue"
	"github.com/writebehind/writebehind/queue/journal"
)

// openQueue opens the queue with what earlier processes have left: it finds
// their journals, takes its place among the processes on the database, and
// rebuilds the overlay, before any statement is served.
func (e *engine) openQueue(ctx context.Context) error {
	e.ownership.take = make(chan struct{}, 1)
	if e.unsuited(true) != "" { // nothing is ever deferred
		e.queue = queue.Open(e.queueOptions(nil, "", 0))
		e.queue.Run()
		return nil
	}
	if err := wbschema.Ensure(ctx, e.db); err != nil {
		return err
	}
	if !e.settings.keepsJournal() {
		if err := e.register(ctx, ""); err != nil {
			return ownershipError(err)
		}
		if err := queue.NewCheckpoint(ctx, e.db, e.id); err != nil {
			return err
		}
		e.queue = queue.Open(e.queueOptions(nil, e.id, 0))
		e.queue.Run()
		e.ownership.row.Start()
		return nil
	}
	directory, err := journal.Open(journal.Options{
		Path: e.settings.journal, Identity: e.session.SystemID + "/" + e.session.DatabaseOID,
		Sync: e.settings.sync == syncOn, MaxBytes: e.settings.maxJournalBytes, FS: e.fs, Logger: e.logger,
	})
	if err != nil {
		return err
	}
	orphans, err := directory.Orphans()
	if err != nil {
		return err
	}
	if n := len(orphans); n > 0 {
		// One of them goes on as this process's own.
		e.journal = orphans[n-1]
		err = e.adopt(ctx, orphans[:n-1], true)
	} else {
		if e.journal, err = directory.Create(1); err != nil {
			return err
		}
		err = e.adopt(ctx, nil, false)
	}
	if err != nil {
		return errors.Join(err, e.journal.Close())
	}
	return nil
}

// ownershipError names the way out to whoever meets it.
func ownershipError(err error) error {
	var dirty *owner.DirtyError
	if errors.As(err, &dirty) {
		return fmt.Errorf("%w: %w", ErrOwned, err)
	}
	return err
}

// adopt takes the engine's journal into use, and brings to PostgreSQL what is in
// earlier ones. orphaned says that the journal, too, is one that an earlier
// process has left. The earlier ones are closed in any case.
func (e *engine) adopt(ctx context.Context, earlier []*journal.Journal, orphaned bool) error {
	defer func() {
		for _, j := range earlier { // those that were not come to
			_ = j.Close() // an error is on its way already
		}
	}()
	ids := make([]string, len(earlier))
	for i, j := range earlier {
		ids[i] = j.ID()
	}
	if err := e.register(ctx, e.journal.ID(), ids...); err != nil {
		return fmt.Errorf("journal %s: %w", e.journal.Dir(), ownershipError(err))
	}
	for len(earlier) > 0 {
		if err := e.finish(ctx, earlier[0]); err != nil {
			return fmt.Errorf("journal %s: %w", earlier[0].Dir(), err)
		}
		earlier = earlier[1:]
	}
	if err := e.restore(ctx, orphaned); err != nil {
		return fmt.Errorf("journal %s: %w", e.journal.Dir(), err)
	}
	e.queue.Run()
	e.ownership.row.Start()
	return nil
}

// restore opens the queue on the engine's journal and rebuilds the overlay.
func (e *engine) restore(ctx context.Context, orphaned bool) error {
	at, err := e.checkpointOf(ctx, e.journal)
	if err != nil {
		return err
	}
	pending := e.journal.Last() > at
	if pending {
		if err := e.own(ctx); err != nil {
			return err
		}
	}
	e.queue = queue.Open(e.queueOptions(e.journal, e.journal.ID(), at))
	groups, err := e.queue.Restore(e.tableAsIs, rowcache.Hash, e.schema.Load().version)
	if err != nil {
		return err
	}
	if pending {
		e.claims.forget()
		e.ownership.state.Store(owned)
		e.logger.Info("writebehind: recovered what an earlier process had acknowledged", "journal", e.journal.ID(), "groups", groups)
	}
	if orphaned {
		return e.journal.Start(max(e.journal.Last(), at) + 1)
	}
	return nil
}

// own makes what is in a journal this process's to flush.
func (e *engine) own(ctx context.Context) error {
	if _, err := e.ownership.row.Take(ctx); err != nil {
		return ownershipError(err)
	}
	return nil
}

// finish brings what is left in the journal of an earlier process to PostgreSQL
// and removes it.
func (e *engine) finish(ctx context.Context, j *journal.Journal) error {
	at, err := e.checkpointOf(ctx, j)
	if err != nil {
		return err
	}
	if j.Last() > at {
		if err := e.own(ctx); err != nil {
			return err
		}
		q := queue.Open(e.queueOptions(j, j.ID(), at))
		if _, err := q.Restore(e.tableAsIs, rowcache.Hash, e.schema.Load().version); err != nil {
			return err
		}
		q.Run()
		err := q.Drain(ctx, q.Newest())
		stopping, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer cancel()
		if err := errors.Join(err, q.Close(stopping)); err != nil {
			return err
		}
	}
	if err := j.Remove(); err != nil {
		return err
	}
	return queue.DropCheckpoint(ctx, e.db, j.ID())
}

// checkpointOf reads the checkpoint of a journal, and makes it if PostgreSQL has
// none and the journal still has every group.
func (e *engine) checkpointOf(ctx context.Context, j *journal.Journal) (queue.LSN, error) {
	at, abandoned, known, err := queue.ReadCheckpoint(ctx, e.db, j.ID())
	switch {
	case err != nil:
		return 0, err
	case abandoned:
		return 0, fmt.Errorf("an operator has abandoned this journal, and the database has moved on without it; its groups after LSN %d are not in PostgreSQL. "+
			"`writebehind journal export` shows them; move the directory away to start without it", at)
	case !known:
		if j.First() > 1 {
			return 0, fmt.Errorf("%w: the database does not know this journal, which begins at LSN %d: it is an older copy of the one that the journal belongs to",
				queue.ErrRewound, j.First())
		}
		return 0, queue.NewCheckpoint(ctx, e.db, j.ID())
	case j.Last() > at && j.First() > at+1 || j.Checkpoint() > at && j.First() > at+1:
		return 0, fmt.Errorf("%w: the database has applied this journal up to LSN %d, and the journal begins at %d: the database is an older copy of the one that the journal belongs to",
			queue.ErrRewound, at, j.First())
	}
	return at, nil
}

// tableAsIs resolves the tables that a journal names.
func (e *engine) tableAsIs(name catalog.Name, fits func(*catalog.Relation) bool) *catalog.Relation {
	if t := e.schema.Load().tables[name]; t != nil && fits(t.rel) {
		return t.rel
	}
	return nil
}

func (e *engine) queueOptions(j *journal.Journal, checkpoint string, flushed queue.LSN) queue.Options {
	opts := queue.Options{
		DB:          e.db,
		Location:    e.values.Location,
		Observer:    (*observer)(e),
		Logger:      e.logger,
		MaxDelay:    e.settings.maxDelay,
		BatchRows:   e.settings.batchRows,
		MaxRows:     int64(e.settings.maxPendingRows),
		MaxBytes:    e.settings.maxPendingBytes,
		Block:       e.settings.overflow == overflowBlock,
		Checkpoint:  checkpoint,
		Application: owner.FlushName(checkpoint),
		WaitLock:    waitLock(checkpoint),
		Flushed:     flushed,
		Sync:        e.settings.sync == syncOn,
	}
	if j != nil {
		opts.Journal = j
	}
	if e.ownership.row != nil {
		opts.Epoch = e.ownership.row.Epoch
	}
	return opts
}
