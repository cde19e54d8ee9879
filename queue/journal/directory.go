package journal

import (
	"cmp"
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

// Orphans locks and recovers the journals that dead processes left, oldest first.
// Those of live processes are not touched. One that is damaged, or belongs to
// another database, is an error, and none is locked then. Nothing is written, but
// what was left half made or half removed goes.
func (d *Directory) Orphans() (orphans []*Journal, err error) {
	defer func() {
		if err != nil {
			for _, j := range orphans {
				_ = j.lock.Close()
			}
			orphans = nil
		}
	}()
	names, err := journalNames(d.opts.FS, d.opts.Path)
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		j, err := d.adopt(name)
		if err != nil {
			return orphans, err
		}
		if j != nil {
			orphans = append(orphans, j)
		}
	}
	slices.SortFunc(orphans, func(a, b *Journal) int {
		return cmp.Or(cmp.Compare(a.seq, b.seq), cmp.Compare(a.id, b.id))
	})
	return orphans, nil
}

// adopt locks and recovers one journal; nil if there is nothing to adopt.
func (d *Directory) adopt(id string) (_ *Journal, err error) {
	j := d.journal(id)
	j.lock, err = d.opts.FS.Lock(filepath.Join(j.dir, lockName))
	if errors.Is(err, ErrLocked) || errors.Is(err, fs.ErrNotExist) {
		return nil, nil // alive, or removed at this moment
	}
	if err != nil {
		return nil, fmt.Errorf("journal: locking %s: %w", j.dir, err)
	}
	kept := false
	defer func() {
		if !kept {
			_ = j.lock.Close()
		}
	}()
	info, complete, err := readInfo(d.opts.FS, j.dir, id)
	if err != nil {
		return nil, err
	}
	if !complete {
		if err := removeAll(d.opts.FS, j.dir, j.lock); err != nil {
			return nil, fmt.Errorf("journal: tidying up %s: %w", j.dir, err)
		}
		return nil, nil
	}
	if err := checkIdentity(j.dir, info.Identity, d.opts.Identity); err != nil {
		return nil, err
	}
	if err := j.recover(info); err != nil {
		return nil, err
	}
	kept = true
	return j, nil
}

// readInfo reads a journal's meta file. complete is false if the journal was never
// finished or is being removed, so that it holds nothing.
func readInfo(fsys FS, dir, id string) (info journalInfo, complete bool, err error) {
	found, err := readMeta(fsys, dir, journalMeta, &info)
	if err != nil {
		return info, false, err
	}
	if !found {
		return info, false, checkUnused(fsys, dir, id)
	}
	if err := checkFormat(dir, info.Format); err != nil {
		return info, false, err
	}
	if info.ID != id {
		return info, false, &DamageError{
			File:   filepath.Join(dir, journalMeta),
			Reason: fmt.Sprintf("it is that of journal %q", info.ID),
		}
	}
	return info, !info.Removed, nil
}

// checkUnused tells a journal that was never finished from one whose meta file has
// been lost.
func checkUnused(fsys FS, dir, id string) error {
	heads, err := readHeads(fsys, dir, id)
	if err != nil {
		return err
	}
	for _, h := range heads {
		if h.err != nil || h.begun || h.seq > 1 {
			return &DamageError{File: filepath.Join(dir, journalMeta), Reason: "the meta file is missing, but there are segments in use"}
		}
	}
	return nil
}

// removeAll deletes a journal's directory, the lock last.
func removeAll(fsys FS, dir string, lock interface{ Close() error }) error {
	names, err := fsys.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return lock.Close()
	}
	for _, name := range names {
		if name == lockName || name == journalMeta {
			continue
		}
		if removing := fsys.Remove(filepath.Join(dir, name)); err == nil {
			err = removing
		}
	}
	// Only when all segments are gone, durably: the meta file says whose they are.
	if err == nil {
		err = fsys.SyncDir(dir)
	}
	if err == nil {
		if err = fsys.Remove(filepath.Join(dir, journalMeta)); errors.Is(err, fs.ErrNotExist) {
			err = nil
		}
	}
	if err == nil {
		err = fsys.Remove(filepath.Join(dir, lockName))
	}
	if closing := lock.Close(); err == nil {
		err = closing
	}
	if err == nil {
		err = fsys.Remove(dir)
	}
	if err == nil {
		err = fsys.SyncDir(filepath.Dir(dir))
	}
	return err
}
