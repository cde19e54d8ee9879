package journal

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
)

// Start makes a recovered journal writable. What was torn at its end is erased, and
// it goes on in a new segment. next is the LSN of the next group: Last()+1, or more
// if PostgreSQL's checkpoint is ahead of the journal.
//
// All that has been recovered is synced first: it may never have left the page
// cache, and is about to be acknowledged. After an error the journal can only be
// closed, and adopted again.
func (j *Journal) Start(next LSN) error {
	j.trimming.Lock()
	defer j.trimming.Unlock()
	r := j.recovered
	switch {
	case j.isClosed():
		return ErrClosed
	case j.Err() != nil:
		return j.Err()
	case r == nil:
		return fmt.Errorf("journal: %s is already started", j.dir)
	case j.lock == nil:
		return fmt.Errorf("journal: %s was opened for reading only", j.dir)
	case next < r.next:
		return fmt.Errorf("journal: %s holds groups up to %d, so it cannot go on with %d", j.dir, r.next-1, next)
	}
	tail, err := j.goOn(r, next)
	if err != nil {
		if tail != nil {
			_ = tail.close()
		}
		return j.fail(fmt.Errorf("journal: starting %s: %w", j.dir, err))
	}
	j.recovered = nil
	tail.begun, tail.before, tail.first, tail.last = true, r.next-1, next, next-1
	j.begin(tail, segmentHeader+beginSize, next)
	if err := j.writeInfo(false); err != nil {
		return j.fail(err)
	}
	j.mu.Lock()
	j.prepareNext()
	j.mu.Unlock()
	return nil
}

// fail makes an error stay.
func (j *Journal) fail(err error) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.err = err
	return err
}

// goOn tidies up and returns the segment that is to be the tail, begun and synced.
// A crash at any point leaves a journal that recovers to the same groups: what is
// void goes from the end, and only when the segment that follows is there is the
// one before sealed.
func (j *Journal) goOn(r *recovery, next LSN) (tail *segment, err error) {
	fsys := j.opts.FS
	last := j.segments[len(j.segments)-1]
	if last.begun && len(r.void) > 0 {
		tail = r.void[0]
		r.void = r.void[1:]
	}
	if err := j.tidy(r); err != nil {
		return nil, err
	}
	for _, seg := range j.segments {
		if err := seg.open(fsys, false); err != nil {
			return nil, err
		}
		err := seg.file.Sync()
		if closing := seg.close(); err == nil {
			err = closing
		}
		if err != nil {
			return nil, err
		}
	}
	switch {
	case !last.begun:
		// Nothing in it counts: it becomes the new segment itself.
		tail = last
		j.segments = j.segments[:len(j.segments)-1]
		if err := tail.clean(fsys, r.dirty); err != nil {
			return tail, err
		}
	case tail != nil:
		if err := tail.clean(fsys, r.scrap); err != nil {
			return tail, err
		}
	default:
		if tail, err = prepare(fsys, j.dir, j.id, last.seq+1, j.opts.SegmentBytes, j.stop); err != nil {
			return nil, err
		}
	}
	if tail != last {
		if err := last.seal(fsys, r); err != nil {
			return tail, err
		}
	}
	if err := tail.open(fsys, !j.opts.Sync); err != nil {
		return tail, err
	}
	b := make([]byte, beginSize)
	putFrame(b, tail.seed, segmentHeader, kindBegin, r.next-1, next-1, beginPayload(next, tail.data != nil), nil)
	if _, err := tail.file.WriteAt(b, segmentHeader); err != nil {
		return tail, err
	}
	return tail, tail.file.Sync()
}

// tidy removes what holds nothing: segments passed by the checkpoint, oldest first,
// void ones, newest first, and files that were never finished.
func (j *Journal) tidy(r *recovery) error {
	fsys := j.opts.FS
	names, err := fsys.ReadDir(j.dir)
	if err != nil {
		return err
	}
	for _, name := range names {
		if strings.HasSuffix(name, tempSuffix) {
			if err := fsys.Remove(filepath.Join(j.dir, name)); err != nil {
				return err
			}
		}
	}
	for len(r.passed) > 0 {
		if err := fsys.Remove(r.passed[0]); err != nil {
			return err
		}
		r.passed = r.passed[1:]
	}
	for len(r.void) > 0 {
		last := len(r.void) - 1
		if err := fsys.Remove(r.void[last].path); err != nil {
			return err
		}
		r.void = r.void[:last]
	}
	return fsys.SyncDir(j.dir)
}

// clean makes a segment one that has not been used.
func (s *segment) clean(fsys FS, end int64) error {
	s.begun = false
	if err := s.open(fsys, false); err != nil || end <= segmentHeader {
		return err
	}
	return erase(s.file, segmentHeader, end)
}

// seal ends a segment where its last valid frame ends, and erases what follows.
func (s *segment) seal(fsys FS, r *recovery) error {
	if err := s.open(fsys, false); err != nil {
		return err
	}
	end := r.end
	if end+markerSize <= s.size {
		b := make([]byte, markerSize)
		putFrame(b, s.seed, end, kindSeal, r.next-1, r.next-1, nil, nil)
		// The checksum last, as in a mapping: a death in between is no damage.
		if _, err := s.file.WriteAt(b[4:], end+4); err != nil {
			return err
		}
		if _, err := s.file.WriteAt(b[:4], end); err != nil {
			return err
		}
		end += markerSize
	}
	err := erase(s.file, end, r.dirty) // syncs, whatever there is to erase
	if closing := s.close(); err == nil {
		err = closing
	}
	return err
}

// begin makes the journal writable, with an empty tail.
func (j *Journal) begin(tail *segment, off int64, next LSN) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.state = writable
	j.segments = append(slices.Clip(j.segments), tail)
	j.tailOff = off
	j.last, j.synced = next-1, next-1
	j.durable.Store(next - 1)
}

// writeInfo writes the journal's meta file.
func (j *Journal) writeInfo(removed bool) error {
	j.mu.Lock()
	info := journalInfo{
		Format: formatVersion, Identity: j.opts.Identity, ID: j.id, Seq: j.seq, Base: j.base,
		Checkpoint: j.checkpoint.Load(), Synced: j.synced, Boot: j.opts.FS.Boot(), Removed: removed,
	}
	j.mu.Unlock()
	return writeMeta(j.opts.FS, j.dir, journalMeta, info)
}

func (j *Journal) isClosed() bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.state == closed
}
