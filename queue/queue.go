// Package queue holds the writes that have been acknowledged and are not in
// PostgreSQL yet, and brings them there.
//
// A write arrives as a group of mutations through Commit, which gives it the
// next LSN and applies it to the active memtable. Memtables are frozen when
// they are old or full, or when somebody waits at a barrier, and the flusher
// applies them to PostgreSQL, oldest first, one transaction each. All memtables
// together are the overlay: Get answers from it.
//
// The queue knows no SQL of the application and none of its connections.
package queue

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/writebehind/writebehind/internal/catalog"
	"github.com/writebehind/writebehind/queue/journal"
)

// LSN is the log sequence number of a group; the first one has 1.
type LSN = journal.LSN

// Errors of Commit and the barriers.
var (
	// ErrClosed says that the queue no longer takes writes.
	ErrClosed = errors.New("queue: closed")
	// ErrFull says that a bound on pending rows or bytes is reached.
	ErrFull = errors.New("queue: too many pending writes")
	// ErrJournal says that the journal does not take the group: nothing has
	// happened.
	ErrJournal = errors.New("queue: the journal takes no writes")
)

// Observer is told what becomes of rows. All methods but Accepted are called by
// the flusher, one at a time.
type Observer interface {
	// Accepted is called when a mutation of the row enters the overlay, before
	// anybody can see it there and before it can be flushed, and when one that
	// PostgreSQL refused leaves it, before anybody can see that. It must be quick.
	Accepted(hash uint64)
	// Flushed is called after a row has reached PostgreSQL and before it leaves
	// the overlay. image is nil if the row was deleted; wanted says that somebody has
	// looked at the row, or at what was there before it; clean is false if the image cannot be
	// trusted because PostgreSQL refused something it may build on. Such a row is
	// told of again after it has left: whoever has read it meanwhile must not
	// commit what follows from it.
	Flushed(table *catalog.Relation, key []byte, hash uint64, image []byte, wanted, clean bool)
	// Refused is called for every row of a group that PostgreSQL refused for
	// good, after the transaction that passed over it, and holds its dead letter,
	// has been committed.
	Refused(table *catalog.Relation, key []byte, hash uint64, lsn LSN, err error)
	// Rewound is called, with no group being sequenced, when the overlay has been
	// rebuilt from the journal because PostgreSQL had lost what was flushed: what
	// has been read of it since no longer holds.
	Rewound()
	// Stale is called when PostgreSQL's answer shows that the schema is not what
	// the mutations were made for.
	Stale(err error)
}

// Options of a Queue. DB, Observer and Logger are required.
type Options struct {
	// DB is the real database; the flusher uses one connection of it.
	DB *sql.DB
	// Location is the TimeZone of the sessions whose row images are queued.
	Location *time.Location
	Observer Observer
	Logger   *slog.Logger
	// MaxDelay is the longest an acknowledged write waits before its flush begins.
	MaxDelay time.Duration
	// BatchRows is how many rows a memtable takes before it is frozen, unless two
	// already are.
	BatchRows int
	// MaxRows and MaxBytes bound the overlay, batches in flight included. The
	// journal has a bound of its own.
	MaxRows  int64
	MaxBytes int64
	// Checkpoint is the id under which PostgreSQL keeps the checkpoint, and
	// Flushed where it stands.
	Checkpoint string
	Flushed    LSN
	// WaitLock is the advisory lock that a flush holds to its end: a session that
	// holds locks itself waits for it inside PostgreSQL, which sees then who waits
	// for whom.
	WaitLock int64
	// Application is the application_name of the session while it flushes.
	Application string
	// Journal keeps groups until they are flushed; nil: memory alone does. Sync
	// says that groups become durable by Journal.Wait, not by Append.
	Journal Journal
	Sync    bool
	// Epoch, if set, returns the epoch under which the process owns the database;
	// a flush under another one fails. It is 0 where nothing is owned.
	Epoch func() int64
	// Block says whether a writer waits at a bound, or gets ErrFull.
	Block bool
}

// Journal is the durable log of groups, as the queue sees it. See package journal.
type Journal interface {
	Append(lsn LSN, payload []byte, defs ...*journal.Definition) error
	Wait(lsn LSN) error
	OnDurable(f func(LSN))
	OnFailed(f func(durable LSN, err error))
	Err() error
	First() LSN
	Replay(from LSN, f func(journal.Record) error) error
	Trim(checkpoint LSN) error
	Full() bool
}

// Queue is the overlay and its flusher. Its methods may be called from any
// number of goroutines.
type Queue struct {
	opts   Options
	shapes shapes

	// commit orders groups: whoever holds it decides what comes next.
	commit sync.Mutex
	lsn    LSN // of the newest group; guarded by commit
	closed bool

	// view guards the memtables. Frozen ones no longer change, but for the marks
	// of their readers.
	view   sync.RWMutex
	active *memtable
	frozen []*memtable    // oldest first
	tables map[uint32]LSN // per table OID: newest group that touched it
	rows   atomic.Int64   // in all memtables
	bytes  atomic.Int64   // in all memtables
	flight inflight
	lost   atomic.Uint64
	voided atomic.Bool // see void

	payload []byte                // scratch of the one who holds commit
	defs    []*journal.Definition // the same

	progress progress
	kick     chan struct{}   // wakes the flusher
	life     context.Context // of the flusher
	stop     context.CancelFunc
	done     chan struct{} // closed when the flusher has ended
	counters counters
	doubts   doubts
	letters  letterRate
	giveUp   atomic.Bool // RefusePaused was called
	wentBack bool        // the overlay was rebuilt since the last flush
	leaving  leaving     // the flusher's own

	restoring *decoder // how groups of the journal are read; nil without one
}

type counters struct {
	flushes, flushedRows, refusedGroups, retries atomic.Uint64
}

// Open returns a queue that holds nothing. Run starts its flusher, Close stops it.
func Open(opts Options) *Queue {
	q := &Queue{
		opts:   opts,
		lsn:    opts.Flushed,
		tables: make(map[uint32]LSN),
		kick:   make(chan struct{}, 1),
		done:   make(chan struct{}),
	}
	q.life, q.stop = context.WithCancel(context.Background())
	q.progress.init(q.done)
	q.progress.flushed = opts.Flushed
	q.active = newMemtable(0)
	if j := opts.Journal; j != nil {
		if opts.Sync {
			j.OnDurable(q.becameDurable)
		}
		j.OnFailed(q.journalFailed)
	}
	return q
}

// Run starts the flusher. It is called once, after Restore.
func (q *Queue) Run() { go q.run() }

// Validator says whether what a writer has read still holds. Valid is called
// with the commit lock held and must be quick.
type Validator interface{ Valid() bool }

// Receipt says which group a write became, or what group an image came from.
type Receipt struct {
	LSN    LSN
	flight *flight // nil once the group is durable
}

// Commit makes the mutations one group, acknowledged together, after waiting for
// room. ok is false, and nothing has happened, if v says that what they were made
// from no longer holds. Once ok is true the group will be flushed, whatever
// becomes of ctx, which only bounds the wait; it is acknowledged when Durable
// says so. The caller gives up what it has locked in between.
func (q *Queue) Commit(ctx context.Context, v Validator, schema uint64, group ...Mutation) (r Receipt, ok bool, err error) {
	for {
		if err := q.Room(ctx, len(group)); err != nil {
			return r, false, err
		}
		if r, ok, err = q.Sequence(v, schema, group...); err != ErrFull { //nolint:errorlint // it is returned as it is
			return r, ok, err
		} // else others were quicker
	}
}

// Sequence is Commit for those who must not wait: it returns ErrFull at a bound.
func (q *Queue) Sequence(v Validator, schema uint64, group ...Mutation) (r Receipt, ok bool, err error) {
	q.commit.Lock()
	defer q.commit.Unlock()
	if q.closed {
		return r, false, ErrClosed
	}
	if !q.roomy(len(group)) {
		return r, false, ErrFull
	}
	if !v.Valid() {
		return r, false, nil
	}
	if len(group) == 0 { // nothing to flush, so nothing to wait for
		return Receipt{LSN: q.lsn}, true, nil
	}
	r.LSN = q.lsn + 1
	switch {
	case q.opts.Journal == nil:
		q.view.Lock()
		defer q.view.Unlock()
		q.apply(r.LSN, schema, group)
	case q.opts.Sync:
		r.flight = newFlight(r.LSN, schema, group)
		// Others may be syncing: once it is in the journal they may say at any
		// moment that it is durable, and must find it in flight.
		q.view.Lock()
		defer q.view.Unlock()
		if err := q.record(r.LSN, group); err != nil {
			return Receipt{}, false, err
		}
		q.flight.add(r.flight)
	default:
		if err := q.record(r.LSN, group); err != nil {
			return Receipt{}, false, err
		}
		q.view.Lock()
		defer q.view.Unlock()
		q.apply(r.LSN, schema, group)
	}
	q.lsn = r.LSN
	return r, true, nil
}

// record appends a group to the journal; commit is held.
func (q *Queue) record(lsn LSN, group []Mutation) error {
	q.payload, q.defs = appendGroup(q.payload[:0], group), q.defs[:0]
	for i := range group {
		q.defs = append(q.defs, group[i].Shape.definition)
	}
	if err := q.opts.Journal.Append(lsn, q.payload, q.defs...); err != nil {
		return fmt.Errorf("%w: %w", ErrJournal, err)
	}
	return nil
}

// apply enters a durable group into the active memtable; view is held.
func (q *Queue) apply(lsn LSN, schema uint64, group []Mutation) {
	if q.active.schema != schema && q.active.rows > 0 {
		q.freeze()
	}
	m := q.active
	fresh := m.rows == 0
	if fresh {
		m.first, m.schema, m.born = lsn, schema, time.Now()
	}
	m.last = lsn
	rows, bytes := m.rows, m.bytes()
	for i := range group {
		m.apply(&q.shapes, lsn, &group[i])
		q.tables[group[i].Shape.Table.OID] = lsn
	}
	q.rows.Add(int64(m.rows - rows))
	q.bytes.Add(m.bytes() - bytes)
	// Not before the rows are counted: Get looks no further while there are none,
	// and whoever has heard of the mutation must find it.
	for i := range group {
		q.opts.Observer.Accepted(group[i].Hash)
	}
	switch {
	case m.rows >= q.opts.BatchRows && len(q.frozen) < 2, m.rows >= mergedBatches*q.opts.BatchRows, m.bytes() >= maxMemtableBytes:
		q.freeze()
		q.wake()
	case fresh:
		q.wake()
	}
}

// mergedBatches is how many batches the active memtable takes in while the
// flusher is behind: a long outage then costs memory per distinct row, and no
// flush transaction grows without bound.
const mergedBatches = 10

// maxMemtableBytes keeps one hot row from growing a memtable without end.
const maxMemtableBytes = 32 << 20

// freeze retires the active memtable; view is held.
func (q *Queue) freeze() {
	if q.active.rows == 0 {
		return
	}
	q.append(q.active)
	if len(q.frozen) == 2 {
		q.encodeAfter(q.frozen[0])
	}
	q.active = newMemtable(q.active.rows)
}

// append appends a memtable to the frozen ones; view is held.
func (q *Queue) append(m *memtable) {
	m.flush.statements = sync.OnceValues(func() ([]statement, error) { return encode(q, m) })
	q.frozen = append(q.frozen, m)
}

// Exclusive runs f while no group can be sequenced.
func (q *Queue) Exclusive(f func()) {
	q.commit.Lock()
	defer q.commit.Unlock()
	f()
}

// Empty tells whether nothing is pending, in flight included. It takes no lock
// and is meant for Exclusive.
func (q *Queue) Empty() bool { return q.pendingRows() == 0 && !q.voided.Load() }

// pendingRows counts the rows in flight first: they are counted among the others
// before they leave.
func (q *Queue) pendingRows() int64 {
	flying := q.flight.rows.Load()
	return flying + q.rows.Load()
}

// roomy tells whether the bounds leave room for n more rows. A group that is
// larger than the bounds gets an overlay of its own.
func (q *Queue) roomy(n int) bool {
	rows := q.pendingRows()
	if rows == 0 {
		return true
	}
	return rows+int64(n) <= q.opts.MaxRows && q.bytes.Load()+q.flight.bytes.Load() < q.opts.MaxBytes &&
		(q.opts.Journal == nil || !q.opts.Journal.Full())
}

// Room waits until there is room for n more rows. It returns ErrFull if writers
// are not to wait, and the flusher's error if it cannot make any.
func (q *Queue) Room(ctx context.Context, n int) error {
	if q.roomy(n) {
		return nil
	}
	if !q.opts.Block {
		q.hurry()
		return ErrFull
	}
	return q.wait(ctx, false, func() bool {
		if q.roomy(n) {
			return true
		}
		q.hurry() // others may have taken the room that the last flush made
		return false
	})
}

// State tells what the overlay knows of a row.
type State uint8

// The states.
const (
	Missing State = iota // nothing: cache or PostgreSQL may
	Present              // the row is there, and this is its image
	Absent               // the row has been deleted
	Stale                // there is a pending row, made under another schema: wait for its flush
)

// Get looks a row up in the overlay, newest memtable first. The image is
// appended to dst, which may be nil.
func (q *Queue) Get(dst, key []byte, hash, schema uint64) ([]byte, State) {
	if q.rows.Load() == 0 {
		return dst, Missing
	}
	q.view.RLock()
	defer q.view.RUnlock()
	if dst, state := q.active.get(dst, key, hash, schema); state != Missing {
		return dst, state
	}
	for i := len(q.frozen) - 1; i >= 0; i-- {
		if dst, state := q.frozen[i].get(dst, key, hash, schema); state != Missing {
			return dst, state
		}
	}
	return dst, Missing
}

// Close takes no more writes and drains what is pending, however often that
// fails. When ctx ends first it gives up and returns an error; Stats tells how
// many rows are left.
func (q *Queue) Close(ctx context.Context) error {
	q.commit.Lock()
	if q.closed {
		q.commit.Unlock()
		select {
		case <-q.done:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	q.closed = true
	last := q.lsn
	q.commit.Unlock()
	err := q.DrainPatiently(ctx, last)
	q.stop()
	select {
	case <-q.done:
	case <-time.After(closeGrace): // the real driver does not heed its context
	}
	return err
}

// closeGrace is how long Close waits for an attempt that it has interrupted.
const closeGrace = time.Second
