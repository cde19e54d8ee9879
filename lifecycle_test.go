package writebehind_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/writebehind/writebehind"
	"github.com/writebehind/writebehind/internal/pgtest"
)

const stockOfOne = `SELECT stock FROM items WHERE id = 1`

func TestWithSyncIsInPostgreSQLWhenItReturns(t *testing.T) {
	h := newHarness(t, itemsTable, "")
	h.exec(`UPDATE items SET stock = stock + 1 WHERE id = 1`)
	h.exec(`UPDATE items SET stock = stock + 1 WHERE id = 2`)
	result, err := h.shim.ExecContext(writebehind.WithSync(context.Background()), `UPDATE items SET stock = stock + 1 WHERE id = 1`)
	require.NoError(t, err)
	n, err := result.RowsAffected()
	require.NoError(t, err)
	require.EqualValues(t, 1, n)
	require.EqualValues(t, 12, h.value(h.past, stockOfOne))
	require.EqualValues(t, 21, h.value(h.past, `SELECT stock FROM items WHERE id = 2`), "and all that was acknowledged before")
}

func TestStatsTellWhatHappened(t *testing.T) {
	h := newHarness(t, itemsTable, "")
	require.Zero(t, h.stats(), "no statement has needed the engine yet")
	h.value(h.shim, stockOfOne)
	h.value(h.shim, stockOfOne)
	h.exec(`UPDATE items SET stock = 1 WHERE id = 1`)
	h.exec(`UPDATE items SET stock = 2 WHERE id = 1`)
	h.exec(`UPDATE items SET stock = 2 WHERE id = 2`)
	st := h.stats()
	require.EqualValues(t, 1, st.Missed)
	require.EqualValues(t, 1, st.Cached)
	require.EqualValues(t, 3, st.Deferred)
	require.EqualValues(t, 3, st.LSN)
	require.EqualValues(t, 2, st.PendingRows)
	require.NotZero(t, st.PendingBytes)
	require.WithinDuration(t, time.Now(), st.Oldest, time.Minute)
	require.Zero(t, st.FlushedLSN+st.Flushes+st.Direct)

	h.value(h.shim, `SELECT sum(stock) FROM items`)
	st = h.stats()
	require.EqualValues(t, 1, st.Direct)
	require.EqualValues(t, 3, st.FlushedLSN)
	require.EqualValues(t, 1, st.Flushes)
	require.EqualValues(t, 2, st.FlushedRows)
	require.Zero(t, st.PendingRows+st.PendingBytes+st.Memtables+st.Retries+st.RefusedGroups)
	require.True(t, st.Oldest.IsZero())
	require.Empty(t, st.LastError)

	_, err := writebehind.Stats(h.past)
	require.ErrorContains(t, err, "another driver")
	require.ErrorContains(t, writebehind.Flush(context.Background(), h.past), "another driver")
	none := h.open("writebehind", h.dsn)
	require.NoError(t, writebehind.Flush(context.Background(), none), "no table is opted in")
	require.Zero(t, statsOf(t, none))
}

func TestFlushAndStatsFindTheEngineThroughAnyConnection(t *testing.T) {
	h := newHarness(t, itemsTable, "")
	early := h.conn(h.shim) // made before the engine
	h.exec(`UPDATE items SET stock = 11 WHERE id = 1`)
	require.NoError(t, early.Close()) // the pool takes the one returned last
	require.EqualValues(t, 1, h.stats().PendingRows)
	h.flush()
	require.EqualValues(t, 11, h.value(h.past, stockOfOne))
}

func TestAnAcknowledgedWriteIsFlushedOnceItIsOld(t *testing.T) {
	h := newHarness(t, itemsTable, "writebehind.max_delay=5ms")
	h.exec(`UPDATE items SET stock = 11 WHERE id = 1`)
	h.eventually("flushed by age", func() bool { return h.value(h.past, stockOfOne) == int64(11) })

	h = newHarness(t, itemsTable, "writebehind.batch_rows=2")
	h.exec(`UPDATE items SET stock = 11 WHERE id = 1`)
	h.exec(`UPDATE items SET stock = 12 WHERE id = 2`)
	h.eventually("flushed by number", func() bool { return h.value(h.past, stockOfOne) == int64(11) })
}

func TestCloseBringsEverythingToPostgreSQL(t *testing.T) {
	h := newHarness(t, itemsTable, "")
	h.exec(`UPDATE items SET stock = 11 WHERE id = 1`)
	require.NoError(t, h.shim.Close())
	require.EqualValues(t, 11, h.value(h.past, stockOfOne))
	_, err := h.shim.Exec(`UPDATE items SET stock = 12 WHERE id = 1`)
	require.Error(t, err)
}

func TestConnectionsClosedByThePoolLoseNothing(t *testing.T) {
	h := newHarness(t, itemsTable, "")
	h.shim.SetMaxIdleConns(0)
	for range 20 {
		h.exec(`UPDATE items SET stock = stock + 1 WHERE id = 1`)
	}
	require.EqualValues(t, 30, h.value(h.past, stockOfOne), "the last connection drains when it is closed")
	require.EqualValues(t, 30, h.value(h.shim, stockOfOne))

	// A wrapper that forgets to close the connector closes the connections.
	h = newHarness(t, itemsTable, "")
	connector, err := writebehind.NewConnector(h.dsn + h.params)
	require.NoError(t, err)
	conn, err := connector.Connect(context.Background())
	require.NoError(t, err)
	_, err = conn.(*writebehind.Conn).ExecContext(context.Background(), `UPDATE items SET stock = 11 WHERE id = 1`, nil)
	require.NoError(t, err)
	require.EqualValues(t, 10, h.value(h.past, stockOfOne))
	require.NoError(t, conn.Close())
	require.EqualValues(t, 11, h.value(h.past, stockOfOne))
	require.NoError(t, connector.Close())
}

// forgetful wraps a connector and has no Close to pass on, as wrappers of old have
// not.
type forgetful struct{ driver.Connector }

func TestUnderAWrapperThatDoesNotForwardCloseNothingIsLost(t *testing.T) {
	h := newHarness(t, itemsTable, "")
	wrapped := func() *sql.DB {
		connector, err := writebehind.NewConnector(h.dsn + h.params + " writebehind.close_timeout=200ms")
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, connector.Close()) })
		return sql.OpenDB(forgetful{connector})
	}
	db := wrapped()
	_, err := db.Exec(`UPDATE items SET stock = 11 WHERE id = 1`)
	require.NoError(t, err)
	require.NoError(t, db.Close())
	require.EqualValues(t, 11, h.value(h.past, stockOfOne), "the last connection drains")

	db = wrapped()
	_, err = db.Exec(`UPDATE items SET stock = 12 WHERE id = 1`)
	require.NoError(t, err)
	lock := h.lock(`SELECT FROM items WHERE id = 1 FOR UPDATE`)
	require.Error(t, db.Close(), "the error of the connection's Close")
	require.EqualValues(t, 11, h.value(h.past, stockOfOne))
	require.NoError(t, lock.Rollback())
	h.eventually("the engine lives on, and flushes", func() bool { return h.value(h.past, stockOfOne) == int64(12) })
}

func TestSeveralDBsShareOneEngine(t *testing.T) {
	h := newHarness(t, itemsTable, "")
	second := h.open("postgres-writebehind", h.params+" "+h.dsn+" application_name=second")
	h.exec(`UPDATE items SET stock = 11 WHERE id = 1`)
	require.EqualValues(t, 11, h.value(second, stockOfOne), "from the overlay")
	require.EqualValues(t, 10, h.value(h.past, stockOfOne))
	require.Equal(t, h.stats(), statsOf(t, second))

	_, err := second.Exec(`UPDATE items SET stock = stock + 1 WHERE id = 1`)
	require.NoError(t, err)
	require.NoError(t, h.shim.Close())
	require.EqualValues(t, 12, h.value(second, stockOfOne), "the engine lives on")
	_, err = second.Exec(`UPDATE items SET stock = stock + 1 WHERE id = 1`)
	require.NoError(t, err)
	require.NoError(t, second.Close())
	require.EqualValues(t, 13, h.value(h.past, stockOfOne), "the last Close drains")

	third := h.open("writebehind", h.dsn+h.params+" writebehind.batch_rows=7")
	require.EqualValues(t, 13, h.value(third, stockOfOne), "a new engine may have other settings")
}

func TestTwoDSNsOfOneDatabaseMustAgree(t *testing.T) {
	h := newHarness(t, itemsTable, "")
	h.value(h.shim, stockOfOne)
	other := h.open("writebehind", h.dsn+h.params+" writebehind.batch_rows=7 writebehind.cache_ttl.items=1s")
	_, err := other.Exec(`UPDATE items SET stock = 11 WHERE id = 1`)
	require.ErrorContains(t, err, "other settings")
	require.ErrorContains(t, err, "writebehind.batch_rows")
	require.ErrorContains(t, err, "writebehind.cache_ttl.items")
	require.NotContains(t, err.Error(), "writebehind.max_delay")
}

func TestCloseWhileTheServerIsDownSaysWhatIsLeft(t *testing.T) {
	server := pgtest.New(t)
	server.RequireControl(t)
	h := newHarnessOn(t, server, itemsTable, "")
	db, err := sql.Open("writebehind", h.dsn+h.params+" writebehind.close_timeout=500ms")
	require.NoError(t, err)
	for id := range 2 {
		_, err = db.Exec(`UPDATE items SET stock = 5 WHERE id = $1`, id+1)
		require.NoError(t, err)
	}
	require.NoError(t, server.Kill())
	began := time.Now()
	err = db.Close()
	require.Less(t, time.Since(began), 20*time.Second)
	require.ErrorIs(t, err, writebehind.ErrPending)
	require.ErrorContains(t, err, "rows left: 2")
	require.NoError(t, server.Start(context.Background()))
}

func TestAServerThatIsKilledUnderLoadGetsEveryAcknowledgedWriteOnce(t *testing.T) {
	server := pgtest.New(t)
	server.RequireControl(t)
	h := newHarnessOn(t, server, itemsTable, "writebehind.max_delay=2ms")
	const writers, kills = 4, 3
	var acknowledged [2]atomic.Int64
	stop := make(chan struct{})
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for i := w; ; i++ {
				select {
				case <-stop:
					return
				default:
				}
				// A failed one is not acknowledged and, its row being known, has not happened.
				if _, err := h.shim.Exec(`UPDATE items SET stock = stock + 1 WHERE id = $1`, 1+i%2); err == nil {
					acknowledged[i%2].Add(1)
				}
			}
		})
	}
	for range kills {
		before := h.stats().Flushes
		h.eventually("flushes go on", func() bool { return h.stats().Flushes > before+5 })
		require.NoError(t, server.Kill())
		sum := acknowledged[0].Load() + acknowledged[1].Load()
		h.eventually("writes are acknowledged without a server", func() bool {
			return acknowledged[0].Load()+acknowledged[1].Load() > sum+100
		})
		require.NoError(t, server.Start(context.Background()))
	}
	close(stop)
	wg.Wait()
	h.eventually("the flush works again", func() bool {
		return writebehind.Flush(context.Background(), h.shim) == nil
	})
	h.past.SetMaxIdleConns(0)
	for id := range acknowledged {
		want := acknowledged[id].Load() + int64(10*(id+1))
		h.eventually("the pool has new connections", func() bool { return h.past.Ping() == nil })
		require.EqualValues(t, want, h.value(h.past, `SELECT stock FROM items WHERE id = $1`, id+1))
		require.EqualValues(t, want, h.value(h.shim, `SELECT stock FROM items WHERE id = $1`, id+1))
	}
	require.Zero(t, h.stats().RefusedGroups)
}

func TestAtABoundWritersGetAnErrorOrWait(t *testing.T) {
	many := `CREATE TABLE items (id bigint PRIMARY KEY, stock int); INSERT INTO items SELECT i, 0 FROM generate_series(1, 10) AS i;
		CREATE TABLE blocker (id int)`
	block := func(h *harness) *sql.Tx {
		tx, err := h.past.Begin()
		require.NoError(t, err)
		_, err = tx.Exec(`LOCK TABLE items IN SHARE MODE`) // what a flush needs
		require.NoError(t, err)
		return tx
	}
	fill := func(h *harness) {
		for id := range 3 {
			h.exec(`UPDATE items SET stock = 1 WHERE id = $1`, id+1)
		}
	}
	t.Run("error", func(t *testing.T) {
		h := newHarness(t, many, "writebehind.max_pending_rows=3 writebehind.overflow=error")
		fill(h)
		_, err := h.shim.Exec(`UPDATE items SET stock = 1 WHERE id = 4`)
		require.ErrorIs(t, err, writebehind.ErrFull)
		require.EqualValues(t, 0, h.value(h.shim, `SELECT stock FROM items WHERE id = 4`), "it has not happened")
		h.flush()
		h.exec(`UPDATE items SET stock = 1 WHERE id = 4`)
	})
	t.Run("block", func(t *testing.T) {
		h := newHarness(t, many, "writebehind.max_pending_rows=3")
		fill(h)
		h.value(h.shim, `SELECT stock FROM items WHERE id = 4`)
		blocker := block(h)
		ctx, cancel := context.WithCancel(context.Background())
		failed := make(chan error, 1)
		go func() {
			_, err := h.shim.ExecContext(ctx, `UPDATE items SET stock = 1 WHERE id = 4`)
			failed <- err
		}()
		h.eventually("the flush that makes room waits for the lock", func() bool {
			return h.value(h.past, `SELECT count(*) FROM pg_locks WHERE NOT granted`) == int64(1)
		})
		cancel()
		require.ErrorIs(t, <-failed, context.Canceled)
		require.EqualValues(t, 3, h.stats().PendingRows)
		written := make(chan error, 1)
		go func() {
			_, err := h.shim.Exec(`UPDATE items SET stock = 2 WHERE id = 4`)
			written <- err
		}()
		require.NoError(t, blocker.Rollback())
		require.NoError(t, <-written)
		require.EqualValues(t, 2, h.value(h.shim, `SELECT stock FROM items WHERE id = 4`))
	})
	t.Run("bytes", func(t *testing.T) {
		h := newHarness(t, itemsTable, "writebehind.max_pending_bytes=64kB writebehind.overflow=error")
		name := strings.Repeat("x", 20_000)
		var err error
		for i := 0; err == nil && i < 100; i++ {
			_, err = h.shim.Exec(`UPDATE items SET name = $1 WHERE id = 1`, name+fmt.Sprint(i))
		}
		require.ErrorIs(t, err, writebehind.ErrFull, "one row can be written often")
	})
}

func TestNothingRunsAfterClose(t *testing.T) {
	h := newHarness(t, itemsTable, "")
	h.value(h.past, `SELECT 1`)
	before := stacks()
	db, err := sql.Open("writebehind", h.dsn+h.params)
	require.NoError(t, err)
	for range 3 {
		_, err = db.Exec(`UPDATE items SET stock = stock + 1 WHERE id = 1`)
		require.NoError(t, err)
	}
	_, err = db.Exec(`UPDATE items SET stock = stock + 1`)
	require.NoError(t, err)
	require.Greater(t, strings.Count(stacks(), "\n\n"), strings.Count(before, "\n\n"))
	require.NoError(t, db.Close())
	h.eventually("goroutines end", func() bool {
		return !strings.Contains(stacks(), "github.com/writebehind/writebehind.(*engine)") &&
			!strings.Contains(stacks(), "github.com/writebehind/writebehind/queue.") &&
			!strings.Contains(stacks(), "allegro/bigcache")
	})
	h.eventually("real connections are closed", func() bool {
		return h.value(h.past, `SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()`) == int64(0)
	})
}

// stacks returns the stacks of all goroutines.
func stacks() string {
	buffer := make([]byte, 1<<20)
	return string(buffer[:runtime.Stack(buffer, true)])
}

// What lib/pq does under a context that has ended already is its own affair; the
// shim acknowledges nothing under it.
func TestNothingIsAcknowledgedUnderAContextThatHasEnded(t *testing.T) {
	h := newHarness(t, itemsTable, "")
	h.value(h.shim, stockOfOne)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	conn := h.conn(h.shim)
	_, err := conn.ExecContext(ctx, `UPDATE items SET stock = 99 WHERE id = 1`)
	require.Zero(t, h.stats().Deferred)
	want := 10
	if err == nil {
		want = 99
	}
	require.EqualValues(t, want, h.value(h.past, stockOfOne))
	require.EqualValues(t, want, h.value(h.shim, stockOfOne))
}
