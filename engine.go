package writebehind

import (
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
	"github.com/writebehind/writebehind/internal/pgvalue"
	"github.com/writebehind/writebehind/internal/rowcache"
	"github.com/writebehind/writebehind/queue"
)

// pollInterval is how often the catalog is looked at for changes that were made
// past the shim.
const pollInterval = 5 * time.Second

// engine is what all connections of this process to one database share: the
// schema, the row locks, the cache, the queue.
type engine struct {
	settings settings
	identity string          // of the database
	session  catalog.Session // to which row images and decisions apply
	values   pgvalue.Session
	logger   *slog.Logger
	backend  *backend
	db       *sql.DB     // the real database: flushes, catalog
	checker  driver.Conn // a real connection that lends its CheckNamedValue; see Conn

	schema   atomic.Pointer[schema]
	loading  sync.Mutex // of a new schema
	statesMu sync.Mutex
	states   map[catalog.Name]*tableState

	plans plans
	locks rowLocks
	cache *rowcache.Cache
	queue *queue.Queue

	readers readers

	conns    atomic.Int64    // open connections
	shares   int             // connectors; guarded by registry.mu
	lifetime context.Context //nolint:containedctx // of the engine's own goroutines
	stop     context.CancelFunc
	working  sync.WaitGroup // the engine's own goroutines

	deferred, cached, missed, direct atomic.Uint64 // statements answered each way
}

// registry holds the engines of the process by the database they serve.
type registry struct {
	mu    sync.Mutex
	all   map[string]*engine
	early map[*early]struct{}
}

var engines = registry{all: make(map[string]*engine), early: make(map[*early]struct{})}

// acquire returns the engine for the database that real leads to, with one more
// share in it. It takes real over.
func (r *registry) acquire(ctx context.Context, c *Connector, session catalog.Session, real driver.Conn) (*engine, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	identity := session.SystemID + "/" + session.DatabaseOID
	if !session.SystemIDKnown {
		// Two clusters may look alike; two DSNs of one do no harm but to have an
		// engine each, and then to be taken for two processes.
		identity += "/" + c.backend.dsn
	}
	if e := r.all[identity]; e != nil {
		defer closeQuietly(real)
		if diff := e.settings.diff(c.settings); diff != "" {
			return nil, fmt.Errorf("writebehind: this process already uses the database with other settings; these differ: %s", diff)
		}
		e.shares++
		return e, nil
	}
	e, err := newEngine(ctx, c, session, real)
	if err != nil {
		closeQuietly(real)
		return nil, fmt.Errorf("writebehind: %w", err)
	}
	e.identity, e.shares = identity, 1
	r.holdEarly(e)
	r.all[identity] = e
	return e, nil
}

// release gives a share back; with the last one the engine is closed.
func (r *registry) release(e *engine) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	e.shares--
	if e.shares > 0 {
		return nil
	}
	delete(r.all, e.identity)
	return e.close()
}

func newEngine(ctx context.Context, c *Connector, session catalog.Session, real driver.Conn) (*engine, error) {
	e := &engine{
		settings: c.settings,
		session:  session,
		logger:   c.options.logger,
		backend:  c.backend,
		checker:  real,
		db:       sql.OpenDB(c.backend),
		states:   make(map[catalog.Name]*tableState),
	}
	e.lifetime, e.stop = context.WithCancel(context.Background())
	e.db.SetMaxIdleConns(1)
	e.db.SetMaxOpenConns(3)
	if err := e.start(ctx); err != nil {
		e.stop()
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
	first, err := e.loadSchema(ctx, nil)
	if err != nil {
		return err
	}
	e.schema.Store(first)
	e.reportRefused(nil, first)
	if e.cache, err = rowcache.New(e.settings.cacheSize); err != nil {
		return err
	}
	e.queue = queue.Open(queue.Options{
		DB:        e.db,
		Location:  e.values.Location,
		Observer:  (*observer)(e),
		Logger:    e.logger,
		MaxDelay:  e.settings.maxDelay,
		BatchRows: e.settings.batchRows,
		MaxRows:   int64(e.settings.maxPendingRows),
		MaxBytes:  e.settings.maxPendingBytes,
		Block:     e.settings.overflow == overflowBlock,
	})
	e.readers.put(newReader(e.checker))
	e.working.Go(e.poll)
	return nil
}

// close drains the queue and ends everything the engine runs.
func (e *engine) close() error {
	ctx, cancel := context.WithTimeout(context.Background(), e.settings.closeTimeout)
	defer cancel()
	err := e.queue.Close(ctx)
	if st := e.queue.Stats(); err != nil || st.Rows > 0 {
		if st.LastError != nil {
			err = st.LastError // says more than that the time is up
		}
		err = fmt.Errorf("writebehind: close: %w, and this version keeps them nowhere else: rows lost: %d: %w", ErrPending, st.Rows, err)
	}
	e.stop()
	e.working.Wait()
	e.readers.close()
	return errors.Join(err, e.cache.Close(), e.db.Close())
}

// poll notices changes of the schema that were made past the shim.
func (e *engine) poll() {
	ctx := e.lifetime
	ticker := time.NewTicker(pollInterval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		if err := e.reload(ctx); err != nil && ctx.Err() == nil {
			e.logger.Debug("writebehind: the catalog could not be read, the next poll tries again", "error", err)
		}
	}
}

// reload brings the schema up to date. Rows that are pending under the old one
// are waited for by whoever needs them.
func (e *engine) reload(ctx context.Context) error {
	e.loading.Lock()
	defer e.loading.Unlock()
	old := e.schema.Load()
	fresh, err := e.loadSchema(ctx, old)
	if err != nil || fresh == old {
		return err
	}
	e.queue.Exclusive(func() { e.schema.Store(fresh) })
	e.plans.clear()
	e.reportRefused(old, fresh)
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

func (o *observer) Flushed(rel *catalog.Relation, key []byte, hash uint64, image []byte, read, clean bool) {
	s := o.schema.Load()
	t := s.tables[rel.Name]
	if t == nil || t.rel != rel || !clean {
		o.cache.Drop(hash)
		return
	}
	verdict := rowcache.Present
	if image == nil {
		verdict = rowcache.Absent
	}
	o.cache.Flushed(key, hash, t.state.epoch.Load(), s.version, image, verdict, t.ttl, read)
}

func (o *observer) Refused(rel *catalog.Relation, _ []byte, hash uint64, lsn queue.LSN, err error) {
	o.cache.Drop(hash)
	o.logger.Error("writebehind: PostgreSQL refused an acknowledged write, it is lost",
		"table", rel.Name.String(), "lsn", lsn, "error", withoutDetail(err))
}

func (o *observer) Stale(error) {
	e := (*engine)(o)
	ctx, cancel := context.WithTimeout(context.Background(), pollInterval)
	defer cancel()
	if err := e.reload(ctx); err != nil {
		e.logger.Debug("writebehind: the catalog could not be read", "error", err)
	}
}

// valueSession works out how values look in the engine's session.
func (e *engine) valueSession(ctx context.Context) (pgvalue.Session, error) {
	v := pgvalue.Session{
		UTF8:             strings.EqualFold(e.session.ServerEncoding, "UTF8"),
		BinaryParameters: e.backend.binaryParameters(),
		InfinityTimes:    pgvalue.InfinityTimes(),
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
