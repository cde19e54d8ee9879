package journal

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
)

// Directory is where the journals of one database are.
type Directory struct {
	opts Options
}

// Open opens the directory for one database, and makes it, if it is missing. A
// directory of another database or format is a *MismatchError.
func Open(opts Options) (*Directory, error) {
	d := &Directory{opts: opts.withDefaults()}
	fsys, path := d.opts.FS, d.opts.Path
	var info directoryInfo
	found, err := readMeta(fsys, path, directoryMeta, &info)
	if err != nil {
		return nil, err
	}
	if !found {
		if err := fsys.Mkdir(path); err != nil {
			return nil, fmt.Errorf("journal: making %s: %w", path, err)
		}
		if err := fsys.SyncDir(filepath.Dir(path)); err != nil {
			return nil, fmt.Errorf("journal: making %s: %w", path, err)
		}
		info = directoryInfo{Format: formatVersion, Identity: opts.Identity}
		if err := writeMeta(fsys, path, directoryMeta, info); err != nil {
			return nil, err
		}
	}
	if err := checkFormat(path, info.Format); err != nil {
		return nil, err
	}
	return d, checkIdentity(path, info.Identity, opts.Identity)
}

// Path is the directory.
func (d *Directory) Path() string { return d.opts.Path }

const (
	idBytes = 8
	// tries are those at making a journal under the eyes of a process that tidies
	// up what dead ones left half made.
	tries = 5
)

func isID(name string) bool {
	raw, err := hex.DecodeString(name)
	return err == nil && len(raw) == idBytes
}

// journalNames lists the journals' directories.
func journalNames(fsys FS, path string) ([]string, error) {
	names, err := fsys.ReadDir(path)
	if err != nil {
		return nil, fmt.Errorf("journal: listing %s: %w", path, err)
	}
	return slices.DeleteFunc(names, func(name string) bool { return !isID(name) }), nil
}

// Create makes a new journal whose first group will have LSN next. It is writable
// at once.
func (d *Directory) Create(next LSN) (*Journal, error) {
	if next == 0 {
		return nil, errors.New("journal: LSNs begin with 1")
	}
	seq, err := d.nextSeq()
	if err != nil {
		return nil, err
	}
	for try := 1; ; try++ {
		j, err := d.create(seq, next)
		if err == nil || try == tries || !errors.Is(err, ErrLocked) && !errors.Is(err, fs.ErrNotExist) {
			return j, err
		}
	}
}

// nextSeq is one past the newest journal's. Of two that are made at the same time
// neither is older.
func (d *Directory) nextSeq() (uint64, error) {
	names, err := journalNames(d.opts.FS, d.opts.Path)
	if err != nil {
		return 0, err
	}
	var newest uint64
	for _, name := range names {
		var info journalInfo
		if _, err := readMeta(d.opts.FS, filepath.Join(d.opts.Path, name), journalMeta, &info); err != nil {
			continue // whoever adopts it gets the error
		}
		newest = max(newest, info.Seq)
	}
	return newest + 1, nil
}

func (d *Directory) create(seq uint64, next LSN) (j *Journal, err error) {
	var raw [idBytes]byte
	_, _ = rand.Read(raw[:]) // never fails
	j = d.journal(hex.EncodeToString(raw[:]))
	fsys := d.opts.FS
	if err := fsys.Mkdir(j.dir); err != nil {
		return nil, fmt.Errorf("journal: making %s: %w", j.dir, err)
	}
	if j.lock, err = fsys.Lock(filepath.Join(j.dir, lockName)); err != nil {
		return nil, fmt.Errorf("journal: making %s: %w", j.dir, err)
	}
	defer func() {
		if err != nil {
			j.unmake()
			j = nil
		}
	}()
	j.seq, j.base = seq, next-1
	tail, err := prepare(fsys, j.dir, j.id, 1, d.opts.SegmentBytes, j.stop)
	if err != nil {
		return j, err
	}
	defer func() {
		if err != nil {
			_ = tail.close()
		}
	}()
	if err := tail.open(fsys, !d.opts.Sync); err != nil {
		return j, err
	}
	j.begin(tail, segmentHeader, next)
	if err := j.writeInfo(false); err != nil {
		return j, err
	}
	if err := fsys.SyncDir(d.opts.Path); err != nil {
		return j, fmt.Errorf("journal: making %s: %w", j.dir, err)
	}
	j.mu.Lock()
	j.prepareNext()
	j.mu.Unlock()
	return j, nil
}

// unmake removes a journal that could not be made. The meta file goes first: with
// it and without segments, it would look like one that has lost them.
func (j *Journal) unmake() {
	err := j.opts.FS.Remove(filepath.Join(j.dir, journalMeta))
	if err == nil || errors.Is(err, fs.ErrNotExist) {
		_ = removeAll(j.opts.FS, j.dir, j.lock)
		return
	}
	_ = j.lock.Close()
}

// journal makes one that is neither recovered nor writable yet.
func (d *Directory) journal(id string) *Journal {
	return &Journal{
		opts: d.opts,
		id:   id,
		dir:  filepath.Join(d.opts.Path, id),
		stop: make(chan struct{}),
	}
}
