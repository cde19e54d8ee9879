// Package journal is the durable log of acknowledged groups on a local disk.
//
// A directory belongs to one database. Each process has a journal of its own in
// it, a subdirectory that it holds locked; the journals of dead processes are
// adopted at the next start (Directory.Orphans). A journal is a row of segment
// files, filled with zeros before their use, so that a sync writes data and no
// metadata, and a store into a mapping never needs a block the disk has not got.
//
// # What recovery promises
//
// A frame is believed if its checksums hold; they are mixed with the random salt
// of its segment and its place, so that old bytes or user data never pass for
// one. The first place where the expected frame is not found is either the end
// of the journal (a torn tail, which nobody was told about) or damage. It is
// damage, and the journal is refused with a *DamageError, if
//
//   - any later frame, in this segment or a later one, or the meta file says that
//     the journal had been synced up to the missing group (its durable LSN), or
//   - the machine has not been started anew since the journal was last started,
//     and any later frame is whole: frames are written in order, and the page
//     cache has outlived the process, so that nothing but the end can be torn; in
//     a mapping not even that, once the checksum is there, which is copied last, or
//   - a segment's size or header is not what was synced before it got its name,
//     or a segment file is missing.
//
// # What it cannot tell
//
// With Sync, a marker with the new durable LSN is written after each sync, before
// anyone is told, and not synced itself (a second sync would halve the speed).
// The next sync includes it, and so does the kernel's own writing back, on Linux
// within half a minute. So damage is taken for a torn tail only if all of this is
// true: the machine has lost power since; the damage hits the groups of the very
// last sync before that, or of one more if a further batch was being written at
// that moment and nothing of it arrived; and the marker of that sync had not
// reached the disk. Bytes of the unused rest of a segment, of padding and of the
// last marker hold nothing, so damage to them is not noticed and costs nothing.
// If one and the same fault destroys groups and everything written after them, it
// cannot be told from a tail that never arrived, unless the journal was closed
// (its meta file then names the last group).
//
// Without Sync, a power loss leaves a prefix of the groups; what was lost can be
// told from damage up to the last segment that was synced when it was full. After
// the death of the process alone, damage is told everywhere, but where files cannot
// be mapped, for the very last group, which looks like one that was being written.
// Where the run of the machine is not known (FS.Boot: all but Linux), the death of
// the process is judged like a power loss.
package journal

import (
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"
)

// LSN is the log sequence number of a group: 1, 2, 3 … without holes. 0 is before
// the first.
type LSN = uint64

// Options say where the journals of a database are and how durable they are.
type Options struct {
	// Path is the directory. It is made, for this user only, if it is missing.
	Path string

	// Identity of the database: system identifier, a slash, database OID. A
	// directory belongs to one database.
	Identity string

	// Sync makes Wait return only after the group has reached the disk: it
	// survives power loss. Without it, Append copies the group into a shared
	// mapping, and it survives the process only.
	Sync bool

	// MaxBytes is the size from which Full reports true. No bound by default. A
	// segment is at most a quarter of it, so that trimming can make room.
	MaxBytes int64

	// SegmentBytes is the size of a segment, 64 MB by default. A group that does
	// not fit gets a segment of its own size.
	SegmentBytes int64

	// FS is the operating system by default.
	FS FS

	// Logger gets what an operator should know; slog.Default() by default.
	Logger *slog.Logger
}

const (
	defaultSegmentBytes = 64 << 20
	minSegmentBytes     = 4 << 10
	// maxPayload keeps lengths far from the limits of the format.
	maxPayload = 1 << 30
)

func (o Options) withDefaults() Options {
	if o.FS == nil {
		o.FS = OS()
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	if o.SegmentBytes <= 0 {
		o.SegmentBytes = defaultSegmentBytes
	}
	if o.MaxBytes > 0 {
		o.SegmentBytes = min(o.SegmentBytes, o.MaxBytes/4)
	}
	o.SegmentBytes = max(roundUp(o.SegmentBytes, minSegmentBytes), minSegmentBytes)
	return o
}

// Journal is one process's log. A recovered one is read-only until Start.
type Journal struct {
	opts   Options
	id     string
	dir    string
	lock   interface{ Close() error } // nil: opened for reading beside others
	seq    uint64                     // order of creation in the directory
	base   LSN                        // the LSN before the first group ever
	events callbacks

	// durable is read without the lock by those who wait. It advances after
	// OnDurable has returned.
	durable atomic.Uint64
	failed  atomic.Uint32 // len(failures)

	mu       sync.Mutex
	state    state
	err      error
	last     LSN // newest appended
	synced   LSN // known to be on the disk; written into every frame
	lastSync time.Time
	failures []failure

	segments []*segment // live, oldest first; the last one is the tail
	tailOff  int64      // end of what has been appended to the tail
	ready    []*segment // prepared, in order, to be used before prep's
	prep     *preparation
	stop     chan struct{} // closed to end preparing
	held     []uint64      // by definition id: the segment (seq) that holds it
	count    []uint64      // by definition id: the last group (counted) that named it
	counted  uint64
	retired  chan struct{} // closed when all segments given to retire are synced

	pending []chunk       // appended, not written; always empty with a mapping
	spare   []byte        // buffer of an earlier chunk
	syncing bool          // somebody writes and syncs for all
	done    chan struct{} // closed when the one who syncs is through

	// trimming serialises Trim, Close and Remove, and guards what follows.
	trimming   sync.Mutex
	checkpoint atomic.Uint64
	recovered  *recovery // until Start
}

type state uint8

const (
	readOnly state = iota // recovered, not started
	writable
	closed
)

// callbacks are what the queue wants to be told. They are called without any lock
// of the journal held.
type callbacks struct {
	durable func(LSN)
	failed  func(LSN, error)
}

// failure is one loss of what was in flight.
type failure struct {
	durable LSN
	err     error
}

// ErrClosed is returned by calls that need an open journal.
var ErrClosed = errors.New("journal: closed")

// ErrReadOnly is returned by Append before Start.
var ErrReadOnly = errors.New("journal: recovered and read-only; call Start first")

// ID is the random name of the journal, and of its row in PostgreSQL.
func (j *Journal) ID() string { return j.id }

// Dir is the journal's own directory.
func (j *Journal) Dir() string { return j.dir }

// First is the LSN of the oldest group that is still held, Last()+1 if there is
// none.
func (j *Journal) First() LSN {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, s := range j.segments {
		if s.begun && s.last >= s.first {
			return s.first
		}
	}
	return j.durable.Load() + 1
}

// Last is the LSN of the newest group that was recovered or has become durable.
func (j *Journal) Last() LSN { return j.durable.Load() }

// Durable is the LSN up to which groups are as durable as Options.Sync asks.
func (j *Journal) Durable() LSN { return j.durable.Load() }

// Checkpoint is the last one given to Trim. After recovery it is the one in the
// journal's meta file, which may lag behind.
func (j *Journal) Checkpoint() LSN { return j.checkpoint.Load() }

// OnDurable sets what is called with each new durable LSN, in order, by whoever
// synced, before anyone who waits for it is released. Set it before the first
// Append. Without Options.Sync it is called from within Append, on its goroutine,
// with whatever the caller of Append holds locked. It must not call Wait.
func (j *Journal) OnDurable(f func(LSN)) { j.events.durable = f }

// OnFailed sets what is called, instead of OnDurable, when a write or a sync has
// failed, before anyone who waits gets the error. All groups above durable are
// gone; if Err is nil, the next Append has LSN durable+1. It must not call Wait.
func (j *Journal) OnFailed(f func(durable LSN, err error)) { j.events.failed = f }

// Err is why the journal takes no more groups, nil while it does.
func (j *Journal) Err() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.err
}

// Bytes is the size of the live segments, of the newest one what is used of it.
func (j *Journal) Bytes() int64 {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.bytes()
}

func (j *Journal) bytes() int64 {
	n := j.tailOff
	for i, s := range j.segments {
		if i < len(j.segments)-1 {
			n += s.size
		}
	}
	return n
}

// Full reports whether the live segments exceed Options.MaxBytes. A journal whose
// groups have all been passed by the checkpoint is never full: what it still holds
// goes with the next segment.
func (j *Journal) Full() bool {
	if j.opts.MaxBytes <= 0 {
		return false
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.checkpoint.Load() < j.last && j.bytes() > j.opts.MaxBytes
}

// LastSync is when a sync last succeeded, zero if none has.
func (j *Journal) LastSync() time.Time {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.lastSync
}

func roundUp(n, to int64) int64 { return (n + to - 1) / to * to }
