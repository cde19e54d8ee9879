package writebehind

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sync/atomic"
	"time"

	"github.com/writebehind/writebehind/internal/owner"
	"github.com/writebehind/writebehind/internal/pgerr"
)

// One process at a time defers and caches on a database. The engine knows three
// states of that; which one it is in is part of what a write is validated with.
type ownership struct {
	state atomic.Int32
	row   *owner.Owner
	take  chan struct{} // has room for the one who takes the owner row
}

const (
	// shared: other processes are there, or this one may not be the only one.
	// Everything is direct.
	shared int32 = iota
	// clean: nobody else is there, nothing is pending. Reads are cached; the
	// first write to be deferred must take the owner row.
	clean
	// owned: what is deferred is this process's to flush, and nobody else's.
	owned
)

// register makes the process known to the others on the database. adopted are
// journals beside its own that it will bring to PostgreSQL.
func (e *engine) register(ctx context.Context, journal string, adopted ...string) error {
	host, _ := os.Hostname() // for people; "" says as much as an error
	path := ""
	if journal != "" {
		path = e.settings.journal
	}
	var err error
	e.ownership.row, err = owner.Register(ctx, owner.Options{
		DB: e.db, Instance: e.id, Journal: journal, Adopted: adopted, Path: path, Host: host, PID: os.Getpid(),
		Application: filepath.Base(os.Args[0]), TakeoverTimeout: e.settings.takeoverTimeout,
		Logger: e.logger, Engine: (*keeper)(e),
	})
	return err
}

// mayDefer tells whether writes can be deferred, taking the owner row for the
// first one.
func (e *engine) mayDefer(ctx context.Context) bool {
	switch e.ownership.state.Load() {
	case owned:
		return true
	case shared:
		return false
	}
	select {
	case e.ownership.take <- struct{}{}:
		defer func() { <-e.ownership.take }()
	case <-ctx.Done():
		return false
	}
	if e.ownership.state.Load() != clean {
		return e.ownership.state.Load() == owned
	}
	if _, err := e.ownership.row.Take(ctx); err != nil {
		if !errors.Is(err, owner.ErrShared) {
			e.logger.Debug("writebehind: the owner row could not be taken", "error", pgerr.ForLog(err))
		}
		return false
	}
	return e.ownership.state.Load() == owned
}

// Taken lets writes be deferred.
func (o *keeper) Taken() {
	e := (*engine)(o)
	e.queue.Exclusive(func() { e.ownership.state.CompareAndSwap(clean, owned) })
}

// mayCache tells whether reads can be answered from overlay and cache.
func (e *engine) mayCache(now time.Time) bool {
	return e.ownership.state.Load() != shared && e.ownership.row.Fresh(now)
}

// announce makes sure, before a direct statement, that the other processes know of
// this one: else they may have acknowledged what PostgreSQL does not show yet.
func (e *engine) announce(ctx context.Context) error {
	if e.ownership.row == nil {
		return nil
	}
	if err := e.ownership.row.Check(ctx); err != nil {
		return fmt.Errorf("writebehind: %w", ownershipError(err))
	}
	return nil
}

// confirm makes sure, before the commit of what was written directly, that no other
// process has come in this one's place and cached what was there before.
func (e *engine) confirm(ctx context.Context) error {
	if e.ownership.row == nil {
		return nil
	}
	if err := e.ownership.row.Confirm(ctx); err != nil {
		return fmt.Errorf("writebehind: the transaction is not committed: %w", ownershipError(err))
	}
	return nil
}

// keeper is the engine as its owner row sees it.
type keeper engine

// Yield makes everything direct and drains.
func (o *keeper) Yield(ctx context.Context) error {
	e := (*engine)(o)
	if err := yieldAll(ctx, nil, e.disown()); err != nil {
		return err
	}
	return e.queue.Drain(ctx, e.queue.Newest())
}

// disown makes everything direct. It returns the transactions that have buffered
// something.
func (e *engine) disown() (buffers []*buffer) {
	e.statesMu.Lock()
	all := slices.Collect(maps.Values(e.states))
	e.statesMu.Unlock()
	e.queue.Exclusive(func() {
		e.ownership.state.Store(shared)
		buffers = buffersOf(all, false)
	})
	e.forgetRows()
	return buffers
}

// Resume lets the process defer and cache again, but for what others have begun.
func (o *keeper) Resume(died bool) {
	e := (*engine)(o)
	e.forgetRows() // others may have written
	held := states(e.schema.Load().sorted())
	e.hold(held, false) // nobody has buffered anything yet
	e.queue.Exclusive(func() { e.ownership.state.CompareAndSwap(shared, clean) })
	e.releaseFinished(held, died)
}

// Idle tells whether nothing is pending, and takes care that it stays so.
func (o *keeper) Idle() (idle bool) {
	e := (*engine)(o)
	e.queue.Exclusive(func() {
		if idle = e.queue.Empty() && e.buffers == 0; idle {
			e.ownership.state.CompareAndSwap(owned, clean)
		}
	})
	return idle
}

// Pending returns the number of groups that are not flushed.
func (o *keeper) Pending() uint64 {
	st := (*engine)(o).queue.Stats()
	return st.LSN - st.Flushed
}

// forgetRows makes every cached row unknown.
func (e *engine) forgetRows() {
	e.statesMu.Lock()
	defer e.statesMu.Unlock()
	for _, s := range e.states {
		s.epoch.Add(1)
	}
}

// newID returns a name for an engine or a journal.
func newID() string { return rand.Text() }

// leaveDatabase gives up the process's place among the others.
func (e *engine) leaveDatabase(drained bool) error {
	if e.ownership.row == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), leaveTimeout)
	defer cancel()
	leave := e.ownership.row.Close
	if e.doubts.Load() > 0 {
		leave = e.ownership.row.Die
	}
	err := leave(ctx, drained)
	for range leaveAttempts { // its connections may have gone stale
		if err == nil || pgerr.State(err) != "" || ctx.Err() != nil {
			break
		}
		err = leave(ctx, drained)
	}
	if err != nil {
		return fmt.Errorf("writebehind: close: giving up the ownership: %w", err)
	}
	return nil
}

const (
	leaveTimeout  = 2 * time.Second
	leaveAttempts = 3
)

func (e *engine) ownershipText() string {
	switch e.ownership.state.Load() {
	case owned:
		return "owner"
	case clean:
		return "clean"
	}
	return "shared"
}
