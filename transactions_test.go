package writebehind_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"strings"
	"testing"

	"github.com/lib/pq"
	"github.com/stretchr/testify/require"
)

const buffering = "writebehind.transactions=buffer"

// tx is a transaction in a test.
type tx struct {
	*sql.Tx
	h *harness
}

func (h *harness) begin(db *sql.DB) tx {
	h.Helper()
	t, err := db.Begin()
	require.NoError(h, err)
	h.Cleanup(func() { _ = t.Rollback() })
	return tx{t, h}
}

func (t tx) exec(query string, args ...any) int64 {
	t.h.Helper()
	result, err := t.Exec(query, args...)
	require.NoError(t.h, err)
	n, err := result.RowsAffected()
	require.NoError(t.h, err)
	return n
}

func (t tx) value(query string, args ...any) any {
	t.h.Helper()
	var v any
	err := t.QueryRow(query, args...).Scan(&v)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	require.NoError(t.h, err)
	return v
}

const addOne = `UPDATE items SET stock = stock + 1 WHERE id = 1`

// isBuffered asserts that no transaction has needed PostgreSQL so far.
func (h *harness) isBuffered() { h.Helper(); require.Zero(h, h.stats().MadeReal) }

func TestATransactionOfKeyedWritesIsOneGroup(t *testing.T) {
	h := newHarness(t, itemsTable, buffering)
	h.value(h.shim, stockOfOne)
	before := h.stats()
	tx := h.begin(h.shim)
	require.EqualValues(t, 1, tx.exec(addOne))
	require.EqualValues(t, 1, tx.exec(addOne))
	require.EqualValues(t, 1, tx.exec(`INSERT INTO items (id, name) VALUES (3, 'three')`))
	require.EqualValues(t, 1, tx.exec(`DELETE FROM items WHERE id = 2`))
	require.EqualValues(t, 0, tx.exec(`UPDATE items SET stock = 0 WHERE id = 2`), "it is gone")
	require.EqualValues(t, 0, tx.exec(`UPDATE items SET stock = 0 WHERE id = 1 AND stock = 10`))
	require.EqualValues(t, 12, tx.value(stockOfOne), "its own writes")
	require.Equal(t, "three", tx.value(`SELECT name FROM items WHERE id = 3`))
	require.Nil(t, tx.value(`SELECT name FROM items WHERE id = 2`))
	require.EqualValues(t, 10, h.value(h.shim, stockOfOne), "nobody else sees them")
	require.Nil(t, h.value(h.shim, `SELECT name FROM items WHERE id = 3`))
	require.Equal(t, before.LSN, h.stats().LSN)
	require.NoError(t, tx.Commit())
	require.Equal(t, before.LSN+1, h.stats().LSN, "one group")
	require.EqualValues(t, 12, h.value(h.shim, stockOfOne))
	require.Nil(t, h.value(h.shim, `SELECT name FROM items WHERE id = 2`))
	require.EqualValues(t, 10, h.value(h.past, stockOfOne), "PostgreSQL has heard nothing of it")
	h.isBuffered()
	require.Equal(t, before.Buffered+1, h.stats().Buffered)
	h.flush()
	require.Equal(t, "1:one:12 3:three:0", h.value(h.past, `SELECT string_agg(id || ':' || name || ':' || stock, ' ' ORDER BY id) FROM items`))
}

func TestBuffersCountAgainstTheBounds(t *testing.T) {
	for _, bound := range []string{"max_pending_rows=3", "max_pending_bytes=1kB"} {
		h := newHarness(t, itemsTable, buffering+" writebehind."+bound)
		h.value(h.shim, stockOfOne)
		one, two := h.begin(h.shim), h.begin(h.shim)
		for range 2 {
			one.exec(addOne)
		}
		for id := range 6 {
			two.exec(`INSERT INTO items (id, name) VALUES ($1, $2)`, 10+id, strings.Repeat("x", 100))
		}
		require.EqualValues(t, 1, h.stats().MadeReal, bound)
		require.NoError(t, two.Commit())
		one.exec(addOne)
		require.NoError(t, one.Commit())
		h.flush()
		require.EqualValues(t, 13, h.value(h.past, stockOfOne))
		require.EqualValues(t, 6, h.value(h.past, `SELECT count(*) FROM items WHERE id > 9`))
		tx := h.begin(h.shim)
		tx.exec(addOne)
		require.NoError(t, tx.Commit())
		require.EqualValues(t, 1, h.stats().MadeReal, "there is room again")
	}
}

func TestARollbackLeavesNothing(t *testing.T) {
	h := newHarness(t, itemsTable, buffering)
	h.value(h.shim, stockOfOne)
	tx := h.begin(h.shim)
	tx.exec(addOne)
	tx.exec(`INSERT INTO items (id, name) VALUES (3, 'three')`)
	require.NoError(t, tx.Rollback())
	require.EqualValues(t, 10, h.value(h.shim, stockOfOne))
	require.Nil(t, h.value(h.shim, `SELECT name FROM items WHERE id = 3`))
	require.EqualValues(t, 1, h.exec(addOne), "its rows are not locked any more")
	require.EqualValues(t, 1, h.stats().LSN)
	h.isBuffered()
}

func TestSavepointsArePositionsInTheBuffer(t *testing.T) {
	h := newHarness(t, itemsTable, buffering)
	h.value(h.shim, stockOfOne)
	tx := h.begin(h.shim)
	tx.exec(addOne)
	require.EqualValues(t, 0, tx.exec(`SAVEPOINT a`))
	tx.exec(addOne)
	tx.exec(`SAVEPOINT b`)
	tx.exec(addOne)
	tx.exec(`INSERT INTO items (id, name) VALUES (3, 'three')`)
	tx.exec(`ROLLBACK TO SAVEPOINT a`)
	require.EqualValues(t, 11, tx.value(stockOfOne))
	require.Nil(t, tx.value(`SELECT name FROM items WHERE id = 3`))
	require.EqualValues(t, 1, h.exec(`INSERT INTO items (id, name) VALUES (3, 'another')`), "the lock on the row is gone, too")
	tx.exec(addOne)
	tx.exec(`SAVEPOINT a`) // hides the first
	tx.exec(addOne)
	tx.exec(`RELEASE a`)
	require.EqualValues(t, 13, tx.value(stockOfOne))
	tx.exec(`ROLLBACK TO a`)
	require.EqualValues(t, 11, tx.value(stockOfOne))
	tx.exec(addOne)
	h.isBuffered()
	require.NoError(t, tx.Commit())
	require.EqualValues(t, 12, h.value(h.shim, stockOfOne))

	tx = h.begin(h.shim)
	tx.exec(addOne)
	tx.exec(`SAVEPOINT a`)
	tx.exec(addOne)
	_, err := tx.Exec(`ROLLBACK TO nowhere`)
	requirePQ(t, err, "3B001")
	_, err = tx.Exec(addOne)
	requirePQ(t, err, "25P02", "the transaction has failed")
	tx.exec(`ROLLBACK TO a`)
	require.EqualValues(t, 13, tx.value(stockOfOne))
	require.NoError(t, tx.Commit())
	require.EqualValues(t, 13, h.value(h.past, stockOfOne))
}

func TestWhatCannotBeBufferedMakesTheTransactionReal(t *testing.T) {
	h := newHarness(t, itemsTable, buffering)
	h.exec(addOne)
	tx := h.begin(h.shim)
	tx.exec(addOne)
	tx.exec(`SAVEPOINT a`)
	tx.exec(`INSERT INTO items (id, name) VALUES (3, 'three')`)
	require.EqualValues(t, 32, tx.value(`SELECT sum(stock) FROM items`), "all before it, and its own")
	require.EqualValues(t, 1, h.stats().MadeReal)
	require.EqualValues(t, 11, h.value(h.past, stockOfOne), "not committed")
	tx.exec(`ROLLBACK TO a`)
	tx.exec(addOne)
	require.NoError(t, tx.Commit())
	require.EqualValues(t, 13, h.value(h.past, stockOfOne))
	require.EqualValues(t, 13, h.value(h.shim, stockOfOne))
	require.EqualValues(t, 2, h.value(h.past, `SELECT count(*) FROM items`))
	before := h.stats().Deferred
	h.exec(addOne)
	require.Equal(t, before+1, h.stats().Deferred, "the table is deferred again")
}

func TestAnErrorInATransactionIsPostgreSQLs(t *testing.T) {
	for _, name := range []string{"shim", "lib/pq"} {
		t.Run(name, func(t *testing.T) {
			h := newHarness(t, itemsTable, buffering)
			db := h.shim
			if name == "lib/pq" {
				db = h.past
			}
			h.value(db, stockOfOne)
			tx := h.begin(db)
			tx.exec(addOne)
			_, err := tx.Exec(`INSERT INTO items (id, name) VALUES (2, 'again')`)
			requirePQ(t, err, "23505")
			_, err = tx.Exec(addOne)
			requirePQ(t, err, "25P02")
			require.ErrorIs(t, tx.Commit(), pq.ErrInFailedTransaction)
			require.EqualValues(t, 10, h.value(db, stockOfOne))

			tx = h.begin(db)
			tx.exec(addOne)
			tx.exec(`SAVEPOINT a`)
			_, err = tx.Exec(`UPDATE items SET name = NULL WHERE id = 1`)
			requirePQ(t, err, "23502")
			tx.exec(`ROLLBACK TO a`)
			tx.exec(addOne)
			require.NoError(t, tx.Commit())
			require.EqualValues(t, 12, h.value(db, stockOfOne))
		})
	}
}

func TestADirectWriterMakesTransactionsReal(t *testing.T) {
	h := newHarness(t, itemsTable, buffering)
	h.value(h.shim, stockOfOne)
	one, two := h.begin(h.shim), h.begin(h.shim)
	one.exec(addOne)
	two.exec(`UPDATE items SET stock = 5 WHERE id = 2`)
	h.isBuffered()
	written := make(chan error, 1)
	go func() {
		_, err := h.shim.Exec(`UPDATE items SET stock = stock * 2`)
		written <- err
	}()
	h.waitsForLock()
	require.EqualValues(t, 2, h.stats().MadeReal)
	require.NoError(t, one.Commit())
	require.EqualValues(t, 5, two.value(`SELECT stock FROM items WHERE id = 2`))
	require.NoError(t, two.Commit())
	require.NoError(t, <-written)
	require.Equal(t, "22 10", h.value(h.past, `SELECT string_agg(stock::text, ' ' ORDER BY id) FROM items`))
}

func TestARowOfATransactionIsWaitedForInPostgreSQL(t *testing.T) {
	h := newHarness(t, itemsTable, buffering)
	h.value(h.shim, stockOfOne)
	for _, inTransaction := range []bool{false, true} {
		start := h.value(h.shim, stockOfOne).(int64)
		holder := h.begin(h.shim)
		holder.exec(addOne)
		written := make(chan error, 1)
		go func() {
			if !inTransaction {
				_, err := h.shim.Exec(addOne)
				written <- err
				return
			}
			waiter, err := h.shim.Begin()
			if err == nil {
				_, err = waiter.Exec(addOne)
				err = errors.Join(err, waiter.Commit())
			}
			written <- err
		}()
		h.waitsForLock()
		require.EqualValues(t, start, h.value(h.past, stockOfOne))
		holder.exec(addOne)
		require.NoError(t, holder.Commit())
		require.NoError(t, <-written)
		require.EqualValues(t, start+3, h.value(h.shim, stockOfOne))
	}
}

func TestADeadlockIsPostgreSQLsToBreak(t *testing.T) {
	h := newHarness(t, itemsTable, buffering)
	h.value(h.shim, stockOfOne)
	one, two := h.begin(h.shim), h.begin(h.shim)
	one.exec(addOne)
	two.exec(`UPDATE items SET stock = stock + 1 WHERE id = 2`)
	cross := func(t tx, query string) <-chan error {
		done := make(chan error, 1)
		go func() {
			_, err := t.Exec(query)
			if err == nil {
				err = t.Commit()
			} else {
				_ = t.Rollback()
			}
			done <- err
		}()
		return done
	}
	first := cross(one, `UPDATE items SET stock = stock + 1 WHERE id = 2`)
	second := cross(two, addOne)
	errs := []error{<-first, <-second}
	if errs[0] == nil {
		errs[0], errs[1] = errs[1], errs[0]
	}
	requirePQ(t, errs[0], "40P01")
	require.NoError(t, errs[1])
	require.Equal(t, "11 21", h.value(h.past, `SELECT string_agg(stock::text, ' ' ORDER BY id) FROM items`))
}

// A waits for B inside PostgreSQL, B for a flush, and the flush for A.
func TestACycleThroughAFlushIsBroken(t *testing.T) {
	h := newHarness(t, itemsTable+`CREATE TABLE plain (n int); INSERT INTO plain VALUES (0)`, buffering+" writebehind.tables=items")
	ours := h.begin(h.shim)
	ours.exec(`UPDATE plain SET n = n + 1`)
	h.exec(addOne)
	outsider := h.lock(`SELECT FROM items WHERE id = 1 FOR UPDATE`)
	theirs := make(chan error, 1)
	go func() {
		_, err := outsider.Exec(`UPDATE plain SET n = n + 1`)
		theirs <- errors.Join(err, outsider.Rollback())
	}()
	h.waitsForLock()
	var sum int
	err := ours.QueryRow(`SELECT sum(stock) FROM items`).Scan(&sum)
	if err == nil {
		require.Equal(t, 31, sum)
		require.NoError(t, ours.Commit())
	} else {
		require.NoError(t, ours.Rollback())
	}
	other := <-theirs
	require.False(t, err == nil && other == nil, "somebody gave way")
	h.flush()
	require.EqualValues(t, 11, h.value(h.past, stockOfOne), "what was acknowledged is not what gives way")
	require.Zero(t, h.stats().RefusedGroups)
}

func TestLockingReads(t *testing.T) {
	const forUpdate = `SELECT stock FROM items WHERE id = 1 FOR UPDATE`
	h := newHarness(t, itemsTable, buffering)
	h.value(h.shim, stockOfOne)
	h.exec(addOne)
	tx := h.begin(h.shim)
	require.EqualValues(t, 11, tx.value(forUpdate))
	require.Nil(t, tx.value(`SELECT stock FROM items WHERE id = 9 FOR UPDATE`))
	require.EqualValues(t, 1, tx.exec(`UPDATE items SET stock = $1 WHERE id = 1`, 12))
	require.EqualValues(t, 12, tx.value(forUpdate))
	require.NoError(t, tx.Commit())
	h.isBuffered()
	require.EqualValues(t, 12, h.value(h.shim, stockOfOne))

	for _, clause := range []string{"FOR UPDATE", "FOR NO KEY UPDATE", "FOR SHARE"} {
		holder := h.begin(h.shim)
		require.EqualValues(t, 12, holder.value(`SELECT stock FROM items WHERE id = 1 `+clause))
		other := h.begin(h.shim)
		var v int
		requirePQ(t, other.QueryRow(`SELECT stock FROM items WHERE id = 1 FOR UPDATE NOWAIT`).Scan(&v), "55P03", clause)
		require.NoError(t, other.Rollback())
		other = h.begin(h.shim)
		require.Nil(t, other.value(`SELECT stock FROM items WHERE id = 1 FOR UPDATE SKIP LOCKED`), clause)
		require.NoError(t, other.Commit())
		require.NoError(t, holder.Commit())
	}
	sharer, another := h.begin(h.shim), h.begin(h.shim)
	require.EqualValues(t, 12, sharer.value(`SELECT stock FROM items WHERE id = 1 FOR SHARE`))
	require.EqualValues(t, 12, another.value(`SELECT stock FROM items WHERE id = 1 FOR SHARE`), "they share it in PostgreSQL")
	require.NoError(t, sharer.Commit())
	require.NoError(t, another.Commit())
}

func TestOtherTransactionsAreRealFromTheStart(t *testing.T) {
	h := newHarness(t, itemsTable, buffering)
	h.exec(addOne)
	for _, opts := range []sql.TxOptions{
		{Isolation: sql.LevelRepeatableRead}, {Isolation: sql.LevelSerializable}, {ReadOnly: true},
	} {
		tx, err := h.shim.BeginTx(t.Context(), &opts)
		require.NoError(t, err)
		var stock int
		require.NoError(t, tx.QueryRow(stockOfOne).Scan(&stock))
		require.Equal(t, 11, stock, "all that was acknowledged before its snapshot")
		require.NoError(t, tx.Commit())
	}
	require.Zero(t, h.stats().Buffered)
	for _, level := range []sql.IsolationLevel{sql.LevelReadCommitted, sql.LevelReadUncommitted} {
		tx, err := h.shim.BeginTx(t.Context(), &sql.TxOptions{Isolation: level})
		require.NoError(t, err)
		_, err = tx.Exec(addOne)
		require.NoError(t, err)
		require.NoError(t, tx.Commit())
	}
	require.EqualValues(t, 2, h.stats().Buffered)
}

func TestTransactionsAsText(t *testing.T) {
	h := newHarness(t, itemsTable, buffering)
	h.value(h.shim, stockOfOne)
	conn := h.conn(h.shim)
	do := func(query string) {
		t.Helper()
		_, err := conn.ExecContext(t.Context(), query)
		require.NoError(t, err, query)
	}
	do(`BEGIN`)
	do(addOne)
	do(`SAVEPOINT a`)
	do(addOne)
	do(`ROLLBACK TO a`)
	do(`COMMIT`)
	require.EqualValues(t, 11, h.value(h.shim, stockOfOne))
	do(`START TRANSACTION`)
	do(addOne)
	do(`ROLLBACK`)
	require.EqualValues(t, 11, h.value(h.shim, stockOfOne))
	do(`BEGIN`)
	do(addOne)
	h.isBuffered()
	do(`UPDATE items SET stock = stock * 2 WHERE stock > 0`)
	require.EqualValues(t, 1, h.stats().MadeReal)
	do(`COMMIT`)
	require.EqualValues(t, 24, h.value(h.past, stockOfOne))
	do(`BEGIN`)
	do(addOne)
	do(`BEGIN`) // a warning, no more
	do(`COMMIT`)
	require.EqualValues(t, 25, h.value(h.shim, stockOfOne))
	do(`COMMIT`) // a warning, too
}

func TestPreparedStatementsInATransaction(t *testing.T) {
	h := newHarness(t, itemsTable, buffering)
	update, err := h.shim.Prepare(`UPDATE items SET stock = stock + $1 WHERE id = $2`)
	require.NoError(t, err)
	defer update.Close()
	tx := h.begin(h.shim)
	for range 3 {
		_, err := tx.Stmt(update).Exec(1, 1)
		require.NoError(t, err)
	}
	own, err := tx.Prepare(`SELECT stock FROM items WHERE id = $1`)
	require.NoError(t, err)
	var stock int
	require.NoError(t, own.QueryRow(1).Scan(&stock))
	require.Equal(t, 13, stock)
	require.NoError(t, tx.Commit())
	h.isBuffered()

	tx = h.begin(h.shim)
	tx.exec(addOne)
	_, err = tx.Prepare(`SELECT nonsense FROM items WHERE id = $1`)
	requirePQ(t, err, "42703")
	_, err = tx.Exec(addOne)
	requirePQ(t, err, "25P02")
	require.NoError(t, tx.Rollback())
	require.EqualValues(t, 13, h.value(h.shim, stockOfOne))
}

func TestATransactionOutlivesTheServer(t *testing.T) {
	h, server := newOwnServer(t, itemsTable, buffering)
	h.value(h.shim, stockOfOne)
	h.value(h.shim, `SELECT stock FROM items WHERE id = 2`)
	tx := h.begin(h.shim)
	tx.exec(addOne)
	require.NoError(t, server.Kill())
	tx.exec(`UPDATE items SET stock = stock + 1 WHERE id = 2`)
	require.NoError(t, tx.Commit())

	tx = h.begin(h.shim)
	tx.exec(addOne)
	_, err := tx.Exec(`UPDATE items SET stock = stock * 2 WHERE stock > 0`)
	require.Error(t, err)
	_, again := tx.Exec(addOne)
	require.Error(t, again, "it cannot go on")
	require.Error(t, tx.Commit())
	require.EqualValues(t, 11, h.value(h.shim, stockOfOne), "nothing of it has happened")

	require.NoError(t, server.Start(t.Context()))
	h.drained(h.shim)
	h.reconnects(h.past)
	require.Equal(t, "11 21", h.value(h.past, `SELECT string_agg(stock::text, ' ' ORDER BY id) FROM items`))
}

func TestADeadConnectionIsReplacedBeforeTheTransactionBegins(t *testing.T) {
	h := newHarness(t, itemsTable, buffering)
	h.value(h.shim, `SELECT count(*) FROM items`) // on the connection that the transaction gets
	h.value(h.shim, stockOfOne)
	tx := h.begin(h.shim)
	tx.exec(addOne)
	h.mustPast(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname = current_database()`)
	h.eventually("they are gone", func() bool {
		return h.value(h.past, `SELECT count(*) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname = current_database() AND query LIKE '%count(*) FROM items%'`) == int64(0)
	})
	require.EqualValues(t, 31, tx.value(`SELECT sum(stock) FROM items`))
	require.NoError(t, tx.Commit())
	require.EqualValues(t, 11, h.value(h.past, stockOfOne))
}

func TestAClosedConnectionLeavesNothingLocked(t *testing.T) {
	h := newHarness(t, itemsTable, buffering)
	h.value(h.shim, stockOfOne)
	ctx, cancel := context.WithCancel(t.Context())
	tx, err := h.shim.BeginTx(ctx, nil)
	require.NoError(t, err)
	_, err = tx.Exec(addOne)
	require.NoError(t, err)
	cancel() // database/sql rolls back
	h.eventually("it is rolled back", func() bool { return errors.Is(tx.Commit(), sql.ErrTxDone) })
	h.exec(addOne)
	require.EqualValues(t, 11, h.value(h.shim, stockOfOne))
	conn := h.conn(h.shim)
	_, err = conn.ExecContext(t.Context(), `BEGIN`)
	require.NoError(t, err)
	_, err = conn.ExecContext(t.Context(), addOne)
	require.NoError(t, err)
	require.ErrorIs(t, conn.Raw(func(any) error { return driver.ErrBadConn }), driver.ErrBadConn) // database/sql closes it
	h.exec(addOne)
	require.EqualValues(t, 12, h.value(h.shim, stockOfOne))
	h.isBuffered()
}

func TestTheLevelOfATransactionCanBeSetAfterBegin(t *testing.T) {
	h := newHarness(t, itemsTable, buffering)
	h.exec(addOne)
	conn := h.conn(h.shim)
	for _, query := range []string{`BEGIN`, `SET TRANSACTION ISOLATION LEVEL REPEATABLE READ`} {
		_, err := conn.ExecContext(t.Context(), query)
		require.NoError(t, err)
	}
	prepared, err := conn.PrepareContext(t.Context(), `UPDATE items SET stock = stock + $1 WHERE id = $2`)
	require.NoError(t, err, "it takes the snapshot")
	_, err = prepared.Exec(1, 1)
	require.NoError(t, err)
	_, err = conn.ExecContext(t.Context(), `COMMIT`)
	require.NoError(t, err)
	require.EqualValues(t, 12, h.value(h.past, stockOfOne))
}

func TestTheLevelCannotBeSetAfterAnAnswer(t *testing.T) {
	for _, first := range []string{stockOfOne, `UPDATE items SET stock = 0 WHERE id = 9`, addOne} {
		for _, name := range []string{"shim", "lib/pq"} {
			h := newHarness(t, itemsTable, buffering)
			db := h.shim
			if name == "lib/pq" {
				db = h.past
			}
			h.value(db, stockOfOne)
			tx := h.begin(db)
			_, err := tx.Exec(first)
			require.NoError(t, err)
			_, err = tx.Exec(`SET TRANSACTION ISOLATION LEVEL REPEATABLE READ`)
			requirePQ(t, err, "25001", name+": "+first)
			require.NoError(t, tx.Rollback())

			tx = h.begin(db)
			tx.exec(`SAVEPOINT a`)
			tx.exec(`RELEASE a`)
			tx.exec(`SET TRANSACTION ISOLATION LEVEL REPEATABLE READ`)
			require.NoError(t, tx.Rollback())
		}
	}
}

func TestATransactionCommitsBesideOneThatIsReal(t *testing.T) {
	for _, ended := range []bool{false, true} {
		h := newHarness(t, itemsTable, buffering)
		h.value(h.shim, stockOfOne)
		one, two := h.begin(h.shim), h.begin(h.shim)
		one.exec(addOne)
		two.exec(`UPDATE items SET stock = stock + 1 WHERE id = 2`)
		one.exec(`SELECT 1`) // it is real, and its row direct
		if ended {
			require.NoError(t, one.Commit())
		}
		require.NoError(t, two.Commit())
		if !ended {
			require.NoError(t, one.Commit())
		}
		h.flush()
		require.Equal(t, "11 21", h.value(h.past, `SELECT string_agg(stock::text, ' ' ORDER BY id) FROM items`))
	}
}
