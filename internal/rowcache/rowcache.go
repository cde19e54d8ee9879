// Package rowcache keeps row images that PostgreSQL also holds in BigCache.
//
// BigCache evicts as it likes and lets a 64-bit hash decide the slot, so an
// entry carries its full key, the epoch of its table, the version of the schema
// it was read under and the instant it expires, and all of them are checked on
// every hit. A row that PostgreSQL does not have yet never lives here.
//
// Rows are guarded by version stripes: whoever changes a row moves the version
// of its stripe, and a fill that was begun under an older version is dropped.
package rowcache

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"hash/maphash"
	"sync"
	"sync/atomic"
	"time"

	"github.com/allegro/bigcache/v3"
)

// Verdict tells what the cache knows of a row.
type Verdict uint8

// The verdicts.
const (
	Miss    Verdict = iota // nothing
	Present                // the row is there, and this is its image
	Absent                 // PostgreSQL has no such row
)

// Lease is what a fill must still find when its answer arrives.
type Lease struct {
	Epoch   uint64 // of the table
	Schema  uint64 // version of the schema the image was read under
	version uint64 // of the row's stripe
}

const stripes = 4096

type stripe struct {
	mu      sync.Mutex
	version atomic.Uint64
	_       [48]byte // one stripe, one cache line
}

// Cache is a cache of row images. Its methods may be called from any number of
// goroutines.
type Cache struct {
	big      *bigcache.BigCache // nil when caching is off
	maxEntry int                // bytes; BigCache empties a whole shard for an entry that does not fit
	stripes  [stripes]stripe
}

// New returns a cache of at most size bytes; 0 makes one that holds nothing but
// still keeps row versions.
func New(size int64) (*Cache, error) {
	c := &Cache{}
	if size == 0 {
		return c, nil
	}
	megabytes := int(max(size>>20, 1))
	shards := 64
	for shards > 1 && megabytes < shards {
		shards /= 2
	}
	big, err := bigcache.New(context.Background(), bigcache.Config{
		Shards:           shards,
		LifeWindow:       100 * 365 * 24 * time.Hour, // entries carry their own expiry
		MaxEntrySize:     256,
		HardMaxCacheSize: megabytes,
		Verbose:          false,
		Hasher:           hasher{},
	})
	if err != nil {
		return nil, fmt.Errorf("rowcache: %w", err)
	}
	c.big = big
	c.maxEntry = megabytes << 20 / shards / 4
	return c, nil
}

// Close releases the cache. It must be called once.
func (c *Cache) Close() error {
	if c.big == nil {
		return nil
	}
	return c.big.Close()
}

// Enabled tells whether the cache can hold anything.
func (c *Cache) Enabled() bool { return c.big != nil }

// Len returns the number of entries, stale ones included.
func (c *Cache) Len() int {
	if c.big == nil {
		return 0
	}
	return c.big.Len()
}

// seed makes the hash of keys; it differs from process to process and is never
// stored.
var seed = maphash.MakeSeed()

// Hash returns the hash of a row key that the other methods ask for.
func Hash(key []byte) uint64 { return maphash.Bytes(seed, key) }

// hasher hands BigCache back the hash that is its key.
type hasher struct{}

func (hasher) Sum64(key string) uint64 {
	if len(key) != 8 {
		return maphash.String(seed, key)
	}
	var h uint64
	for i := 7; i >= 0; i-- {
		h = h<<8 | uint64(key[i])
	}
	if h == 0 { // which to BigCache says that an entry has been deleted
		return ^h
	}
	return h
}

func slot(hash uint64) string {
	var b [8]byte
	binary.LittleEndian.PutUint64(b[:], hash)
	return string(b[:])
}

// Lease returns the lease under which a read of the row may fill the cache. It
// must be taken before the overlay and the cache are looked at.
func (c *Cache) Lease(hash, epoch, schema uint64) Lease {
	return Lease{Epoch: epoch, Schema: schema, version: c.Version(hash)}
}

// Version returns the version of the row's stripe.
func (c *Cache) Version(hash uint64) uint64 {
	return c.stripes[hash%stripes].version.Load()
}

// Moved tells whether the row may have changed since the lease was taken.
func (c *Cache) Moved(hash uint64, lease Lease) bool {
	return c.Version(hash) != lease.version
}

// Bump makes every fill of the row that is under way void. It is called when a
// write to the row has been accepted.
func (c *Cache) Bump(hash uint64) {
	s := &c.stripes[hash%stripes]
	s.mu.Lock()
	s.version.Add(1)
	s.mu.Unlock()
}

// began is what expiries are counted from, in nanoseconds.
var began = time.Now()

// Header of an entry: epoch, schema, expiry (8 bytes each), verdict, length of
// the key (4 bytes), key; the image follows.
const headerSize = 8 + 8 + 8 + 1 + 4

// Get looks the row up; now is the time. The image is the caller's own copy.
func (c *Cache) Get(key []byte, hash, epoch, schema uint64, now time.Time) ([]byte, Verdict) {
	if c.big == nil {
		return nil, Miss
	}
	entry, err := c.big.Get(slot(hash))
	if err != nil {
		return nil, Miss
	}
	image, verdict := open(entry, key)
	if verdict == Miss ||
		binary.LittleEndian.Uint64(entry) != epoch ||
		binary.LittleEndian.Uint64(entry[8:]) != schema ||
		int64(binary.LittleEndian.Uint64(entry[16:])) <= int64(now.Sub(began)) {
		return nil, Miss
	}
	return image, verdict
}

// open checks that the entry is of the key and returns its image.
func open(entry, key []byte) ([]byte, Verdict) {
	if len(entry) < headerSize {
		return nil, Miss
	}
	length := int(binary.LittleEndian.Uint32(entry[25:]))
	if length != len(key) || len(entry) < headerSize+length ||
		!bytes.Equal(entry[headerSize:headerSize+length], key) {
		return nil, Miss
	}
	return entry[headerSize+length:], Verdict(entry[24])
}

// Fill stores what PostgreSQL answered for the row, unless the row may have
// changed since the lease was taken. ttl is how long the entry may serve.
func (c *Cache) Fill(key []byte, hash uint64, lease Lease, image []byte, verdict Verdict, ttl time.Duration) bool {
	if c.big == nil {
		return false
	}
	s := &c.stripes[hash%stripes]
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.version.Load() != lease.version {
		return false
	}
	return c.set(key, hash, lease, image, verdict, ttl)
}

// Flushed takes over a row that is about to leave the overlay because
// PostgreSQL has it now. It is kept if it is wanted; no older image of it is.
func (c *Cache) Flushed(key []byte, hash, epoch, schema uint64, image []byte, verdict Verdict, ttl time.Duration, wanted bool) {
	if c.big == nil {
		return
	}
	s := &c.stripes[hash%stripes]
	s.mu.Lock()
	defer s.mu.Unlock()
	if !wanted {
		c.remove(hash)
		return
	}
	c.set(key, hash, Lease{Epoch: epoch, Schema: schema}, image, verdict, ttl)
}

// Drop removes what is known of the row and voids fills under way.
func (c *Cache) Drop(hash uint64) {
	s := &c.stripes[hash%stripes]
	s.mu.Lock()
	defer s.mu.Unlock()
	s.version.Add(1)
	if c.big != nil {
		c.remove(hash)
	}
}

// set writes an entry; the stripe is locked. What cannot be stored must not
// leave an older image behind.
func (c *Cache) set(key []byte, hash uint64, lease Lease, image []byte, verdict Verdict, ttl time.Duration) bool {
	size := headerSize + len(key) + len(image)
	if size > c.maxEntry {
		c.remove(hash)
		return false
	}
	var room [512]byte // BigCache makes a copy
	entry := room[:headerSize]
	binary.LittleEndian.PutUint64(entry, lease.Epoch)
	binary.LittleEndian.PutUint64(entry[8:], lease.Schema)
	binary.LittleEndian.PutUint64(entry[16:], uint64(time.Since(began)+ttl))
	entry[24] = byte(verdict)
	binary.LittleEndian.PutUint32(entry[25:], uint32(len(key)))
	entry = append(entry, key...)
	entry = append(entry, image...)
	if err := c.big.Set(slot(hash), entry); err != nil {
		c.remove(hash)
		return false
	}
	return true
}

// remove deletes whatever lies in the row's slot. BigCache's only error is that
// there was nothing.
func (c *Cache) remove(hash uint64) { _ = c.big.Delete(slot(hash)) }
