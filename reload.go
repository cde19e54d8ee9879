package writebehind

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/writebehind/writebehind/internal/pgerr"
)

const (
	// pollInterval is how often the catalog is looked at for changes that were
	// made past the shim.
	pollInterval = 5 * time.Second
	// reloadTimeout bounds a look at the catalog, which waits for whoever holds
	// a table locked against readers.
	reloadTimeout = 2 * time.Second
)

// reload brings the schema up to date. Rows that are pending under the old one
// are waited for by whoever needs them.
func (e *engine) reload(ctx context.Context) error {
	select {
	case e.loading <- struct{}{}:
		defer func() { <-e.loading }()
	case <-ctx.Done():
		return ctx.Err()
	}
	old := e.schema.Load()
	fresh, err := e.loadSchema(ctx, old)
	if err != nil || fresh == old {
		return err
	}
	var newcomers []*tableState
	for name, t := range fresh.tables {
		if old.tables[name] == nil {
			newcomers = append(newcomers, t.state)
		}
	}
	e.queue.Exclusive(func() {
		for _, t := range newcomers {
			t.direct.Add(1)
			t.epoch.Add(1)
		}
		e.schema.Store(fresh)
	})
	e.plans.clear()
	e.reportRefused(old, fresh)
	if len(newcomers) > 0 {
		// Statements and transactions under way may write to a table that was
		// none of ours when they began.
		open := make(chan struct{})
		e.working.Go(func() {
			defer close(open)
			if e.activity.quiesce(e.lifetime) {
				e.release(newcomers)
			}
		})
		select { // mostly nothing is under way
		case <-open:
		case <-time.After(5 * time.Millisecond):
		}
	}
	return nil
}

// owed are tables whose direct writers have ended, and which stay held until the
// schema that these left behind has been read.
type owed struct {
	mu     sync.Mutex
	tables []*tableState
	kick   chan struct{} // asks for a reload soon
}

// owe hands over tables held after a change of the schema that could not be
// read at once.
func (e *engine) owe(tables []*tableState) {
	e.owed.mu.Lock()
	e.owed.tables = append(e.owed.tables, tables...)
	e.owed.mu.Unlock()
	select {
	case e.owed.kick <- struct{}{}:
	default:
	}
}

// poll notices changes of the schema that were made past the shim, and makes
// good what is owed.
func (e *engine) poll() {
	ctx := e.lifetime
	timer := time.NewTimer(pollInterval)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-e.owed.kick:
		case <-timer.C:
		}
		e.owed.mu.Lock()
		tables := slices.Clone(e.owed.tables)
		e.owed.mu.Unlock()

		loading, cancel := context.WithTimeout(ctx, reloadTimeout)
		err := e.reload(loading)
		_ = e.readClock(loading) // what the last answer said serves for long
		cancel()
		next := pollInterval
		switch {
		case err == nil && len(tables) > 0:
			e.owed.mu.Lock()
			e.owed.tables = slices.Delete(e.owed.tables, 0, len(tables))
			e.owed.mu.Unlock()
			e.release(tables)
		case err != nil && ctx.Err() == nil:
			e.logger.Debug("writebehind: the catalog could not be read, the next poll tries again", "error", pgerr.ForLog(err))
			if len(tables) > 0 {
				next = pollInterval / 20
			}
		}
		timer.Reset(next)
	}
}
