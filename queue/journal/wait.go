package journal

import (
	"fmt"
	"runtime"
	"time"
)

// maxYields is how often one who is about to sync lets others append first, as long
// as they do.
const maxYields = 4

func now() time.Time { return time.Now() }

// Wait returns when the group is as durable as asked, or when it is known that it
// never will be. The first who waits writes and syncs everything that has been
// appended, for all; the others wait for that.
//
// An LSN is given out again after a failure. A caller that has not yet called Wait
// when OnFailed is called must remember there that its group is gone: Wait would be
// about the group that has the LSN now.
func (j *Journal) Wait(lsn LSN) error {
	if j.durable.Load() >= lsn {
		return nil
	}
	j.mu.Lock()
	seen := len(j.failures)
	gathered, yields := j.last-1, 0
	for !j.settled(lsn, seen) {
		switch {
		case j.syncing:
			done := j.done
			j.mu.Unlock()
			<-done
			// Without the lock, for which all would stand in line.
			if int(j.failed.Load()) == seen && j.durable.Load() >= lsn {
				return nil
			}
			j.mu.Lock()
		case gathered < j.last && yields < maxYields:
			// Those who were just released are about to append: with them it
			// is one sync instead of two.
			gathered = j.last
			yields++
			j.mu.Unlock()
			runtime.Gosched()
			j.mu.Lock()
		default:
			j.flush()
		}
	}
	defer j.mu.Unlock()
	return j.verdict(lsn, seen)
}

// settled says that there is nothing to wait for: not before whoever syncs has
// told the queue.
func (j *Journal) settled(lsn LSN, seen int) bool {
	return !j.syncing && (len(j.failures) > seen || j.durable.Load() >= lsn || lsn > j.last ||
		!j.opts.Sync || j.state == closed)
}

// verdict says what has become of a group for which there is nothing to wait.
func (j *Journal) verdict(lsn LSN, seen int) error {
	switch {
	case len(j.failures) > seen:
		if f := j.failures[seen]; lsn > f.durable {
			return f.err
		}
		return nil
	case j.durable.Load() >= lsn:
		return nil
	case lsn > j.last:
		return j.neverAppended(lsn)
	case !j.opts.Sync:
		return nil // Append is about to return
	}
	return ErrClosed
}

func (j *Journal) neverAppended(lsn LSN) error {
	if n := len(j.failures); n > 0 {
		return j.failures[n-1].err
	}
	if j.err != nil {
		return j.err
	}
	return fmt.Errorf("journal: waiting for group %d, the newest is %d", lsn, j.last)
}

// flush writes and syncs what is pending. The lock is held before and after, not
// meanwhile.
func (j *Journal) flush() {
	if len(j.pending) == 0 {
		return
	}
	j.syncing = true
	j.done = make(chan struct{})
	batch := j.pending
	j.pending = nil
	mark := j.reserveMarker(batch)
	synced := j.synced
	j.mu.Unlock()

	res := writeBatch(batch, mark, synced)
	if res.synced > synced && j.events.durable != nil {
		j.events.durable(res.synced)
	}

	j.mu.Lock()
	for _, seg := range res.full {
		_ = seg.close() // it has been synced
	}
	if res.synced > synced {
		j.synced, j.lastSync = res.synced, now()
	}
	if res.synced > j.durable.Load() {
		j.durable.Store(res.synced)
	}
	if res.err != nil {
		lost := j.last > res.synced
		err := j.reset(res.seg, res.off, res.end, res.synced, res.err, res.fatal)
		if tell := lost || j.err != nil; tell && j.events.failed != nil {
			j.mu.Unlock()
			j.events.failed(res.synced, err)
			j.mu.Lock()
		}
	}
	j.recycle(batch)
	j.syncing = false
	close(j.done)
}

// marker is a place for the frame that attests a batch once it is synced.
type marker struct {
	seg *segment // nil: none
	off int64
	lsn LSN
}

// reserveMarker keeps room behind a batch. Only who has written the marker, or has
// given up what follows, lets others write behind it.
func (j *Journal) reserveMarker(batch []chunk) marker {
	c := &batch[len(batch)-1]
	if c.seg != j.tail() || j.tailOff+2*markerSize > c.seg.size {
		return marker{} // sealed: the next segment's frames attest it
	}
	m := marker{seg: c.seg, off: j.tailOff, lsn: c.last}
	j.tailOff += markerSize
	return m
}

func (m marker) write() error {
	if m.seg.data != nil {
		putFrame(m.seg.data[m.off:m.off+markerSize], m.seg.seed, m.off, kindMarker, m.lsn, m.lsn, nil, nil)
		return nil
	}
	b := make([]byte, markerSize)
	putFrame(b, m.seg.seed, m.off, kindMarker, m.lsn, m.lsn, nil, nil)
	_, err := m.seg.file.WriteAt(b, m.off)
	return err
}

// outcome is what writing a batch came to.
type outcome struct {
	synced LSN
	full   []*segment // synced to the end
	err    error
	fatal  bool // a sync failed
	// Where what could not be written is.
	seg      *segment
	off, end int64
}

// writeBatch writes and syncs chunk after chunk, each on its own: nothing is in a
// segment before all is on the disk that was to be in the one before.
func writeBatch(batch []chunk, mark marker, synced LSN) outcome {
	res := outcome{synced: synced}
	for i, c := range batch {
		res.seg, res.off, res.end = c.seg, c.off, c.off+int64(len(c.buf))
		if _, err := c.seg.file.WriteAt(c.buf, c.off); err != nil {
			res.err = fmt.Errorf("journal: writing %s: %w", c.seg.path, err)
			return res
		}
		if err := c.seg.file.Sync(); err != nil {
			res.err = fmt.Errorf("journal: syncing %s: %w; the journal takes no more groups", c.seg.path, err)
			res.fatal = true
			return res
		}
		res.synced = c.last
		if i < len(batch)-1 {
			res.full = append(res.full, c.seg)
		}
	}
	if mark.seg == nil {
		return res
	}
	if err := mark.write(); err != nil {
		res.seg, res.off, res.end = mark.seg, mark.off, mark.off+markerSize
		res.err = fmt.Errorf("journal: writing %s: %w", mark.seg.path, err)
	}
	return res
}

// reset gives up what is in flight after a failed write or sync: all groups above
// last. The journal goes on where it failed, if that can be erased.
func (j *Journal) reset(seg *segment, off, end int64, last LSN, cause error, fatal bool) error {
	if err := erase(seg.file, off, end); err != nil && !fatal {
		fatal = true
		cause = fmt.Errorf("%w; it cannot be erased either (%w), so the journal takes no more groups", cause, err)
	}
	for i, s := range j.segments {
		if s != seg {
			continue
		}
		// Nothing has been written to those that follow.
		after := j.segments[i+1:]
		for _, s := range after {
			s.begun = false
		}
		j.ready = append(append([]*segment(nil), after...), j.ready...)
		j.segments = j.segments[:i+1]
		break
	}
	j.tailOff = off
	seg.begun = seg.begun && off > segmentHeader
	seg.last = last
	j.last = last
	j.pending = nil
	clear(j.held)
	j.failures = append(j.failures, failure{durable: last, err: cause})
	j.failed.Add(1)
	if fatal {
		j.err = cause
	}
	j.opts.Logger.Error("journal: write failed, groups in flight were not acknowledged", "error", cause, "durable", last)
	return cause
}
