package journal

import "fmt"

// Trim notes that all groups up to the checkpoint are in PostgreSQL and deletes the
// segments that hold no others. The newest segment is always kept. It is cheap
// unless a segment goes.
func (j *Journal) Trim(checkpoint LSN) error {
	j.trimming.Lock()
	defer j.trimming.Unlock()
	j.mu.Lock()
	if j.state != writable {
		err := j.usable()
		j.mu.Unlock()
		return err
	}
	if checkpoint > j.checkpoint.Load() {
		j.checkpoint.Store(checkpoint)
	}
	n := 0
	for n < len(j.segments)-1 && j.segments[n].file == nil && j.segments[n].last <= min(checkpoint, j.durable.Load()) {
		n++
	}
	passed := j.segments[:n:n]
	j.mu.Unlock()
	if n == 0 {
		return nil
	}
	// First the meta file: without it, missing segments are damage.
	if err := j.writeInfo(false); err != nil {
		return err
	}
	j.mu.Lock()
	j.segments = append([]*segment(nil), j.segments[n:]...)
	j.mu.Unlock()
	for _, seg := range passed {
		if err := j.opts.FS.Remove(seg.path); err != nil {
			return fmt.Errorf("journal: trimming: %w", err)
		}
	}
	return nil
}
