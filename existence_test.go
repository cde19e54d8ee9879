package writebehind_test

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestWhetherARowIsThereIsAnsweredFromTheCache(t *testing.T) {
	for _, binary := range []string{"", " binary_parameters=yes"} {
		h := newHarness(t, itemsTable, binary)
		h.exec(`DELETE FROM items WHERE id = 2`)
		h.exec(`INSERT INTO items (id, name) VALUES (3, 'three')`)
		h.value(h.shim, stockOfOne)
		h.value(h.shim, `SELECT stock FROM items WHERE id = 7`)
		twin := newHarness(t, itemsTable+`; DELETE FROM items WHERE id = 2; INSERT INTO items (id, name) VALUES (3, 'three')`, "")
		past := twin.open("postgres", twin.dsn+binary)
		for _, query := range []string{
			`SELECT 1 FROM items WHERE id = $1`,
			`SELECT 1 AS one FROM "items" WHERE "items"."id" = $1 LIMIT 1`,
			`SELECT 07 FROM items WHERE id = $1 AND stock = 10`,
			`SELECT count(*) FROM items WHERE id = $1`,
			`SELECT COUNT(1) AS n FROM items i WHERE i.id = $1 AND name = 'one'`,
			`SELECT EXISTS (SELECT 1 FROM items WHERE id = $1)`,
			`SELECT EXISTS(SELECT * FROM items WHERE id = $1 AND stock IS NULL) AS there`,
		} {
			decision, reason := h.explain(query, 1)
			require.Equal(t, "cached", decision, "%s: %s", query, reason)
			for _, id := range []int{1, 2, 3, 7} {
				want, columns, err := queryText.run(past, query, id)
				require.NoError(t, err)
				before := h.stats()
				got, gotColumns, err := queryText.run(h.shim, query, id)
				require.NoError(t, err)
				require.Equal(t, want, got, "%s of %d", query, id)
				require.Equal(t, columns, gotColumns, query)
				require.Equal(t, before.Cached+1, h.stats().Cached, query)
			}
		}
		for _, query := range []string{
			`SELECT -2147483648 FROM items WHERE id = 1`, `SELECT 3000000000 FROM items WHERE id = 1`, `SELECT 'x' FROM items WHERE id = 1`,
			`SELECT NULL FROM items WHERE id = 1`, `SELECT count(*) FROM items WHERE id = 1 ORDER BY id`, `SELECT count(*) FROM items WHERE id = 1 FOR UPDATE`,
		} {
			decision, _ := h.explain(query)
			require.Equal(t, "direct", decision, query)
		}
	}
}
