package writebehind_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/lib/pq"
	"github.com/stretchr/testify/require"
)

const manyTables = itemsTable + `
	INSERT INTO items SELECT n, 'item ' || n, n, n FROM generate_series(3, 9) AS n;
	CREATE TABLE words (word text PRIMARY KEY, n int);
	INSERT INTO words VALUES ('a', 1), ('B', 2), ('c d', 3), ('q"\', 4), ('NULL', 5), ('', 6), ('é', 7);
	CREATE TABLE plain (word varchar(9) COLLATE "C" PRIMARY KEY, n int);
	INSERT INTO plain VALUES ('a', 1), ('B', 2), ('b', 3);
	CREATE TABLE things (id uuid PRIMARY KEY, n int);
	INSERT INTO things SELECT ('00000000-0000-4000-8000-00000000000' || n)::uuid, n FROM generate_series(1, 5) AS n;
	CREATE TABLE lines (doc int, line smallint, text text, PRIMARY KEY (doc, line));
	INSERT INTO lines SELECT d, l, d || '/' || l FROM generate_series(1, 3) AS d, generate_series(1, 3) AS l;
	CREATE TABLE days (day date PRIMARY KEY, n int);
	INSERT INTO days SELECT '2024-02-27'::date + n, n FROM generate_series(1, 4) AS n`

// manyReads are SELECTs of lists of keys. The order of those without ORDER BY is
// that of the key, which PostgreSQL gives too, told to use the index.
var manyReads = []struct {
	query string
	args  []any
}{
	{`SELECT * FROM items WHERE id IN (3, 1, 2, 1, 77)`, nil},
	{`SELECT id, name AS called FROM items i WHERE i.id IN ($1, $2, NULL, 4)`, []any{2, nil}},
	{`SELECT id FROM items WHERE id IN ($1, $2) AND stock = $3 AND price IS NULL`, []any{1, 2, 20}},
	{`SELECT id FROM items WHERE id IN (1, 2, 3) AND id = $1`, []any{2}},
	{`SELECT id FROM items WHERE id IN (4, 6, 5) ORDER BY id DESC`, nil},
	{`SELECT id FROM items WHERE id IN (4, 6, 5) ORDER BY items.id DESC, id NULLS FIRST LIMIT 2`, nil},
	{`SELECT id FROM items WHERE id IN (4, 6, 5) ORDER BY id LIMIT $1`, []any{1}},
	{`SELECT id FROM items WHERE id IN (4, 6, 5) LIMIT 3`, nil},
	{`SELECT id FROM items WHERE id IN (NULL)`, nil},
	{`SELECT id FROM items WHERE id = ANY($1)`, []any{pq.Array([]int64{7, 3, 3, 88})}},
	{`SELECT id FROM items WHERE id = ANY($1)`, []any{[]int64{7, 3, 3, 88}}},
	{`SELECT id FROM items WHERE id = SOME($1::bigint[])`, []any{"{1,NULL,2}"}},
	{`SELECT id FROM items WHERE id = ANY($1)`, []any{"{}"}},
	{`SELECT id FROM items WHERE id = ANY($1)`, []any{nil}},
	{`SELECT id FROM items WHERE id = ANY($1)`, []any{`{"1",null,"2"}`}},
	{`SELECT id FROM items WHERE id = ANY('{2,5}')`, nil},
	{`SELECT id FROM items WHERE id = ANY('{2,5}'::int8[]) ORDER BY id DESC LIMIT 1`, nil},
	{`SELECT id FROM items WHERE id = ANY(ARRAY[2, 5])`, nil},
	{`SELECT id FROM items WHERE id = ANY(ARRAY[$1, $2, 5]::bigint[])`, []any{8, "9"}},
	{`SELECT count(*) FROM items WHERE id IN (1, 2, 3, 77) AND stock = 3`, nil},
	{`SELECT count(*) AS n FROM items WHERE id = ANY($1)`, []any{pq.Array([]int64{1, 2, 77, 2})}},
	{`SELECT 1 FROM items WHERE id IN (1, 2, 77)`, nil},
	{`SELECT 1 AS one FROM items WHERE id IN (1, 2, 77) LIMIT 1`, nil},
	{`SELECT EXISTS (SELECT 1 FROM items WHERE id IN (76, 77))`, nil},
	{`SELECT EXISTS (SELECT 1 FROM items WHERE id IN (1, 77))`, nil},
	{`SELECT n, word FROM words WHERE word IN ('a', $1, '')`, []any{`c d`}},
	{`SELECT n FROM words WHERE word = ANY($1)`, []any{pq.Array([]string{"B", `q"\`, "NULL", "", "é"})}},
	{`SELECT n FROM words WHERE word = ANY($1)`, []any{`{NULL,a}`}},
	{`SELECT n FROM plain WHERE word = ANY($1) ORDER BY word`, []any{pq.Array([]string{"b", "B", "a"})}},
	{`SELECT n FROM plain WHERE word IN ('b', 'B', 'a') ORDER BY word DESC LIMIT 2`, nil},
	{`SELECT * FROM things WHERE id = ANY($1)`, []any{pq.Array([]string{"00000000-0000-4000-8000-000000000003", "00000000000040008000000000000001"})}},
	{`SELECT * FROM things WHERE id IN ($1, '00000000-0000-4000-8000-000000000005') ORDER BY id DESC`, []any{"00000000-0000-4000-8000-000000000002"}},
	{`SELECT * FROM lines WHERE (doc, line) IN ((1, 2), ($1, $2), (2, NULL), (1, 2))`, []any{3, 1}},
	{`SELECT * FROM lines WHERE (line, doc) IN ((1, 2), (3, 1)) ORDER BY doc DESC, line`, nil},
	{`SELECT * FROM lines WHERE doc = $1 AND line IN (3, 1)`, []any{2}},
	{`SELECT * FROM lines WHERE line = ANY($2) AND doc = $1 ORDER BY line DESC LIMIT 1`, []any{2, pq.Array([]int64{1, 2})}},
	{`SELECT text FROM lines WHERE (doc, line) IN ((3, 1), (1, 2), (1, 1)) ORDER BY line DESC, doc DESC LIMIT 2`, nil},
	{`SELECT * FROM days WHERE day IN ('2024-02-29', $1)`, []any{"2024-03-01"}},
	{`SELECT n FROM days WHERE day = ANY($1)`, []any{pq.Array([]string{"2024-02-28", "2024-02-29"})}},
}

func TestAListOfKeysIsAnsweredAsPostgreSQLDoes(t *testing.T) {
	for _, params := range []string{"", "writebehind.transactions=buffer"} {
		for _, session := range []string{"", " binary_parameters=yes"} {
			h := newHarness(t, manyTables, params+session)
			twin := newHarness(t, manyTables, "")
			past := twin.open("postgres", twin.dsn+session+` options='-c enable_seqscan=off -c enable_bitmapscan=off'`)
			for _, write := range []string{
				`UPDATE items SET stock = stock + 1, name = 'changed' WHERE id = 3`, `DELETE FROM items WHERE id = 6`,
				`INSERT INTO words (word, n) VALUES ('new', 9)`, `UPDATE lines SET text = 'x' WHERE doc = 1 AND line = 2`,
			} {
				h.exec(write)
				_, err := past.Exec(write)
				require.NoError(t, err)
			}
			for range 2 { // with little in the cache, and with all of it
				for _, r := range manyReads {
					want, columns, err := queryText.run(past, r.query, r.args...)
					require.NoError(t, err, r.query)
					before := h.stats()
					got, gotColumns, err := queryText.run(h.shim, r.query, r.args...)
					require.NoError(t, err, r.query)
					if strings.Contains(r.query, "words") || !strings.Contains(r.query, "ORDER BY") {
						require.ElementsMatch(t, want, got, "%s %v", r.query, r.args)
					} else {
						require.Equal(t, want, got, "%s %v", r.query, r.args)
					}
					require.Equal(t, columns, gotColumns, r.query)
					if array, bytes := fmt.Sprint(r.args), session != ""; !bytes || !strings.Contains(array, "[91") {
						require.Equal(t, before.Direct, h.stats().Direct, "%s %v", r.query, r.args)
					}
				}
			}
			before := h.stats()
			_, _, err := queryText.run(h.shim, manyReads[0].query)
			require.NoError(t, err)
			require.Equal(t, before.Cached+1, h.stats().Cached)
			require.Equal(t, before.Missed, h.stats().Missed)
		}
	}
}
