package journaltest

import (
	"errors"
	"io"
)

type diskFile struct {
	disk *Disk
	*inode
}

func (f *diskFile) use() error {
	f.disk.mu.Lock()
	if f.disk.dead {
		f.disk.mu.Unlock()
		return errDead
	}
	return nil
}

func (f *diskFile) ReadAt(b []byte, off int64) (int, error) {
	if err := f.use(); err != nil {
		return 0, err
	}
	defer f.disk.mu.Unlock()
	if off >= int64(len(f.data)) {
		return 0, io.EOF
	}
	n := copy(b, f.data[off:])
	if n < len(b) {
		return n, io.EOF
	}
	return n, nil
}

func (f *diskFile) WriteAt(b []byte, off int64) (int, error) {
	if err := f.use(); err != nil {
		return 0, err
	}
	defer f.disk.mu.Unlock()
	if more := int(off) + len(b) - len(f.data); more > 0 {
		f.data = append(f.data, make([]byte, more)...)
	}
	return copy(f.data[off:], b), nil
}

func (f *diskFile) Size() (int64, error) {
	if err := f.use(); err != nil {
		return 0, err
	}
	defer f.disk.mu.Unlock()
	return int64(len(f.data)), nil
}

func (f *diskFile) Sync() error {
	if err := f.use(); err != nil {
		return err
	}
	defer f.disk.mu.Unlock()
	f.durable = append(f.durable[:0:0], f.data...)
	return nil
}

// Map returns the content itself, which must not change its size from now on.
func (f *diskFile) Map(size int64) ([]byte, func() error, error) {
	if err := f.use(); err != nil {
		return nil, nil, err
	}
	defer f.disk.mu.Unlock()
	if size > int64(len(f.data)) {
		return nil, nil, errors.New("journaltest: mapping past the end of a file")
	}
	return f.data[:size:size], func() error { return nil }, nil
}

func (f *diskFile) Close() error { return nil }
