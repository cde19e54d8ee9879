package writebehind_test

import (
	"context"
	"database/sql"
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/lib/pq"
	"github.com/stretchr/testify/require"

	"github.com/writebehind/writebehind"
	"github.com/writebehind/writebehind/internal/pgtest"
)

// newOwnServer is newHarness on a server that the test can stop.
func newOwnServer(t *testing.T, ddl, params string, opts ...pgtest.Option) (*harness, *pgtest.Server) {
	t.Helper()
	server := pgtest.New(t, opts...)
	server.RequireControl(t)
	return newHarnessOn(t, server, ddl, params), server
}

// reconnects has the pool forget connections that a stopped server has ended.
func (h *harness) reconnects(dbs ...*sql.DB) {
	h.Helper()
	for _, db := range dbs {
		h.eventually("the pool has new connections", func() bool { return db.Ping() == nil })
	}
}

func (h *harness) drained(db *sql.DB) {
	h.Helper()
	h.eventually("everything is flushed", func() bool { return writebehind.Flush(context.Background(), db) == nil })
}

// waitsForLock waits until a flush waits for a lock.
func (h *harness) waitsForLock() {
	h.Helper()
	h.eventually("the flush waits for the lock", func() bool {
		return h.value(h.past, `SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()`) == int64(1)
	})
}

func TestALongOutageKeepsMemoryBoundedAndDrainsInBatches(t *testing.T) {
	const rows, bound = 50_000, 20_000
	h, server := newOwnServer(t, fmt.Sprintf(`CREATE TABLE items (id bigint PRIMARY KEY, stock int NOT NULL DEFAULT 0);
		INSERT INTO items SELECT i, 0 FROM generate_series(1, %d) AS i`, rows),
		fmt.Sprintf("writebehind.insert=trust writebehind.overflow=error writebehind.batch_rows=500 writebehind.max_pending_rows=%d", bound))
	conn := h.conn(h.shim)
	insert := func(id int) error {
		_, err := conn.ExecContext(t.Context(), `INSERT INTO items (id, stock) VALUES ($1, 1)`, id)
		return err
	}
	require.NoError(t, insert(rows+1))
	require.NoError(t, server.Kill())
	acknowledged := 1
	var err error
	for id := rows + 2; err == nil; id++ {
		if err = insert(id); err == nil {
			acknowledged++
		}
	}
	require.ErrorIs(t, err, writebehind.ErrFull)
	st := h.stats()
	require.GreaterOrEqual(t, acknowledged, bound)
	require.EqualValues(t, acknowledged, st.PendingRows)
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	for i := range 20_000 { // rows that are pending already
		_, err := conn.ExecContext(t.Context(), `UPDATE items SET stock = stock + 1 WHERE id = $1`, rows+1+i%100)
		if err != nil {
			require.ErrorIs(t, err, writebehind.ErrFull, "memtables that are not flushed yet have no room for others' rows")
			break
		}
		acknowledged++
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	require.Less(t, after.HeapAlloc, before.HeapAlloc+64<<20)
	_, err = conn.ExecContext(t.Context(), `UPDATE items SET stock = stock + 1`)
	require.ErrorContains(t, err, "refused", "a barrier returns the server's error, and does not hang")

	require.NoError(t, server.Start(t.Context()))
	h.drained(h.shim)
	st = h.stats()
	require.Less(t, st.FlushedRows/st.Flushes, uint64(10*500+1), "no transaction carries more than ten batches")
	h.reconnects(h.past)
	require.EqualValues(t, acknowledged, h.value(h.past, `SELECT sum(stock) FROM items`))
	require.NoError(t, insert(2*rows))
}

func TestAServerWithoutAFreeConnectionIsWaitedFor(t *testing.T) {
	h, server := newOwnServer(t, itemsTable, "", pgtest.WithSetting("max_connections", "12"), pgtest.WithSetting("superuser_reserved_connections", "0"))
	h.exec(`UPDATE items SET stock = 11 WHERE id = 1`)
	h.past.SetMaxIdleConns(0)
	h.shim.SetMaxIdleConns(1)
	others := h.open("postgres", h.dsn)
	require.NoError(t, server.Restart()) // so that the shim needs new connections, too
	var taken []*sql.Conn
	for {
		c, err := others.Conn(t.Context())
		if err != nil {
			requirePQ(t, err, "53300")
			break
		}
		taken = append(taken, c)
	}
	err := writebehind.Flush(t.Context(), h.shim)
	require.ErrorIs(t, err, writebehind.ErrPending)
	require.ErrorContains(t, err, "too many clients")
	require.False(t, h.stats().Paused)
	require.EqualValues(t, 1, h.exec(`UPDATE items SET stock = stock + 1 WHERE id = 1`), "writes go on")
	for _, c := range taken {
		require.NoError(t, c.Close())
	}
	require.NoError(t, others.Close())
	h.drained(h.shim)
	require.EqualValues(t, 12, h.value(h.past, stockOfOne))
}

func TestAServerInRecoveryIsWaitedFor(t *testing.T) {
	h, server := newOwnServer(t, itemsTable, "")
	h.exec(`UPDATE items SET stock = 11 WHERE id = 1`)
	require.NoError(t, server.Stop())
	require.NoError(t, server.Demote())
	require.NoError(t, server.Start(t.Context()))
	h.reconnects(h.past)
	require.Equal(t, true, h.value(h.past, `SELECT pg_is_in_recovery()`))
	h.eventually("the flush hears of it", func() bool {
		err := writebehind.Flush(t.Context(), h.shim)
		require.ErrorIs(t, err, writebehind.ErrPending)
		return strings.Contains(err.Error(), "read-only") || strings.Contains(err.Error(), "recovery")
	})
	h.exec(`UPDATE items SET stock = stock + 1 WHERE id = 1`)
	require.EqualValues(t, 12, h.value(h.shim, stockOfOne))
	h.mustPast(`SELECT pg_promote()`)
	h.drained(h.shim)
	require.EqualValues(t, 12, h.value(h.past, stockOfOne))
	require.Zero(t, h.stats().RefusedGroups)
}

func TestADatabaseMadeReadOnlyByDefaultTakesWhatWasAcknowledged(t *testing.T) {
	h := newHarness(t, itemsTable, "")
	db, err := sql.Open("writebehind", h.dsn+h.params)
	require.NoError(t, err)
	_, err = db.Exec(`UPDATE items SET stock = 11 WHERE id = 1`)
	require.NoError(t, err)
	h.past.SetMaxIdleConns(0)
	name := pq.QuoteIdentifier(h.value(h.past, `SELECT current_database()::text`).(string))
	h.mustPast(`ALTER DATABASE ` + name + ` SET default_transaction_read_only = on`)
	t.Cleanup(func() {
		h.mustPast(`BEGIN READ WRITE; ALTER DATABASE ` + name + ` RESET default_transaction_read_only; COMMIT`)
	})
	h.mustPast(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname = current_database()`)
	h.drained(db)
	require.EqualValues(t, 11, h.value(h.past, stockOfOne))
	require.NoError(t, db.Close())
}

// A flush has settings of its own: what the application's sessions have for theirs
// must not end it.
func TestAFlushOutlastsTheStatementTimeoutOfTheApplication(t *testing.T) {
	h := newHarness(t, itemsTable, "statement_timeout=500 lock_timeout=200 idle_in_transaction_session_timeout=500")
	h.exec(`UPDATE items SET stock = 11 WHERE id = 1`)
	lock := h.lock(`SELECT FROM items WHERE id = 1 FOR UPDATE`)
	flushed := make(chan error, 1)
	go func() { flushed <- writebehind.Flush(context.Background(), h.shim) }()
	h.waitsForLock()
	_, err := h.shim.Exec(`SELECT pg_sleep(10)`) // longer than both timeouts
	requirePQ(t, err, "57014")
	require.NoError(t, lock.Rollback())
	require.NoError(t, <-flushed)
	require.EqualValues(t, 11, h.value(h.past, stockOfOne))
	require.Zero(t, h.stats().Retries)
}

// lock runs a statement in a transaction past the shim, which stays open.
func (h *harness) lock(query string) *sql.Tx {
	h.Helper()
	tx, err := h.past.Begin()
	require.NoError(h, err)
	_, err = tx.Exec(query)
	require.NoError(h, err)
	h.Cleanup(func() { _ = tx.Rollback() })
	return tx
}

func TestAFlushThatCannotBeSerializedIsTriedAgain(t *testing.T) {
	h := newHarness(t, itemsTable, "default_transaction_isolation=serializable")
	h.exec(`UPDATE items SET stock = stock + 1 WHERE id = 1`)
	h.exec(`UPDATE items SET stock = stock + 1 WHERE id = 2`)
	other := h.lock(`UPDATE items SET price = 9 WHERE id = 1`)
	flushed := make(chan error, 1)
	go func() { flushed <- writebehind.Flush(context.Background(), h.shim) }()
	h.waitsForLock()
	require.NoError(t, other.Commit())
	require.NoError(t, <-flushed)
	require.EqualValues(t, 11, h.value(h.past, stockOfOne))
	require.Equal(t, "9.00", fmt.Sprintf("%s", h.value(h.past, `SELECT price FROM items WHERE id = 1`)), "columns that were not written are left alone")
	require.Zero(t, h.stats().RefusedGroups)
}

func TestALockOfAnotherProgramHoldsOnlyThoseUpWhoWait(t *testing.T) {
	h := newHarness(t, itemsTable, "")
	h.exec(`UPDATE items SET stock = 11 WHERE id = 1`)
	lock := h.lock(`UPDATE items SET name = 'theirs' WHERE id = 1`)
	flushed := make(chan error, 1)
	go func() { flushed <- writebehind.Flush(context.Background(), h.shim) }()
	h.waitsForLock()
	h.exec(`UPDATE items SET stock = stock + 1 WHERE id = 1`)
	require.EqualValues(t, 12, h.value(h.shim, stockOfOne), "writes and cached reads go on")
	require.NoError(t, lock.Commit())
	require.NoError(t, <-flushed)
	h.flush()
	require.Equal(t, "theirs 12", h.value(h.past, `SELECT name || ' ' || stock FROM items WHERE id = 1`))
}

// A server that has lost what it had committed is brought up to date from the
// journal by the process that lives.
func TestAServerThatWentBackInTimeGetsItsWritesAgain(t *testing.T) {
	eachSync(t, func(t *testing.T, sync string) { //nolint:thelper // it is the test
		h, server := newOwnServer(t, itemsTable, "")
		db := h.open("writebehind", h.dsn+" writebehind.tables=* writebehind.max_delay=1h writebehind.journal="+t.TempDir()+sync)
		exec := func(query string) {
			t.Helper()
			_, err := db.Exec(query)
			require.NoError(t, err)
		}
		exec(`UPDATE items SET stock = stock + 1 WHERE id = 1`)
		require.NoError(t, writebehind.Flush(t.Context(), db))
		require.NoError(t, server.Stop())
		require.NoError(t, server.Save())
		require.NoError(t, server.Start(t.Context()))
		h.reconnects(db)
		exec(`UPDATE items SET stock = stock + 1 WHERE id = 1`)
		exec(`INSERT INTO items (id, name) VALUES (3, 'three')`)
		h.drained(db)
		exec(`UPDATE items SET stock = stock + 1 WHERE id = 1`)
		require.NoError(t, server.Stop())
		require.NoError(t, server.Restore())
		require.NoError(t, server.Start(t.Context()))
		h.reconnects(h.past)
		require.EqualValues(t, 11, h.value(h.past, stockOfOne), "it has lost some")

		h.drained(db)
		require.EqualValues(t, 13, h.value(h.past, stockOfOne))
		require.Equal(t, "three", h.value(h.past, `SELECT name FROM items WHERE id = 3`))
		require.EqualValues(t, 13, h.value(db, stockOfOne))
		exec(`UPDATE items SET stock = stock + 1 WHERE id = 1`)
		require.NoError(t, writebehind.Flush(t.Context(), db))
		require.EqualValues(t, 14, h.value(h.past, stockOfOne))
		require.Zero(t, statsOf(t, db).RefusedGroups)
	})
}

func TestWithoutAJournalAServerThatWentBackInTimeIsLeftAlone(t *testing.T) {
	h, server := newOwnServer(t, itemsTable, "writebehind.close_timeout=100ms")
	db, err := sql.Open("writebehind", h.dsn+h.params)
	require.NoError(t, err)
	update := func() {
		t.Helper()
		_, err := db.Exec(`UPDATE items SET stock = stock + 1 WHERE id = 1`)
		require.NoError(t, err)
	}
	update()
	require.NoError(t, writebehind.Flush(t.Context(), db))
	require.NoError(t, server.Stop())
	require.NoError(t, server.Save())
	require.NoError(t, server.Start(t.Context()))
	h.reconnects(db)
	update()
	h.drained(db)
	update()
	require.NoError(t, server.Stop())
	require.NoError(t, server.Restore())
	require.NoError(t, server.Start(t.Context()))
	h.eventually("it stops, loudly", func() bool {
		err := writebehind.Flush(t.Context(), db)
		require.ErrorIs(t, err, writebehind.ErrPending)
		return strings.Contains(err.Error(), "gone back in time")
	})
	require.True(t, statsOf(t, db).Paused)
	require.ErrorIs(t, db.Close(), writebehind.ErrPending)
	h.reconnects(h.past)
	require.EqualValues(t, 11, h.value(h.past, stockOfOne))
}

func TestACheckpointThatTheServerHasLostIsMadeAgain(t *testing.T) {
	h := newHarness(t, itemsTable, "")
	db := h.open("writebehind", h.dsn+" writebehind.tables=* writebehind.max_delay=1h writebehind.journal="+t.TempDir())
	for range 2 {
		_, err := db.Exec(`UPDATE items SET stock = stock + 1 WHERE id = 1`)
		require.NoError(t, err)
	}
	h.mustPast(`DELETE FROM writebehind.checkpoint`)
	require.NoError(t, writebehind.Flush(t.Context(), db))
	require.EqualValues(t, 12, h.value(h.past, stockOfOne))
	_, err := db.Exec(`UPDATE items SET stock = stock + 1 WHERE id = 1`)
	require.NoError(t, err)
	require.NoError(t, writebehind.Flush(t.Context(), db))
	require.EqualValues(t, 13, h.value(h.past, stockOfOne))
}
