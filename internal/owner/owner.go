// Package owner sees to it that one process at a time defers and caches on a
// database.
//
// A process registers in writebehind.instance before its first statement on an
// opted-in table, and shows by a heartbeat that it lives. The only one there is
// alone: it may answer from its cache. Before it defers a write it takes the row
// of writebehind.owner, which makes the database dirty: its journal now holds
// what PostgreSQL does not. When another one registers, the first drains, cleans
// the database and is alone no more; only then is the newcomer let in, and both
// are direct until one is left.
//
// What a process does is safe even while it does not notice the others:
//   - dirty: nobody is let in before it has drained, or an operator gives its
//     journal up, or it is dead and held its writes in memory only;
//   - alone: nobody is let in before it has given way, or its heartbeat is
//     older than its life by the server's clock, which may be set, and has not
//     changed for half its life by the clock of the newcomer. It stops to answer
//     from its cache at half that age, by its own clock (Fresh);
//   - not alone: it does nothing that another one could contradict.
//
// These are rows and not session locks, since a pooler hands sessions around.
// Every step is one transaction that holds the owner row, and all times in it are
// the server's.
package owner

import (
	"context"
	"database/sql"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"
)

// Engine is what the ownership demands of the process. No method is called before
// Start. Yield, Resume, Taken and Idle are called one at a time; none of them may wait
// for a statement that is in Take or Check.
type Engine interface {
	// Yield makes everything direct and uncached, and drains. It returns when
	// nothing is pending. After an error the database stays dirty, and Yield is
	// called again. Heartbeats go on meanwhile.
	Yield(ctx context.Context) error
	// Resume says that this process may cache, and defer after Take: it is alone.
	// What it had cached before may be stale. died says that since the last time, or
	// before the first, another process has gone without giving up its place: what it
	// had begun may still be at work in the server.
	Resume(died bool)
	// Taken says that the database is dirty: what is deferred is this process's to
	// flush. It is called before Idle or Yield can be called again.
	Taken()
	// Idle tells whether nothing is pending, having made sure that nothing will be
	// deferred before Take is called again.
	Idle() bool
	// Pending returns the number of groups that are not flushed, for people. It is
	// called at any time.
	Pending() uint64
}

// Options of an Owner. DB, Instance and Engine are required.
type Options struct {
	DB *sql.DB
	// Instance is a name that no other process, and no earlier one, has.
	Instance string
	// Journal is the id of the process's journal, "" if it keeps its writes in
	// memory only.
	Journal string
	// Adopted are further journals, left by processes that are gone, which this
	// one has locked and will bring to PostgreSQL.
	Adopted []string
	// Path of the journal, Host and Application are for people.
	Path, Host, Application string
	// PID is the process's number on Machine.
	PID int
	// Machine tells machines, their boots and their containers apart, so that a PID
	// can be looked up. Default: where this process runs, as far as that is known
	// for certain.
	Machine string
	// TakeoverTimeout is how long Register waits for others. Default: 30s.
	TakeoverTimeout time.Duration
	// Life is how old the heartbeat of a live process can be. Default: 10s.
	Life time.Duration
	// Logger is told what an operator should know. Default: slog.Default.
	Logger *slog.Logger
	Engine Engine
}

const (
	defaultTakeoverTimeout = 30 * time.Second
	defaultLife            = 10 * time.Second

	// beatsPerLife is how often a process says that it lives, and looks for others.
	beatsPerLife = 10
	// pollsPerLife is how often one that waits for others looks.
	pollsPerLife = 40
)

// Owner is the place of this process among those on the database. Its methods may
// be called concurrently.
type Owner struct {
	opts Options

	// turn is held during a step, and by whoever reads or writes what stands below.
	// It is a channel, so that waiting for it ends with a context.
	turn    chan struct{}
	first   bool                // the process has not been let in yet
	started bool                // the engine may be called
	gone    bool                // the process has left
	joined  bool                // its row is there, and it has been let in
	alone   bool                // its row says that it is the only one
	dirty   bool                // the engine may hold what is not flushed, under this epoch
	phase   phase               // of the engine
	others  []Instance          // live, as of the last step
	heard   map[string]sighting // of every instance, by id
	died    bool                // another one has, since the engine resumed
	beat    time.Time           // when the last successful step began
	failure error               // why the process is not in, or its last heartbeat failed
	away    bool                // the last heartbeat failed

	epoch atomic.Int64
	view  atomic.Pointer[view] // of the above, for those who cannot wait

	wake    chan struct{}   // has the loop look at once
	life    context.Context //nolint:containedctx // of the goroutines
	end     context.CancelFunc
	running sync.WaitGroup
}

// phase is what the engine was last told, and whether it has done it.
type phase uint8

const (
	drained  phase = iota // it is direct, and nothing is pending
	direct                // it is direct, and something may be pending
	yielding              // it is in Yield
	active                // it was told to resume
)

// Epoch returns the epoch of the last Take, which every flush must check; 0
// before the first. It is kept when the ownership is lost, so that no flush
// passes.
func (o *Owner) Epoch() int64 { return o.epoch.Load() }

// Start lets the engine be called. If the process is alone, the engine is told
// before Start returns.
func (o *Owner) Start() {
	if o.lock(o.life) != nil {
		return // closed
	}
	defer o.unlock()
	o.started = true
	o.act()
}

// lock waits for the turn.
func (o *Owner) lock(ctx context.Context) error {
	select {
	case o.turn <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// unlock ends the turn and shows what has become of it.
func (o *Owner) unlock() {
	o.publish()
	<-o.turn
}
