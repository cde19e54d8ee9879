package writebehind

import (
	"cmp"
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/writebehind/writebehind/internal/catalog"
	"github.com/writebehind/writebehind/internal/pgerr"
	"github.com/writebehind/writebehind/internal/pgvalue"
	"github.com/writebehind/writebehind/internal/rowcache"
	"github.com/writebehind/writebehind/queue"
	"github.com/writebehind/writebehind/queue/journal"
)

// engine is what all connections of this process to one database share: the
// schema, the row locks, the cache, the queue.
type engine struct {
	settings settings
	identity string          // of the database
	id       string          // of this engine, among all processes
	session  catalog.Session // to which row images and decisions apply
	values   pgvalue.Session
	forms    *forms // nil with lib/pq
	exists   catalog.Existence
	logger   *slog.Logger
	letter   func(DeadLetter) // told of dead letters; may be nil
	fs       journal.FS       // of the journal; nil for the operating system's
	backend  *backend
	db       *sql.DB // the real database: flushes, catalog
	checker  checker

	schema   atomic.Pointer[schema]
	loading  chan struct{} // has room for the one who loads a new schema
	activity activity
	owed     owed
	statesMu sync.Mutex
	states   map[catalog.Name]*tableState

	plans plans
	locks rowLocks
	rows  directRows
	cache *rowcache.Cache
	queue *queue.Queue

	locksBegin int64 // where the advisory locks of its transactions begin
	locksGiven atomic.Int64
	buffering  buffering
	buffers    int // transactions registered with tables; guarded by the queue's commit lock

	journal   *journal.Journal      // nil without one
	refusing  atomic.Pointer[error] // why the journal did not take the last write; nil if it did
	ownership ownership

	clock   serverClock
	claims  claims
	readers readers
	doubts  atomic.Int64 // connections of direct writers that were lost, and whose end is not known

	lifetime context.Context //nolint:containedctx // of the engine's own goroutines
	stop     context.CancelFunc
	working  sync.WaitGroup // the engine's own goroutines

	deferred, cached, missed, direct atomic.Uint64 // statements answered each way
	lookedUp                         atomic.Uint64 // deferred writes that had to look something up first
	buffered, madeReal               atomic.Uint64 // transactions committed from memory, and brought to PostgreSQL before their end
}

func newEngine(ctx context.Context, c *Connector, session catalog.Session, real driver.Conn) (*engine, error) {
	e := &engine{
		settings: c.settings,
		id:       newID(),
		letter:   c.options.letter,
		fs:       c.options.fs,
		session:  session,
		logger:   c.options.logger,
		backend:  c.backend,
		checker:  checker{conn: real, shared: c.backend.isPQ()},
		db:       sql.OpenDB(c.backend),
		states:   make(map[catalog.Name]*tableState),
		loading:  make(chan struct{}, 1),
		owed:     owed{kick: make(chan struct{}, 1)},
	}
	e.locksBegin = advisoryLock("engine " + e.id)
	e.lifetime, e.stop = context.WithCancel(context.Background())
	e.db.SetMaxIdleConns(1)
	e.db.SetMaxOpenConns(5)
	if err := e.start(ctx); err != nil {
		e.stop()
		err = errors.Join(err, e.leaveDatabase(false))
		closeQuietly(e.db)
		return nil, err
	}
	return e, nil
}

func (e *engine) start(ctx context.Context) error {
	var err error
	if e.values, err = e.valueSession(ctx); err != nil {
		return err
	}
	if err := e.findForms(ctx); err != nil {
		return err
	}
	if e.exists, err = catalog.DescribeExistence(ctx, e.db); err != nil {
		return err
	}
	first, err := e.loadSchema(ctx, nil)
	if err != nil {
		return err
	}
	e.schema.Store(first)
	e.reportRefused(nil, first)
	if e.cache, err = rowcache.New(e.settings.cacheSize); err != nil {
		return err
	}
	if e.locks.patience, err = e.patience(ctx); err != nil {
		return err
	}
	if err := e.readClock(ctx); err != nil {
		return err
	}
	if err := e.openQueue(ctx); err != nil {
		return err
	}
	if e.checker.shared {
		e.readers.put(newReader(e.checker.conn))
	}
	e.working.Go(e.poll)
	return nil
}

// drainPatiently drains, however often that fails, until ctx ends.
func (e *engine) drainPatiently(ctx context.Context) error {
	err := e.queue.DrainPatiently(ctx, e.queue.Newest())
	if err == nil {
		return nil
	}
	st := e.queue.Stats()
	return fmt.Errorf("writebehind: close: %w: rows left: %d: %w", ErrPending, st.Rows, cmp.Or(st.LastError, err))
}

// closeGrace is how long goroutines may take to notice that the engine ends; one
// that hangs in the real driver is left behind.
const closeGrace = time.Second

// close drains the queue until the deadline and ends everything the engine runs.
func (e *engine) close(deadline time.Time) error {
	if deadline.IsZero() {
		deadline = time.Now().Add(e.settings.closeTimeout)
	}
	ctx, cancel := context.WithDeadline(context.Background(), deadline)
	defer cancel()
	err := e.queue.Close(ctx)
	st := e.queue.Stats()
	if err != nil || st.Rows > 0 {
		kept := "and they are kept nowhere else"
		if e.journal != nil {
			kept = "the journal keeps them, and the next process to open it goes on: " + e.journal.Dir()
		}
		// The flusher's error says more than that the time is up.
		err = fmt.Errorf("writebehind: close: %w; rows left: %d, groups left: %d; %s: %w",
			ErrPending, st.Rows, st.LSN-st.Flushed, kept, cmp.Or(st.LastError, err))
	}
	err = errors.Join(err, e.leaveDatabase(err == nil), e.closeJournal(ctx, err == nil))
	e.stop()
	ended := make(chan struct{})
	go func() {
		e.working.Wait()
		close(ended)
	}()
	select {
	case <-ended:
	case <-time.After(closeGrace):
	}
	e.readers.close()
	e.checker.close()
	return errors.Join(err, e.cache.Close(), e.db.Close())
}

// closeJournal ends the use of the journal, and of the checkpoint if there is
// nothing that would need it.
func (e *engine) closeJournal(ctx context.Context, drained bool) error {
	if e.journal != nil {
		return e.journal.Close()
	}
	if drained && e.ownership.row != nil {
		return queue.DropCheckpoint(ctx, e.db, e.id)
	}
	return nil
}

// reportRefused logs the tables that were named and cannot be opted in.
func (e *engine) reportRefused(old, fresh *schema) {
	if e.settings.allTables {
		return // SHOW writebehind.tables lists them; nobody named them
	}
	for name, reason := range fresh.refused {
		if old == nil || old.refused[name] != reason {
			e.logger.Warn("writebehind: a table of writebehind.tables stays direct", "table", displayName(name), "reason", reason)
		}
	}
}

func (e *engine) tableState(name catalog.Name) *tableState {
	e.statesMu.Lock()
	defer e.statesMu.Unlock()
	s := e.states[name]
	if s == nil {
		s = &tableState{name: name}
		e.states[name] = s
	}
	return s
}

// observer is the engine as the queue sees it.
type observer engine

func (o *observer) Accepted(hash uint64) { o.cache.Bump(hash) }

func (o *observer) Flushed(rel *catalog.Relation, key []byte, hash uint64, image []byte, wanted, clean bool) {
	s := o.schema.Load()
	t := s.tables[rel.Name]
	if t != nil && !clean {
		t.state.epoch.Add(1) // transactions may have been built on the row
	}
	if t == nil || t.rel != rel || !clean {
		o.cache.Drop(hash)
		return
	}
	verdict := rowcache.Present
	if image == nil {
		verdict = rowcache.Absent
	}
	o.cache.Flushed(key, hash, t.state.epoch.Load(), s.version, image, verdict, t.ttl, wanted)
}

func (o *observer) Refused(rel *catalog.Relation, _ []byte, hash uint64, lsn queue.LSN, err error) {
	o.cache.Drop(hash)
	o.logger.Error("writebehind: PostgreSQL refused an acknowledged write, it is now a dead letter",
		"table", rel.Name.String(), "lsn", lsn, "error", pgerr.ForLog(err))
	if o.letter != nil {
		o.letter(DeadLetter{Table: rel.Name.String(), LSN: lsn, SQLState: pgerr.State(err), Err: err})
	}
}

func (o *observer) Rewound() {
	(*engine)(o).forgetRows()
	o.claims.forget()
}

func (o *observer) Stale(error) {
	e := (*engine)(o)
	ctx, cancel := context.WithTimeout(e.lifetime, reloadTimeout)
	defer cancel()
	if err := e.reload(ctx); err != nil {
		e.logger.Debug("writebehind: the catalog could not be read", "error", pgerr.ForLog(err))
	}
}

// serves tells whether a session is one of the server that the engine flushes
// to. Two that run on copies of one cluster, such as a primary and its standby,
// have one identity; the engine's own may have been restarted since it began.
func (e *engine) serves(session catalog.Session) (bool, error) {
	ctx, cancel := context.WithTimeout(e.lifetime, reloadTimeout)
	defer cancel()
	var started string
	err := e.db.QueryRowContext(ctx, `SELECT EXTRACT(epoch FROM pg_catalog.pg_postmaster_start_time())::text`).Scan(&started)
	return started == session.ServerStart, err
}

// valueSession works out how values look in the engine's session.
func (e *engine) valueSession(ctx context.Context) (pgvalue.Session, error) {
	v := pgvalue.Session{
		UTF8:             strings.EqualFold(e.session.ServerEncoding, "UTF8"),
		BinaryParameters: e.backend.binaryParameters(),
		InfinityTimes:    pgvalue.InfinityTimes(),
		Strict:           !e.backend.isPQ(),
	}
	location, err := loadLocation(e.session.TimeZone)
	if err != nil {
		return v, nil //nolint:nilerr // a zone that Go does not know: no timestamptz is known
	}
	agree, err := zonesAgree(ctx, e.db, location)
	if err != nil {
		return v, fmt.Errorf("comparing the time zone with the server's: %w", err)
	}
	if agree {
		v.Location = location
	}
	return v, nil
}

// loadLocation takes a TimeZone setting as lib/pq does.
func loadLocation(zone string) (*time.Location, error) {
	switch zone {
	case "UTC", "Etc/UTC", "Etc/Universal", "Etc/Zulu", "Etc/UCT":
		return time.UTC, nil
	}
	return time.LoadLocation(zone)
}
