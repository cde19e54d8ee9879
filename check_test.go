package writebehind_test

import (
	"errors"
	"testing"

	"github.com/lib/pq"
	"github.com/stretchr/testify/require"
)

const checkedTable = `CREATE TABLE goods (id bigint PRIMARY KEY, stock int CHECK (stock >= 0), low int, status varchar(10) NOT NULL DEFAULT 'new',
		note text, CONSTRAINT bounds CHECK (low <= stock), CONSTRAINT known CHECK (status IN ('new', 'paid', 'sent')));
	INSERT INTO goods VALUES (1, 3, 0), (2, 5, NULL)`

// violates asserts that an error is PostgreSQL's own of a CHECK constraint.
func violates(t require.TestingT, err error, constraint string) {
	var e *pq.Error
	require.ErrorAs(t, err, &e)
	require.EqualValues(t, "23514", e.Code)
	require.Equal(t, constraint, e.Constraint)
	require.NotEmpty(t, e.Detail, "the failing row, as PostgreSQL shows it")
}

// settled asserts that nothing acknowledged was refused, and that PostgreSQL has
// the rows that the shim shows.
func (h *harness) settled() {
	h.Helper()
	h.flush()
	require.Zero(h, h.stats().RefusedGroups)
	require.Equal(h, int64(0), h.value(h.past, `SELECT count(*) FROM writebehind.dead_letter`))
	for _, id := range []int{1, 2, 3, 4} {
		const row = `SELECT stock FROM goods WHERE id = $1`
		require.Equal(h, h.value(h.past, row, id), h.value(h.shim, row, id))
	}
}

func TestAWriteThatItsCheckCertainlyTakesIsDeferred(t *testing.T) {
	h := newHarness(t, checkedTable, "")
	for _, statement := range []string{
		`UPDATE goods SET stock = stock - 1 WHERE id = 1`,
		`UPDATE goods SET stock = NULL, note = 'a' WHERE id = 1`,
		`UPDATE goods SET low = 100 WHERE id = 1`,
		`UPDATE goods SET stock = 100 WHERE id = 1`,
		`UPDATE goods SET status = 'paid' WHERE id = 2`,
		`INSERT INTO goods (id, stock) VALUES (3, 0)`,
		`INSERT INTO goods (id, stock, low, status) VALUES (4, 7, 7, 'sent')`,
		`INSERT INTO goods (id, stock) VALUES (4, 8) ON CONFLICT (id) DO UPDATE SET stock = EXCLUDED.stock`,
		`INSERT INTO goods (id, stock) VALUES (4, 1) ON CONFLICT (id) DO UPDATE SET stock = goods.stock + EXCLUDED.stock`,
		`INSERT INTO goods (id, stock) VALUES (4, 9) ON CONFLICT (id) DO NOTHING`,
	} {
		before := h.stats()
		h.exec(statement)
		after := h.stats()
		require.Equal(t, before.Deferred+1, after.Deferred, statement)
		require.Equal(t, before.Direct, after.Direct, statement)
	}
	h.settled()
	require.EqualValues(t, 9, h.value(h.past, `SELECT stock FROM goods WHERE id = 4`))
}

// refusedByCheck are statements that a check refuses, with its name.
var refusedByCheck = [][2]string{
	{`UPDATE goods SET stock = stock - 5 WHERE id = 1`, "bounds"},
	{`UPDATE goods SET stock = -1 WHERE id = 2`, "goods_stock_check"},
	{`UPDATE goods SET low = 4 WHERE id = 1`, "bounds"},
	{`UPDATE goods SET status = 'gone' WHERE id = 1`, "known"},
	{`UPDATE goods SET status = 'paid', stock = -1 WHERE id = 1`, "bounds"},
	{`INSERT INTO goods (id, stock) VALUES (3, -1)`, "goods_stock_check"},
	{`INSERT INTO goods (id, status) VALUES (3, '')`, "known"},
	{`INSERT INTO goods (id, stock) VALUES (1, -1) ON CONFLICT (id) DO NOTHING`, "goods_stock_check"},
	{`INSERT INTO goods (id, stock) VALUES (1, -1) ON CONFLICT (id) DO UPDATE SET note = 'b'`, "goods_stock_check"},
	{`INSERT INTO goods (id, stock) VALUES (1, 9) ON CONFLICT (id) DO UPDATE SET low = EXCLUDED.stock`, "bounds"},
	{`INSERT INTO goods (id, stock) VALUES (3, -9) ON CONFLICT (id) DO UPDATE SET stock = EXCLUDED.stock`, "goods_stock_check"},
}

func TestACheckThatFailsIsPostgresOwnError(t *testing.T) {
	h := newHarness(t, checkedTable, "")
	h.exec(`UPDATE goods SET note = 'pending' WHERE id = 1`)
	for _, r := range refusedByCheck {
		_, err := h.shim.Exec(r[0])
		violates(t, err, r[1])
	}
	require.EqualValues(t, 3, h.value(h.shim, `SELECT stock FROM goods WHERE id = 1`))
	h.settled()
}

func TestTheLastPieceIsSoldOnce(t *testing.T) {
	h := newHarness(t, checkedTable, "")
	const sell = `UPDATE goods SET stock = stock - $1 WHERE id = $2`
	before := h.stats()
	for range 3 {
		require.EqualValues(t, 1, h.exec(sell, 1, 1))
	}
	require.Equal(t, before.Deferred+3, h.stats().Deferred)
	require.Equal(t, before.Direct, h.stats().Direct)
	_, err := h.shim.Exec(sell, 1, 1)
	violates(t, err, "bounds")
	require.EqualValues(t, 0, h.value(h.shim, `SELECT stock FROM goods WHERE id = 1`))
	h.settled()
}

func TestChecksInABufferedTransaction(t *testing.T) {
	h := newHarness(t, checkedTable, buffering)
	tx := h.begin(h.shim)
	tx.exec(`UPDATE goods SET stock = stock - 3 WHERE id = 1`)
	tx.exec(`INSERT INTO goods (id, stock) VALUES (3, 1)`)
	tx.exec(`INSERT INTO goods (id, stock) VALUES (3, 1) ON CONFLICT (id) DO UPDATE SET stock = goods.stock + EXCLUDED.stock`)
	h.isBuffered()
	require.NoError(t, tx.Commit())
	h.isBuffered()
	h.settled()
	require.EqualValues(t, 2, h.value(h.past, `SELECT stock FROM goods WHERE id = 3`))
	h.exec(`UPDATE goods SET stock = 3 WHERE id = 1`)
	h.exec(`DELETE FROM goods WHERE id = 3`)

	for _, r := range refusedByCheck {
		tx := h.begin(h.shim)
		tx.exec(`UPDATE goods SET note = 'a' WHERE id = 1`)
		_, err := tx.Exec(r[0])
		violates(t, err, r[1])
		_, err = tx.Exec(`UPDATE goods SET note = 'b' WHERE id = 1`)
		var e *pq.Error
		require.True(t, errors.As(err, &e) && e.Code == "25P02", err)
		require.NoError(t, tx.Rollback())
	}
	require.EqualValues(t, 3, h.value(h.shim, `SELECT stock FROM goods WHERE id = 1`))
	h.settled()
}

func TestOtherChecksAreLeftToPostgres(t *testing.T) {
	h := newHarness(t, `CREATE TABLE goods (id bigint PRIMARY KEY, stock int CHECK (stock >= 0), even int CHECK (even % 2 = 0), word text CHECK (length(word) < 5), note text);
		INSERT INTO goods VALUES (1, 3, 2, 'a');
		CREATE TABLE late (id bigint PRIMARY KEY, stock int, note text); INSERT INTO late VALUES (1, -5); ALTER TABLE late ADD CHECK (stock >= 0) NOT VALID;
		CREATE TABLE odd (id bigint PRIMARY KEY, stock int);
		CREATE FUNCTION never(int, int) RETURNS bool LANGUAGE sql IMMUTABLE AS 'SELECT false'`, "")
	direct := func(statement string) error {
		before := h.stats()
		_, err := h.shim.Exec(statement)
		require.Equal(t, before.Deferred, h.stats().Deferred, statement)
		return err
	}
	require.NoError(t, direct(`UPDATE goods SET even = 4 WHERE id = 1`))
	violates(t, direct(`UPDATE goods SET word = 'longer', stock = 1 WHERE id = 1`), "goods_word_check")
	require.NoError(t, direct(`INSERT INTO goods (id, stock) VALUES (2, 1)`))
	violates(t, direct(`UPDATE late SET note = 'a' WHERE id = 1`), "late_stock_check")
	before := h.stats()
	h.exec(`UPDATE goods SET stock = 1, even = 4 WHERE id = 1`)
	require.Equal(t, before.Deferred+1, h.stats().Deferred, "the other check's column stays as it is")
	h.settled()
}

// An operator that is called = need not be the one that is built in.
func TestACheckWithAnOperatorOfTheUsersOwn(t *testing.T) {
	h := newHarness(t, `CREATE OPERATOR public.>= (leftarg = int, rightarg = int, function = int4lt);
		SET search_path = public, pg_catalog;
		CREATE TABLE goods (id bigint PRIMARY KEY, stock int CHECK (stock >= 0)); INSERT INTO goods VALUES (1, -3)`, "")
	_, err := h.shim.Exec(`UPDATE goods SET stock = 5 WHERE id = 1`)
	violates(t, err, "goods_stock_check")
	h.exec(`UPDATE goods SET stock = -5 WHERE id = 1`)
	h.settled()
}

func TestAPartitionsOwnCheck(t *testing.T) {
	h := newHarness(t, `CREATE TABLE goods (id bigint PRIMARY KEY, stock int CHECK (stock >= 0)) PARTITION BY RANGE (id);
		CREATE TABLE goods_1 PARTITION OF goods (CONSTRAINT few CHECK (stock < 10)) FOR VALUES FROM (0) TO (3);
		CREATE TABLE goods_2 PARTITION OF goods DEFAULT; INSERT INTO goods VALUES (1, 3), (3, 3)`, "")
	before := h.stats()
	h.exec(`UPDATE goods SET stock = 9 WHERE id = 1`)
	require.Equal(t, before.Deferred+1, h.stats().Deferred)
	_, err := h.shim.Exec(`UPDATE goods SET stock = 10 WHERE id = 1`)
	violates(t, err, "few")
	h.exec(`UPDATE goods SET stock = 10 WHERE id = 3`)
	_, err = h.shim.Exec(`UPDATE goods SET stock = -1 WHERE id = 3`)
	violates(t, err, "goods_stock_check")
	h.settled()
}

func TestExplainNamesTheCheck(t *testing.T) {
	h := newHarness(t, checkedTable+`; CREATE TABLE words (id bigint PRIMARY KEY, word text CHECK (length(word) < 5))`, "")
	for _, tt := range [][3]string{
		{`UPDATE goods SET stock = stock - 1 WHERE id = 1`, "deferred", `by primary key, if the CHECK constraint "bounds" certainly holds for the new row`},
		{`UPDATE goods SET note = 'a' WHERE id = 1`, "deferred", `by primary key`},
		{`DELETE FROM goods WHERE id = 1`, "deferred", `by primary key`},
		{`INSERT INTO goods (id) VALUES (3)`, "deferred", `by primary key, if the CHECK constraint "bounds" certainly holds for the new row`},
		{`UPDATE words SET word = 'a' WHERE id = 1`, "deferred", `by primary key, unless it changes a column of the CHECK constraint "words_word_check", which this version does not evaluate`},
	} {
		decision, reason := h.explain(tt[0])
		require.Equal(t, tt[1]+" "+tt[2], decision+" "+reason, tt[0])
	}
	decision, reason := h.explain(`INSERT INTO words (id) VALUES (1)`)
	require.Equal(t, "direct", decision)
	require.Contains(t, reason, `the table has the CHECK constraint "words_word_check", which this version does not evaluate`)
	_, reason = h.table("goods")
	require.Empty(t, reason)
}
