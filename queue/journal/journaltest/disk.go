// Package journaltest has file systems for tests of what keeps a journal: Disk,
// which can lose its power, and Faults, which fails as told.
package journaltest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"slices"
	"sync"

	"github.com/writebehind/writebehind/queue/journal"
)

// Sector is what a disk writes whole or not at all, in bytes.
const Sector = 512

// Disk is a file system in memory that knows what has been synced. Use Crash for a
// power loss and Kill for the death of the process; both leave the old Disk dead,
// so that goroutines of the dead process do no harm, and return the one that the
// next process sees.
type Disk struct {
	mu    sync.Mutex
	boot  int
	dead  bool
	root  map[string]*directory // by path
	locks map[string]bool
}

// directory has the entries as they are and as they are on the disk. Changes reach
// the disk in order, so that a crash keeps some first few of those not synced.
type directory struct {
	entries map[string]*inode
	durable map[string]*inode
	pending []map[string]*inode // the entries after each change
}

type inode struct {
	data    []byte
	durable []byte
}

var errDead = errors.New("journaltest: the process that used this disk is dead")

// NewDisk returns an empty disk. Directories above those that are made exist.
func NewDisk() *Disk {
	return &Disk{boot: 1, root: make(map[string]*directory), locks: make(map[string]bool)}
}

// use locks the disk and finds the directory of a file.
func (d *Disk) use(op, name string) (*directory, string, error) {
	d.mu.Lock()
	if d.dead {
		d.mu.Unlock()
		return nil, "", errDead
	}
	dir := d.root[filepath.Dir(filepath.Clean(name))]
	if dir == nil {
		d.mu.Unlock()
		return nil, "", &fs.PathError{Op: op, Path: name, Err: fs.ErrNotExist}
	}
	return dir, filepath.Base(name), nil
}

func (dir *directory) changed() { dir.pending = append(dir.pending, copyEntries(dir.entries)) }

// Create makes a file.
func (d *Disk) Create(name string) (journal.File, error) {
	dir, base, err := d.use("create", name)
	if err != nil {
		return nil, err
	}
	defer d.mu.Unlock()
	if dir.entries[base] != nil {
		return nil, &fs.PathError{Op: "create", Path: name, Err: fs.ErrExist}
	}
	file := &inode{}
	dir.entries[base] = file
	dir.changed()
	return &diskFile{disk: d, inode: file}, nil
}

// Open opens a file.
func (d *Disk) Open(name string, _ bool) (journal.File, error) {
	dir, base, err := d.use("open", name)
	if err != nil {
		return nil, err
	}
	defer d.mu.Unlock()
	file := dir.entries[base]
	if file == nil {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	return &diskFile{disk: d, inode: file}, nil
}

// ReadDir lists a directory.
func (d *Disk) ReadDir(name string) ([]string, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	name = filepath.Clean(name)
	dir := d.root[name]
	if d.dead || dir == nil {
		return nil, &fs.PathError{Op: "readdir", Path: name, Err: fs.ErrNotExist}
	}
	var names []string
	for entry := range dir.entries {
		names = append(names, entry)
	}
	for path := range d.root {
		if filepath.Dir(path) == name && path != name {
			names = append(names, filepath.Base(path))
		}
	}
	slices.Sort(names)
	return names, nil
}

// Mkdir makes a directory, at once on the disk.
func (d *Disk) Mkdir(name string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.dead {
		return errDead
	}
	for name = filepath.Clean(name); d.root[name] == nil; name = filepath.Dir(name) {
		d.root[name] = &directory{entries: make(map[string]*inode), durable: make(map[string]*inode)}
		if name == filepath.Dir(name) {
			break
		}
	}
	return nil
}

// Remove removes a file, or an empty directory, that at once.
func (d *Disk) Remove(name string) error {
	dir, base, err := d.use("remove", name)
	if err != nil {
		return err
	}
	defer d.mu.Unlock()
	if sub := d.root[filepath.Clean(name)]; sub != nil {
		if len(sub.entries) > 0 {
			return &fs.PathError{Op: "remove", Path: name, Err: errors.New("directory not empty")}
		}
		delete(d.root, filepath.Clean(name))
		return nil
	}
	if dir.entries[base] == nil {
		return &fs.PathError{Op: "remove", Path: name, Err: fs.ErrNotExist}
	}
	delete(dir.entries, base)
	dir.changed()
	return nil
}

// Rename renames a file within a directory.
func (d *Disk) Rename(from, to string) error {
	dir, base, err := d.use("rename", from)
	if err != nil {
		return err
	}
	defer d.mu.Unlock()
	file := dir.entries[base]
	if file == nil || filepath.Dir(from) != filepath.Dir(to) {
		return &fs.PathError{Op: "rename", Path: from, Err: fs.ErrNotExist}
	}
	delete(dir.entries, base)
	dir.entries[filepath.Base(to)] = file
	dir.changed()
	return nil
}

// SyncDir makes the entries of a directory durable.
func (d *Disk) SyncDir(name string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.dead {
		return errDead
	}
	if dir := d.root[filepath.Clean(name)]; dir != nil {
		dir.durable, dir.pending = copyEntries(dir.entries), nil
	}
	return nil
}

// Lock takes a lock, which also is a file.
func (d *Disk) Lock(name string) (io.Closer, error) {
	dir, base, err := d.use("lock", name)
	if err != nil {
		return nil, err
	}
	defer d.mu.Unlock()
	if d.locks[name] {
		return nil, journal.ErrLocked
	}
	d.locks[name] = true
	if dir.entries[base] == nil {
		dir.entries[base] = &inode{}
		dir.changed()
	}
	return unlock(func() error {
		d.mu.Lock()
		defer d.mu.Unlock()
		delete(d.locks, name)
		return nil
	}), nil
}

type unlock func() error

func (u unlock) Close() error { return u() }

// Locked says whether a lock is taken.
func (d *Disk) Locked(name string) (bool, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.locks[name], nil
}

// Boot is another one after each Crash.
func (d *Disk) Boot() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return fmt.Sprint("boot ", d.boot)
}

// Data gives access to the content of a file, for damaging it. It must be in use by
// nobody.
func (d *Disk) Data(name string) []byte {
	dir, base, err := d.use("data", name)
	if err != nil {
		return nil
	}
	defer d.mu.Unlock()
	if file := dir.entries[base]; file != nil {
		return file.data
	}
	return nil
}

// SetData replaces the content of a file, durably.
func (d *Disk) SetData(name string, data []byte) {
	dir, base, err := d.use("data", name)
	if err != nil {
		return
	}
	defer d.mu.Unlock()
	dir.entries[base] = &inode{data: bytes.Clone(data), durable: bytes.Clone(data)}
	dir.durable = copyEntries(dir.entries)
}
