package journal

import (
	"encoding/binary"
	"fmt"
	"path/filepath"
)

// recovery is what reading a journal came to.
type recovery struct {
	held   []*segment // oldest first; the end is in the last one
	passed []string   // segments that the checkpoint had passed, oldest first
	void   []*segment // segments after the end: they hold nothing acknowledged
	next   LSN        // expected at the end
	end    int64      // offset in the last held segment where the journal ends
	dirty  int64      // the last byte there that is not zero; end if all are
	scrap  int64      // the same of the first void segment
}

// recover reads the journal and finds its end. It changes nothing on the disk.
func (j *Journal) recover(info journalInfo) error {
	j.seq, j.base = info.Seq, info.Base
	j.checkpoint.Store(info.Checkpoint)
	heads, err := readHeads(j.opts.FS, j.dir, j.id)
	if err != nil {
		return err
	}
	r := &recovery{}
	heads, err = r.skipPassed(heads, info, j.dir)
	if err != nil {
		return err
	}
	s := scan{
		fsys: j.opts.FS, heads: heads, recovery: r,
		next:     max(info.Base, info.Checkpoint) + 1,
		sameBoot: info.Boot != "" && info.Boot == j.opts.FS.Boot(),
		attest:   info.Synced,
	}
	err = s.run()
	j.recovered = r
	j.segments = r.held
	j.tailOff = r.end
	j.last = max(r.next, 1) - 1
	j.synced = info.Synced
	j.durable.Store(j.last)
	return err
}

// skipPassed leaves out the segments that end below the checkpoint, and sees
// whether one is missing among the others.
func (r *recovery) skipPassed(heads []*head, info journalInfo, dir string) ([]*head, error) {
	passed := 0
	for i, h := range heads {
		if i > 0 && h.err == nil && h.begun && h.before <= info.Checkpoint {
			passed = i
		}
	}
	for _, h := range heads[:passed] {
		r.passed = append(r.passed, h.path)
	}
	heads = heads[passed:]
	if len(heads) == 0 {
		return nil, &DamageError{File: filepath.Join(dir, segmentName(1)), LSN: info.Base + 1, Reason: "no segment is left, and the newest is never removed"}
	}
	for i, h := range heads {
		if h.err != nil {
			return nil, h.err
		}
		if i > 0 && h.seq != heads[i-1].seq+1 {
			return nil, &DamageError{File: filepath.Join(dir, segmentName(heads[i-1].seq+1)), Reason: "the segment is missing between two others"}
		}
	}
	oldest := heads[0]
	if oldest.begun && oldest.before > max(info.Base, info.Checkpoint) {
		return nil, &DamageError{
			File: filepath.Join(dir, segmentName(oldest.seq-1)), LSN: max(info.Base, info.Checkpoint) + 1,
			Reason: fmt.Sprintf("the segment is missing: the next one begins after group %d", oldest.before),
		}
	}
	return heads, nil
}

// scan goes over all frames up to the first bad one, and then looks for what later
// frames say about it.
type scan struct {
	*recovery
	fsys     FS
	heads    []*head
	next     LSN
	sameBoot bool
	attest   LSN // groups up to it were on the disk, as far as seen
	buf      []byte

	ended bool // the rest is searched, not read
}

func (s *scan) run() error {
	sealed := false
	for i, h := range s.heads {
		data, err := s.load(h)
		if err != nil {
			return err
		}
		if !s.ended {
			sealed = s.read(i, data)
		} else {
			s.void = append(s.void, &h.segment)
			s.search(&h.segment, data, segmentHeader)
			if len(s.void) == 1 {
				s.scrap = lastByte(data, segmentHeader)
			}
		}
	}
	s.recovery.next = s.next
	last := s.held[len(s.held)-1]
	switch {
	case !s.ended && sealed:
		return &DamageError{
			File: filepath.Join(filepath.Dir(last.path), segmentName(last.seq+1)), LSN: s.next,
			Reason: "the segment is missing: the one before says that it was in use",
		}
	case s.attest >= s.next:
		return &DamageError{
			File: last.path, Offset: s.end, LSN: s.next,
			Reason: fmt.Sprintf("there is no valid frame, but it is known from elsewhere that groups up to %d were written", s.attest),
		}
	}
	return nil
}

// load reads a segment into the common buffer.
func (s *scan) load(h *head) ([]byte, error) {
	data, err := loadSegment(s.fsys, &h.segment, h.size, s.buf)
	s.buf = data
	return data, err
}

// loadSegment reads the first n bytes of a segment.
func loadSegment(fsys FS, seg *segment, n int64, buf []byte) ([]byte, error) {
	if int64(cap(buf)) < n {
		buf = make([]byte, n)
	}
	buf = buf[:n]
	file, err := fsys.Open(seg.path, false)
	if err != nil {
		return buf, fmt.Errorf("journal: reading %s: %w", seg.path, err)
	}
	defer func() { _ = file.Close() }()
	if err := readFull(file, buf); err != nil {
		return buf, fmt.Errorf("journal: reading %s: %w", seg.path, err)
	}
	return buf, nil
}

// read goes over the frames of segment i, and searches from the first bad one. It
// reports whether the segment ended with a seal.
func (s *scan) read(i int, data []byte) (sealed bool) {
	seg := &s.heads[i].segment
	s.held = append(s.held, seg)
	off := int64(segmentHeader)
	seg.begun = seg.begun && (i == 0 || s.follows(s.heads[i]))
	if seg.begun {
		if i > 0 && seg.before < s.next-1 {
			s.voidAbove(seg.before)
		}
		s.next = seg.first
		off += beginSize
		for {
			f, ok := readFrame(data, seg.seed, off)
			if !ok || !f.whole || !s.take(seg, f) {
				break
			}
			off = f.end
			if f.kind == kindSeal {
				sealed = true
				break
			}
		}
	}
	s.end = off
	s.dirty = off
	if sealed || i+1 < len(s.heads) && s.follows(s.heads[i+1]) {
		return sealed
	}
	s.ended = true
	if s.sameBoot && s.heads[i].mapped && off+4 <= int64(len(data)) && binary.LittleEndian.Uint32(data[off:]) != 0 {
		// Here was a frame that had been copied to its end.
		s.attest = max(s.attest, s.next)
	}
	s.search(seg, data, off)
	s.dirty = lastByte(data, off)
	return false
}

// follows says that nothing is missing between what has been read and a segment,
// even if there is no seal. A segment may begin with fewer groups before it than
// there are: those above were given up, unless they are known to have been synced.
func (s *scan) follows(h *head) bool {
	return h.begun && (h.before == s.next-1 || h.before < s.next-1 && s.attest <= h.before)
}

// take accepts the next frame if it is the expected one.
func (s *scan) take(seg *segment, f frame) bool {
	switch f.kind {
	case kindGroup:
		if f.lsn != s.next {
			return false
		}
		seg.last = f.lsn
		s.next++
	case kindDefinition:
		if _, _, ok := definitionOf(f.payload); !ok || f.lsn != s.next {
			return false
		}
	case kindMarker, kindSeal:
		if f.lsn != s.next-1 {
			return false
		}
	default:
		return false
	}
	s.attest = max(s.attest, min(f.durable, s.next-1))
	return true
}

// voidAbove drops groups that a newer segment says never were.
func (s *scan) voidAbove(last LSN) {
	for _, seg := range s.held {
		seg.last = min(seg.last, max(last, seg.first-1))
	}
}

// search looks for frames after the end and what they say about the groups before
// them.
func (s *scan) search(seg *segment, data []byte, off int64) {
	for off = roundUp(off, frameAlign); off+frameHeader <= int64(len(data)); off += frameAlign {
		f, ok := readFrame(data, seg.seed, off)
		if !ok {
			continue
		}
		s.attest = max(s.attest, f.durable)
		if s.sameBoot {
			// What was written before this frame was written whole.
			before := f.lsn
			if f.kind == kindDefinition {
				before--
			}
			s.attest = max(s.attest, before)
		}
		if f.whole {
			off = f.end - frameAlign
		}
	}
}

// lastByte is the end of what is not zero from off on.
func lastByte(data []byte, off int64) int64 {
	end := int64(len(data))
	for end-8 >= off && binary.LittleEndian.Uint64(data[end-8:]) == 0 {
		end -= 8
	}
	for end > off && data[end-1] == 0 {
		end--
	}
	return end
}
