package journaltest

import (
	"bytes"
	"math/rand/v2"
	"slices"
)

// Kill is the death of the process: everything written is there, locks are free.
func (d *Disk) Kill() *Disk {
	next := d.IfKilled()
	d.die()
	return next
}

// Crash is a power loss. Of what was not synced, any sectors may have reached the
// disk, and any first few of the changes of a directory; seed decides.
func (d *Disk) Crash(seed uint64) *Disk {
	next := d.IfCrashed(seed)
	d.die()
	return next
}

func (d *Disk) die() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.dead = true
}

// IfKilled is what Kill would return now; this disk stays as it is.
func (d *Disk) IfKilled() *Disk {
	d.mu.Lock()
	defer d.mu.Unlock()
	next := NewDisk()
	next.boot = d.boot
	copies := make(map[*inode]*inode)
	for path, dir := range d.root {
		next.root[path] = dir.clone(copies)
	}
	return next
}

// IfCrashed is what Crash would return now; this disk stays as it is.
func (d *Disk) IfCrashed(seed uint64) *Disk {
	random := rand.New(rand.NewPCG(seed, 0))
	next := d.IfKilled()
	next.boot++
	paths := make([]string, 0, len(next.root))
	for path := range next.root {
		paths = append(paths, path)
	}
	slices.Sort(paths)
	lost := make(map[*inode]bool)
	// A mood per crash: all, nothing or anything between is lost.
	keep := random.Float64()
	for _, path := range paths {
		dir := next.root[path]
		if n := random.IntN(len(dir.pending) + 1); n > 0 {
			dir.durable = dir.pending[n-1]
		}
		dir.entries, dir.pending = copyEntries(dir.durable), nil
		names := make([]string, 0, len(dir.entries))
		for name := range dir.entries {
			names = append(names, name)
		}
		slices.Sort(names)
		for _, name := range names {
			if file := dir.entries[name]; !lost[file] {
				lost[file] = true
				file.crash(random, keep)
			}
		}
	}
	return next
}

func (f *inode) crash(random *rand.Rand, keep float64) {
	size := len(f.durable)
	if len(f.data) != size && random.IntN(2) == 0 {
		size = len(f.data)
	}
	after := make([]byte, size)
	for off := 0; off < size; off += Sector {
		end := min(off+Sector, size)
		was := part(f.durable, off, end)
		is := part(f.data, off, end)
		copy(after[off:end], was)
		if !bytes.Equal(was, is) && random.Float64() < keep {
			clear(after[off:end])
			copy(after[off:end], is)
		}
	}
	f.data, f.durable = after, bytes.Clone(after)
}

func part(b []byte, off, end int) []byte {
	return b[min(off, len(b)):min(end, len(b))]
}

func (dir *directory) clone(copies map[*inode]*inode) *directory {
	all := func(entries map[string]*inode) map[string]*inode {
		out := make(map[string]*inode, len(entries))
		for name, file := range entries {
			if copies[file] == nil {
				copies[file] = &inode{data: bytes.Clone(file.data), durable: bytes.Clone(file.durable)}
			}
			out[name] = copies[file]
		}
		return out
	}
	next := &directory{entries: all(dir.entries), durable: all(dir.durable)}
	for _, entries := range dir.pending {
		next.pending = append(next.pending, all(entries))
	}
	return next
}

func copyEntries(entries map[string]*inode) map[string]*inode {
	out := make(map[string]*inode, len(entries))
	for name, file := range entries {
		out[name] = file
	}
	return out
}
