// Package disk is a file system that can lose its power. It keeps its files in the
// operating system's, and remembers what was there before each write and each
// change of a directory until that is synced. Crash takes back any part of it: any
// sectors of a file, any last few changes of a directory.
//
// journaltest.Disk does the same in memory, copying whole files; this one costs no
// more than what is written, which a laboratory needs that crashes often.
package disk

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"sync"

	"github.com/writebehind/writebehind/queue/journal"
)

// Sector is what a disk writes whole or not at all, in bytes.
const Sector = 512

var _ journal.FS = (*Disk)(nil)

// errDead is what every use answers after Crash.
var errDead = errors.New("disk: the power is lost")

// Disk is a file system. Files that it did not make itself, or that it was not
// used on since they were opened, count as synced.
type Disk struct {
	under journal.FS
	boot  int
	trash string // where removed files wait until the removal is synced

	mu      sync.Mutex
	dead    bool
	files   map[string]*inode   // by path, those used since New
	pending map[string][]change // by directory, oldest first
	removed int                 // names in the trash
	locks   []io.Closer         // which end with the power
}

// change is a change of a directory that is not synced, and how it is taken back.
type change struct{ undo func() error }

// New returns a file system whose machine has been started boot times. In trash,
// a directory on the same file system, it keeps what may have to come back.
func New(trash string, boot int) (*Disk, error) {
	if err := os.MkdirAll(trash, 0o700); err != nil {
		return nil, err
	}
	return &Disk{
		under: journal.OS(), boot: boot, trash: trash,
		files: make(map[string]*inode), pending: make(map[string][]change),
	}, nil
}

// Crash is the loss of power: what is not synced is there or not, as seed decides.
// The Disk is dead then, and the files are what the machine finds at its next start.
func (d *Disk) Crash(seed uint64) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.dead = true
	random := rand.New(rand.NewPCG(seed, 0)) //nolint:gosec // it is to be repeatable
	// All is kept, nothing, or anything between.
	keep := random.Float64()
	if random.IntN(3) == 0 {
		keep = float64(random.IntN(2))
	}
	var failed error
	for _, path := range sortedKeys(d.files) {
		failed = errors.Join(failed, d.files[path].crash(random, keep))
	}
	for _, path := range sortedKeys(d.pending) {
		changes := d.pending[path]
		for i := len(changes); i > random.IntN(len(changes)+1); i-- {
			failed = errors.Join(failed, changes[i-1].undo())
		}
	}
	for _, lock := range d.locks {
		_ = lock.Close() // it may be closed already
	}
	return errors.Join(failed, os.RemoveAll(d.trash))
}

// use is held by whatever changes the disk.
func (d *Disk) use() error {
	d.mu.Lock()
	if d.dead {
		d.mu.Unlock()
		return errDead
	}
	return nil
}

// changed notes a change of a directory.
func (d *Disk) changed(name string, undo func() error) {
	directory := filepath.Dir(name)
	d.pending[directory] = append(d.pending[directory], change{undo})
}

// Create implements journal.FS.
func (d *Disk) Create(name string) (journal.File, error) {
	if err := d.use(); err != nil {
		return nil, err
	}
	defer d.mu.Unlock()
	f, err := d.under.Create(name)
	if err != nil {
		return nil, err
	}
	i := &inode{path: name}
	d.files[name] = i
	d.changed(name, func() error { return os.Remove(i.path) })
	return &file{File: f, disk: d, inode: i}, nil
}

// Open implements journal.FS.
func (d *Disk) Open(name string, write bool) (journal.File, error) {
	if err := d.use(); err != nil {
		return nil, err
	}
	defer d.mu.Unlock()
	f, err := d.under.Open(name, write)
	if err != nil {
		return nil, err
	}
	i := d.files[name]
	if i == nil {
		size, err := f.Size()
		if err != nil {
			return nil, errors.Join(err, f.Close())
		}
		i = &inode{path: name, size: size}
		d.files[name] = i
	}
	return &file{File: f, disk: d, inode: i}, nil
}

// ReadDir implements journal.FS.
func (d *Disk) ReadDir(name string) ([]string, error) {
	if err := d.use(); err != nil {
		return nil, err
	}
	defer d.mu.Unlock()
	return d.under.ReadDir(name)
}

// Mkdir implements journal.FS. A directory is there at once.
func (d *Disk) Mkdir(name string) error {
	if err := d.use(); err != nil {
		return err
	}
	defer d.mu.Unlock()
	return d.under.Mkdir(name)
}

// Remove implements journal.FS. A directory is gone at once.
func (d *Disk) Remove(name string) error {
	if err := d.use(); err != nil {
		return err
	}
	defer d.mu.Unlock()
	info, err := os.Lstat(name)
	if err != nil || info.IsDir() {
		return errors.Join(err, d.under.Remove(name))
	}
	undo, err := d.discard(name)
	if err != nil {
		return err
	}
	d.changed(name, undo)
	return nil
}

// discard takes a file out of its directory so that it can be put back.
func (d *Disk) discard(name string) (undo func() error, err error) {
	d.removed++
	kept := filepath.Join(d.trash, strconv.Itoa(d.removed))
	if err := os.Rename(name, kept); err != nil {
		return nil, err
	}
	d.move(name, kept)
	return func() error { return os.Rename(kept, name) }, nil
}

// move follows a file to another name.
func (d *Disk) move(from, to string) {
	i := d.files[from]
	delete(d.files, from)
	delete(d.files, to)
	if i != nil {
		i.path = to
		d.files[to] = i
	}
}

// Rename implements journal.FS.
func (d *Disk) Rename(from, to string) error {
	if err := d.use(); err != nil {
		return err
	}
	defer d.mu.Unlock()
	if filepath.Dir(from) != filepath.Dir(to) {
		return fmt.Errorf("disk: rename %s to %s: directories are synced apart", from, to)
	}
	restore := func() error { return nil }
	if _, err := os.Lstat(to); err == nil {
		if restore, err = d.discard(to); err != nil {
			return err
		}
	}
	if err := d.under.Rename(from, to); err != nil {
		return errors.Join(err, restore())
	}
	d.move(from, to)
	i := d.files[to]
	d.changed(to, func() error {
		if i != nil {
			i.path = from // for the undoing of what came before
		}
		return errors.Join(os.Rename(to, from), restore())
	})
	return nil
}

// SyncDir implements journal.FS.
func (d *Disk) SyncDir(name string) error {
	if err := d.use(); err != nil {
		return err
	}
	defer d.mu.Unlock()
	// Files in the trash stay until the end: nobody needs them, but a name in it
	// is cheaper than knowing whose it was.
	delete(d.pending, filepath.Clean(name))
	return d.under.SyncDir(name)
}

// Lock implements journal.FS. The file of a lock is there at once.
func (d *Disk) Lock(name string) (io.Closer, error) {
	if err := d.use(); err != nil {
		return nil, err
	}
	defer d.mu.Unlock()
	lock, err := d.under.Lock(name)
	if err == nil {
		d.locks = append(d.locks, lock)
	}
	return lock, err
}

// Locked implements journal.FS.
func (d *Disk) Locked(name string) (bool, error) { return d.under.Locked(name) }

// Boot implements journal.FS.
func (d *Disk) Boot() string { return fmt.Sprint("boot ", d.boot) }
