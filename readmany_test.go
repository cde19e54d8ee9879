package writebehind_test

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

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
					want, columns, err := rowsAndColumns(past, r.query, r.args...)
					require.NoError(t, err, r.query)
					before := h.stats()
					got, gotColumns, err := rowsAndColumns(h.shim, r.query, r.args...)
					require.NoError(t, err, r.query)
					if strings.Contains(r.query, "words") || !strings.Contains(r.query, "ORDER BY") {
						require.ElementsMatch(t, want, got, "%s %v", r.query, r.args)
					} else {
						require.Equal(t, want, got, "%s %v", r.query, r.args)
					}
					require.Equal(t, columns, gotColumns, r.query)
					require.Equal(t, before.Direct, h.stats().Direct, "%s %v", r.query, r.args)
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

func TestAListOfKeysThatIsNotCertainIsDirect(t *testing.T) {
	h := newHarness(t, manyTables, "")
	twin := newHarness(t, manyTables, "")
	long := make([]int64, 1001)
	inlined := strings.Repeat("1, ", 1000) + "1"
	for _, r := range []struct {
		query  string
		args   []any
		reason string
	}{
		{`SELECT id FROM items WHERE id IN (` + inlined + `)`, nil, "it lists more than 1000 keys"},
		{`SELECT id FROM items WHERE id = ANY($1)`, []any{pq.Array(long)}, "more than 1000 keys"},
		{`SELECT id FROM items WHERE id = ANY($1)`, []any{"[2:3]={1,2}"}, "argument $1"},
		{`SELECT id FROM items WHERE id = ANY($1)`, []any{"{{1},{2}}"}, "argument $1"},
		{`SELECT id FROM items WHERE id = ANY($1)`, []any{"{1, 2}"}, "argument $1"},
		{`SELECT id FROM items WHERE id = ANY($1)`, []any{"{1,x}"}, "argument $1"},
		{`SELECT id FROM items WHERE id = ANY($1)`, []any{"{1,2"}, "argument $1"},
		{`SELECT id FROM items WHERE id = ANY($1)`, []any{"{1,}"}, "argument $1"},
		{`SELECT id FROM items WHERE id = ANY($1)`, []any{"{99999999999999999999}"}, "argument $1"},
		{`SELECT id FROM items WHERE id = ANY($1)`, []any{7}, "argument $1"},
		{`SELECT id FROM items WHERE id = ANY($1::int[])`, []any{"{1}"}, "cast to another type"},
		{`SELECT id FROM items WHERE id = ANY('{1, 2}')`, nil, "not certain what the array"},
		{`SELECT id FROM items WHERE id IN (1, $1)`, []any{"x"}, "argument $1"},
		{`SELECT id FROM items WHERE id IN (1, 1.5)`, nil, "literal"},
		{`SELECT id FROM items WHERE id = 1 AND id IN (1, 2)`, nil, "another condition on the same column"},
		{`SELECT id FROM items WHERE id IN (1, 2) AND id IN (2, 3)`, nil, "another condition on the same column"},
		{`SELECT text FROM lines WHERE doc IN (1, 2) AND line IN (1, 2)`, nil, "two lists of keys"},
		{`SELECT id FROM items WHERE id IN (1, 2) FOR UPDATE`, nil, "it locks a list of keys"},
		{`SELECT id FROM items WHERE id IN (1, 2) ORDER BY stock`, nil, "not of the primary key"},
		{`SELECT word FROM words WHERE word IN ('a', 'B') ORDER BY word`, nil, "collation"},
		{`SELECT doc FROM lines WHERE doc IN (1, 2)`, nil, "every column of the primary key"},
	} {
		decision, reason := h.explain(r.query, r.args...)
		require.Equal(t, "direct", decision, r.query)
		require.Contains(t, reason, r.reason, r.query)
		before := h.stats()
		want, _, wanted := queryText.run(twin.past, r.query, r.args...)
		got, _, err := queryText.run(h.shim, r.query, r.args...)
		require.Equal(t, want, got, r.query)
		require.Equal(t, wanted, err, r.query)
		require.Equal(t, before.Cached+before.Missed, h.stats().Cached+h.stats().Missed, r.query)
	}
	for _, query := range []string{ // which rows those are is PostgreSQL's to choose
		`SELECT id FROM items WHERE id IN (1, 2, 3) LIMIT 2`, `SELECT doc FROM lines WHERE (doc, line) IN ((1, 1), (1, 2)) ORDER BY doc LIMIT 1`,
	} {
		before := h.stats()
		_, _, err := queryText.run(h.shim, query)
		require.NoError(t, err)
		require.Equal(t, before.Direct+1, h.stats().Direct, query)
	}
}

func TestOneQueryReadsWhatIsNotKnownOfAList(t *testing.T) {
	h := newHarness(t, manyTables, "")
	r := record(h, h.dsn, pq.Open)
	db := h.open("writebehind", h.dsn+h.params+" writebehind.driver=recorded")
	require.EqualValues(t, 10, h.value(db, stockOfOne))
	_, err := db.Exec(`UPDATE items SET stock = 21 WHERE id = 2`)
	require.NoError(t, err)
	r.take()
	const sum = `SELECT stock FROM items WHERE id IN (1, 2, 3, 4, 77)`
	for _, queries := range []int{1, 0} {
		got, err := numbers(db, sum)
		require.NoError(t, err)
		require.Equal(t, []int64{10, 21, 3, 4}, got)
		var asked []call
		for _, c := range r.take() {
			if c.what == lookupItem {
				asked = append(asked, c)
			}
		}
		require.Len(t, asked, queries)
		if queries > 0 {
			require.Equal(t, "{3,4,77}", fmt.Sprint(asked[0].args[0]))
		}
	}
	require.Nil(t, h.value(db, `SELECT stock FROM items WHERE id = 77`))
	require.Empty(t, r.take(), "that there is no such row is known, too")
}

func TestAListOfKeysInABufferedTransaction(t *testing.T) {
	h := newHarness(t, manyTables, buffering)
	tx := h.begin(h.shim)
	require.EqualValues(t, 1, tx.exec(`UPDATE items SET stock = 100 WHERE id = 1`))
	require.EqualValues(t, 1, tx.exec(`DELETE FROM items WHERE id = 2`))
	require.EqualValues(t, 1, tx.exec(`INSERT INTO items (id) VALUES (50)`))
	require.EqualValues(t, 3, tx.value(`SELECT count(*) FROM items WHERE id IN (1, 2, 3, 50)`))
	require.EqualValues(t, 100, tx.value(`SELECT stock FROM items WHERE id = ANY('{1,2}')`))
	require.EqualValues(t, 4, h.value(h.shim, `SELECT count(*) FROM items WHERE id IN (1, 2, 3, 4, 50)`), "others see none of it")
	h.isBuffered()
	require.NoError(t, tx.Commit())
	require.EqualValues(t, 3, h.value(h.shim, `SELECT count(*) FROM items WHERE id IN (1, 2, 3, 50)`))
}

func TestAListOfKeysSeesAGroupAsAWholeOrNotAtAll(t *testing.T) {
	for _, params := range []string{
		"writebehind.journal=none", "writebehind.journal=none writebehind.cache_size=0", "writebehind.journal=%s writebehind.sync=on", "writebehind.journal=%s writebehind.sync=off writebehind.batch_rows=2",
	} {
		t.Run(params, func(t *testing.T) {
			if strings.Contains(params, "%s") {
				params = fmt.Sprintf(params, t.TempDir())
			}
			h := newHarness(t, itemsTable, "")
			h.shim = h.open("writebehind", h.dsn+" writebehind.tables=* writebehind.max_delay=2ms "+buffering+" "+params)
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			var wg sync.WaitGroup
			for n := range 2 {
				wg.Go(func() {
					for moves := 1; ctx.Err() == nil; moves++ {
						err := moveOne(h.shim, 1+n)
						if err == nil && moves%200 == 0 { // past the buffers
							_, err = h.shim.Exec(`UPDATE items SET stock = CASE WHEN id = 1 THEN stock + 1 ELSE stock - 1 END WHERE id IN (1, 2)`)
						}
						if err != nil {
							t.Error(err)
							return
						}
					}
				})
			}
			for _, query := range []string{`SELECT stock FROM items WHERE id IN (1, 2)`, `SELECT stock FROM items WHERE id = ANY('{2,7,1}')`} {
				wg.Go(func() {
					for ctx.Err() == nil {
						got, err := numbers(h.shim, query)
						if err != nil || len(got) != 2 || got[0]+got[1] != 30 {
							t.Error("not one moment:", got, err)
							return
						}
					}
				})
			}
			wg.Wait()
			require.EqualValues(t, 30, h.value(h.shim, `SELECT sum(stock) FROM items`))
			st := h.stats()
			t.Logf("%d cached, %d missed, %d direct", st.Cached, st.Missed, st.Direct)
			require.NotZero(t, st.Cached)
		})
	}
}

// moveOne moves one piece of stock from an item to the other, in one transaction.
func moveOne(db *sql.DB, from int) error {
	tx, err := db.Begin()
	if err != nil {
		return err
	}
	defer tx.Rollback()
	for _, id := range []int{1, 2} {
		change := `UPDATE items SET stock = stock + 1 WHERE id = $1`
		if id == from {
			change = `UPDATE items SET stock = stock - 1 WHERE id = $1`
		}
		if _, err := tx.Exec(change, id); err != nil {
			return err
		}
	}
	return tx.Commit()
}

// rowsAndColumns reads a result, and all that is told of its columns.
func rowsAndColumns(db *sql.DB, query string, args ...any) (rows, columns []string, err error) {
	answer, err := db.Query(query, args...)
	if err != nil {
		return nil, nil, err
	}
	defer answer.Close()
	types, err := answer.ColumnTypes()
	if err != nil {
		return nil, nil, err
	}
	for _, c := range types {
		length, hasLength := c.Length()
		precision, scale, hasPrecision := c.DecimalSize()
		columns = append(columns, fmt.Sprint(c.Name(), c.DatabaseTypeName(), c.ScanType(), length, hasLength, precision, scale, hasPrecision))
	}
	rows, err = allValues(answer)
	return rows, columns, err
}

// numbers reads a result of one column of integers.
func numbers(db *sql.DB, query string) (all []int64, err error) {
	rows, err := db.Query(query)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var n int64
		if err := rows.Scan(&n); err != nil {
			return nil, err
		}
		all = append(all, n)
	}
	return all, rows.Err()
}
