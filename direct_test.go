package writebehind_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"testing"

	"github.com/lib/pq"
	"github.com/stretchr/testify/require"
)

// requireMode requires that items is direct, or deferred, for everybody.
func (h *harness) requireMode(mode string, about ...any) {
	h.Helper()
	got, reason := h.table("items")
	require.Equal(h, mode, got, append([]any{reason}, about...)...)
}

func TestATransactionThatWritesMakesItsTableDirectForAllUntilItEnds(t *testing.T) {
	h := newHarness(t, itemsTable, "")
	for _, end := range []func(*sql.Tx) error{(*sql.Tx).Commit, (*sql.Tx).Rollback} {
		h.exec(`UPDATE items SET stock = stock + 1 WHERE id = 1`)
		tx, err := h.shim.Begin()
		require.NoError(t, err)
		require.EqualValues(t, 1, h.stats().PendingRows, "BEGIN alone waits for nothing")
		_, err = tx.Exec(`UPDATE items SET stock = stock + 1 WHERE id > 1`)
		require.NoError(t, err)
		require.Zero(t, h.stats().PendingRows, "what was acknowledged before is there before it")
		h.requireMode("direct")

		h.exec(`UPDATE items SET name = 'seen at once' WHERE id = 1`)
		require.Equal(t, "seen at once", h.value(h.past, `SELECT name FROM items WHERE id = 1`))
		before := h.stats().Cached
		h.value(h.shim, `SELECT name FROM items WHERE id = 1`)
		require.Equal(t, before, h.stats().Cached)

		require.NoError(t, end(tx))
		h.requireMode("deferred")
		h.exec(`UPDATE items SET name = 'later' WHERE id = 1`)
		require.Equal(t, "seen at once", h.value(h.past, `SELECT name FROM items WHERE id = 1`))
		h.flush()
	}
	require.EqualValues(t, 21, h.value(h.shim, `SELECT stock FROM items WHERE id = 2`), "one of the two was rolled back")
}

func TestATransactionThatWritesOneRowMakesItDirectAndNoOther(t *testing.T) {
	for _, write := range []string{
		`UPDATE items SET stock = 50 WHERE id = 2`,
		`UPDATE items SET stock = 50 WHERE id = 2 RETURNING name`,
		`INSERT INTO items (id, name, stock) VALUES (2, 'two', 50) ON CONFLICT (id) DO UPDATE SET stock = EXCLUDED.stock`,
	} {
		for _, commit := range []bool{true, false} {
			h := newHarness(t, itemsTable, "writebehind.transactions=direct")
			stockOfTwo := `SELECT stock FROM items WHERE id = 2`
			h.exec(`UPDATE items SET stock = 21 WHERE id = 2`)
			h.value(h.shim, stockOfTwo)
			h.exec(`UPDATE items SET stock = 11 WHERE id = 1`)
			tx := h.begin(h.shim)
			tx.exec(write)
			h.requireMode("deferred")
			if decision, reason := h.explain(`UPDATE items SET stock = 1 WHERE id = 2`); true {
				require.Equal(t, "direct", decision)
				require.Contains(t, reason, "holds the row")
			}
			before := h.stats()
			require.EqualValues(t, 1, h.exec(`UPDATE items SET stock = 12 WHERE id = 1`), "another row")
			require.EqualValues(t, 12, h.value(h.shim, stockOfOne))
			after := h.stats()
			require.Equal(t, before.Deferred+1, after.Deferred)
			require.Equal(t, before.Cached+1, after.Cached)
			for range 2 {
				require.EqualValues(t, 21, h.value(h.shim, stockOfTwo), "not committed")
			}
			require.Equal(t, after.Cached, h.stats().Cached, "nor cached")
			written := make(chan error, 1)
			go func() {
				_, err := h.shim.Exec(`UPDATE items SET stock = stock + 1 WHERE id = 2`)
				written <- err
			}()
			require.EqualValues(t, 12, h.value(h.shim, stockOfOne), "others go on meanwhile")
			require.Empty(t, written)
			want := 22
			if commit {
				require.NoError(t, tx.Commit())
				want = 51
			} else {
				require.NoError(t, tx.Rollback())
			}
			require.NoError(t, <-written)
			require.EqualValues(t, want, h.value(h.shim, stockOfTwo))
			h.flush()
			require.EqualValues(t, want, h.value(h.past, stockOfTwo))
			before = h.stats()
			h.exec(`UPDATE items SET stock = 1 WHERE id = 2`)
			require.Equal(t, before.Deferred+1, h.stats().Deferred)
		}
	}
}

func TestATransactionSeesWhatWasAcknowledgedAndItsOwnWrites(t *testing.T) {
	h := newHarness(t, itemsTable, "")
	h.exec(`UPDATE items SET stock = 11 WHERE id = 1`)
	tx, err := h.shim.Begin()
	require.NoError(t, err)
	var stock int
	require.NoError(t, tx.QueryRow(`SELECT stock FROM items WHERE id = $1`, 1).Scan(&stock))
	require.Equal(t, 11, stock)
	_, err = tx.Exec(`UPDATE items SET stock = stock + 1 WHERE id = 1`)
	require.NoError(t, err)
	require.NoError(t, tx.QueryRow(`SELECT stock FROM items WHERE id = $1`, 1).Scan(&stock))
	require.Equal(t, 12, stock)
	require.EqualValues(t, 11, h.value(h.shim, `SELECT stock FROM items WHERE id = 1`), "not committed")
	require.NoError(t, tx.Commit())
	require.EqualValues(t, 12, h.value(h.shim, `SELECT stock FROM items WHERE id = 1`))
}

func TestOneSnapshotSeesAllThatWasAcknowledgedBeforeItsFirstStatement(t *testing.T) {
	h := newHarness(t, itemsTable, "")
	ctx := context.Background()
	stock := func(q interface {
		QueryRowContext(context.Context, string, ...any) *sql.Row
	}) (n int) {
		t.Helper()
		require.NoError(t, q.QueryRowContext(ctx, `SELECT stock FROM items WHERE id = 1`).Scan(&n))
		return n
	}
	require.Equal(t, 10, stock(h.shim))
	for _, level := range []sql.IsolationLevel{sql.LevelRepeatableRead, sql.LevelSerializable} {
		tx, err := h.shim.BeginTx(ctx, &sql.TxOptions{Isolation: level})
		require.NoError(t, err)
		h.exec(`UPDATE items SET stock = 1 WHERE id = 1`)
		var one int
		require.NoError(t, tx.QueryRow(`SELECT 1`).Scan(&one))
		h.exec(`UPDATE items SET stock = 2 WHERE id = 1`)
		require.Equal(t, 1, stock(tx), "%s: the snapshot was taken by SELECT 1", level)
		require.Equal(t, 2, stock(h.shim))
		require.NoError(t, tx.Rollback())
	}
	conn := h.conn(h.shim)
	_, err := conn.ExecContext(ctx, `begin transaction isolation level repeatable read`)
	require.NoError(t, err)
	h.exec(`UPDATE items SET stock = 3 WHERE id = 1`)
	require.Equal(t, 3, stock(conn))
	h.exec(`UPDATE items SET stock = 4 WHERE id = 1`)
	require.Equal(t, 3, stock(conn))
	_, err = conn.ExecContext(ctx, `COMMIT`)
	require.NoError(t, err)
	require.Equal(t, 4, stock(conn))
}

// The connection of the transaction was made before the engine was, and SELECT 1
// takes the snapshot by which the rest is read.
func TestASnapshotTakenByATablelessStatementComesAfterAcknowledgedWrites(t *testing.T) {
	h := newHarness(t, itemsTable, "")
	tx, err := h.shim.BeginTx(context.Background(), &sql.TxOptions{Isolation: sql.LevelRepeatableRead})
	require.NoError(t, err)
	h.exec(`UPDATE items SET stock = 1 WHERE id = 1`)
	var n int
	require.NoError(t, tx.QueryRow(`SELECT 1`).Scan(&n))
	require.NoError(t, tx.QueryRow(`SELECT stock FROM items WHERE id = 1`).Scan(&n))
	require.Equal(t, 1, n)
	require.NoError(t, tx.Rollback())
}

func TestTransactionsBegunByText(t *testing.T) {
	h := newHarness(t, itemsTable, "")
	conn := h.conn(h.shim)
	run := func(queries ...string) {
		t.Helper()
		for _, q := range queries {
			_, err := conn.ExecContext(context.Background(), q)
			require.NoError(t, err, q)
		}
	}
	run(`BEGIN`, `UPDATE items SET stock = 99 WHERE id < 2`)
	h.requireMode("direct")
	require.EqualValues(t, 10, h.value(h.past, `SELECT stock FROM items WHERE id = 1`))
	run(`ROLLBACK`)
	h.requireMode("deferred")
	require.EqualValues(t, 10, h.value(h.shim, `SELECT stock FROM items WHERE id = 1`))

	run(`START TRANSACTION; `, `SAVEPOINT a`, `UPDATE items SET stock = 99 WHERE id < 2`, `ROLLBACK TO a`)
	h.requireMode("direct", "a savepoint is no end")
	run(`UPDATE items SET stock = 98 WHERE id < 2`, `END`)
	h.requireMode("deferred")
	require.EqualValues(t, 98, h.value(h.shim, `SELECT stock FROM items WHERE id = 1`))

	run(`BEGIN; UPDATE items SET stock = 97 WHERE id = 1; COMMIT`)
	require.EqualValues(t, 97, h.value(h.shim, `SELECT stock FROM items WHERE id = 1`))
	run(`COMMIT`) // a warning to PostgreSQL
	h.requireMode("deferred")
}

func TestOpenRowsOfADirectWriteHoldTheTable(t *testing.T) {
	h := newHarness(t, itemsTable, "")
	rows, err := h.shim.Query(`UPDATE items SET stock = stock + 1 WHERE id < 3 RETURNING id, stock`)
	require.NoError(t, err)
	require.True(t, rows.Next())
	h.requireMode("direct")
	require.NoError(t, rows.Close())
	h.requireMode("deferred")
	require.EqualValues(t, 11, h.value(h.shim, `SELECT stock FROM items WHERE id = 1`))
}

func TestAConnectionThatEndsInATransactionLetsGo(t *testing.T) {
	h := newHarness(t, itemsTable, "")
	ctx := context.Background()
	begin := func() *sql.Conn {
		conn, err := h.shim.Conn(ctx)
		require.NoError(t, err)
		for _, q := range []string{`BEGIN`, `UPDATE items SET stock = 99 WHERE id < 2`} {
			_, err := conn.ExecContext(ctx, q)
			require.NoError(t, err)
		}
		h.requireMode("direct")
		return conn
	}
	conn := begin()
	require.ErrorIs(t, conn.Raw(func(any) error { return driver.ErrBadConn }), driver.ErrBadConn)
	h.requireMode("deferred", "closed by the pool")

	conn = begin()
	h.mustPast(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE state = 'idle in transaction' AND datname = current_database()`)
	_, err := conn.ExecContext(ctx, `UPDATE items SET stock = 98 WHERE id = 1`)
	require.Error(t, err)
	_ = conn.Close()
	h.eventually("the server process is gone", func() bool {
		mode, _ := h.table("items")
		return mode == "deferred"
	})
	require.EqualValues(t, 10, h.value(h.shim, `SELECT stock FROM items WHERE id = 1`))
}

func TestASessionThatMeansSomethingElseIsDirect(t *testing.T) {
	const ddl = itemsTable + `CREATE SCHEMA other; CREATE TABLE other.items (LIKE items INCLUDING ALL); INSERT INTO other.items VALUES (1, 'other', 0, 0);`
	h := newHarness(t, ddl, "writebehind.tables=public.items")
	for query, name := range map[string]string{
		`SET search_path = other, public`:                               "other",
		`SELECT set_config('search_path', 'other', false)`:              "other",
		`SET SESSION search_path TO other; SELECT 1`:                    "other",
		`CREATE TEMP TABLE items AS SELECT 1 AS id, 'temp' AS name`:     "temp",
		`CREATE TEMPORARY VIEW items AS SELECT 1 AS id, 'view' AS name`: "view",
		`SELECT 1 AS id, 'into' AS name INTO TEMP items`:                "into",
		`SET ROLE pg_monitor`:                                           "",
		`SET TimeZone = 'Asia/Tokyo'`:                                   "one",
	} {
		h.exec(`UPDATE items SET stock = 10 WHERE id = 1`)
		h.flush()
		conn := h.conn(h.shim)
		read := func() (name string, err error) {
			err = conn.QueryRowContext(context.Background(), `SELECT name FROM items WHERE id = 1`).Scan(&name)
			return name, err
		}
		got, err := read()
		require.NoError(t, err)
		require.Equal(t, "one", got)
		_, err = conn.ExecContext(context.Background(), query)
		require.NoError(t, err)
		got, err = read()
		if name == "" {
			requirePQ(t, err, "42501", query)
		} else {
			require.NoError(t, err, query)
			require.Equal(t, name, got, query)
		}
		before := h.stats()
		_, _ = read()
		require.Equal(t, before.Cached, h.stats().Cached, query)
		require.Equal(t, "one", h.value(h.shim, `SELECT name FROM items WHERE id = 1`), "%s: another connection", query)
		h.exec(`UPDATE items SET stock = 5 WHERE id = 1`)
		require.EqualValues(t, 1, h.stats().PendingRows, "%s: another connection", query)
		require.EqualValues(t, 10, h.value(h.past, `SELECT stock FROM public.items WHERE id = 1`), query)
		_ = conn.Raw(func(any) error { return driver.ErrBadConn }) // so that nobody gets it again
	}
}

// roads are the ways in which a direct statement can come to change items.
var roads = []struct {
	name, ddl string
	run       func(h *harness)
}{
	{"an update of many rows", ``, sends(`UPDATE items SET stock = stock + 1`)},
	{"an update by something else than the key", ``, sends(`UPDATE items SET stock = 5 WHERE name LIKE 'o%'`)},
	{"a cascade from a table not opted in", ``, sends(`DELETE FROM owners WHERE id = 7`)},
	{"a cascade of updates", ``, sends(`UPDATE owners SET id = 8 WHERE id = 7`)},
	{"truncate", ``, sends(`TRUNCATE items`)},
	{"truncate by cascade", ``, sends(`TRUNCATE owners CASCADE`)},
	{"a function", `CREATE FUNCTION bump() RETURNS int LANGUAGE sql AS 'UPDATE items SET stock = stock + 1 RETURNING stock'`, asks(`SELECT bump()`)},
	{"a procedure", `CREATE PROCEDURE bump() LANGUAGE sql AS 'UPDATE items SET stock = stock + 1'`, sends(`CALL bump()`)},
	{"an anonymous block", ``, sends(`DO 'BEGIN UPDATE items SET stock = stock + 1; END'`)},
	{"a writing CTE", ``, asks(`WITH x AS (UPDATE items SET stock = stock + 1 RETURNING stock) SELECT sum(stock) FROM x`)},
	{"explain analyze", ``, asks(`EXPLAIN ANALYZE UPDATE items SET stock = stock + 1`)},
	{"merge", ``, sends(`MERGE INTO items USING (VALUES (1)) AS v(i) ON id = i WHEN MATCHED THEN UPDATE SET stock = 77`)},
	{"a view", `CREATE VIEW v AS SELECT * FROM items`, sends(`UPDATE v SET stock = stock + 1 WHERE id = 1`)},
	{"a rule on another table", `CREATE RULE r AS ON INSERT TO other DO ALSO UPDATE items SET stock = stock + 1`, sends(`INSERT INTO other VALUES (1)`)},
	{"a trigger on another table", `CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN UPDATE items SET stock = stock + 1; RETURN NEW; END';
		CREATE TRIGGER t AFTER INSERT ON other FOR EACH ROW EXECUTE FUNCTION f()`, sends(`INSERT INTO other VALUES (1)`)},
	{"several statements", ``, sends(`SELECT 1; UPDATE items SET stock = stock + 1`)},
	{"a prepared direct write", ``, func(h *harness) {
		stmt, err := h.shim.Prepare(`UPDATE items SET stock = stock + $1 WHERE stock > $2`)
		require.NoError(h, err)
		_, err = stmt.Exec(1, 0)
		require.NoError(h, err)
		require.NoError(h, stmt.Close())
	}},
	{"PREPARE and EXECUTE", ``, func(h *harness) {
		conn := h.conn(h.shim)
		for _, q := range []string{`PREPARE p AS UPDATE items SET stock = stock + 1`, `EXECUTE p`} {
			_, err := conn.ExecContext(context.Background(), q)
			require.NoError(h, err)
		}
	}},
	{"COPY", ``, func(h *harness) {
		tx, err := h.shim.Begin()
		require.NoError(h, err)
		stmt, err := tx.Prepare(pq.CopyIn("items", "id", "name", "stock"))
		require.NoError(h, err)
		_, err = stmt.Exec(9, "nine", 9)
		require.NoError(h, err)
		_, err = stmt.Exec()
		require.NoError(h, err)
		require.NoError(h, stmt.Close())
		require.NoError(h, tx.Commit())
	}},
	{"a transaction", ``, func(h *harness) {
		tx, err := h.shim.Begin()
		require.NoError(h, err)
		_, err = tx.Exec(`UPDATE items SET stock = stock + 1 WHERE id = 1`)
		require.NoError(h, err)
		h.value(h.shim, `SELECT stock FROM items WHERE id = 1`) // must not be kept
		require.NoError(h, tx.Commit())
	}},
}

func sends(query string) func(*harness) { return func(h *harness) { h.exec(query) } }
func asks(query string) func(*harness)  { return func(h *harness) { h.value(h.shim, query) } }

func TestCachedRowsAreForgottenWhateverRoadAChangeTakes(t *testing.T) {
	const ddl = `CREATE TABLE owners (id int PRIMARY KEY); INSERT INTO owners VALUES (7); CREATE TABLE other (id int);
		CREATE TABLE items (id bigint PRIMARY KEY, name text, stock int, owner int REFERENCES owners ON DELETE CASCADE ON UPDATE CASCADE);`
	const rows = `INSERT INTO items VALUES (1, 'one', 10, 7), (2, 'two', 20, NULL), (3, 'three', 30, NULL)`
	for _, road := range roads {
		t.Run(road.name, func(t *testing.T) {
			t.Parallel()
			h := newHarness(t, ddl+rows+";"+road.ddl, "writebehind.tables=items writebehind.transactions=direct")
			const read = `SELECT name, stock, owner FROM items WHERE id = $1`
			for id := range 10 {
				_, _, err := queryText.run(h.shim, read, id)
				require.NoError(t, err)
			}
			h.exec(`UPDATE items SET stock = stock + 100 WHERE id = 1`)
			h.exec(`UPDATE items SET stock = stock + 100 WHERE id = 3`)
			before := h.value(h.past, `SELECT string_agg(items::text, ',' ORDER BY id) FROM items`)
			require.EqualValues(t, 2, h.stats().PendingRows)
			road.run(h)
			require.Zero(t, h.stats().PendingRows, "what was acknowledged comes before the change")
			require.NotEqual(t, before, h.value(h.past, `SELECT string_agg(items::text, ',' ORDER BY id) FROM items`))
			for id := range 10 {
				want, _, err := queryText.run(h.past, read, id)
				require.NoError(t, err)
				got, _, err := queryText.run(h.shim, read, id)
				require.NoError(t, err)
				require.Equal(t, want, got, "id %d", id)
			}
			h.requireMode("deferred")
			h.exec(`INSERT INTO items (id, name) VALUES (42, 'after')`)
			h.flush()
			require.Equal(t, "after", h.value(h.past, `SELECT name FROM items WHERE id = 42`))
		})
	}
}
