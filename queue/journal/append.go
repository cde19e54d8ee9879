package journal

import (
	"encoding/binary"
	"fmt"
)

// Definition is what a group needs to be understood, a table's columns for example.
// Its text must not change. IDs are dense small integers.
type Definition struct {
	ID   uint32
	Text []byte
}

// chunk is a run of frames that is to be written at one place.
type chunk struct {
	seg  *segment
	off  int64
	buf  []byte
	last LSN // newest group up to its end
}

// Append puts a group, with the definitions that the segment does not hold yet,
// into the journal. Calls come one at a time, in the order of LSNs. After an error
// the group is not in the journal, nor is any part of it. The payload may be reused
// at once.
func (j *Journal) Append(lsn LSN, payload []byte, defs ...*Definition) error {
	if len(payload) > maxPayload {
		return fmt.Errorf("journal: group %d of %d bytes is larger than the limit of %d; write fewer rows at once", lsn, len(payload), maxPayload)
	}
	j.mu.Lock()
	err := j.append(lsn, payload, defs)
	j.mu.Unlock()
	if err != nil || j.opts.Sync {
		return err
	}
	if j.events.durable != nil {
		j.events.durable(lsn)
	}
	j.durable.Store(lsn)
	return nil
}

func (j *Journal) append(lsn LSN, payload []byte, defs []*Definition) error {
	for {
		if err := j.usable(); err != nil {
			return err
		}
		if lsn != j.last+1 {
			return j.outOfOrder(lsn)
		}
		missing, all := j.need(payload, defs)
		if j.tailOff+missing+segmentReserve <= j.tail().size {
			break
		}
		// It may have to wait, without the lock; then all is to be seen again.
		if err := j.roll(all); err != nil {
			return err
		}
	}
	before := j.last
	if !j.tail().begun {
		j.emitBegin()
	}
	tail := j.tail()
	for _, d := range defs {
		if j.held[d.ID] != tail.seq {
			j.held[d.ID] = tail.seq
			var id [4]byte
			binary.LittleEndian.PutUint32(id[:], d.ID)
			j.emit(kindDefinition, lsn, id[:], d.Text)
		}
	}
	j.emit(kindGroup, lsn, nil, payload)
	tail.last, j.last = lsn, lsn
	return j.flushPlain(before)
}

// usable says why the journal takes no groups.
func (j *Journal) usable() error {
	switch {
	case j.state == closed:
		return ErrClosed
	case j.state == readOnly:
		return ErrReadOnly
	case j.err != nil:
		return j.err
	}
	return nil
}

func (j *Journal) outOfOrder(lsn LSN) error {
	if n := len(j.failures); n > 0 {
		return fmt.Errorf("journal: group %d cannot follow %d: %w", lsn, j.last, j.failures[n-1].err)
	}
	return fmt.Errorf("journal: group %d cannot follow %d", lsn, j.last)
}

func (j *Journal) tail() *segment { return j.segments[len(j.segments)-1] }

// need is the room for a group and its definitions: for those that the tail does
// not hold, and for all.
func (j *Journal) need(payload []byte, defs []*Definition) (missing, all int64) {
	tail := j.tail()
	missing, all = frameSize(len(payload)), frameSize(len(payload))+beginSize
	if !tail.begun {
		missing += beginSize
	}
	j.counted++
	for _, d := range defs {
		if int(d.ID) >= len(j.held) {
			j.held = append(j.held, make([]uint64, int(d.ID)+1-len(j.held))...)
			j.count = append(j.count, make([]uint64, len(j.held)-len(j.count))...)
		}
		if j.count[d.ID] == j.counted {
			continue
		}
		j.count[d.ID] = j.counted
		size := frameSize(4 + len(d.Text))
		all += size
		if j.held[d.ID] != tail.seq {
			missing += size
		}
	}
	return missing, all
}

// emit appends a frame to the tail, where there is room.
func (j *Journal) emit(kind byte, lsn LSN, prefix, payload []byte) {
	tail := j.tail()
	size := frameSize(len(prefix) + len(payload))
	var b []byte
	if tail.data != nil {
		b = tail.data[j.tailOff : j.tailOff+size]
	} else {
		b = j.room(tail, int(size))
		j.pending[len(j.pending)-1].last = lsn
	}
	putFrame(b, tail.seed, j.tailOff, kind, lsn, j.synced, prefix, payload)
	j.tailOff += size
}

// emitBegin makes the tail one that begins after all that has been appended.
func (j *Journal) emitBegin() {
	tail := j.tail()
	tail.begun, tail.before, tail.first, tail.last = true, j.last, j.last+1, j.last
	j.emit(kindBegin, j.last, beginPayload(j.last+1, tail.data != nil), nil)
}

// room extends the buffer of what is to be written to the tail.
func (j *Journal) room(tail *segment, size int) []byte {
	if n := len(j.pending); n == 0 || j.pending[n-1].seg != tail {
		j.pending = append(j.pending, chunk{seg: tail, off: j.tailOff, buf: j.spare[:0]})
		j.spare = nil
	}
	c := &j.pending[len(j.pending)-1]
	from := len(c.buf)
	if from+size > cap(c.buf) {
		grown := make([]byte, from, max(2*cap(c.buf), from+size, 16<<10))
		copy(grown, c.buf)
		c.buf = grown
	}
	c.buf = c.buf[:from+size]
	clear(c.buf[from+size-frameAlign:]) // padding
	return c.buf[from:]
}

// flushPlain writes what is pending, where neither a mapping nor Wait does it.
func (j *Journal) flushPlain(before LSN) error {
	if j.opts.Sync || len(j.pending) == 0 {
		return nil
	}
	for _, c := range j.pending {
		if _, err := c.seg.file.WriteAt(c.buf, c.off); err != nil {
			err = fmt.Errorf("journal: writing %s: %w", c.seg.path, err)
			return j.reset(c.seg, c.off, c.off+int64(len(c.buf)), before, err, false)
		}
	}
	j.recycle(j.pending)
	j.pending = j.pending[:0]
	return nil
}

// recycle keeps the largest buffer, unless it is out of proportion.
func (j *Journal) recycle(batch []chunk) {
	const most = 4 << 20
	for i := range batch {
		if c := cap(batch[i].buf); c > cap(j.spare) && c <= most {
			j.spare = batch[i].buf[:0]
		}
		batch[i] = chunk{}
	}
}
