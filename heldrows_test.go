package writebehind_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/writebehind/writebehind/internal/pgtest"
)

// What is held must be the row that PostgreSQL takes a statement for, and must be let
// go when that is over, and no sooner.

const eventsTable = `CREATE TABLE events (at timestamptz PRIMARY KEY, n int NOT NULL);
	INSERT INTO events VALUES ('2024-01-01 00:00:00+00', 1), ('2023-12-31 15:00:00+00', 2);`

func TestAKeyIsWhatTheSessionReads(t *testing.T) {
	const inUTC = `SELECT n FROM events WHERE at = '2023-12-31 15:00:00+00'`
	const inTokyo = `at = '2024-01-01 00:00:00'`
	t.Run("of another pool", func(t *testing.T) {
		h := newHarness(t, eventsTable, "TimeZone=UTC")
		for range 2 {
			require.EqualValues(t, 2, h.value(h.shim, inUTC))
		}
		other := h.open("writebehind", h.dsn+h.params+" TimeZone=Asia/Tokyo")
		_, err := other.Exec(`UPDATE events SET n = 30 WHERE ` + inTokyo)
		require.NoError(t, err)
		require.EqualValues(t, 30, h.value(h.past, inUTC))
		require.EqualValues(t, 30, h.value(h.shim, inUTC))
		h.exec(`UPDATE events SET n = 40 WHERE at = '2023-12-31 15:00:00+00'`)
		require.EqualValues(t, 40, h.value(other, `SELECT n FROM events WHERE `+inTokyo))
	})
	for _, transactions := range []string{"direct", "buffer"} {
		t.Run("SET LOCAL, "+transactions, func(t *testing.T) {
			h := newHarness(t, eventsTable, "TimeZone=UTC writebehind.transactions="+transactions)
			for range 2 {
				require.EqualValues(t, 2, h.value(h.shim, inUTC))
			}
			tx := h.begin(h.shim)
			tx.exec(`SET LOCAL TimeZone = 'Asia/Tokyo'`)
			require.EqualValues(t, 2, tx.value(`SELECT n FROM events WHERE `+inTokyo))
			h.exec(`UPDATE events SET n = 20 WHERE at = '2023-12-31 15:00:00+00'`)
			require.EqualValues(t, 20, tx.value(`SELECT n FROM events WHERE `+inTokyo))
			tx.exec(`UPDATE events SET n = 30 WHERE ` + inTokyo)
			require.NoError(t, tx.Commit())
			require.EqualValues(t, 30, h.value(h.past, inUTC))
			require.EqualValues(t, 30, h.value(h.shim, inUTC))
		})
	}
}

func TestANameIsWhatTheSessionReads(t *testing.T) {
	t.Run("a table whose cascade leads here", func(t *testing.T) {
		h := newHarness(t, itemsTable+`CREATE SCHEMA p; CREATE TABLE p.items (id bigint PRIMARY KEY); INSERT INTO p.items VALUES (1);
			ALTER TABLE public.items ADD p bigint REFERENCES p.items ON DELETE SET NULL; UPDATE public.items SET p = 1 WHERE id = 2;`, "writebehind.tables=public.items")
		const read = `SELECT p FROM public.items WHERE id = 2`
		for range 2 {
			require.EqualValues(t, 1, h.value(h.shim, read))
		}
		conn := h.conn(h.shim)
		for _, query := range []string{`SET search_path = p`, `DELETE FROM items WHERE id = 1`} {
			_, err := conn.ExecContext(t.Context(), query)
			require.NoError(t, err)
		}
		require.Nil(t, h.value(h.past, read))
		require.Nil(t, h.value(h.shim, read))
	})
	t.Run("a view", func(t *testing.T) {
		h := newHarness(t, itemsTable+`CREATE SCHEMA o; CREATE VIEW o.items AS SELECT id + 1 AS id, stock FROM public.items;`, "writebehind.tables=public.items")
		h.exec(`UPDATE public.items SET stock = 99 WHERE id = 1`)
		conn := h.conn(h.shim)
		_, err := conn.ExecContext(t.Context(), `SET search_path = o`)
		require.NoError(t, err)
		var n int
		require.NoError(t, conn.QueryRowContext(t.Context(), `SELECT stock FROM items WHERE id = 2`).Scan(&n))
		require.Equal(t, 99, n)
	})
}

// isDeferred asserts that writes of the first item are.
func (h *harness) isDeferred() {
	h.Helper()
	before := h.stats().Deferred
	h.exec(`UPDATE items SET stock = stock + 1 WHERE id = 1`)
	require.Equal(h, before+1, h.stats().Deferred)
}

func TestARowThatIsHeldTwiceIsLetGo(t *testing.T) {
	h := newHarness(t, itemsTable, "writebehind.transactions=direct")
	tx, err := h.conn(h.shim).BeginTx(t.Context(), nil)
	require.NoError(t, err)
	rows, err := tx.Query(`UPDATE items SET stock = 5 WHERE id = 1 RETURNING stock`)
	require.NoError(t, err)
	require.True(t, rows.Next())
	_, err = tx.Exec(`UPDATE items SET stock = 6 WHERE id = 1`)
	require.Error(t, err, "lib/pq is still at the query")
	require.NoError(t, rows.Close())
	require.NoError(t, tx.Commit())
	h.isDeferred()
}

func TestACommitThatIsNotSentEndsNothing(t *testing.T) {
	for _, how := range []string{"rows are open", "it has arguments"} {
		h := newHarness(t, itemsTable, "writebehind.transactions=direct")
		const stockOfTwo = `SELECT stock FROM items WHERE id = 2`
		h.value(h.shim, stockOfTwo)
		conn := h.conn(h.shim)
		for _, query := range []string{`BEGIN`, `UPDATE items SET stock = 50 WHERE id = 2`} {
			_, err := conn.ExecContext(t.Context(), query)
			require.NoError(t, err, query)
		}
		if how == "rows are open" {
			rows, err := conn.QueryContext(t.Context(), `SELECT id FROM items`)
			require.NoError(t, err)
			require.True(t, rows.Next())
			_, err = conn.ExecContext(t.Context(), `COMMIT`)
			require.Error(t, err)
			require.NoError(t, rows.Close())
		} else {
			_, err := conn.ExecContext(t.Context(), `COMMIT`, 1)
			require.Error(t, err)
		}
		for range 2 {
			require.EqualValues(t, 20, h.value(h.shim, stockOfTwo))
		}
		_, err := conn.ExecContext(t.Context(), `COMMIT`)
		require.NoError(t, err)
		require.EqualValues(t, 50, h.value(h.past, stockOfTwo), how)
		require.EqualValues(t, 50, h.value(h.shim, stockOfTwo), how)
	}
}

func TestAfterAPreparedTransactionItsRowsAreDeferredAgain(t *testing.T) {
	h := newHarnessOn(t, pgtest.New(t, pgtest.WithSetting("max_prepared_transactions", "5")), itemsTable, "")
	conn := h.conn(h.shim)
	for _, query := range []string{`BEGIN`, `UPDATE items SET stock = 5 WHERE id = 1`, `PREPARE TRANSACTION 'x'`} {
		_, err := conn.ExecContext(t.Context(), query)
		require.NoError(t, err, query)
	}
	h.requireMode("direct")
	h.mustPast(`COMMIT PREPARED 'x'`)
	require.EqualValues(t, 5, h.value(h.shim, stockOfOne))
	h.eventually("it is seen to have ended", func() bool {
		mode, _ := h.table("items")
		return mode == "deferred"
	})
	h.isDeferred()
}

func TestACommitThatFailsLeavesNoTransaction(t *testing.T) {
	h := newHarness(t, itemsTable, buffering)
	h.value(h.shim, stockOfOne)
	conn := h.conn(h.shim)
	for _, query := range []string{`BEGIN`, `UPDATE items SET stock = 5 WHERE id = 1`} {
		_, err := conn.ExecContext(t.Context(), query)
		require.NoError(t, err)
	}
	h.mustPast(`DELETE FROM items WHERE id = 1`)
	h.exec(`UPDATE items SET stock = stock + 1 WHERE id > 1`) // makes the transaction real
	_, err := conn.ExecContext(t.Context(), `COMMIT`)
	require.Error(t, err)
	var one int
	require.NoError(t, conn.QueryRowContext(t.Context(), `SELECT 1`).Scan(&one))
	h.mustPast(`INSERT INTO items VALUES (1, 'one', 10)`)
	h.isDeferred()
}
