package journal

import "fmt"

// preparation is a segment that a goroutine makes ahead.
type preparation struct {
	seg  *segment
	err  error
	done chan struct{}
}

// roll ends the tail and goes on in the next segment, one that has room for need.
// The lock is released while it waits for the segment.
func (j *Journal) roll(need int64) error {
	size := max(j.opts.SegmentBytes, roundUp(segmentHeader+need+segmentReserve, minSegmentBytes))
	failures := len(j.failures)
	if err := j.awaitPrepared(size); err != nil {
		return err
	}
	if changed := j.usable() != nil || len(j.failures) != failures; changed {
		return nil // the caller looks again, and says why
	}
	next := j.ready[0]
	if err := next.open(j.opts.FS, !j.opts.Sync); err != nil {
		return fmt.Errorf("journal: opening %s: %w", next.path, err)
	}
	tail := j.tail()
	if !tail.begun {
		j.emitBegin()
	}
	j.emit(kindSeal, j.last, nil, nil)
	if err := j.flushPlain(j.last); err != nil {
		return err
	}
	if !j.opts.Sync {
		j.retire(tail)
	}
	j.ready = j.ready[1:]
	j.segments = append(j.segments, next)
	j.tailOff = segmentHeader
	j.prepareNext()
	return nil
}

// awaitPrepared returns when the first prepared segment has the size or more.
func (j *Journal) awaitPrepared(size int64) error {
	for {
		if len(j.ready) > 0 {
			if j.ready[0].size >= size {
				return nil
			}
			if err := j.discardPrepared(); err != nil {
				return err
			}
			continue
		}
		mine := j.prep == nil
		if mine {
			j.prepareSegment(size)
		}
		p := j.prep
		j.mu.Unlock()
		<-p.done
		j.mu.Lock()
		if err := j.collect(p); err != nil && (mine || j.state == closed) {
			return err // one that failed earlier is tried again
		}
	}
}

// collect takes over what a goroutine has prepared.
func (j *Journal) collect(p *preparation) error {
	if j.prep != p {
		return nil // somebody else has
	}
	j.prep = nil
	if p.err == nil {
		j.ready = append(j.ready, p.seg)
	}
	return p.err
}

// discardPrepared removes prepared segments that are too small for a group, newest
// first, so that there never is a gap.
func (j *Journal) discardPrepared() error {
	for len(j.ready) > 0 {
		last := j.ready[len(j.ready)-1]
		_ = last.close()
		if err := j.opts.FS.Remove(last.path); err != nil {
			return fmt.Errorf("journal: making room for a large group: %w", err)
		}
		j.ready = j.ready[:len(j.ready)-1]
	}
	if err := j.opts.FS.SyncDir(j.dir); err != nil {
		return fmt.Errorf("journal: making room for a large group: %w", err)
	}
	return nil
}

// prepareNext has the segment after the tail prepared. If that fails, the group
// that needs it tries again and gets the error.
func (j *Journal) prepareNext() {
	if j.state == writable && j.prep == nil && len(j.ready) == 0 {
		j.prepareSegment(j.opts.SegmentBytes)
	}
}

func (j *Journal) prepareSegment(size int64) {
	seq := j.tail().seq + 1
	p := &preparation{done: make(chan struct{})}
	j.prep = p
	go func() {
		defer close(p.done)
		p.seg, p.err = prepare(j.opts.FS, j.dir, j.id, seq, size, j.stop)
	}()
}

// retire syncs and closes a segment that is full, without Options.Sync: it bounds
// what a power loss takes. Segments become synced in order.
func (j *Journal) retire(seg *segment) {
	previous, done := j.retired, make(chan struct{})
	j.retired = done
	file := seg.file
	go func() {
		defer close(done)
		if previous != nil {
			<-previous
		}
		if err := j.retireNow(seg, file); err != nil && j.events.failed != nil {
			j.events.failed(j.durable.Load(), err)
		}
	}()
}

// retireNow returns an error if it is the one that ends the journal.
func (j *Journal) retireNow(seg *segment, file File) error {
	err := j.Err()
	ended := err != nil
	if !ended {
		err = file.Sync()
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	_ = seg.close() // it has been synced, or the journal has failed
	if err == nil {
		j.synced = max(j.synced, seg.last)
		j.lastSync = now()
		return nil
	}
	if ended || j.err != nil {
		return nil
	}
	j.err = fmt.Errorf("journal: syncing %s: %w; the journal takes no more groups", seg.path, err)
	return j.err
}
