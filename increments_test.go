package writebehind_test

import (
	"context"
	"database/sql"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/writebehind/writebehind"
)

const countersTable = `CREATE TABLE counters (id bigint PRIMARY KEY, name text NOT NULL DEFAULT 'new', small smallint NOT NULL DEFAULT 0,
		n int DEFAULT 0, big bigint NOT NULL DEFAULT 0, price numeric(10,2) DEFAULT 0, free numeric DEFAULT 0, f double precision DEFAULT 0,
		CHECK (n > -1000));
	INSERT INTO counters (id, small) VALUES (1, 0), (2, -30000)`

// TestIncrementsOfOthersStay has another program change a row between
// acknowledgement and flush.
func TestIncrementsOfOthersStay(t *testing.T) {
	type statement struct {
		query string
		args  []any
	}
	for _, c := range []struct {
		what       string
		statements []statement
		past       string
		read       string
		want       string
	}{
		{"integer", []statement{{`UPDATE counters SET n = n + $1 WHERE id = 1`, []any{5}}, {`UPDATE counters SET n = n - $1 WHERE id = 1`, []any{2}}},
			`n = n + 100`, `n`, "103"},
		{"smallint, with a sum beyond its range", []statement{{`UPDATE counters SET small = small + 30000 WHERE id = 2`, nil}, {`UPDATE counters SET small = small + 30000 WHERE id = 2`, nil},
			{`UPDATE counters SET small = small - 1 WHERE id = 2`, nil}}, `small = -32000`, `small`, "27999"},
		{"bigint", []statement{{`UPDATE counters SET big = big - $1 WHERE id = 1`, []any{int64(1) << 40}}}, `big = 1`, `big`, "-1099511627775"},
		{"numeric", []statement{{`UPDATE counters SET price = price + $1 WHERE id = 1`, []any{"0.25"}}, {`UPDATE counters SET price = price - $1 WHERE id = 1`, []any{"1.1"}}},
			`price = 9.99`, `price`, "9.14"},
		{"numeric that is rounded", []statement{{`UPDATE counters SET price = price + $1 WHERE id = 1`, []any{"0.125"}}}, `price = 9.99`, `price`, "0.13"},
		{"numeric without a scale", []statement{{`UPDATE counters SET free = free + $1 WHERE id = 1`, []any{"0.50"}}, {`UPDATE counters SET free = free - $1 WHERE id = 1`, []any{"0.5"}}},
			`free = 3`, `free`, "3.00"},
		{"double precision", []statement{{`UPDATE counters SET f = f + $1 WHERE id = 1`, []any{0.5}}}, `f = 3`, `f`, "0.5"},
		{"set and add", []statement{{`UPDATE counters SET n = n + 1, name = 'mine', big = big + 2 WHERE id = 1`, nil}},
			`n = 10, name = 'past', big = 20`, `concat_ws(' ', n, name, big)`, "11 mine 22"},
		{"add, then set", []statement{{`UPDATE counters SET n = n + 1, big = big + 1 WHERE id = 1`, nil}, {`UPDATE counters SET n = 5 WHERE id = 1`, nil}},
			`n = 10, big = 20`, `concat_ws(' ', n, big)`, "5 21"},
		{"set, then add", []statement{{`UPDATE counters SET n = 5 WHERE id = 1`, nil}, {`UPDATE counters SET n = n + 1, big = big + 1 WHERE id = 1`, nil}},
			`n = 10, big = 20`, `concat_ws(' ', n, big)`, "6 21"},
		{"one of two NULL", []statement{{`UPDATE counters SET n = NULL WHERE id = 1`, nil}, {`UPDATE counters SET n = n + 1, big = big + 1 WHERE id = 1`, nil}},
			`n = 10, big = 20`, `concat_ws(' ', coalesce(n::text, 'NULL'), big)`, "NULL 21"},
		{"NULL added", []statement{{`UPDATE counters SET n = n + $1, big = big + 1 WHERE id = 1`, []any{nil}}},
			`n = 10, big = 20`, `concat_ws(' ', coalesce(n::text, 'NULL'), big)`, "NULL 21"},
		{"upsert of a row that is there", []statement{{`INSERT INTO counters AS t (id, n) VALUES (1, 4) ON CONFLICT (id) DO UPDATE SET n = t.n + EXCLUDED.n`, nil}},
			`n = 10`, `n`, "14"},
	} {
		t.Run(c.what, func(t *testing.T) {
			for _, buffered := range []bool{false, true} {
				h := newHarness(t, countersTable, buffering)
				db := interface {
					Exec(query string, args ...any) (sql.Result, error)
				}(h.shim)
				var tx *sql.Tx
				h.value(h.shim, `SELECT n FROM counters WHERE id = 1`) // a transaction is buffered by an engine that there is
				if buffered {
					var err error
					tx, err = h.shim.Begin()
					require.NoError(t, err)
					db = tx
				}
				for _, s := range c.statements {
					_, err := db.Exec(s.query, s.args...)
					require.NoError(t, err, s.query)
				}
				if buffered {
					require.NoError(t, tx.Commit())
				}
				require.EqualValues(t, 1, h.stats().PendingRows, "they are deferred, buffered: %v", buffered)
				id := 1
				if strings.Contains(c.statements[0].query, "id = 2") {
					id = 2
				}
				h.mustPast(`UPDATE counters SET ` + c.past)
				h.flush()
				require.Equal(t, c.want, h.value(h.past, `SELECT (`+c.read+`)::text FROM counters WHERE id = $1`, id))
				require.Zero(t, h.stats().RefusedGroups)
			}
		})
	}
}

// The image is wrong after such a flush, and so is what is pending on top of it.
func TestRowThatAnotherProgramHasChangedIsReadAgain(t *testing.T) {
	h := newHarness(t, countersTable, "")
	const read = `SELECT n FROM counters WHERE id = 1`
	add := func() { h.Helper(); h.exec(`UPDATE counters SET n = n + 1 WHERE id = 1`) }
	add()
	require.EqualValues(t, 1, h.value(h.shim, read))
	h.mustPast(`UPDATE counters SET n = n + 100`)
	h.flush()
	require.EqualValues(t, 101, h.value(h.shim, read))

	add()
	h.mustPast(`UPDATE counters SET n = n + 100`)
	lock, err := h.past.Begin()
	require.NoError(t, err)
	_, err = lock.Exec(`LOCK TABLE counters IN SHARE MODE`)
	require.NoError(t, err)
	flushed := make(chan error, 1)
	go func() { flushed <- writebehind.Flush(context.Background(), h.shim) }()
	h.waitsForLock()
	add()                                                       // on the image that the flush finds to be wrong
	h.exec(`UPDATE counters SET name = 'renamed' WHERE id = 1`) // without a look at n
	require.EqualValues(t, 103, h.value(h.shim, read), "so far nobody knows")
	require.NoError(t, lock.Rollback())
	require.NoError(t, <-flushed)
	require.EqualValues(t, 203, h.value(h.shim, read))
	add()
	require.EqualValues(t, 204, h.value(h.shim, read))
	h.flush()
	require.Equal(t, "renamed 204", h.value(h.past, `SELECT concat_ws(' ', name, n) FROM counters WHERE id = 1`))
	require.Zero(t, h.stats().RefusedGroups)
}

func TestUpsertAddsToARowThatAnotherProgramWasQuickerToInsert(t *testing.T) {
	for _, c := range []struct {
		query string
		n     int64
	}{
		{`INSERT INTO counters AS t (id, n) VALUES (3, 4) ON CONFLICT (id) DO UPDATE SET n = t.n + EXCLUDED.n`, 105},
		{`INSERT INTO counters AS t (id, n) VALUES (3, 4) ON CONFLICT (id) DO UPDATE SET n = t.n + 4`, 105},
		{`INSERT INTO counters AS t (id, n) VALUES (3, 4) ON CONFLICT (id) DO UPDATE SET n = t.n + 3`, 5},
		{`INSERT INTO counters AS t (id, n) VALUES (3, 4) ON CONFLICT (id) DO UPDATE SET n = t.n - 4`, 5},
		{`INSERT INTO counters AS t (id, n) VALUES (3, 4) ON CONFLICT (id) DO UPDATE SET n = EXCLUDED.n`, 5},
	} {
		h := newHarness(t, countersTable, "")
		h.exec(c.query)
		require.EqualValues(t, 1, h.stats().PendingRows, c.query)
		h.exec(`UPDATE counters SET n = n + 1 WHERE id = 3`)
		require.EqualValues(t, 1, h.stats().PendingRows)
		h.mustPast(`INSERT INTO counters (id, n) VALUES (3, 100)`)
		h.flush()
		require.EqualValues(t, c.n, h.value(h.past, `SELECT n FROM counters WHERE id = 3`), c.query)
	}
}

func TestIncrementThatNoLongerFitsIsADeadLetter(t *testing.T) {
	h := newHarness(t, countersTable, "")
	h.exec(`UPDATE counters SET n = n + 5, name = 'mine' WHERE id = 1`)
	h.exec(`UPDATE counters SET n = n - 500 WHERE id = 2`)
	h.exec(`UPDATE counters SET small = small - 1 WHERE id = 2`)
	h.mustPast(`UPDATE counters SET n = 2147483645 WHERE id = 1; UPDATE counters SET n = -600 WHERE id = 2`)
	h.flush()
	require.Equal(t, []string{
		`counters update {"id": "1"} {"n": "5", "id": "1", "name": "mine"} 22003`,
		`counters update {"id": "2"} {"n": "-500", "id": "2"} 23514`,
		`counters update {"id": "2"} {"id": "2", "small": "-1"} 23514`,
	}, h.letters())
	h.mustPast(`UPDATE counters SET n = 7, small = 7`)
	require.NoError(t, writebehind.RetryDeadLetters(context.Background(), h.shim, h.letterIDs()...))
	require.Equal(t, "12 mine 7", h.value(h.past, `SELECT concat_ws(' ', n, name, small) FROM counters WHERE id = 1`))
	require.Equal(t, "-493 new 6", h.value(h.past, `SELECT concat_ws(' ', n, name, small) FROM counters WHERE id = 2`))
}
