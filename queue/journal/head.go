package journal

import (
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
)

// head is what the beginning of a segment file says.
type head struct {
	segment
	mapped bool
	err    error
}

// readHeads reads the beginnings of all segments of a journal, in order. What is
// wrong with one is in its err: a segment that the checkpoint has passed may be
// what it likes.
func readHeads(fsys FS, dir, id string) ([]*head, error) {
	names, err := fsys.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("journal: listing %s: %w", dir, err)
	}
	var heads []*head
	for _, name := range names {
		if seq, ok := segmentSeq(name); ok {
			h := &head{segment: segment{path: filepath.Join(dir, name), seq: seq}}
			h.err = h.read(fsys, id)
			heads = append(heads, h)
		}
	}
	slices.SortFunc(heads, func(a, b *head) int {
		if a.seq < b.seq {
			return -1
		}
		return 1
	})
	return heads, nil
}

func (h *head) read(fsys FS, id string) error {
	file, err := fsys.Open(h.path, false)
	if err != nil {
		return fmt.Errorf("journal: reading %s: %w", h.path, err)
	}
	defer func() { _ = file.Close() }()
	if h.size, err = file.Size(); err != nil {
		return fmt.Errorf("journal: reading %s: %w", h.path, err)
	}
	b := make([]byte, min(h.size, segmentHeader+beginSize))
	if err := readFull(file, b); err != nil {
		return fmt.Errorf("journal: reading %s: %w", h.path, err)
	}
	seed, wrong := checkSegmentHeader(b, id, h.seq, h.size)
	if wrong != "" {
		return &DamageError{File: h.path, Reason: wrong}
	}
	h.seed = seed
	if b, ok := beginOf(b, seed); ok {
		h.begun, h.before, h.first, h.last, h.mapped = true, b.before, b.first, b.first-1, b.mapped
	}
	return nil
}

func readFull(file File, b []byte) error {
	n, err := file.ReadAt(b, 0)
	if n == len(b) {
		return nil
	}
	if err == nil || errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}
