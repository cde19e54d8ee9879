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
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/writebehind/writebehind/internal/catalog"
)

// LSN is the log sequence number of a group; the first one has 1.
type LSN = uint64

// Errors of Commit and the barriers.
var (
	// ErrClosed says that the queue no longer takes writes.
	ErrClosed = errors.New("queue: closed")
	// ErrFull says that a bound on pending rows or bytes is reached.
	ErrFull = errors.New("queue: too many pending writes")
)

// Observer is told what becomes of rows. All methods but Accepted are called by
// the flusher, one at a time.
type Observer interface {
	// Accepted is called when a mutation of the row enters the overlay, before
	// anybody can see it there and before it can be flushed. It must be quick.
	Accepted(hash uint64)
	// Flushed is called after a row has reached PostgreSQL and before it leaves
	// the overlay. image is nil if the row was deleted; read says that somebody
	// has read it from the overlay; clean is false if the image cannot be
	// trusted because PostgreSQL refused something it may build on. Such a row is
	// told of again after it has left: whoever has read it meanwhile must not
	// commit what follows from it.
	Flushed(table *catalog.Relation, key []byte, hash uint64, image []byte, read, clean bool)
	// Refused is called for every row of a group that PostgreSQL refused for
	// good, after the transaction that passed over it has been committed.
	Refused(table *catalog.Relation, key []byte, hash uint64, lsn LSN, err error)
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
	// BatchRows is how many rows a memtable takes before it is frozen.
	BatchRows int
	// MaxRows and MaxBytes bound the overlay, batches in flight included.
	MaxRows  int64
	MaxBytes int64
	// Block says whether a writer waits at a bound, or gets ErrFull.
	Block bool
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

	progress progress
	kick     chan struct{}   // wakes the flusher
	life     context.Context // of the flusher
	stop     context.CancelFunc
	done     chan struct{} // closed when the flusher has ended
	counters counters
	doubts   doubts
}

type counters struct {
	flushes, flushedRows, refusedGroups, retries atomic.Uint64
}

// Open returns a running queue. Close stops it.
func Open(opts Options) *Queue {
	q := &Queue{
		opts:   opts,
		tables: make(map[uint32]LSN),
		kick:   make(chan struct{}, 1),
		done:   make(chan struct{}),
	}
	q.life, q.stop = context.WithCancel(context.Background())
	q.progress.init(q.done)
	q.active = newMemtable(0)
	go q.run()
	return q
}

// Validator says whether what a writer has read still holds. Valid is called
// with the commit lock held and must be quick.
type Validator interface{ Valid() bool }

// Commit makes the mutations one group, acknowledged together. ok is false, and
// nothing has happened, if v says that what they were made from no longer
// holds. Once ok is true the group will be flushed, whatever becomes of ctx,
// which only bounds the wait for room.
//
// Today every group is as durable as it will be the moment it is sequenced; a
// durable log comes between sequence and apply.
func (q *Queue) Commit(ctx context.Context, v Validator, schema uint64, group ...Mutation) (lsn LSN, ok bool, err error) {
	for {
		if err := q.room(ctx, len(group)); err != nil {
			return 0, false, err
		}
		q.commit.Lock()
		if q.closed || q.roomy(len(group)) {
			break
		}
		q.commit.Unlock() // others were quicker
	}
	defer q.commit.Unlock()
	if q.closed {
		return 0, false, ErrClosed
	}
	if !v.Valid() {
		return 0, false, nil
	}
	if len(group) == 0 { // nothing to flush, so nothing to wait for
		return q.lsn, true, nil
	}
	q.lsn++
	q.apply(q.lsn, schema, group)
	return q.lsn, true, nil
}

// apply enters a durable group into the active memtable; commit is held.
func (q *Queue) apply(lsn LSN, schema uint64, group []Mutation) {
	q.view.Lock()
	defer q.view.Unlock()
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
	if m.rows >= q.opts.BatchRows || m.bytes() >= maxMemtableBytes {
		q.freeze()
		q.wake()
	} else if fresh {
		q.wake()
	}
}

// maxMemtableBytes keeps one hot row from growing a memtable without end.
const maxMemtableBytes = 32 << 20

// freeze retires the active memtable; view is held.
func (q *Queue) freeze() {
	if q.active.rows == 0 {
		return
	}
	q.frozen = append(q.frozen, q.active)
	q.active = newMemtable(q.active.rows)
}

// Exclusive runs f while no group can be sequenced.
func (q *Queue) Exclusive(f func()) {
	q.commit.Lock()
	defer q.commit.Unlock()
	f()
}

// roomy tells whether the bounds leave room for n more rows. A group that is
// larger than the bounds gets an overlay of its own.
func (q *Queue) roomy(n int) bool {
	rows := q.rows.Load()
	return rows == 0 || rows+int64(n) <= q.opts.MaxRows && q.bytes.Load() < q.opts.MaxBytes
}

// room waits until there is room for n more rows.
func (q *Queue) room(ctx context.Context, n int) error {
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

// Stats is a snapshot of what the queue is doing.
type Stats struct {
	LSN, Flushed  LSN
	Rows, Bytes   int64 // pending
	Memtables     int   // that hold rows
	Oldest        time.Time
	Flushes       uint64 // transactions
	FlushedRows   uint64
	RefusedGroups uint64
	Retries       uint64
	Paused        bool
	LastError     error // of the flush that is being tried again; nil if all is well
	LastErrorTime time.Time
}

// Stats returns a snapshot.
func (q *Queue) Stats() Stats {
	s := Stats{
		Rows: q.rows.Load(), Bytes: q.bytes.Load(),
		Flushes: q.counters.flushes.Load(), FlushedRows: q.counters.flushedRows.Load(),
		RefusedGroups: q.counters.refusedGroups.Load(), Retries: q.counters.retries.Load(),
	}
	q.commit.Lock()
	s.LSN = q.lsn
	q.commit.Unlock()
	q.view.RLock()
	s.Memtables = len(q.frozen)
	switch {
	case len(q.frozen) > 0:
		s.Oldest = q.frozen[0].born
	case q.active.rows > 0:
		s.Oldest = q.active.born
	}
	if q.active.rows > 0 {
		s.Memtables++
	}
	q.view.RUnlock()
	flushed, failed := q.progress.state()
	s.Flushed, s.LastError, s.LastErrorTime, s.Paused = flushed, failed.err, failed.at, failed.paused
	return s
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
