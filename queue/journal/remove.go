package journal

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
)

// Remove closes the journal and deletes it: all its groups are in PostgreSQL. One
// that is interrupted is finished by whoever looks for orphans next.
func (j *Journal) Remove() error {
	j.trimming.Lock()
	defer j.trimming.Unlock()
	if j.lock == nil {
		return fmt.Errorf("journal: %s was opened for reading only", j.dir)
	}
	if j.isClosed() {
		return ErrClosed
	}
	lock := j.lock
	j.lock = keepLocked{}
	_ = j.close() // what it could not write is not needed
	j.lock = lock
	if err := j.writeInfo(true); err != nil {
		_ = lock.Close()
		return err
	}
	if err := removeAll(j.opts.FS, j.dir, lock); err != nil {
		return fmt.Errorf("journal: removing %s: %w", j.dir, err)
	}
	return nil
}

// keepLocked is the lock of a journal that is closed only to be deleted.
type keepLocked struct{}

func (keepLocked) Close() error { return nil }

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
