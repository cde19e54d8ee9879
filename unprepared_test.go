package writebehind_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/lib/pq"
	"github.com/stretchr/testify/require"

	"github.com/writebehind/writebehind"
)

// preparable has columns of types that PostgreSQL treats in different ways when it
// prepares a statement.
const preparable = `CREATE DOMAIN label AS text;
	CREATE TYPE mood AS ENUM ('sad', 'happy');
	CREATE TABLE things (id int PRIMARY KEY, big bigint, small smallint, num numeric(6,2), real4 real, real8 double precision,
		ok boolean, t text, v varchar(5), c char(4), u uuid, d date, ts timestamp, tz timestamptz, b bytea, j json, jb jsonb,
		l label, m mood, a int[], p point, n int NOT NULL DEFAULT 0,
		g int GENERATED ALWAYS AS (n + 1) STORED, s serial);
	CREATE TABLE pairs (a text, b int, x int, PRIMARY KEY (a, b));
	CREATE TABLE always (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, n int);
	INSERT INTO things (id) VALUES (1);
	INSERT INTO pairs VALUES ('a', 1, 1)`

var thingColumns = strings.Fields(`id big small num real4 real8 ok t v c u d ts tz b j jb l m a p n g s`)

// statementsToPrepare are statements that PostgreSQL takes and such that it refuses.
func statementsToPrepare() (list []string) {
	for _, c := range thingColumns {
		for _, form := range []string{
			`SELECT %s FROM things WHERE id = $1`,
			`SELECT t FROM things WHERE id = $1 ORDER BY %s`,
			`SELECT t FROM things WHERE id = $1 AND %s = $2`,
			`SELECT t FROM things WHERE id = $1 AND %s = $1`,
			`SELECT t FROM things WHERE id = 1 AND %s = NULL`,
			`SELECT t FROM things WHERE id = 1 AND %s IS NULL`,
			`SELECT t FROM things WHERE id = 1 AND %s = 1`,
			`SELECT t FROM things WHERE id = 1 AND %s = 'x'`,
			`SELECT t FROM things WHERE id = 1 AND %s = true`,
			`SELECT t FROM things WHERE id = 1 AND %s = 1.5`,
			`SELECT t FROM things WHERE id = 1 AND %s = $1::text`,
			`UPDATE things SET %s = $1 WHERE id = $2`,
			`UPDATE things SET %s = $1 WHERE id = $1`,
			`UPDATE things SET %[1]s = $1 WHERE id = 1 AND %[1]s = $1`,
			`UPDATE things SET %[1]s = $1, t = $1 WHERE id = 1`,
			`UPDATE things SET %[1]s = %[1]s + $1 WHERE id = $2`,
			`UPDATE things SET %[1]s = %[1]s - $1 WHERE id = $2`,
			`UPDATE things SET %[1]s = $1 + %[1]s WHERE id = $2`,
			`UPDATE things SET %[1]s = %[1]s + 1 WHERE id = $1`,
			`UPDATE things SET %s = NULL WHERE id = $1`,
			`UPDATE things SET %s = DEFAULT WHERE id = $1`,
			`UPDATE things SET %s = 7 WHERE id = $1`,
			`UPDATE things SET %s = 99999999999 WHERE id = $1`,
			`UPDATE things SET %s = 1.5 WHERE id = $1`,
			`UPDATE things SET %s = '7' WHERE id = $1`,
			`UPDATE things SET %s = 'too long for some' WHERE id = $1`,
			`UPDATE things SET %s = '2020-01-01' WHERE id = $1 RETURNING *`,
			`UPDATE things SET %s = false WHERE id = $1`,
			`INSERT INTO things (id, s, n, %s) VALUES ($1, 1, 1, $2)`,
			`INSERT INTO things (id, s, %s) VALUES ($1, 1, $1)`,
			`INSERT INTO things (id, s, t, %s) VALUES (1, 1, $1, $1)`,
			`INSERT INTO things (id, s, v, %s) VALUES (1, 1, $1, $1)`,
			`INSERT INTO things (id, s, %s) VALUES ($1, 1, 'x')`,
			`INSERT INTO things (id, s, %s) VALUES ($1, 1, '')`,
			`INSERT INTO things (id, s, %s) VALUES ($1, 1, 1)`,
			`INSERT INTO things (id, s, %[1]s) VALUES ($1, 1, $2) ON CONFLICT (id) DO UPDATE SET %[1]s = EXCLUDED.%[1]s`,
			`INSERT INTO things (id, s, %[1]s) VALUES ($1, 1, $2) ON CONFLICT (id) DO UPDATE SET %[1]s = things.%[1]s + EXCLUDED.%[1]s`,
			`INSERT INTO things (id, s, n) VALUES ($1, 1, $2) ON CONFLICT (id) DO UPDATE SET n = EXCLUDED.%s`,
			`INSERT INTO things (id, s) VALUES ($1, 1) ON CONFLICT (%s) DO NOTHING`,
			`DELETE FROM things WHERE id = $1 AND %s = $2 RETURNING *`,
		} {
			list = append(list, fmt.Sprintf(form, c))
		}
	}
	return append(list,
		`SELECT * FROM things WHERE id = $1 LIMIT 1`, `SELECT * FROM things WHERE id = $1 LIMIT $2`, `SELECT * FROM things WHERE id = $1 LIMIT $1`,
		`SELECT * FROM things WHERE id = $2`, `SELECT * FROM things WHERE id = $1 AND t = $3`, `SELECT t AS t2, t FROM things AS x WHERE x.id = $1`,
		`SELECT * FROM things WHERE id = 'abc'`, `SELECT * FROM things WHERE id = '7'`, `SELECT * FROM things WHERE id = 7.5`, `SELECT * FROM things WHERE id = true`,
		`SELECT * FROM things WHERE id = 99999999999`, `SELECT * FROM things WHERE id = '99999999999'`, `SELECT * FROM things WHERE id = $1::bigint`,
		`SELECT * FROM things WHERE id = $1::int4`, `SELECT * FROM things WHERE id = 'x'::int`, `SELECT * FROM things WHERE id = $1::nothing`,
		`SELECT nothing FROM things WHERE id = $1`, `SELECT * FROM nothing WHERE id = $1`, `SELECT * FROM things WHERE nothing = $1`, `SELECT * FROM things WHERE id = $1 AND`,
		`SELECT * FROM things WHERE id = $1 ORDER BY nothing`, `SELECT * FROM things t WHERE things.id = $1`, `SELEC * FROM things WHERE id = $1`, `SELECT * FROM other.things WHERE id = $1`,
		`SELECT 1 FROM things WHERE id = $1`, `SELECT count(*) FROM things WHERE id = $1`, `SELECT EXISTS (SELECT 1 FROM things WHERE id = $1)`,
		`SELECT EXISTS (SELECT 1 FROM things WHERE id = $1 ORDER BY j)`, `SELECT 1 FROM things WHERE id = $1 ORDER BY j`, `SELECT count(*) FROM things WHERE id = $1 FOR UPDATE`,
		`SELECT 1 FROM things WHERE id = $1 FOR UPDATE`, `SELECT * FROM things WHERE id = $1 FOR UPDATE NOWAIT`, `SELECT * FROM things WHERE id = $1 FOR SHARE OF things`, `SELECT * FROM things WHERE id = $1 FOR SHARE OF x`,
		`SELECT * FROM pairs WHERE a = $1 AND b = $2`, `SELECT * FROM pairs WHERE a = $1 AND b = $1`, `SELECT * FROM pairs WHERE (a, b) = ($1, $2)`, `SELECT * FROM pairs WHERE (b, a) = ($1, $2)`,
		`SELECT * FROM pairs WHERE (a, b) = ($1, $1)`, `SELECT * FROM pairs WHERE (a, b) = ('a', 'b')`, `UPDATE pairs SET x = $1 WHERE a = $2 AND b = $3 AND x = $1`, `UPDATE pairs SET x = $1, x = $2 WHERE a = $3 AND b = $4`,
		`UPDATE pairs SET (x) = ROW ($1) WHERE a = 'a' AND b = 1`, `UPDATE pairs SET a = $1 WHERE a = $1 AND b = 1`, `INSERT INTO pairs VALUES ($1, $2, $3)`, `INSERT INTO pairs VALUES ($1, $2)`, `INSERT INTO pairs VALUES ($1, $2, $3, $4)`,
		`INSERT INTO pairs (a, b) VALUES ($1, $2, $3)`, `INSERT INTO pairs (a, b, x) VALUES ($1, $2)`, `INSERT INTO pairs (a, a) VALUES ($1, $2)`, `INSERT INTO pairs (a, b) VALUES ($1, $2) ON CONFLICT (b, a) DO NOTHING`,
		`INSERT INTO pairs (a, b) VALUES ($1, $2) ON CONFLICT (a) DO NOTHING`, `INSERT INTO pairs (a, b) VALUES ($1, $2) ON CONFLICT DO NOTHING`, `INSERT INTO pairs (a, b) VALUES ($1, $2) ON CONFLICT (a, b) DO UPDATE SET x = $3 + 1`,
		`INSERT INTO pairs (a, b) VALUES ($1, $2) ON CONFLICT (a, b) DO UPDATE SET x = pairs.x + $3`, `INSERT INTO pairs (a, b) VALUES ($1, $2) ON CONFLICT (a, b) DO UPDATE SET x = x + $3`, `INSERT INTO pairs (a, b, x) VALUES ($1, 1, $2), ($3, 2, $2)`,
		`INSERT INTO pairs (a, b) VALUES (DEFAULT, $1)`, `INSERT INTO always (id, n) VALUES ($1, $2)`, `INSERT INTO always (id, n) VALUES (DEFAULT, $1)`, `INSERT INTO always (n) VALUES ($1)`, `UPDATE always SET id = $1 WHERE id = $1`, `UPDATE always SET n = $1 WHERE id = $2 RETURNING id, nothing`,
		`DELETE FROM pairs WHERE a = $1 AND b = $2 AND x = $2`, `DELETE FROM pairs WHERE a = $1 AND b = $2 RETURNING EXCLUDED.a`, `DELETE FROM always WHERE id = $1;`, `DELETE FROM always WHERE id = $1; SELECT 1`, ``, `;`,
	)
}

// described is what an application learns from preparing a statement.
func described(ctx context.Context, c *sql.Conn, query string) string {
	inputs := 0
	err := c.Raw(func(conn any) error {
		stmt, err := conn.(driver.ConnPrepareContext).PrepareContext(ctx, query)
		if err != nil {
			return err
		}
		inputs = stmt.NumInput()
		return stmt.Close()
	})
	var refused *pq.Error
	switch {
	case errors.As(err, &refused):
		return fmt.Sprint(refused.Code, " ", refused.Message, " at ", refused.Position)
	case err != nil:
		return err.Error()
	}
	return fmt.Sprint(inputs, " parameters")
}

func TestPreparingGivesWhatPostgreSQLGives(t *testing.T) {
	h := newHarness(t, preparable, "")
	shim, past := h.conn(h.shim), h.conn(h.past)
	h.exec(`UPDATE pairs SET x = 1 WHERE a = 'a' AND b = 1`)
	memory, refused := 0, 0
	for _, query := range statementsToPrepare() {
		want := described(t.Context(), past, query)
		require.Equal(t, want, described(t.Context(), shim, query), query)
		if !strings.HasSuffix(want, " parameters") {
			refused++
		}
		if decision, _ := h.explain(query); decision != "direct" && query != "" {
			memory++
		}
	}
	require.Greater(t, memory, 100, "prepared in memory")
	require.Greater(t, refused, 100, "refused by PostgreSQL")
}

// newRecorded opens the shim over a recorder that stands before lib/pq.
func newRecorded(t *testing.T, params string) (*harness, *recorder) {
	t.Helper()
	h := newHarness(t, itemsTable, params)
	r := record(h, h.dsn, pq.Open)
	h.shim = h.open("writebehind", h.dsn+h.params+" writebehind.driver=recorded")
	return h, r
}

// reached returns which of the queries have reached the real driver since the last
// call, or have been prepared there.
func reached(r *recorder, queries ...string) (list []string) {
	for _, c := range r.take() {
		if slices.Contains(queries, strings.TrimPrefix(c.what, "PREPARE ")) {
			list = append(list, c.what)
		}
	}
	return list
}

const (
	addByID   = `UPDATE items SET stock = stock + $1 WHERE id = $2`
	stockByID = `SELECT stock FROM items WHERE id = $1`
)

func TestAStatementIsPreparedWhenItHasToRunForTheFirstTime(t *testing.T) {
	h, r := newRecorded(t, "")
	conn := h.conn(h.shim)
	write, err := conn.PrepareContext(t.Context(), addByID)
	require.NoError(t, err)
	read, err := conn.PrepareContext(t.Context(), stockByID)
	require.NoError(t, err)
	var stock int
	for range 2 {
		_, err = write.Exec(1, 1)
		require.NoError(t, err)
		require.NoError(t, read.QueryRow(1).Scan(&stock))
	}
	require.Equal(t, 12, stock)
	require.Empty(t, reached(r, addByID, stockByID))

	for range 2 {
		_, err = write.ExecContext(writebehind.WithSync(t.Context()), 1, 1)
		require.NoError(t, err)
	}
	require.Equal(t, []string{"PREPARE " + addByID, addByID, addByID}, reached(r, addByID, stockByID))
	_, err = write.Exec(1, 1)
	require.NoError(t, err)
	require.NoError(t, read.QueryRow(1).Scan(&stock))
	require.Equal(t, 15, stock)
	require.Empty(t, reached(r, addByID), "it is deferred again")
	require.NoError(t, write.Close())
	require.NoError(t, read.Close())
}

func TestThePoolPreparesOnEachConnectionInMemory(t *testing.T) {
	h, r := newRecorded(t, "")
	write, err := h.shim.Prepare(addByID)
	require.NoError(t, err)
	for range 3 {
		h.conn(h.shim) // the next one is new
		_, err = write.Exec(1, 1)
		require.NoError(t, err)
	}
	require.Empty(t, reached(r, addByID))
	require.EqualValues(t, 13, h.value(h.shim, stockOfOne))
	require.NoError(t, write.Close())
}

func TestAnUnpreparedStatementTakesSoManyArguments(t *testing.T) {
	h, _ := newRecorded(t, "")
	for _, db := range []*sql.DB{h.shim, h.past} { // the recorder's statements are counted when they are prepared
		write, err := db.Prepare(addByID)
		require.NoError(t, err)
		for _, args := range [][]any{{}, {1}, {1, 1, 1}} {
			_, err = write.Exec(args...)
			require.EqualError(t, err, fmt.Sprintf("sql: expected 2 arguments, got %d", len(args)))
		}
		_, err = write.Exec(0, 1)
		require.NoError(t, err)
		require.NoError(t, write.Close())
	}
}

func TestPreparingLeavesATransactionBuffered(t *testing.T) {
	h, r := newRecorded(t, buffering)
	h.value(h.shim, stockOfOne)
	tx := h.begin(h.shim)
	write, err := tx.Prepare(addByID)
	require.NoError(t, err)
	_, err = tx.Prepare(stockByID)
	require.NoError(t, err)
	_, err = write.Exec(1, 1)
	require.NoError(t, err)
	require.NoError(t, tx.Commit())
	require.Empty(t, reached(r, addByID, stockByID))
	h.isBuffered()

	tx = h.begin(h.shim)
	write, err = tx.Prepare(addByID)
	require.NoError(t, err)
	_, err = write.Exec(1, 1)
	require.NoError(t, err)
	require.EqualValues(t, 32, tx.value(`SELECT sum(stock) FROM items`), "it is real now")
	read, err := tx.Prepare(stockByID)
	require.NoError(t, err)
	_, err = write.Exec(1, 1)
	require.NoError(t, err)
	var stock int
	require.NoError(t, read.QueryRow(1).Scan(&stock))
	require.Equal(t, 13, stock)
	require.NoError(t, tx.Commit())
	require.EqualValues(t, 13, h.value(h.past, stockOfOne))
}

func TestPreparingInATransactionTakesItsSnapshot(t *testing.T) {
	h := newHarness(t, itemsTable, buffering)
	h.value(h.shim, stockOfOne)
	for _, db := range []*sql.DB{h.shim, h.past} {
		for _, query := range []string{addByID, stockByID, stockByID + ` FOR UPDATE`} {
			tx := h.begin(db)
			_, err := tx.Prepare(query)
			require.NoError(t, err)
			_, err = tx.Exec(`SET TRANSACTION ISOLATION LEVEL REPEATABLE READ`)
			requirePQ(t, err, "25001", query)
			require.NoError(t, tx.Rollback())
		}
	}
}

func TestAnUnpreparedStatementGoesWithTheTransactionToAnotherConnection(t *testing.T) {
	h := newHarness(t, itemsTable, buffering)
	conn := h.conn(h.shim)
	var pid int
	require.NoError(t, conn.QueryRowContext(t.Context(), `SELECT pg_backend_pid() FROM items WHERE id = 1`).Scan(&pid))
	write, err := conn.PrepareContext(t.Context(), addByID)
	require.NoError(t, err)
	h.value(h.shim, stockOfOne)
	tx, err := conn.BeginTx(t.Context(), nil)
	require.NoError(t, err)
	_, err = tx.Stmt(write).Exec(1, 1)
	require.NoError(t, err)
	h.mustPast(`SELECT pg_terminate_backend($1)`, pid)
	h.eventually("it is gone", func() bool {
		return h.value(h.past, `SELECT count(*) FROM pg_stat_activity WHERE pid = $1`, pid) == int64(0)
	})
	var sum int
	require.NoError(t, tx.QueryRow(`SELECT sum(stock) FROM items`).Scan(&sum))
	require.Equal(t, 31, sum)
	_, err = tx.Stmt(write).Exec(1, 1)
	require.NoError(t, err)
	require.NoError(t, tx.Commit())
	_, err = write.Exec(1, 1)
	require.NoError(t, err)
	require.EqualValues(t, 13, h.value(h.shim, stockOfOne))
	require.NoError(t, write.Close())
}

func TestAnUnpreparedStatementFollowsTheSchema(t *testing.T) {
	h := newHarness(t, itemsTable, "")
	conn := h.conn(h.shim)
	all, err := conn.PrepareContext(t.Context(), `SELECT * FROM items WHERE id = $1`)
	require.NoError(t, err)
	named, err := conn.PrepareContext(t.Context(), stockByID)
	require.NoError(t, err)
	h.exec(`ALTER TABLE items RENAME stock TO amount`)
	rows, err := all.Query(1)
	require.NoError(t, err)
	columns, err := rows.Columns()
	require.NoError(t, err)
	require.NoError(t, rows.Close())
	require.Equal(t, []string{"id", "name", "amount", "price"}, columns)
	_, err = named.Query(1)
	requirePQ(t, err, "42703")
}
