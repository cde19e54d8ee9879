// Package owner sees to it that one process at a time defers and caches on a
// database.
//
// A process registers in writebehind.instance before its first statement on an
// opted-in table, and shows by a heartbeat that it lives. While it is the only
// one it may cache, and after it has taken the row of writebehind.owner, which
// makes the database dirty, it may defer. When another one registers, the first
// drains, cleans the database and says that it is sharing; only then is the
// newcomer let in, and both are direct until one is left.
//
// These are rows and not session locks, since a pooler hands sessions around.
// Every step is one transaction that holds the owner row, and all times are the
// server's.
package owner

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// ErrShared says that other processes use the database, so that nothing may be
// deferred.
var ErrShared = errors.New("owner: other processes use the database")

// DirtyError says that another process has acknowledged writes which are not in
// PostgreSQL, and does not answer.
type DirtyError struct {
	Journal, Host, Path string
	PID                 int
	Heartbeat           string // the last one, by the server's clock
	Groups              uint64 // pending then
}

func (e *DirtyError) Error() string {
	return fmt.Sprintf("the process %d on %s, last heard of at %s, had acknowledged writes that are not in PostgreSQL (groups pending then: %d); "+
		"they are in its journal %s in %s on that host. Start it again with that journal, or give them up: writebehind.Abandon(ctx, db, %q), or SELECT writebehind.abandon('%s')",
		e.PID, e.Host, e.Heartbeat, e.Groups, e.Journal, e.Path, e.Journal, e.Journal)
}

// Engine is what is demanded of the process. Its methods are called by one
// goroutine at a time.
type Engine interface {
	// Yield makes everything direct and uncached, and returns when nothing is
	// pending any more.
	Yield(ctx context.Context) error
	// Resume says that the process is the only one again.
	Resume()
	// Idle tells whether nothing is pending, and if so lets nothing be deferred
	// before Take is called again.
	Idle() bool
	// Pending returns the number of groups that are not in PostgreSQL.
	Pending() uint64
}

// Options of an Owner. DB, Instance, Logger and Engine are required.
type Options struct {
	DB *sql.DB
	// Instance is a name that no other process has.
	Instance string
	// Journal is the id of the process's journal, "" if it has none.
	Journal string
	// Path, Host, Application and PID are for people; Host and PID also tell
	// whether a process on this machine is gone.
	Path, Host, Application string
	PID                     int
	// TakeoverTimeout is how long Register waits for others. Default: 30s.
	TakeoverTimeout time.Duration
	// Life is how old the heartbeat of a live process can be. Default: 10s.
	Life   time.Duration
	Logger *slog.Logger
	Engine Engine
}

// Owner is the place of this process among those on the database. Its methods may
// be called concurrently.
type Owner struct {
	opts  Options
	epoch atomic.Int64
	dirty atomic.Bool  // this process has made the database dirty
	beat  atomic.Int64 // when the last successful heartbeat began, since started
	start time.Time

	mu     sync.Mutex // one step at a time
	shared bool       // others are there
	closed bool

	stop context.CancelFunc
	done chan struct{}
}

// Register makes the process known to the others, before its first statement.
// It waits until they have made way: until a dirty owner has drained, and until
// all live ones know of this process. A *DirtyError says that one of them is gone
// and its writes with it.
func Register(ctx context.Context, opts Options) (*Owner, error) {
	if opts.TakeoverTimeout == 0 {
		opts.TakeoverTimeout = 30 * time.Second
	}
	if opts.Life == 0 {
		opts.Life = 10 * time.Second
	}
	opts.Host = machine(opts.Host)
	o := &Owner{opts: opts, start: time.Now(), shared: true}
	if err := o.endZombies(ctx); err != nil {
		return nil, err
	}
	deadline := time.Now().Add(opts.TakeoverTimeout)
	for pause := 10 * time.Millisecond; ; pause = min(2*pause, opts.Life/20) {
		obstacle, err := o.enter(ctx)
		if err != nil {
			return nil, err
		}
		if obstacle == nil {
			return o, nil
		}
		if time.Now().After(deadline) {
			return nil, errors.Join(obstacle, o.leave(context.WithoutCancel(ctx), false))
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return nil, errors.Join(ctx.Err(), o.leave(context.WithoutCancel(ctx), false))
		}
	}
}

// enter registers, and returns what stands against starting.
func (o *Owner) enter(ctx context.Context) (obstacle, err error) {
	err = o.step(ctx, func(tx *sql.Tx, s *state) error {
		o.shared = len(s.others) > 0
		switch {
		case s.dirty && s.journal == o.opts.Journal && s.journal != "":
			// This process goes on with that journal; nobody else has been let in.
		case s.dirty && s.journal == "" && !s.ownerLives:
			o.opts.Logger.Warn("writebehind: the process that owned the database kept its writes in memory and is gone; what it had not flushed is lost",
				"host", plainHost(s.host), "pid", s.pid, "groups", s.groups)
			if err := clean(ctx, tx); err != nil {
				return err
			}
		case s.dirty:
			obstacle = &DirtyError{Journal: s.journal, Host: plainHost(s.host), Path: s.path, PID: s.pid, Heartbeat: s.heartbeat, Groups: s.groups}
			if s.ownerLives {
				obstacle = fmt.Errorf("owner: the process %d on %s owns the database and has not yielded it", s.pid, plainHost(s.host))
			}
		case len(s.ignorant) > 0:
			obstacle = fmt.Errorf("owner: the process %s has not made way", s.ignorant[0])
		}
		return setShared(ctx, tx, o.opts.Instance, o.shared)
	})
	return obstacle, err
}

// Start begins the heartbeat, once the engine is ready. The engine is told if it
// is alone.
func (o *Owner) Start() {
	ctx, stop := context.WithCancel(context.Background())
	o.mu.Lock()
	o.stop, o.done = stop, make(chan struct{})
	alone := !o.shared
	o.mu.Unlock()
	if alone && !o.dirty.Load() {
		o.opts.Engine.Resume()
	}
	go o.live(ctx)
}

// Take makes the database dirty: from then on writes may be deferred. It returns
// the epoch under which they must be flushed, or ErrShared.
func (o *Owner) Take(ctx context.Context) (epoch int64, err error) {
	err = o.step(ctx, func(tx *sql.Tx, s *state) error {
		if o.closed {
			return ErrShared
		}
		ours := s.dirty && (s.instance == o.opts.Instance || s.journal == o.opts.Journal && s.journal != "")
		if !ours && (s.dirty || len(s.others) > 0 || o.shared) {
			return ErrShared
		}
		epoch, err = o.take(ctx, tx)
		return err
	})
	if err != nil {
		return 0, err
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.shared && !o.recovering() {
		return 0, ErrShared // it has been yielded again meanwhile
	}
	o.epoch.Store(epoch)
	o.dirty.Store(true)
	return epoch, nil
}

// recovering tells whether the heartbeat has not begun: others that are there wait
// for this process to flush what it has found.
func (o *Owner) recovering() bool { return o.done == nil }

// take makes the owner row this process's.
func (o *Owner) take(ctx context.Context, tx *sql.Tx) (epoch int64, err error) {
	err = tx.QueryRowContext(ctx, takeOwner, o.opts.Instance, o.opts.Journal, o.opts.Host, o.opts.PID, o.opts.Path).Scan(&epoch)
	return epoch, err
}

// Epoch returns the epoch of the last Take; 0 before the first.
func (o *Owner) Epoch() int64 { return o.epoch.Load() }

// Fresh tells whether the others can be relied on to know of this process, so
// that what it has cached is not written by them.
func (o *Owner) Fresh() bool {
	return o != nil && (o.dirty.Load() && o.opts.Journal != "" || o.age() < o.opts.Life/2)
}

// Check makes sure, before a direct write, that the others know of this process.
func (o *Owner) Check(ctx context.Context) error {
	if o.age() < o.opts.Life/2 {
		return nil
	}
	return o.step(ctx, func(*sql.Tx, *state) error { return nil })
}

// age is how long ago the last successful step began.
func (o *Owner) age() time.Duration { return time.Since(o.start) - time.Duration(o.beat.Load()) }

// Close gives up the process's place. drained says that nothing is pending, so
// that the database is clean. Only the first call does anything.
func (o *Owner) Close(ctx context.Context, drained bool) error {
	if o.stop != nil {
		o.stop()
		<-o.done
	}
	return o.leave(ctx, drained)
}

func (o *Owner) leave(ctx context.Context, drained bool) error {
	return o.step(ctx, func(tx *sql.Tx, s *state) error {
		if o.closed {
			return nil
		}
		o.closed = true
		if drained && s.dirty && s.instance == o.opts.Instance {
			if err := clean(ctx, tx); err != nil {
				return err
			}
		}
		_, err := tx.ExecContext(ctx, dropInstance, o.opts.Instance)
		return err
	})
}

// plainHost is the name of a host without what tells its runs apart.
func plainHost(host string) string {
	name, _, _ := strings.Cut(host, "/")
	return name
}
