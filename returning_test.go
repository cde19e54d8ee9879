package writebehind_test

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestReturningIsAnsweredFromTheImage(t *testing.T) {
	for _, transactions := range []string{"direct", "buffer"} {
		h := newHarness(t, itemsTable, "writebehind.transactions="+transactions)
		twin := newHarness(t, itemsTable, "")
		h.value(h.shim, stockOfOne)
		for _, query := range []string{
			`UPDATE items SET stock = stock + 1 WHERE id = 1 RETURNING stock`,
			`UPDATE items SET name = 'uno' WHERE id = 1 RETURNING *`,
			`UPDATE items SET name = 'eins' WHERE id = 1 AND name = 'one' RETURNING id`,
			`UPDATE items SET name = 'none' WHERE id = 7 RETURNING id, name AS called`,
			`INSERT INTO items (id, name) VALUES (3, 'three') RETURNING id, stock, price, "name" AS "Name", id`,
			`INSERT INTO items (id, name) VALUES (3, 'drei') ON CONFLICT (id) DO NOTHING RETURNING id`,
			`INSERT INTO items (id, name, stock) VALUES (3, 'drei', 5) ON CONFLICT (id) DO UPDATE SET stock = items.stock + EXCLUDED.stock RETURNING stock`,
			`DELETE FROM items WHERE id = 2 RETURNING items.*`,
			`DELETE FROM items WHERE id = 2 RETURNING name`,
			`UPDATE items SET price = 9.90 WHERE id = 3 RETURNING price, stock`,
		} {
			decision, reason := h.explain(query)
			require.Equal(t, "deferred", decision, "%s: %s", query, reason)
			want, columns, err := queryText.run(twin.past, query)
			require.NoError(t, err)
			got, gotColumns, err := queryText.run(h.shim, query)
			require.NoError(t, err)
			require.Equal(t, want, got, query)
			require.Equal(t, columns, gotColumns, query)
		}
		require.EqualValues(t, 10, h.stats().Deferred)
		require.Zero(t, h.stats().Direct)
		h.flush()
		const all = `SELECT string_agg(items::text, ',' ORDER BY id) FROM items`
		require.Equal(t, h.value(twin.past, all), h.value(h.past, all))
	}
}

func TestReturningInABufferedTransaction(t *testing.T) {
	h := newHarness(t, itemsTable, buffering)
	h.value(h.shim, stockOfOne)
	tx := h.begin(h.shim)
	require.EqualValues(t, 11, tx.value(addOne+` RETURNING stock`))
	require.EqualValues(t, 12, tx.value(addOne+` RETURNING stock`))
	require.EqualValues(t, 3, tx.value(`INSERT INTO items (id, name) VALUES (3, 'three') RETURNING id`))
	require.Nil(t, tx.value(`DELETE FROM items WHERE id = 7 RETURNING id`))
	h.isBuffered()
	require.EqualValues(t, 42, tx.value(`SELECT sum(stock) + 10 FROM items`), "it is real, and has done all of it again")
	require.NoError(t, tx.Commit())
	require.EqualValues(t, 12, h.value(h.past, stockOfOne))
}

func TestWhatIsUnknownUntilTheFlushIsNotReturned(t *testing.T) {
	h := newHarness(t, `CREATE TABLE items (id bigint PRIMARY KEY, stock int, twice int GENERATED ALWAYS AS (stock * 2) STORED)`, "")
	h.value(h.shim, `SELECT stock FROM items WHERE id = 1`)
	require.EqualValues(t, 1, h.value(h.shim, `INSERT INTO items (id, stock) VALUES (1, 4) RETURNING id`))
	require.EqualValues(t, 10, h.value(h.shim, `UPDATE items SET stock = 5 WHERE id = 1 RETURNING twice`))
}
