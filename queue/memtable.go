package queue

import (
	"bytes"
	"encoding/binary"
	"sync/atomic"
	"time"

	"github.com/writebehind/writebehind/internal/rowimage"
)

// memtable maps row keys to the coalesced mutation and the image of the row,
// and keeps the groups it was made of one by one, for the replay.
type memtable struct {
	first, last LSN
	schema      uint64
	born        time.Time

	data  arena             // keys and images
	index map[uint64]uint32 // hash -> 1 + number of the newest entry with it
	pages []*[entryPage]entry
	rows  int

	log arena // records of the replay, in the order of their LSNs

	flush flush // the work on it once it is frozen; the flusher's own
}

const entryPage = 512

// entry is one row. It holds no pointers.
type entry struct {
	hash             uint64
	key, image       ref
	keyLen, imageLen uint32
	room             uint32 // bytes reserved for the image
	next             uint32 // 1 + number of the next entry with the same hash; 0 ends
	shape            uint32
	read             uint32 // 1 once somebody has read the row here; set atomically
}

func newMemtable(rows int) *memtable {
	return &memtable{index: make(map[uint64]uint32, min(rows, 1<<16))}
}

func (m *memtable) entry(n uint32) *entry { return &m.pages[n/entryPage][n%entryPage] }

// bytes is what the memtable holds, roughly: arenas, entries, index.
func (m *memtable) bytes() int64 {
	return m.data.size + m.log.size + int64(m.rows)*(56+24)
}

func (m *memtable) find(key []byte, hash uint64) *entry {
	for n := m.index[hash]; n != 0; {
		e := m.entry(n - 1)
		if bytes.Equal(m.data.get(e.key, e.keyLen), key) {
			return e
		}
		n = e.next
	}
	return nil
}

func (m *memtable) get(dst, key []byte, hash, schema uint64) ([]byte, State) {
	e := m.find(key, hash)
	if e == nil {
		return dst, Missing
	}
	if m.schema != schema {
		return dst, Stale
	}
	if atomic.LoadUint32(&e.read) == 0 {
		atomic.StoreUint32(&e.read, 1)
	}
	if e.imageLen == 0 {
		return dst, Absent
	}
	return append(dst, m.data.get(e.image, e.imageLen)...), Present
}

// apply does one mutation.
func (m *memtable) apply(shapes *shapes, lsn LSN, mut *Mutation) {
	m.record(lsn, mut)
	e := m.find(mut.Key, mut.Hash)
	shape := mut.Shape
	if e == nil {
		e = m.add(mut.Key, mut.Hash)
	} else {
		shape = shapes.merge(shapes.get(e.shape), shape)
	}
	e.shape = shape.id
	if shape.Kind == Delete || shape.Kind == Nothing {
		m.bury(e, mut)
		return
	}
	if n := uint32(len(mut.Image)); n <= e.room && e.imageLen != 0 {
		copy(m.data.get(e.image, n), mut.Image)
		e.imageLen = n
	} else {
		e.image, e.imageLen, e.room = m.data.put(mut.Image), n, n
	}
}

// bury makes the row a tombstone: imageLen is 0, and the key columns of the
// flush come from the image kept behind it.
func (m *memtable) bury(e *entry, mut *Mutation) {
	n := uint32(len(mut.Image))
	e.image, e.room, e.imageLen = m.data.put(mut.Image), n, 0
}

func (m *memtable) add(key []byte, hash uint64) *entry {
	n := uint32(m.rows)
	if n%entryPage == 0 {
		m.pages = append(m.pages, new([entryPage]entry))
	}
	e := m.entry(n)
	*e = entry{hash: hash, key: m.data.put(key), keyLen: uint32(len(key)), next: m.index[hash]}
	m.index[hash] = n + 1
	m.rows++
	return e
}

// rowOf returns the image from which the flush takes the entry's values.
func (m *memtable) rowOf(e *entry) []byte {
	if e.imageLen == 0 {
		return m.data.get(e.image, e.room)
	}
	return m.data.get(e.image, e.imageLen)
}

// A record of the log: LSN (8), shape (4), length of the key (4), hash (8),
// length of the cells (4), key, cells. The cells are the parameters of the shape's statement.
const recordHeader = 8 + 4 + 4 + 8 + 4

// record appends the mutation to the log.
func (m *memtable) record(lsn LSN, mut *Mutation) {
	cells, err := rowimage.AppendColumns(nil, mut.Image, mut.Shape.params)
	if err != nil {
		panic(err) // the image was encoded in this process a moment ago
	}
	var header [recordHeader]byte
	binary.LittleEndian.PutUint64(header[0:], lsn)
	binary.LittleEndian.PutUint32(header[8:], mut.Shape.id)
	binary.LittleEndian.PutUint32(header[12:], uint32(len(mut.Key)))
	binary.LittleEndian.PutUint64(header[16:], mut.Hash)
	binary.LittleEndian.PutUint32(header[24:], uint32(len(cells)))
	m.log.put(header[:], mut.Key, cells)
}

// logged is one record of the log.
type logged struct {
	lsn   LSN
	shape uint32
	hash  uint64
	key   []byte
	cells []byte
}

// records yields the log in order.
func (m *memtable) records(yield func(logged) bool) {
	for _, chunk := range m.log.chunks {
		for len(chunk) > 0 {
			keyLen := binary.LittleEndian.Uint32(chunk[12:])
			cellsLen := binary.LittleEndian.Uint32(chunk[24:])
			end := recordHeader + keyLen + cellsLen
			r := logged{
				lsn:   binary.LittleEndian.Uint64(chunk),
				shape: binary.LittleEndian.Uint32(chunk[8:]),
				hash:  binary.LittleEndian.Uint64(chunk[16:]),
				key:   chunk[recordHeader : recordHeader+keyLen],
				cells: chunk[recordHeader+keyLen : end],
			}
			if !yield(r) {
				return
			}
			chunk = chunk[end:]
		}
	}
}
