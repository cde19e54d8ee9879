package writebehind

import (
	"context"
	"database/sql/driver"
	"errors"
	"io"
	"log/slog"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/lib/pq/oid"
	"github.com/stretchr/testify/require"

	"github.com/writebehind/writebehind/cachekeys"
	"github.com/writebehind/writebehind/internal/catalog"
	"github.com/writebehind/writebehind/internal/pgvalue"
	"github.com/writebehind/writebehind/internal/rowimage"
)

// evenRows is a real driver whose table has a row for every even key, with the
// key as its only column.
type evenRows struct {
	mu      sync.Mutex
	queries [][]int64                           // the keys of each
	hook    func(n int) (broken int, err error) // of the n-th query: after how many rows its answer ends with err
}

func (s *evenRows) Open(string) (driver.Conn, error) {
	return nil, errors.New("fake: no more connections")
}
func (s *evenRows) Prepare(string) (driver.Stmt, error) {
	return nil, errors.New("fake: no statements")
}
func (s *evenRows) Close() error              { return nil }
func (s *evenRows) Begin() (driver.Tx, error) { return nil, errors.New("fake: no transactions") }
func (s *evenRows) asked() (n int)            { s.mu.Lock(); defer s.mu.Unlock(); return len(s.queries) }

func (s *evenRows) QueryContext(_ context.Context, _ string, args []driver.NamedValue) (driver.Rows, error) {
	var keys []int64
	for _, text := range strings.Split(strings.Trim(args[0].Value.(string), "{}"), ",") {
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return nil, err
		}
		keys = append(keys, n)
	}
	s.mu.Lock()
	s.queries = append(s.queries, keys)
	n, hook := len(s.queries), s.hook
	s.mu.Unlock()
	answer := &evenAnswer{err: io.EOF}
	for _, key := range keys {
		if key%2 == 0 {
			answer.keys = append(answer.keys, key)
		}
	}
	if hook != nil {
		broken, err := hook(n)
		if err != nil && broken == 0 {
			return nil, err
		}
		if err != nil {
			answer.keys, answer.err = answer.keys[:broken], err
		} else if broken < 0 {
			answer.keys = nil // the rows are gone
		}
	}
	return answer, nil
}

type evenAnswer struct {
	keys []int64
	err  error
}

func (a *evenAnswer) Columns() []string { return []string{"id"} }
func (a *evenAnswer) Close() error      { return nil }

func (a *evenAnswer) Next(dest []driver.Value) error {
	if len(a.keys) == 0 {
		return a.err
	}
	dest[0] = a.keys[0]
	a.keys = a.keys[1:]
	return nil
}

// lookupHarness is the part of an engine that looks rows up, with so many
// connections.
type lookupHarness struct {
	*testing.T
	rows    *evenRows
	engine  *engine
	table   *table
	lookups lookups
}

func newLookupHarness(t *testing.T, conns int) *lookupHarness {
	t.Helper()
	h := &lookupHarness{T: t, rows: &evenRows{}}
	h.engine = &engine{
		backend: &backend{driver: h.rows}, logger: slog.New(slog.DiscardHandler),
		values: pgvalue.Session{BinaryParameters: true}, lifetime: t.Context(),
	}
	for range conns {
		h.engine.readers.put(newReader(h.rows))
	}
	h.table = h.newTable()
	return h
}

func (h *lookupHarness) newTable() *table {
	return &table{rel: &catalog.Relation{
		OID: 1, Name: catalog.Name{Schema: "public", Name: "even"}, Key: []int{0},
		Columns: []catalog.Column{{Name: "id", SQLType: "bigint", Type: pgvalue.Type{OID: uint32(oid.T_int8), Mod: -1}}},
	}}
}

// find looks a key up and says what came of it.
func (h *lookupHarness) find(ctx context.Context, t *table, id int64) (found bool, err error) {
	values := []driver.Value{id}
	key, ok := cachekeys.Append(nil, t.rel, values)
	require.True(h, ok)
	item, err := h.lookups.find(ctx, h.engine, t, key, values, nil)
	if err != nil {
		return false, err
	}
	if item.found {
		var got [1]driver.Value
		require.NoError(h, rowimage.Decode(item.image, nil, got[:]))
		require.Equal(h, id, got[0])
	}
	return item.found, nil
}

// hold makes the first query wait until the channel is closed.
func (h *lookupHarness) hold() chan struct{} {
	release := make(chan struct{})
	h.rows.hook = func(n int) (int, error) {
		if n == 1 {
			<-release
		}
		return 0, nil
	}
	return release
}

func TestConcurrentLookupsShareAQuery(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newLookupHarness(t, 1)
		release := h.hold()
		var wg sync.WaitGroup
		for id := range int64(50) {
			wg.Go(func() {
				found, err := h.find(t.Context(), h.table, id/2)
				if err != nil || found != (id/2%2 == 0) {
					t.Errorf("row %d: %v, %v", id/2, found, err)
				}
			})
			if id == 0 {
				synctest.Wait()
			}
		}
		synctest.Wait()
		require.Equal(t, 1, h.rows.asked(), "one is in flight, the others gather")
		close(release)
		wg.Wait()
		require.Equal(t, 2, h.rows.asked())
	})
}

func TestLookupIsAskedAfterItWasWanted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newLookupHarness(t, 1)
		release := h.hold()
		for range 2 { // the same row, while a query for it is under way
			go func() { _, _ = h.find(t.Context(), h.table, 2) }()
			synctest.Wait()
		}
		close(release)
		synctest.Wait()
		require.Equal(t, [][]int64{{2}, {2}}, h.rows.queries, "the answer under way may be older than the second wish")
	})
}

func TestLookupsOfManyRowsAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newLookupHarness(t, 1)
		release := h.hold()
		go func() { _, _ = h.find(t.Context(), h.table, 0) }()
		synctest.Wait()
		var wg sync.WaitGroup
		for id := range int64(2*maxLookup + 1) {
			wg.Go(func() {
				if _, err := h.find(t.Context(), h.table, id); err != nil {
					t.Error(err)
				}
			})
		}
		synctest.Wait()
		close(release)
		wg.Wait()
		require.Len(t, h.rows.queries, 4)
		for i, n := range []int{1, maxLookup, maxLookup, 1} {
			require.Len(t, h.rows.queries[i], n)
		}
	})
}

func TestTableOfAnotherSchemaHasItsOwnQuery(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newLookupHarness(t, 1)
		other := h.newTable()
		release := h.hold()
		for i, table := range []*table{h.table, h.table, other, other, h.table} {
			go func() { _, _ = h.find(t.Context(), table, int64(i)) }()
			synctest.Wait()
		}
		close(release)
		synctest.Wait()
		require.Equal(t, [][]int64{{0}, {1}, {2, 3}, {4}}, h.rows.queries)
	})
}

func TestLookupOutlivesWhoGivesItUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newLookupHarness(t, 1)
		release := h.hold()
		ctx, cancel := context.WithCancel(t.Context())
		gone := make(chan error, 2)
		for id := range int64(2) { // one whose query is under way, one who waits for the next
			go func() {
				_, err := h.find(ctx, h.table, id)
				gone <- err
			}()
			synctest.Wait()
		}
		stays := make(chan error, 1)
		go func() {
			found, err := h.find(t.Context(), h.table, 4)
			if !found && err == nil {
				err = errors.New("not found")
			}
			stays <- err
		}()
		synctest.Wait()
		cancel()
		require.ErrorIs(t, <-gone, context.Canceled, "without waiting for the server")
		require.ErrorIs(t, <-gone, context.Canceled)
		close(release)
		require.NoError(t, <-stays)
	})
}

func TestLookupThatEverybodyGaveUpWedgesNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newLookupHarness(t, 1)
		release := h.hold()
		ctx, cancel := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		for id := range int64(4) {
			wg.Go(func() { _, _ = h.find(ctx, h.table, id) })
			synctest.Wait()
		}
		cancel()
		wg.Wait()
		close(release)
		found, err := h.find(t.Context(), h.table, 6)
		require.NoError(t, err)
		require.True(t, found)
		synctest.Wait()
		require.False(t, h.lookups.busy)
		require.Nil(t, h.lookups.next)
	})
}

func TestLookupOnAConnectionThatHasDiedIsAskedOnAnother(t *testing.T) {
	for name, err := range map[string]error{"bad": driver.ErrBadConn, "reset": errors.New("fake: connection reset")} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newLookupHarness(t, 2)
				h.rows.hook = func(n int) (int, error) {
					if n == 1 {
						return 0, err
					}
					return 0, nil
				}
				found, err := h.find(t.Context(), h.table, 2)
				require.NoError(t, err)
				require.True(t, found)
				require.Equal(t, 2, h.rows.asked())
			})
		})
	}
}

func TestBrokenAnswerLeavesNothingBehind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newLookupHarness(t, 2)
		h.rows.hook = func(n int) (int, error) {
			if n == 1 {
				return 1, driver.ErrBadConn // after the row has come
			}
			return -1, nil // which is gone when it is asked for again
		}
		found, err := h.find(t.Context(), h.table, 2)
		require.NoError(t, err)
		require.False(t, found)
	})
}

// refusedQuery is a server's error.
type refusedQuery struct{}

func (refusedQuery) Error() string    { return "fake: refused" }
func (refusedQuery) SQLState() string { return "57014" }

func TestRefusedLookupLeavesTheAnswerToTheStatement(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newLookupHarness(t, 2)
		h.rows.hook = func(n int) (int, error) {
			if n == 1 {
				return 0, refusedQuery{}
			}
			return 0, nil
		}
		_, err := h.find(t.Context(), h.table, 2)
		require.ErrorIs(t, err, errUncertain)
		require.Equal(t, 1, h.rows.asked(), "the server has spoken")
		found, err := h.find(t.Context(), h.table, 2)
		require.NoError(t, err)
		require.True(t, found)
	})
}

func TestLookupWithoutAServerLeavesTheAnswerToTheStatement(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newLookupHarness(t, 0)
		_, err := h.find(t.Context(), h.table, 2)
		require.ErrorIs(t, err, errUncertain)
	})
}

func TestLookupKeepsItsOwnKey(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newLookupHarness(t, 1)
		release := h.hold()
		values := []driver.Value{int64(2)}
		key, _ := cachekeys.Append(nil, h.table.rel, values)
		done := make(chan bool, 1)
		go func() {
			item, err := h.lookups.find(t.Context(), h.engine, h.table, key, values, nil)
			done <- err == nil && item.found
		}()
		synctest.Wait()
		clear(key) // the caller's buffers are used again
		clear(values)
		close(release)
		require.True(t, <-done)
	})
}
