package journal

import "fmt"

// Close writes and syncs what has been appended, and lets the directory go. The
// journal can be adopted afterwards. More calls do nothing.
func (j *Journal) Close() error {
	j.trimming.Lock()
	defer j.trimming.Unlock()
	return j.close()
}

func (j *Journal) close() error {
	j.mu.Lock()
	for j.syncing {
		done := j.done
		j.mu.Unlock()
		<-done
		j.mu.Lock()
	}
	before := j.state
	if before == closed {
		j.mu.Unlock()
		return nil
	}
	if before == writable && j.err == nil {
		j.flush()
		// Appends that came meanwhile are nobody's any more: nobody has
		// waited for them.
		for len(j.pending) > 0 && j.err == nil {
			j.flush()
		}
	}
	j.state = closed
	j.mu.Unlock()

	err := j.settle(before)
	if j.lock != nil {
		if closing := j.lock.Close(); err == nil && closing != nil {
			err = fmt.Errorf("journal: closing %s: %w", j.dir, closing)
		}
	}
	return err
}

// settle ends the goroutines and closes the files.
func (j *Journal) settle(before state) error {
	if before == readOnly {
		return nil
	}
	close(j.stop)
	j.mu.Lock()
	prep, retired := j.prep, j.retired
	j.mu.Unlock()
	if retired != nil {
		<-retired
	}
	if prep != nil {
		<-prep.done
	}
	j.mu.Lock()
	if prep != nil {
		_ = j.collect(prep) // nobody needs it now
	}
	err := j.err
	if err == nil {
		err = j.lastMarker()
	}
	for _, seg := range append(append([]*segment(nil), j.segments...), j.ready...) {
		if closing := seg.close(); err == nil && closing != nil {
			err = fmt.Errorf("journal: closing %s: %w", seg.path, closing)
		}
	}
	j.mu.Unlock()
	if err == nil {
		err = j.writeInfo(false)
	}
	return err
}

// lastMarker syncs, and then attests everything, which the meta file is about to do
// durably.
func (j *Journal) lastMarker() error {
	tail := j.tail()
	if err := tail.file.Sync(); err != nil {
		return fmt.Errorf("journal: syncing %s: %w", tail.path, err)
	}
	j.synced, j.lastSync = j.last, now()
	if tail.begun && j.tailOff+2*markerSize <= tail.size {
		m := marker{seg: tail, off: j.tailOff, lsn: j.last}
		if err := m.write(); err != nil {
			return fmt.Errorf("journal: writing %s: %w", tail.path, err)
		}
		j.tailOff += markerSize
	}
	return nil
}
