package queue

// arena keeps byte strings in large chunks, so that a million of them are a
// handful of objects to the garbage collector, and growing copies nothing.
type arena struct {
	chunks [][]byte
	size   int64
}

// chunkSize is small enough that an idle table costs little and large enough
// that chunks stay few.
const chunkSize = 64 << 10

// ref is the place of a byte string: chunk number and offset.
type ref uint64

// put copies the parts, one after the other, and returns their place.
func (a *arena) put(parts ...[]byte) ref {
	n := 0
	for _, p := range parts {
		n += len(p)
	}
	last := len(a.chunks) - 1
	if last < 0 || cap(a.chunks[last])-len(a.chunks[last]) < n {
		a.chunks = append(a.chunks, make([]byte, 0, max(chunkSize, n)))
		last++
	}
	at := len(a.chunks[last])
	for _, p := range parts {
		a.chunks[last] = append(a.chunks[last], p...)
	}
	a.size += int64(n)
	return ref(uint64(last)<<32 | uint64(at))
}

// get returns the n bytes at r. They are the arena's own.
func (a *arena) get(r ref, n uint32) []byte {
	at := uint32(r)
	return a.chunks[r>>32][at : at+n : at+n]
}
