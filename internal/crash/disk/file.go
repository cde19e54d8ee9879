package disk

import (
	"bytes"
	"errors"
	"io"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"sync"

	"github.com/writebehind/writebehind/queue/journal"
)

// inode is what is known of a file beside its content: what would be there if
// nothing reached the disk that is not synced.
type inode struct {
	path string
	size int64 // synced

	// before has, by number, the sectors within size as they were when they were
	// synced, of those written since; nil for one beyond, which was not there.
	// syncing has those of a sync that is under way.
	before, syncing map[int64][]byte
	// mapped is the content while it can be written past WriteAt, and durable is it
	// as it was when it was synced.
	mapped, durable []byte

	one sync.Mutex // one Sync, Map or end of a mapping at a time; before the disk's
}

// crash takes back what is not synced, but for what happens to be kept.
func (i *inode) crash(random *rand.Rand, keep float64) error {
	if i.mapped != nil {
		return i.crashMapped(random, keep)
	}
	f, err := os.OpenFile(i.path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	info, err := f.Stat()
	if err != nil {
		return errors.Join(err, f.Close())
	}
	size := info.Size()
	all := maps.Clone(i.before)
	if all == nil {
		all = make(map[int64][]byte)
	}
	maps.Copy(all, i.syncing) // which are older
	var failed error
	for _, n := range sortedKeys(all) {
		if random.Float64() < keep {
			continue
		}
		was := make([]byte, min(Sector, size-n*Sector))
		copy(was, all[n])
		_, err := f.WriteAt(was, n*Sector)
		failed = errors.Join(failed, err)
	}
	if size != i.size && random.IntN(2) == 0 {
		failed = errors.Join(failed, f.Truncate(i.size))
	}
	return errors.Join(failed, f.Close())
}

// crashMapped puts what is left in the place of the file: the mapping can still be
// written, for as long as the process lives, and that must not be seen.
func (i *inode) crashMapped(random *rand.Rand, keep float64) error {
	left := bytes.Clone(i.mapped)
	for off := 0; off < len(left); off += Sector {
		is, was := left[off:min(off+Sector, len(left))], i.durable[off:min(off+Sector, len(left))]
		if !bytes.Equal(is, was) && random.Float64() >= keep {
			copy(is, was)
		}
	}
	other := i.path + ".left"
	if err := os.WriteFile(other, left, 0o600); err != nil {
		return err
	}
	return os.Rename(other, i.path)
}

// file is an open file.
type file struct {
	journal.File
	disk  *Disk
	inode *inode
}

// WriteAt implements journal.File.
func (f *file) WriteAt(b []byte, off int64) (int, error) {
	if err := f.disk.use(); err != nil {
		return 0, err
	}
	defer f.disk.mu.Unlock()
	if f.inode.mapped == nil {
		if err := f.remember(b, off); err != nil {
			return 0, err
		}
	}
	return f.File.WriteAt(b, off)
}

// remember keeps the sectors that b will overwrite.
func (f *file) remember(b []byte, off int64) error {
	i := f.inode
	// Segments are filled with zeros ahead: the same as what is beyond the end.
	if off >= i.size && zero(b) {
		return nil
	}
	if i.before == nil {
		i.before = make(map[int64][]byte)
	}
	for n := off / Sector; n*Sector < off+int64(len(b)); n++ {
		if _, there := i.before[n]; there {
			continue
		}
		at := n * Sector
		if at >= i.size {
			i.before[n] = nil
			continue
		}
		was := make([]byte, min(Sector, i.size-at))
		if _, err := f.File.ReadAt(was, at); err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		i.before[n] = was
	}
	return nil
}

// Sync implements journal.File.
func (f *file) Sync() error {
	i := f.inode
	i.one.Lock()
	defer i.one.Unlock()
	if err := f.disk.use(); err != nil {
		return err
	}
	size, err := f.Size()
	if err != nil {
		f.disk.mu.Unlock()
		return err
	}
	// What is written while the disk syncs is not part of it.
	i.before, i.syncing = nil, i.before
	var content []byte
	if i.mapped != nil {
		content = bytes.Clone(i.mapped)
	}
	f.disk.mu.Unlock()

	err = f.File.Sync()

	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	switch {
	case f.disk.dead:
		return errDead // it came too late
	case err != nil:
		return err
	}
	i.syncing, i.size, i.durable = nil, size, content
	return nil
}

// Map implements journal.File.
func (f *file) Map(size int64) (data []byte, unmap func() error, err error) {
	i := f.inode
	i.one.Lock()
	defer i.one.Unlock()
	if err := f.disk.use(); err != nil {
		return nil, nil, err
	}
	defer f.disk.mu.Unlock()
	data, release, err := f.File.Map(size)
	if err != nil {
		return nil, nil, err
	}
	i.mapped, i.durable = data, bytes.Clone(data)
	for n, was := range i.before {
		sector := i.durable[n*Sector : min(int64(len(data)), (n+1)*Sector)]
		clear(sector)
		copy(sector, was)
	}
	i.before = nil
	return data, func() error {
		i.one.Lock()
		defer i.one.Unlock()
		if err := f.disk.use(); err != nil {
			return err
		}
		defer f.disk.mu.Unlock()
		i.unmapped()
		return release()
	}, nil
}

// unmapped goes over from a mapping to single sectors.
func (i *inode) unmapped() {
	i.before = make(map[int64][]byte)
	for off := 0; off < len(i.mapped); off += Sector {
		end := min(off+Sector, len(i.mapped))
		if !bytes.Equal(i.mapped[off:end], i.durable[off:end]) {
			i.before[int64(off/Sector)] = bytes.Clone(i.durable[off:end])
		}
	}
	i.mapped, i.durable = nil, nil
}

var zeros [64 << 10]byte

func zero(b []byte) bool {
	for part := range slices.Chunk(b, len(zeros)) {
		if !bytes.Equal(part, zeros[:len(part)]) {
			return false
		}
	}
	return true
}

func sortedKeys[K string | int64, V any](m map[K]V) []K { return slices.Sorted(maps.Keys(m)) }
