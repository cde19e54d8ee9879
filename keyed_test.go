package writebehind_test

import (
	"database/sql"
	"testing"

	"github.com/stretchr/testify/require"
)

// keyedWrites are writes by primary key as people and libraries spell them.
var keyedWrites = []struct {
	query string
	args  []any
}{
	{`UPDATE items SET stock = 5 WHERE id = 1`, nil},
	{`update ITEMS set STOCK=6 where ID=1;`, nil},
	{"\n\tUPDATE items\n\tSET stock = $1,\n\t\tname = $2\n\tWHERE id = $3\n", []any{7, "seven", 1}},
	{`UPDATE public.items SET stock = $2 WHERE items.id = $1`, []any{1, 8}},
	{`UPDATE "public"."items" SET "stock" = $1 WHERE "items"."id" = $2`, []any{9, 1}},
	{`UPDATE "items" AS i SET stock = $1 WHERE i.id = $2`, []any{10, 1}},
	{`/* who */ UPDATE items -- what
		SET stock = /* how */ $1 WHERE id = $2 -- which`, []any{11, 1}},
	{`UPDATE items SET stock = $1::int WHERE id = $2::bigint`, []any{12, 1}},
	{`UPDATE items SET stock = CAST($1 AS integer) WHERE (id = $2)`, []any{13, 1}},
	{`UPDATE items SET stock = stock + $1 WHERE id = $2`, []any{3, 1}},
	{`UPDATE items SET stock = stock - 3 WHERE id = $1`, []any{1}},
	{`UPDATE items SET (stock) = ROW($1) WHERE id = $2`, []any{14, 1}},
	{`UPDATE items SET name = 'it''s' WHERE id = 1`, nil},
	{`UPDATE items SET name = E'tab\t', price = NULL WHERE id = 1`, nil},
	{`UPDATE items SET price = 1.5, stock = -1 WHERE id = 1`, nil},
	{`UPDATE items SET name = 'new' WHERE id = $1`, []any{1}},
	{`UPDATE items SET stock = $1 WHERE id = $2 AND name = $3`, []any{15, 1, "new"}},
	{`UPDATE items SET stock = $1 WHERE name = $3 AND id = $2 AND price IS NOT NULL`, []any{16, 1, "new"}},
	{`UPDATE items SET stock = $1 WHERE id = $2 AND stock = 999`, []any{17, 1}},
	{`UPDATE items SET stock = 18 WHERE id = '1'`, nil},
	{`UPDATE items SET stock = $1 WHERE id = $2`, []any{"19", "1"}},
	{`UPDATE items SET stock = 20 WHERE id = 12345`, nil},
	{`UPDATE items SET id = $1, stock = $2 WHERE id = $1`, []any{1, 21}},
	{`INSERT INTO items (id, name, stock, price) VALUES ($1, $2, $3, $4)`, []any{30, "thirty", 3, nil}},
	{`INSERT INTO items VALUES (31, 'thirty-one', 3, 0.5)`, nil},
	{`insert into public.items(id) values($1)`, []any{32}},
	{`INSERT INTO items AS i (id, stock) VALUES (33, DEFAULT)`, nil},
	{`INSERT INTO items (id, stock) VALUES ($1, 1) ON CONFLICT (id) DO UPDATE SET stock = EXCLUDED.stock`, []any{30}},
	{`INSERT INTO items (id, stock) VALUES ($1, 1) ON CONFLICT (id) DO UPDATE SET stock = items.stock + EXCLUDED.stock`, []any{30}},
	{`INSERT INTO items (id) VALUES ($1) ON CONFLICT DO NOTHING`, []any{30}},
	{`INSERT INTO items (id) VALUES ($1) ON CONFLICT (id) DO NOTHING`, []any{34}},
	{`DELETE FROM items WHERE id = $1`, []any{31}},
	{`DELETE FROM public.items AS i WHERE i.id = 32;`, nil},
	{`DELETE FROM items WHERE id = 33 AND stock = 1`, nil},
	{`DELETE FROM items WHERE id = 404`, nil},
}

var keyedReads = []struct {
	query string
	args  []any
}{
	{`SELECT * FROM items WHERE id = $1`, []any{1}},
	{`select NAME, Stock from ITEMS where ID=1;`, nil},
	{`SELECT i.name AS n, i."stock" FROM "public"."items" AS i WHERE i.id = $1`, []any{1}},
	{`SELECT items.* FROM items WHERE items.id = $1 LIMIT 1`, []any{1}},
	{`SELECT "items"."id", "items"."name" FROM "items" WHERE "items"."id" = $1 ORDER BY "items"."id" LIMIT $2`, []any{1, 1}},
	{`SELECT name, name, id FROM items WHERE id = 2`, nil},
	{`SELECT price FROM items WHERE id = $1 AND name = $2`, []any{2, "two"}},
	{`SELECT price FROM items WHERE id = $1 AND name = $2`, []any{2, "other"}},
	{`SELECT price FROM items WHERE price IS NULL AND id = $1`, []any{2}},
	{`/* c */ SELECT name -- d
		FROM items WHERE id = $1`, []any{"2"}},
	{`SELECT name FROM items WHERE id = $1`, []any{404}},
	{`SELECT name FROM items WHERE id = $1`, []any{30}},
}

func TestKeyedStatementsInAllSpellings(t *testing.T) {
	forEachAccess(t, itemsTable, func(h *harness, via access) {
		twin := h.twin(itemsTable)
		for _, w := range keyedWrites {
			before := h.stats().Deferred
			_, got, err := via.run(h.shim, w.query, w.args...)
			require.NoError(h, err, w.query)
			_, want, err := via.run(twin, w.query, w.args...)
			require.NoError(h, err, w.query)
			require.Equal(h, want, got, "%s: rows affected", w.query)
			if via != queryText { // a write through Query is direct in this version
				require.Equal(h, before+1, h.stats().Deferred, w.query)
			}
		}
		for _, r := range keyedReads {
			want, _, err := via.run(twin, r.query, r.args...)
			require.NoError(h, err, r.query)
			before := h.stats()
			for range 2 {
				got, _, err := via.run(h.shim, r.query, r.args...)
				require.NoError(h, err, r.query)
				require.Equal(h, want, got, r.query)
			}
			after := h.stats()
			require.EqualValues(h, 2, after.Cached+after.Missed-before.Cached-before.Missed, r.query)
			require.Equal(h, before.Direct, after.Direct, r.query)
		}
		h.flush()
		const all = `SELECT * FROM items ORDER BY id`
		got, _, err := via.run(h.past, all)
		require.NoError(h, err)
		want, _, err := via.run(twin, all)
		require.NoError(h, err)
		require.Equal(h, want, got)
		require.Zero(h, h.stats().RefusedGroups)
	})
}

// twin is another database with the same tables, seen by lib/pq alone.
func (h *harness) twin(ddl string) *sql.DB {
	h.Helper()
	twin := newHarness(h.T, ddl, "")
	return h.open("postgres", twin.dsn+h.session)
}
