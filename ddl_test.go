package writebehind_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/writebehind/writebehind"
)

func TestDDLThroughTheShimWhileWritesArePending(t *testing.T) {
	h := newHarness(t, itemsTable, "")
	pend := func(name string) {
		t.Helper()
		h.exec(`UPDATE items SET name = $1 WHERE id = 1`, name)
		require.NotZero(t, h.stats().PendingRows)
	}
	all := func(id int) []string {
		t.Helper()
		const query = `SELECT * FROM items WHERE id = $1`
		want, _, err := queryText.run(h.past, query, id)
		require.NoError(t, err)
		for range 2 {
			got, _, err := queryText.run(h.shim, query, id)
			require.NoError(t, err)
			require.Equal(t, want, got)
		}
		return want
	}
	all(1)
	all(2)

	pend("before ADD COLUMN")
	h.exec(`ALTER TABLE items ADD COLUMN extra int DEFAULT 7`)
	require.Contains(t, all(1)[0], "before ADD COLUMN")
	require.Contains(t, all(2)[0], "extra: int64(7)")
	h.exec(`UPDATE items SET extra = 8 WHERE id = 2`)
	require.EqualValues(t, 1, h.stats().PendingRows, "the new column is deferred, too")
	require.EqualValues(t, 8, h.value(h.shim, `SELECT extra FROM items WHERE id = 2`))

	pend("before DROP COLUMN")
	h.exec(`ALTER TABLE items DROP COLUMN stock`)
	require.Contains(t, all(1)[0], "before DROP COLUMN")
	require.NotContains(t, all(2)[0], "stock")
	_, err := h.shim.Exec(`UPDATE items SET stock = 1 WHERE id = 1`)
	requirePQ(t, err, "42703")

	pend("before the type changes")
	h.exec(`ALTER TABLE items ALTER COLUMN extra TYPE text`)
	require.Contains(t, all(2)[0], `extra: string("8")`)
	h.exec(`UPDATE items SET extra = 'eight' WHERE id = 2`)

	pend("before DROP TABLE")
	h.exec(`DROP TABLE items`)
	_, err = h.shim.Exec(`UPDATE items SET name = 'x' WHERE id = 1`)
	requirePQ(t, err, "42P01")
	h.exec(`CREATE TABLE items (id text PRIMARY KEY, colour text)`)
	h.exec(`INSERT INTO items VALUES ('1', 'red')`)
	require.EqualValues(t, 1, h.stats().PendingRows)
	require.Equal(t, "red", h.value(h.shim, `SELECT colour FROM items WHERE id = $1`, "1"))
	h.flush()
	require.Equal(t, "red", h.value(h.past, `SELECT colour FROM items WHERE id = '1'`))
	require.Zero(t, h.stats().RefusedGroups)
}

func TestARenamedTableIsAnotherTable(t *testing.T) {
	h := newHarness(t, itemsTable+`CREATE TABLE spare (LIKE items INCLUDING ALL); INSERT INTO spare VALUES (1, 'spare', 1, 1)`, "")
	require.Equal(t, "one", h.value(h.shim, `SELECT name FROM items WHERE id = 1`))
	require.Equal(t, "spare", h.value(h.shim, `SELECT name FROM spare WHERE id = 1`))
	h.exec(`UPDATE items SET name = 'uno' WHERE id = 1`)
	h.exec(`ALTER TABLE items RENAME TO old; ALTER TABLE spare RENAME TO items`)
	require.Equal(t, "spare", h.value(h.shim, `SELECT name FROM items WHERE id = 1`))
	require.Equal(t, "uno", h.value(h.shim, `SELECT name FROM old WHERE id = 1`))
}

func TestDDLThatIsRolledBackChangesNothing(t *testing.T) {
	h := newHarness(t, itemsTable, "")
	tx, err := h.shim.Begin()
	require.NoError(t, err)
	_, err = tx.Exec(`ALTER TABLE items ADD COLUMN extra int DEFAULT 7`)
	require.NoError(t, err)
	var extra int
	require.NoError(t, tx.QueryRow(`SELECT extra FROM items WHERE id = 1`).Scan(&extra))
	require.Equal(t, 7, extra)
	require.NoError(t, tx.Rollback())
	_, err = h.shim.Query(`SELECT extra FROM items WHERE id = 1`)
	requirePQ(t, err, "42703")
	h.exec(`UPDATE items SET stock = 5 WHERE id = 1`)
	require.EqualValues(t, 1, h.stats().PendingRows)
}

func TestAReadThroughOfAStaleCatalogReadsItAgain(t *testing.T) {
	h := newHarness(t, itemsTable, "")
	require.Equal(t, "one", h.value(h.shim, `SELECT name FROM items WHERE id = 1`))
	h.mustPast(`ALTER TABLE items DROP COLUMN price`)
	require.Equal(t, "two", h.value(h.shim, `SELECT name FROM items WHERE id = 2`), "the look-up names all columns")
	h.mustPast(`ALTER TABLE items DROP COLUMN stock`)
	require.EqualValues(t, 1, h.exec(`UPDATE items SET name = 'zwei' WHERE id = 2`))
	require.Equal(t, "zwei", h.value(h.shim, `SELECT name FROM items WHERE id = 2`))
	require.EqualValues(t, 1, h.exec(`INSERT INTO items VALUES (3, 'three')`))
	require.Equal(t, "three", h.value(h.shim, `SELECT name FROM items WHERE id = 3`))
	h.flush()
	require.Equal(t, "zwei three", h.value(h.past, `SELECT string_agg(name, ' ' ORDER BY id) FROM items WHERE id > 1`))
}

func TestAFlushIntoAChangedTableGoesOnOnceItCan(t *testing.T) {
	h := newHarness(t, itemsTable, "")
	h.exec(`INSERT INTO items (id, name, stock) VALUES (3, 'three', 3)`)
	h.exec(`UPDATE items SET name = 'uno' WHERE id = 1`)
	h.mustPast(`ALTER TABLE items ADD COLUMN extra int DEFAULT 7`)
	h.flush()
	require.Equal(t, "uno two three", h.value(h.past, `SELECT string_agg(name, ' ' ORDER BY id) FROM items`))

	h.exec(`UPDATE items SET stock = 33 WHERE id = 3`)
	h.mustPast(`ALTER TABLE items RENAME COLUMN stock TO held`)
	err := writebehind.Flush(context.Background(), h.shim)
	require.ErrorIs(t, err, writebehind.ErrPending)
	require.ErrorContains(t, err, "(42703)", "the error says what is wrong")
	require.True(t, h.stats().Paused)
	require.EqualValues(t, 1, h.stats().PendingRows, "nothing is dropped")
	h.mustPast(`ALTER TABLE items RENAME COLUMN held TO stock`)
	h.eventually("the flush is tried again", func() bool { return h.stats().PendingRows == 0 })
	require.False(t, h.stats().Paused)
	require.EqualValues(t, 33, h.value(h.past, `SELECT stock FROM items WHERE id = 3`))
	require.Zero(t, h.stats().RefusedGroups)
}
