package journaltest

import (
	"errors"
	"io"
	"sync"
	"syscall"

	"github.com/writebehind/writebehind/queue/journal"
)

// Op is an operation on a file system.
type Op string

// The operations. OpWrite includes those that fill a segment with zeros; stores
// into a mapping are none.
const (
	OpCreate  Op = "create"
	OpOpen    Op = "open"
	OpRead    Op = "read"
	OpWrite   Op = "write"
	OpSync    Op = "sync"
	OpMap     Op = "map"
	OpReadDir Op = "readdir"
	OpMkdir   Op = "mkdir"
	OpRemove  Op = "remove"
	OpRename  Op = "rename"
	OpSyncDir Op = "syncdir"
	OpLock    Op = "lock"
)

// Faults is a file system that fails as told. It passes everything else on.
type Faults struct {
	under journal.FS

	mu    sync.Mutex
	rules []*rule
	space int64 // bytes that files may still grow; negative: no limit
	seen  map[Op]int
}

type rule struct {
	op    Op
	match func(name string) bool
	skip  int
	times int // negative: for ever
	err   error
}

// NewFaults wraps a file system.
func NewFaults(under journal.FS) *Faults {
	return &Faults{under: under, space: -1, seen: make(map[Op]int)}
}

// Fail makes the nth operation of a kind from now on (1: the next one) fail.
func (f *Faults) Fail(op Op, nth int, err error) {
	f.add(&rule{op: op, skip: nth - 1, times: 1, err: err})
}

// FailFrom makes the nth and all later operations of a kind fail, until Heal.
func (f *Faults) FailFrom(op Op, nth int, err error) {
	f.add(&rule{op: op, skip: nth - 1, times: -1, err: err})
}

// FailFile makes all operations of a kind fail on the files that match says, until
// Heal.
func (f *Faults) FailFile(op Op, match func(name string) bool, err error) {
	f.add(&rule{op: op, match: match, times: -1, err: err})
}

func (f *Faults) add(r *rule) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.rules = append(f.rules, r)
}

// LimitSpace lets files grow by n bytes more; then they get ENOSPC.
func (f *Faults) LimitSpace(n int64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.space = n
}

// Heal ends all faults and limits.
func (f *Faults) Heal() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.rules, f.space = nil, -1
}

// Seen is the number of operations of a kind so far, failed ones included.
func (f *Faults) Seen(op Op) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.seen[op]
}

func (f *Faults) check(op Op, name string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.seen[op]++
	for _, r := range f.rules {
		if r.op != op || r.times == 0 || r.match != nil && !r.match(name) {
			continue
		}
		if r.skip > 0 {
			r.skip--
			continue
		}
		if r.times > 0 {
			r.times--
		}
		return r.err
	}
	return nil
}

// grow takes up to n bytes of what is left, and returns how many it got.
func (f *Faults) grow(n int64) int64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.space < 0 || n <= 0 {
		return n
	}
	n = min(n, f.space)
	f.space -= n
	return n
}

// Create makes a file.
func (f *Faults) Create(name string) (journal.File, error) {
	if err := f.check(OpCreate, name); err != nil {
		return nil, err
	}
	return f.wrap(name)(f.under.Create(name))
}

// Open opens a file.
func (f *Faults) Open(name string, write bool) (journal.File, error) {
	if err := f.check(OpOpen, name); err != nil {
		return nil, err
	}
	return f.wrap(name)(f.under.Open(name, write))
}

func (f *Faults) wrap(name string) func(journal.File, error) (journal.File, error) {
	return func(file journal.File, err error) (journal.File, error) {
		if err != nil {
			return nil, err
		}
		return &faultyFile{File: file, faults: f, name: name}, nil
	}
}

// ReadDir lists a directory.
func (f *Faults) ReadDir(name string) ([]string, error) {
	if err := f.check(OpReadDir, name); err != nil {
		return nil, err
	}
	return f.under.ReadDir(name)
}

// Mkdir makes a directory.
func (f *Faults) Mkdir(name string) error {
	if err := f.check(OpMkdir, name); err != nil {
		return err
	}
	return f.under.Mkdir(name)
}

// Remove removes a file or directory.
func (f *Faults) Remove(name string) error {
	if err := f.check(OpRemove, name); err != nil {
		return err
	}
	return f.under.Remove(name)
}

// Rename renames a file.
func (f *Faults) Rename(from, to string) error {
	if err := f.check(OpRename, to); err != nil {
		return err
	}
	return f.under.Rename(from, to)
}

// SyncDir syncs a directory.
func (f *Faults) SyncDir(name string) error {
	if err := f.check(OpSyncDir, name); err != nil {
		return err
	}
	return f.under.SyncDir(name)
}

// Lock takes a lock.
func (f *Faults) Lock(name string) (io.Closer, error) {
	if err := f.check(OpLock, name); err != nil {
		return nil, err
	}
	return f.under.Lock(name)
}

// Locked asks for a lock.
func (f *Faults) Locked(name string) (bool, error) { return f.under.Locked(name) }

// Boot names the run of the machine.
func (f *Faults) Boot() string { return f.under.Boot() }

type faultyFile struct {
	journal.File
	faults *Faults
	name   string
}

func (f *faultyFile) ReadAt(b []byte, off int64) (int, error) {
	if err := f.faults.check(OpRead, f.name); err != nil {
		return 0, err
	}
	return f.File.ReadAt(b, off)
}

// Unwritten is an error with which a write that fails writes nothing.
type Unwritten struct{ Err error }

func (e Unwritten) Error() string { return e.Err.Error() }

func (e Unwritten) Unwrap() error { return e.Err }

// WriteAt writes half of what it is told to fail on, in words of 8 bytes: whoever
// calls it cannot rely on less, nor, see Unwritten, on anything.
func (f *faultyFile) WriteAt(b []byte, off int64) (int, error) {
	if err := f.faults.check(OpWrite, f.name); errors.As(err, new(Unwritten)) {
		return 0, err
	} else if err != nil {
		n, _ := f.File.WriteAt(b[:len(b)/2&^7], off)
		return n, err
	}
	size, err := f.Size()
	if err != nil {
		return 0, err
	}
	more := off + int64(len(b)) - size
	if got := f.faults.grow(more); got < more {
		fits := max(int64(len(b))-(more-got), 0)
		n, _ := f.File.WriteAt(b[:fits], off)
		return n, syscall.ENOSPC
	}
	return f.File.WriteAt(b, off)
}

func (f *faultyFile) Sync() error {
	if err := f.faults.check(OpSync, f.name); err != nil {
		return err
	}
	return f.File.Sync()
}

func (f *faultyFile) Map(size int64) ([]byte, func() error, error) {
	if err := f.faults.check(OpMap, f.name); err != nil {
		return nil, nil, err
	}
	return f.File.Map(size)
}
