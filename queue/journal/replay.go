package journal

import "fmt"

// Record is a group that is read. It is valid during the call only.
type Record struct {
	LSN     LSN
	Payload []byte
	// Definition returns the text of a definition that the group named, nil if
	// it named no such one.
	Definition func(id uint32) []byte
}

// Replay calls f for every durable group with an LSN of from or more, in order,
// until it returns an error. It may run beside Append.
func (j *Journal) Replay(from LSN, f func(r Record) error) error {
	j.mu.Lock()
	segments := make([]segment, len(j.segments))
	for i, s := range j.segments {
		segments[i] = *s
	}
	last, tailOff := j.durable.Load(), j.tailOff
	j.mu.Unlock()

	var buf []byte
	for i := range segments {
		seg := &segments[i]
		size := seg.size
		if i == len(segments)-1 {
			size = tailOff
		}
		if !seg.begun || seg.last < from || seg.first > last {
			continue
		}
		data, err := loadSegment(j.opts.FS, seg, size, buf)
		if err != nil {
			return err
		}
		buf = data
		if err := replaySegment(seg, data, from, min(last, seg.last), f); err != nil {
			return err
		}
	}
	return nil
}

func replaySegment(seg *segment, data []byte, from, last LSN, f func(r Record) error) error {
	defs := make(map[uint32][]byte)
	definition := func(id uint32) []byte { return defs[id] }
	off := int64(segmentHeader + beginSize)
	for next := seg.first; next <= last; {
		fr, ok := readFrame(data, seg.seed, off)
		if !ok || !fr.whole || fr.kind == kindGroup && fr.lsn != next || fr.kind == kindSeal {
			return &DamageError{
				File: seg.path, Offset: off, LSN: next,
				Reason: fmt.Sprintf("there is no valid frame, and groups up to %d have been here", last),
			}
		}
		off = fr.end
		switch fr.kind {
		case kindDefinition:
			if id, text, ok := definitionOf(fr.payload); ok {
				defs[id] = text
			}
		case kindGroup:
			next++
			if fr.lsn < from {
				continue
			}
			if err := f(Record{LSN: fr.lsn, Payload: fr.payload, Definition: definition}); err != nil {
				return err
			}
		}
	}
	return nil
}
