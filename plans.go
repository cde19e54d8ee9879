package writebehind

import (
	"hash/maphash"
	"sync"
	"sync/atomic"
)

// plans is a bounded cache of plans by SQL text: two generations, of which the
// older one is forgotten when the younger is full. Reading takes no lock.
//
// A text is admitted when it is seen for the second time. Of those that have their
// values in them most are not, and their plans would take the place of others.
type plans struct {
	once       sights
	young, old atomic.Pointer[sync.Map]
	size       atomic.Int64
	mu         sync.Mutex
}

// planGeneration is how many texts a generation takes. Longer texts than
// planTextBytes (bulk inserts with everything inlined) are not kept at all.
const (
	planGeneration = 4096
	planTextBytes  = 16 << 10
)

func (c *plans) get(query string) *plan {
	if m := c.young.Load(); m != nil {
		if p, ok := m.Load(query); ok {
			return p.(*plan)
		}
	}
	if m := c.old.Load(); m != nil {
		if p, ok := m.Load(query); ok {
			c.put(p.(*plan))
			return p.(*plan)
		}
	}
	return nil
}

// admits tells whether the plan of a text that the cache does not have is to be
// kept.
func (c *plans) admits(query string) bool {
	return len(query) <= planTextBytes && c.once.again(query)
}

func (c *plans) put(p *plan) {
	m := c.young.Load()
	if m == nil || c.size.Load() >= planGeneration {
		c.mu.Lock()
		if m = c.young.Load(); m == nil || c.size.Load() >= planGeneration {
			c.old.Store(m)
			m = new(sync.Map)
			c.young.Store(m)
			c.size.Store(0)
		}
		c.mu.Unlock()
	}
	if _, loaded := m.Swap(p.query, p); !loaded {
		c.size.Add(1)
	}
}

func (c *plans) clear() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.young.Store(nil)
	c.old.Store(nil)
	c.size.Store(0)
}

// sights remembers texts that were seen, in a fixed space: each until another one
// takes its place.
type sights [1 << 14]atomic.Uint32

var sightSeed = maphash.MakeSeed()

// again tells whether a text is remembered, and remembers it. Of the texts that
// share a place, one in two billion is taken for another.
func (s *sights) again(text string) bool {
	h := maphash.String(sightSeed, text)
	mark := uint32(h>>32) | 1 // an empty place has 0
	return s[h%uint64(len(s))].Swap(mark) == mark
}
