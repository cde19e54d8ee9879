package journal

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
)

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
