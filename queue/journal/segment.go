package journal

import (
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"path/filepath"
	"strconv"
	"strings"
)

// A segment file begins with
//
//	 0  magic          8 bytes
//	 8  format version 4 bytes, 4 zeros
//	16  number         1, 2, 3 … within the journal, 8 bytes
//	24  size           of the file, 8 bytes
//	32  salt           16 random bytes
//	48  journal        CRC-32C of its id
//	52  8 zeros
//	60  CRC-32C        of all this
//
// and goes on with zeros. In this state it is synced under a temporary name and
// then renamed: a file with a segment's name has a valid header and its full size,
// or it is damaged. Frames follow, the first of which says at which LSN the
// segment begins and which was the last one before it.
const (
	segmentHeader  = 64
	segmentMagic   = "wbsegm\r\n"
	segmentVersion = 1
	segmentSuffix  = ".segment"
	tempSuffix     = ".tmp"

	// Preparing is a stream of such writes, synced every few, so that others on
	// the disk do not wait for all of it.
	fillBytes     = 1 << 20
	fillSyncBytes = 8 << 20

	// segmentReserve is kept free for the marker of a batch, that of Close, and
	// the seal.
	segmentReserve = 3 * markerSize
)

type segment struct {
	path string
	seq  uint64
	size int64
	seed uint32 // checksum of the salt, from which all others go on

	begun  bool // its begin frame has been appended
	before LSN  // last LSN of the segment before
	first  LSN  // first LSN
	last   LSN  // last LSN; first-1 if there is none

	file  File   // nil if closed
	data  []byte // mapping, if there is one
	unmap func() error
}

func segmentName(seq uint64) string { return fmt.Sprintf("%016x%s", seq, segmentSuffix) }

// segmentSeq reads a segment's name.
func segmentSeq(name string) (uint64, bool) {
	digits, ok := strings.CutSuffix(name, segmentSuffix)
	if !ok || len(digits) != 16 {
		return 0, false
	}
	seq, err := strconv.ParseUint(digits, 16, 64)
	return seq, err == nil
}

// putSegmentHeader makes the header and returns the seed of the checksums.
func putSegmentHeader(b []byte, journalID string, seq uint64, size int64) (seed uint32) {
	copy(b, segmentMagic)
	binary.LittleEndian.PutUint32(b[8:], segmentVersion)
	binary.LittleEndian.PutUint64(b[16:], seq)
	binary.LittleEndian.PutUint64(b[24:], uint64(size))
	_, _ = rand.Read(b[32:48]) // never fails
	binary.LittleEndian.PutUint32(b[48:], crc32.Checksum([]byte(journalID), castagnoli))
	binary.LittleEndian.PutUint32(b[60:], crc32.Checksum(b[:60], castagnoli))
	return seedOf(b)
}

func seedOf(header []byte) uint32 { return crc32.Checksum(header[16:48], castagnoli) }

// checkSegmentHeader says what is wrong with a header, and returns the seed.
func checkSegmentHeader(b []byte, journalID string, seq uint64, size int64) (seed uint32, wrong string) {
	switch {
	case len(b) < segmentHeader:
		return 0, "the file is shorter than a segment's header"
	case string(b[:8]) != segmentMagic, crc32.Checksum(b[:60], castagnoli) != binary.LittleEndian.Uint32(b[60:]):
		return 0, "the segment's header is not valid, which was synced before the file got its name"
	case binary.LittleEndian.Uint32(b[8:]) != segmentVersion:
		return 0, fmt.Sprintf("format version %d, this program reads %d", binary.LittleEndian.Uint32(b[8:]), segmentVersion)
	case binary.LittleEndian.Uint64(b[16:]) != seq:
		return 0, fmt.Sprintf("the file is segment %d under another name", binary.LittleEndian.Uint64(b[16:]))
	case binary.LittleEndian.Uint32(b[48:]) != crc32.Checksum([]byte(journalID), castagnoli):
		return 0, "the segment is of another journal"
	case binary.LittleEndian.Uint64(b[24:]) != uint64(size):
		return 0, fmt.Sprintf("the file has %d bytes, the segment %d", size, binary.LittleEndian.Uint64(b[24:]))
	}
	return seedOf(b), ""
}

var errStopped = errors.New("journal: preparing was stopped")

// prepare makes a segment that is ready for use: on the disk, in full size, with
// its directory entry. It leaves nothing if it fails.
func prepare(fsys FS, dir, journalID string, seq uint64, size int64, stop <-chan struct{}) (s *segment, err error) {
	s = &segment{path: filepath.Join(dir, segmentName(seq)), seq: seq, size: size}
	temp := s.path + tempSuffix
	defer func() {
		if err != nil {
			err = fmt.Errorf("journal: preparing segment %s of %d bytes: %w", s.path, size, err)
			_ = fsys.Remove(temp)
			s = nil
		}
	}()
	// Left by one who died; nobody else is here.
	_ = fsys.Remove(temp)
	file, err := fsys.Create(temp)
	if err != nil {
		return s, err
	}
	err = fill(file, func(b []byte) { s.seed = putSegmentHeader(b, journalID, seq, size) }, size, stop)
	if closing := file.Close(); err == nil {
		err = closing
	}
	if err != nil {
		return s, err
	}
	err = fsys.Rename(temp, s.path)
	if err != nil {
		return s, err
	}
	if err = fsys.SyncDir(dir); err == nil {
		s.file, err = fsys.Open(s.path, true)
	}
	if err != nil {
		_ = fsys.Remove(s.path)
	}
	return s, err
}

// fill writes the header and zeros. Real writes, not an allocation: some file
// systems keep allocated blocks apart from written ones, and a write into them
// changes metadata.
func fill(file File, header func([]byte), size int64, stop <-chan struct{}) error {
	buf := make([]byte, min(size, fillBytes))
	header(buf)
	for off := int64(0); off < size; off += int64(len(buf)) {
		select {
		case <-stop:
			return errStopped
		default:
		}
		buf = buf[:min(int64(len(buf)), size-off)]
		if _, err := file.WriteAt(buf, off); err != nil {
			return err
		}
		if off == 0 {
			clear(buf[:min(segmentHeader, len(buf))])
		}
		if end := off + int64(len(buf)); end%fillSyncBytes == 0 || end == size {
			if err := file.Sync(); err != nil {
				return err
			}
		}
	}
	return nil
}

// open opens the file for writing, if it is not, and maps it if asked for and
// possible.
func (s *segment) open(fsys FS, mapped bool) error {
	if s.file == nil {
		file, err := fsys.Open(s.path, true)
		if err != nil {
			return err
		}
		s.file = file
	}
	if mapped && s.data == nil {
		if data, unmap, err := s.file.Map(s.size); err == nil {
			s.data, s.unmap = data, unmap
		}
	}
	return nil
}

// close lets go of file and mapping; what has not been synced is not.
func (s *segment) close() error {
	if s.file == nil {
		return nil
	}
	var err error
	if s.data != nil {
		err = s.unmap()
		s.data, s.unmap = nil, nil
	}
	if closing := s.file.Close(); err == nil {
		err = closing
	}
	s.file = nil
	return err
}

// erase overwrites a part of the file with zeros and syncs.
func erase(file File, off, end int64) error {
	zeros := make([]byte, min(max(end-off, 0), fillBytes))
	for off < end {
		n, err := file.WriteAt(zeros[:min(int64(len(zeros)), end-off)], off)
		if err != nil {
			return err
		}
		off += int64(n)
	}
	return file.Sync()
}
