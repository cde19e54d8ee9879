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

	scratch, cells []byte // of the one who applies

	flush flush // the work on it once it is frozen; the flusher's own
}

const entryPage = 512

// entry is one row. It holds no pointers.
type entry struct {
	hash             uint64
	key, image       ref
	keyLen, imageLen uint32
	deltaLen         uint32 // bytes of what is added, behind the image
	room             uint32 // bytes reserved for both
	next             uint32 // 1 + number of the next entry with the same hash; 0 ends
	shape            uint32
	wanted           uint32 // 1 once somebody has looked at the row, here or to write it; set atomically
	stale            bool   // the image builds on one that was not right
}

func newMemtable(rows int) *memtable {
	return &memtable{index: make(map[uint64]uint32, min(rows, 1<<16))}
}

func (m *memtable) entry(n uint32) *entry { return &m.pages[n/entryPage][n%entryPage] }

// bytes is what the memtable holds, roughly: arenas, entries, index.
func (m *memtable) bytes() int64 {
	return m.data.size + m.log.size + int64(m.rows)*(64+24)
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
	if m.schema != schema || e.stale {
		return dst, Stale
	}
	e.want()
	if e.imageLen == 0 {
		return dst, Absent
	}
	return append(dst, m.data.get(e.image, e.imageLen)...), Present
}

func (e *entry) want() {
	if atomic.LoadUint32(&e.wanted) == 0 {
		atomic.StoreUint32(&e.wanted, 1)
	}
}

// apply does one mutation.
func (m *memtable) apply(shapes *shapes, lsn LSN, mut *Mutation) {
	m.record(lsn, mut)
	e := m.find(mut.Key, mut.Hash)
	shape, deltas := mut.Shape, mut.Deltas
	if e == nil {
		e = m.add(mut.Key, mut.Hash)
	} else {
		shape, deltas = m.merged(shapes, e, mut)
	}
	e.shape, e.stale = shape.id, e.stale || mut.stale
	if !mut.Blind {
		e.want()
	}
	if shape.Kind == Delete || shape.Kind == Nothing {
		m.bury(e, mut)
		return
	}
	image, delta := uint32(len(mut.Image)), uint32(len(deltas))
	if n := image + delta; n <= e.room && e.imageLen != 0 {
		place := m.data.get(e.image, n)
		copy(place[copy(place, mut.Image):], deltas)
	} else {
		e.image, e.room = m.data.put(mut.Image, deltas), n
	}
	e.imageLen, e.deltaLen = image, delta
}

// bury makes the row a tombstone: imageLen is 0, and the key columns of the
// flush come from the image kept behind it.
func (m *memtable) bury(e *entry, mut *Mutation) {
	n := uint32(len(mut.Image))
	e.image, e.room, e.imageLen, e.deltaLen = m.data.put(mut.Image), n, 0, 0
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

// rowOf returns the image, and the deltas behind it, from which the flush takes
// the entry's values.
func (m *memtable) rowOf(e *entry) []byte {
	if e.imageLen == 0 {
		return m.data.get(e.image, e.room)
	}
	return m.data.get(e.image, e.imageLen+e.deltaLen)
}

// A record of the log: LSN (8), shape (4), length of the key (4), hash (8),
// length of the cells (4), key, cells. The cells are the parameters of the shape's statement.
const recordHeader = 8 + 4 + 4 + 8 + 4

// record appends the mutation to the log.
func (m *memtable) record(lsn LSN, mut *Mutation) {
	cells, err := m.cells[:0], error(nil)
	params := mut.Shape.params
	if n := mut.Shape.deltas(); n > 0 {
		first := mut.Shape.firstDelta()
		cells, err = rowimage.AppendColumns(cells, mut.Image, params[:first])
		cells, params = append(cells, mut.Deltas...), params[first+n:]
	}
	if err == nil {
		cells, err = rowimage.AppendColumns(cells, mut.Image, params)
	}
	if err != nil {
		panic(err) // the image was encoded in this process a moment ago
	}
	m.cells = cells
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
