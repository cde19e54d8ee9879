package writebehind_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/lib/pq"

	"github.com/stretchr/testify/require"
)

// rowInserts are INSERTs of several rows; those that fail fail in PostgreSQL's words.
var rowInserts = []string{
	`INSERT INTO items (id, name, stock) VALUES (11, 'a', 1), (12, 'b', DEFAULT), (13, 'c', 3) RETURNING id, name, stock`,
	`INSERT INTO items (id, name) VALUES (14, 'd'), (14, 'e')`,
	`INSERT INTO items (id, name) VALUES (14, 'd'), (1, 'e')`,
	`INSERT INTO items (id, name) VALUES (14, 'd'), (15, NULL)`,
	`INSERT INTO items (id, name) VALUES (14, 'd'), (14, 'e'), (11, 'f') ON CONFLICT DO NOTHING RETURNING *`,
	`INSERT INTO items (id, name) VALUES (16, 'd'), (16, 'e') ON CONFLICT (id) DO UPDATE SET name = EXCLUDED.name`,
	`INSERT INTO items (id, stock) VALUES (11, 5), (16, 5), (12, 5) ON CONFLICT (id) DO UPDATE SET stock = items.stock + EXCLUDED.stock RETURNING id, stock`,
	`INSERT INTO items (id, stock) VALUES (11, 5), (16, 2147483640), (16, 3) ON CONFLICT (id) DO UPDATE SET stock = items.stock + EXCLUDED.stock RETURNING id, stock`,
	`INSERT INTO items VALUES (21, 'x', 1, 1.5), (22, 'y', 2, NULL)`,
	`INSERT INTO items VALUES (23, 'x', 1, 1.555), (24, 'y', 2, 'x')`,
	`INSERT INTO items (id) VALUES (31), (32), (33) RETURNING items.*`,
}

func TestInsertsOfSeveralRows(t *testing.T) {
	for _, how := range []string{eachAlone, inTransactions, flushed} {
		h := newHarness(t, itemsTable, "")
		twin := newHarness(t, itemsTable, "")
		h.value(h.shim, stockOfOne)
		h.sameAs(twin, how, queryText, rowInserts)
		h.flush()
		const all = `SELECT string_agg(items::text, ',' ORDER BY id) FROM items`
		require.Equal(t, h.value(twin.past, all), h.value(h.past, all))
	}
}

func TestAnInsertOfSeveralRowsIsOneGroup(t *testing.T) {
	h := newHarness(t, itemsTable+`CREATE TABLE serials (id bigserial PRIMARY KEY, name text)`, "")
	h.value(h.shim, stockOfOne)
	before := h.stats()
	require.EqualValues(t, 3, h.exec(`INSERT INTO items (id) VALUES (5), (6), (7)`))
	require.Equal(t, before.LSN+1, h.stats().LSN)
	rows, err := h.shim.Query(`INSERT INTO serials (name) VALUES ('a'), ('b'), ('c') RETURNING name, id`)
	require.NoError(t, err)
	var names string
	var last int64
	for rows.Next() {
		var name string
		var id int64
		require.NoError(t, rows.Scan(&name, &id))
		names += name
		require.Greater(t, id, last)
		last = id
	}
	require.NoError(t, rows.Err())
	require.Equal(t, "abc", names)
	require.Equal(t, before.Direct, h.stats().Direct)
	require.Equal(t, before.Deferred+2, h.stats().Deferred)
	h.flush()
	require.EqualValues(t, 6, h.value(h.past, `SELECT (SELECT count(*) FROM items WHERE id > 4) + (SELECT count(*) FROM serials)`))
}

func TestTheKeysOfSeveralRowsAreLookedUpAtOnce(t *testing.T) {
	h := newHarness(t, itemsTable, "")
	r := record(h, h.dsn, pq.Open)
	h.shim = h.open("writebehind", h.dsn+h.params+" writebehind.driver=recorded")
	h.exec(`INSERT INTO items (id) VALUES (5), (6)`)
	r.take()
	h.exec(`INSERT INTO items (id) VALUES (5), (7), (8), (9), (7) ON CONFLICT DO NOTHING`)
	var sent []string
	for _, c := range r.take() {
		if strings.Contains(c.what, "items") && !strings.HasPrefix(c.what, "PREPARE") {
			sent = append(sent, fmt.Sprint(c.what, c.args))
		}
	}
	require.Equal(t, []string{rewriteLookupOfItems + `[{7,8,9}]`}, sent)
}

const rewriteLookupOfItems = `SELECT "id", "name", "stock", "price" FROM "public"."items" WHERE "id" = ANY($1::bigint[])`
