package journal

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
)

// Report is what Inspect finds out about one journal.
type Report struct {
	ID         string
	Dir        string
	Identity   string
	Live       bool // a process has it
	First      LSN  // of the groups it holds; Last+1 if there are none
	Last       LSN
	Checkpoint LSN   // in the meta file; PostgreSQL's may be ahead
	Bytes      int64 // of all segment files
	Segments   []SegmentReport
	Err        error // why it cannot be used: a *DamageError, or it could not be read

	journal *Journal
}

// SegmentReport is about one segment file.
type SegmentReport struct {
	File  string
	State SegmentState
	First LSN // of the groups it holds; Last+1 if there are none
	Last  LSN
	Bytes int64
	Used  int64 // zero if that was not looked at
	Err   error
}

// SegmentState says what a segment is good for.
type SegmentState string

// The states of a segment.
const (
	SegmentWhole    SegmentState = "whole"
	SegmentTorn     SegmentState = "torn"     // whole up to a tail that was never acknowledged
	SegmentPrepared SegmentState = "prepared" // holds nothing yet
	SegmentVoid     SegmentState = "void"     // holds what was never acknowledged
	SegmentPassed   SegmentState = "passed"   // all of it is in PostgreSQL
	SegmentDamaged  SegmentState = "damaged"
	SegmentUnread   SegmentState = "unread" // not looked at, because of damage
)

// Inspect reads the journals in a directory, or the one whose own directory path
// is. It changes and locks nothing, and may run beside the processes that write
// them: of a live journal it sees some recent state. fsys may be nil.
func Inspect(fsys FS, path string) ([]*Report, error) {
	if fsys == nil {
		fsys = OS()
	}
	if name := filepath.Base(path); isID(name) {
		return []*Report{inspect(fsys, filepath.Dir(path), name)}, nil
	}
	var info directoryInfo
	found, err := readMeta(fsys, path, directoryMeta, &info)
	switch {
	case err != nil:
		return nil, err
	case !found:
		return nil, fmt.Errorf("journal: %s is no journal directory: it has no %s", path, directoryMeta)
	}
	if err := checkFormat(path, info.Format); err != nil {
		return nil, err
	}
	names, err := journalNames(fsys, path)
	if err != nil {
		return nil, err
	}
	var reports []*Report
	for _, name := range names {
		reports = append(reports, inspect(fsys, path, name))
	}
	return reports, nil
}

// Replay calls f for every group that the journal holds, in order.
func (r *Report) Replay(f func(Record) error) error {
	if r.Err != nil {
		return r.Err
	}
	return r.journal.Replay(0, f)
}

// looks is how often a live journal is read before damage is believed: the reader
// may have been overtaken by the writer.
const looks = 3

func inspect(fsys FS, path, id string) (r *Report) {
	for look := 1; ; look++ {
		r = look1(fsys, path, id)
		if r.Err == nil || !r.Live || look == looks {
			return r
		}
	}
}

func look1(fsys FS, path, id string) *Report {
	dir := filepath.Join(path, id)
	r := &Report{ID: id, Dir: dir}
	live, err := fsys.Locked(filepath.Join(dir, lockName))
	if err != nil {
		r.Err = fmt.Errorf("journal: asking for the lock of %s: %w", dir, err)
		return r
	}
	r.Live = live
	info, complete, err := readInfo(fsys, dir, id)
	r.Identity, r.Checkpoint = info.Identity, info.Checkpoint
	if err != nil {
		r.Err = err
		return r
	}
	d := &Directory{opts: Options{Path: path, Identity: info.Identity, FS: fsys}.withDefaults()}
	r.journal = d.journal(id)
	if !complete {
		return r // being made, or being removed: nothing in it counts
	}
	r.Err = r.journal.recover(info)
	r.First, r.Last = r.journal.First(), r.journal.Last()
	r.segments(fsys)
	return r
}

// segments fills in what is known of each segment file.
func (r *Report) segments(fsys FS) {
	heads, err := readHeads(fsys, r.Dir, r.ID)
	if err != nil {
		if r.Err == nil {
			r.Err = err
		}
		return
	}
	var damage *DamageError
	errors.As(r.Err, &damage)
	rec := r.journal.recovered
	for _, h := range heads {
		s := SegmentReport{File: h.path, Bytes: h.size, State: SegmentUnread}
		r.Bytes += h.size
		if rec != nil {
			s.fill(rec, h)
		}
		if damage != nil && damage.File == h.path {
			s.State, s.Err = SegmentDamaged, damage
		} else if h.err != nil && s.State != SegmentPassed && !errors.Is(h.err, fs.ErrNotExist) {
			s.State, s.Err = SegmentDamaged, h.err
		}
		r.Segments = append(r.Segments, s)
	}
}

func (s *SegmentReport) fill(rec *recovery, h *head) {
	for i, seg := range rec.held {
		if seg.seq != h.seq {
			continue
		}
		last := i == len(rec.held)-1
		s.State, s.First, s.Last, s.Used = SegmentWhole, seg.first, seg.last, seg.size
		if !seg.begun {
			s.State, s.First, s.Last = SegmentPrepared, 0, 0
		}
		if last {
			s.Used = rec.end
			if rec.dirty > rec.end {
				s.State = SegmentTorn
			}
		}
		return
	}
	for _, seg := range rec.void {
		if seg.seq == h.seq {
			s.State = SegmentVoid
			if !h.begun {
				s.State = SegmentPrepared
			}
			return
		}
	}
	for _, path := range rec.passed {
		if path == h.path {
			s.State = SegmentPassed
		}
	}
}
