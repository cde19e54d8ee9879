package rowcache

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

const ttl = time.Minute

func newCache(t testing.TB, size int64) *Cache {
	t.Helper()
	c, err := New(size)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, c.Close()) })
	return c
}

// fill stores an image under epoch 1 and schema 1.
func fill(t testing.TB, c *Cache, key string, hash uint64, image string) {
	t.Helper()
	require.True(t, c.Fill([]byte(key), hash, c.Lease(hash, 1, 1), []byte(image), Present, ttl))
}

func requireHit(t testing.TB, c *Cache, key string, hash uint64, image string) {
	t.Helper()
	got, verdict := c.Get([]byte(key), hash, 1, 1, time.Now())
	require.Equal(t, Present, verdict, key)
	require.Equal(t, image, string(got))
}

func requireMiss(t testing.TB, c *Cache, key string, hash uint64) {
	t.Helper()
	got, verdict := c.Get([]byte(key), hash, 1, 1, time.Now())
	require.Equal(t, Miss, verdict, key)
	require.Nil(t, got)
}

func TestFilledRowIsFound(t *testing.T) {
	c := newCache(t, 1<<20)
	require.True(t, c.Enabled())
	requireMiss(t, c, "k", 1)
	fill(t, c, "k", 1, "image")
	requireHit(t, c, "k", 1, "image")
	require.Equal(t, 1, c.Len())

	require.True(t, c.Fill([]byte("gone"), 2, c.Lease(2, 1, 1), nil, Absent, ttl))
	got, verdict := c.Get([]byte("gone"), 2, 1, 1, time.Now())
	require.Equal(t, Absent, verdict)
	require.Empty(t, got)
}

func TestImageIsTheCallersOwn(t *testing.T) {
	c := newCache(t, 1<<20)
	fill(t, c, "k", 1, "image")
	got, _ := c.Get([]byte("k"), 1, 1, 1, time.Now())
	clear(got)
	requireHit(t, c, "k", 1, "image")
}

func TestOtherKeyOfTheSameHashIsNotFound(t *testing.T) {
	c := newCache(t, 1<<20)
	fill(t, c, "one", 7, "1")
	requireMiss(t, c, "two", 7)
	requireMiss(t, c, "on", 7)
	requireMiss(t, c, "one1", 7) // not even with the first byte of the image
	requireMiss(t, c, "", 7)
	fill(t, c, "two", 7, "2") // takes the slot
	requireHit(t, c, "two", 7, "2")
	requireMiss(t, c, "one", 7)
}

func TestEpochAndSchemaAreChecked(t *testing.T) {
	c := newCache(t, 1<<20)
	fill(t, c, "k", 1, "image")
	for _, at := range [][2]uint64{{2, 1}, {0, 1}, {1, 2}, {1, 0}} {
		_, verdict := c.Get([]byte("k"), 1, at[0], at[1], time.Now())
		require.Equal(t, Miss, verdict, at)
	}
	requireHit(t, c, "k", 1, "image")
}

func TestEntryExpires(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCache(t, 1<<20)
		fill(t, c, "k", 1, "image")
		time.Sleep(ttl - time.Nanosecond)
		requireHit(t, c, "k", 1, "image")
		time.Sleep(time.Nanosecond)
		requireMiss(t, c, "k", 1)
		fill(t, c, "k", 1, "again")
		requireHit(t, c, "k", 1, "again")
		require.True(t, c.Fill([]byte("z"), 2, c.Lease(2, 1, 1), nil, Present, 0))
		requireMiss(t, c, "z", 2)
	})
}

func TestFillIsDroppedIfTheRowMayHaveChanged(t *testing.T) {
	for name, move := range map[string]func(*Cache){
		"bump":             func(c *Cache) { c.Bump(5) },
		"drop":             func(c *Cache) { c.Drop(5) },
		"bump of a sister": func(c *Cache) { c.Bump(5 + stripes) },
	} {
		t.Run(name, func(t *testing.T) {
			c := newCache(t, 1<<20)
			lease := c.Lease(5, 1, 1)
			require.False(t, c.Moved(5, lease))
			move(c)
			require.True(t, c.Moved(5, lease))
			require.False(t, c.Fill([]byte("k"), 5, lease, []byte("old"), Present, ttl))
			requireMiss(t, c, "k", 5)
		})
	}
	c := newCache(t, 1<<20)
	lease := c.Lease(5, 1, 1)
	c.Bump(6)
	require.True(t, c.Fill([]byte("k"), 5, lease, []byte("image"), Present, ttl), "another row")
}

func TestBumpKeepsTheEntry(t *testing.T) {
	c := newCache(t, 1<<20)
	fill(t, c, "k", 1, "image")
	c.Bump(1)
	requireHit(t, c, "k", 1, "image") // the overlay is asked first; Flushed needs to see it
}

func TestDropForgetsTheRow(t *testing.T) {
	c := newCache(t, 1<<20)
	fill(t, c, "k", 1, "image")
	fill(t, c, "other", 2, "image")
	c.Drop(1)
	requireMiss(t, c, "k", 1)
	requireHit(t, c, "other", 2, "image")
	c.Drop(3) // nothing there
}

func TestFlushedRowIsKeptIfSomebodyWantsIt(t *testing.T) {
	c := newCache(t, 1<<20)
	flushed := func(key string, hash uint64, image string, verdict Verdict, wanted bool) {
		c.Flushed([]byte(key), hash, 1, 1, []byte(image), verdict, ttl, wanted)
	}
	flushed("new", 1, "image", Present, false)
	requireMiss(t, c, "new", 1)

	flushed("read", 2, "image", Present, true)
	requireHit(t, c, "read", 2, "image")

	fill(t, c, "cached", 3, "old")
	flushed("cached", 3, "new", Present, true)
	requireHit(t, c, "cached", 3, "new")

	fill(t, c, "deleted", 4, "old")
	flushed("deleted", 4, "", Absent, true)
	_, verdict := c.Get([]byte("deleted"), 4, 1, 1, time.Now())
	require.Equal(t, Absent, verdict)

	fill(t, c, "forgotten", 5, "old")
	flushed("forgotten", 5, "new", Present, false)
	requireMiss(t, c, "forgotten", 5)
}

func TestFlushedRowReplacesAnEntryOfAnyAge(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCache(t, 1<<20)
		fill(t, c, "k", 1, "old")
		time.Sleep(2 * ttl)
		c.Flushed([]byte("k"), 1, 3, 2, []byte("new"), Present, ttl, true)
		got, verdict := c.Get([]byte("k"), 1, 3, 2, time.Now())
		require.Equal(t, Present, verdict)
		require.Equal(t, "new", string(got))
	})
}

func TestOversizeEntryHurtsNobody(t *testing.T) {
	for _, size := range []int64{1 << 20, 8 << 20, 64 << 20} {
		t.Run(fmt.Sprint(size>>20, "MB"), func(t *testing.T) {
			c := newCache(t, size)
			for hash := range uint64(200) {
				fill(t, c, fmt.Sprint("k", hash), hash, "image")
			}
			huge := bytes.Repeat([]byte("x"), int(size))
			require.False(t, c.Fill([]byte("k7"), 7, c.Lease(7, 1, 1), huge, Present, ttl))
			requireMiss(t, c, "k7", 7) // the older image went with it
			c.Flushed([]byte("k8"), 8, 1, 1, huge, Present, ttl, true)
			requireMiss(t, c, "k8", 8)
			require.False(t, c.Fill(huge, 9, c.Lease(9, 1, 1), nil, Present, ttl)) // the key as well
			requireMiss(t, c, "k9", 9)
			for hash := range uint64(200) {
				if hash < 7 || hash > 9 {
					requireHit(t, c, fmt.Sprint("k", hash), hash, "image")
				}
			}
		})
	}
}

func TestLargestEntryFits(t *testing.T) {
	c := newCache(t, 1<<20)
	key := []byte("k")
	image := bytes.Repeat([]byte("x"), c.maxEntry-headerSize-len(key))
	for hash := range uint64(40) { // ten times what fits together
		require.True(t, c.Fill(key, hash, c.Lease(hash, 1, 1), image, Present, ttl))
		requireHit(t, c, "k", hash, string(image))
	}
	require.False(t, c.Fill(key, 1, c.Lease(1, 1, 1), append(image, 'x'), Present, ttl))
}

func TestLongKeyIsFound(t *testing.T) {
	c := newCache(t, 64<<20)
	key := string(bytes.Repeat([]byte("k"), 70_000)) // longer than BigCache's own keys may be
	fill(t, c, key, 1, "image")
	requireHit(t, c, key, 1, "image")
	requireMiss(t, c, key+"k", 1)
}

func TestEvictionForgetsAndNeverMixesUp(t *testing.T) {
	c := newCache(t, 1<<20)
	image := func(hash uint64) string { return fmt.Sprintf("%0300d", hash) }
	const rows = 20_000
	for hash := range uint64(rows) {
		fill(t, c, fmt.Sprint("k", hash), hash, image(hash))
	}
	require.Less(t, c.Len(), rows)
	found := 0
	for hash := range uint64(rows) {
		if got, verdict := c.Get([]byte(fmt.Sprint("k", hash)), hash, 1, 1, time.Now()); verdict == Present {
			require.Equal(t, image(hash), string(got))
			found++
		}
	}
	require.Equal(t, c.Len(), found)
	require.Positive(t, found)
}

func TestCacheOfNoSizeHoldsNothingAndKeepsVersions(t *testing.T) {
	c := newCache(t, 0)
	require.False(t, c.Enabled())
	lease := c.Lease(1, 1, 1)
	require.False(t, c.Fill([]byte("k"), 1, lease, []byte("image"), Present, ttl))
	c.Flushed([]byte("k"), 1, 1, 1, []byte("image"), Present, ttl, true)
	requireMiss(t, c, "k", 1)
	require.Zero(t, c.Len())
	require.False(t, c.Moved(1, lease))
	c.Bump(1)
	require.True(t, c.Moved(1, lease))
	lease = c.Lease(1, 1, 1)
	c.Drop(1)
	require.True(t, c.Moved(1, lease))
}

// TestNoOldImageSurvivesAWrite has readers that fill from a "database" race with
// writers that change it and bump the row.
func TestNoOldImageSurvivesAWrite(t *testing.T) {
	c := newCache(t, 1<<20)
	const rows, writes = 8, 2000
	var database [rows]struct {
		sync.Mutex
		value uint64
	}
	load := func(row uint64) []byte {
		database[row].Lock()
		defer database[row].Unlock()
		return binary.LittleEndian.AppendUint64(nil, database[row].value)
	}
	key := func(row uint64) []byte { return []byte{byte(row)} }
	var readers, writers sync.WaitGroup
	stop := make(chan struct{})
	for range 4 {
		readers.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				row := rand.Uint64N(rows)
				lease := c.Lease(row, 1, 1)
				c.Fill(key(row), row, lease, load(row), Present, ttl)
			}
		})
	}
	for row := range uint64(rows) {
		writers.Go(func() {
			for range writes {
				database[row].Lock()
				database[row].value++
				database[row].Unlock()
				c.Drop(row)
			}
		})
	}
	writers.Wait()
	close(stop)
	readers.Wait()
	for row := range uint64(rows) {
		if got, verdict := c.Get(key(row), row, 1, 1, time.Now()); verdict == Present {
			require.EqualValues(t, writes, binary.LittleEndian.Uint64(got))
		}
	}
}

func TestSlotIsTheHash(t *testing.T) {
	for _, hash := range []uint64{1, 1 << 63, 0x0123456789abcdef, ^uint64(0)} {
		require.Equal(t, hash, hasher{}.Sum64(slot(hash)))
	}
	require.NotZero(t, hasher{}.Sum64(slot(0)), "BigCache takes 0 for a deleted entry and loses count of it")
	require.Equal(t, Hash([]byte("a key")), Hash([]byte("a key")))
	require.NotEqual(t, Hash([]byte("a key")), Hash([]byte("b key")))
}

func FuzzOpen(f *testing.F) {
	entry := func(key, image string) []byte {
		var header [headerSize]byte
		header[24] = byte(Present)
		binary.LittleEndian.PutUint32(header[25:], uint32(len(key)))
		return slices.Concat(header[:], []byte(key), []byte(image))
	}
	f.Add(entry("key", "image"), []byte("key"))
	f.Add(entry("key", ""), []byte("ke"))
	f.Add([]byte(nil), []byte(nil))
	f.Add(entry("", "")[:headerSize-1], []byte(""))
	f.Add(append(entry("key", "")[:25], 0xff, 0xff, 0xff, 0xff), []byte("key"))
	f.Fuzz(func(t *testing.T, b, key []byte) {
		image, verdict := open(b, key)
		if verdict == Miss {
			return
		}
		require.Equal(t, string(b), string(b[:headerSize])+string(key)+string(image), "the entry is header, key and image")
		require.EqualValues(t, len(key), binary.LittleEndian.Uint32(b[25:]))
	})
}

func BenchmarkGet(b *testing.B) {
	c := newCache(b, 64<<20)
	key := []byte("a key of the usual size")
	hash := Hash(key)
	require.True(b, c.Fill(key, hash, c.Lease(hash, 1, 1), make([]byte, 80), Present, time.Hour))
	b.ReportAllocs()
	for b.Loop() {
		if _, verdict := c.Get(key, hash, 1, 1, time.Now()); verdict != Present {
			b.Fatal("not found")
		}
	}
}

func BenchmarkFill(b *testing.B) {
	c := newCache(b, 64<<20)
	key := []byte("a key of the usual size")
	hash, image := Hash(key), make([]byte, 80)
	b.ReportAllocs()
	for b.Loop() {
		c.Fill(key, hash, c.Lease(hash, 1, 1), image, Present, time.Hour)
	}
}
