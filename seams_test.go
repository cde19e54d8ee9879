package writebehind_test

import (
	"context"
	"database/sql"
	"strings"
	"testing"
	"time"

	"github.com/lib/pq"
	"github.com/stretchr/testify/require"

	"github.com/writebehind/writebehind"
)

// Where two mechanisms meet: each of these histories once gave a wrong answer.

func TestASecondDSNKeepsItsSearchPath(t *testing.T) {
	h := newHarness(t, itemsTable+`CREATE SCHEMA other; CREATE TABLE other.items (LIKE public.items INCLUDING ALL); INSERT INTO other.items VALUES (1,'other one',1,1);`, "")
	require.Equal(t, "one", h.value(h.shim, `SELECT name FROM items WHERE id = $1`, 1))
	db2 := h.open("writebehind", h.dsn+h.params+" search_path=other")
	past2 := h.open("postgres", h.dsn+" search_path=other")
	require.Equal(t, "other one", h.value(past2, `SELECT name FROM items WHERE id = $1`, 1))
	require.Equal(t, "other one", h.value(db2, `SELECT name FROM items WHERE id = $1`, 1))
}

func TestASecondDSNKeepsItsTimeZone(t *testing.T) {
	h := newHarness(t, `CREATE TABLE ev (id int PRIMARY KEY, at timestamptz); INSERT INTO ev VALUES (1,'2024-01-01 00:00Z')`, " timezone=UTC")
	h.value(h.shim, `SELECT at FROM ev WHERE id = $1`, 1)
	db2 := h.open("writebehind", h.dsn+" writebehind.journal=none writebehind.max_delay=1h writebehind.tables=* timezone=Asia/Tokyo")
	past2 := h.open("postgres", h.dsn+" timezone=Asia/Tokyo")
	a, b := h.value(past2, `SELECT at FROM ev WHERE id = $1`, 1).(time.Time), h.value(db2, `SELECT at FROM ev WHERE id = $1`, 1).(time.Time)
	require.Equal(t, a.String(), b.String())
}

func TestAFunctionOnAFreshConnectionSeesWhatOthersWrote(t *testing.T) {
	h := newHarness(t, itemsTable+`CREATE FUNCTION get_stock(bigint) RETURNS int LANGUAGE sql AS 'SELECT stock FROM items WHERE id = $1';`, "")
	ctx := context.Background()
	c1 := h.conn(h.shim)
	var one int
	require.NoError(t, c1.QueryRowContext(ctx, `SELECT 1`).Scan(&one))
	require.EqualValues(t, 1, h.exec(`UPDATE items SET stock = 77 WHERE id = 1`))
	require.NoError(t, c1.QueryRowContext(ctx, `SELECT get_stock(1)`).Scan(&one))
	require.Equal(t, 77, one)
}

func TestAFunctionOnAFreshConnectionIsADirectWriter(t *testing.T) {
	h := newHarness(t, itemsTable+`CREATE FUNCTION set_stock(bigint, int) RETURNS void LANGUAGE sql AS 'UPDATE items SET stock = $2 WHERE id = $1';`, "")
	ctx := context.Background()
	c1 := h.conn(h.shim)
	var one int
	require.NoError(t, c1.QueryRowContext(ctx, `SELECT 1`).Scan(&one))
	require.EqualValues(t, 10, h.value(h.shim, `SELECT stock FROM items WHERE id = $1`, 1))
	_, err := c1.ExecContext(ctx, `SELECT set_stock(1, 55)`)
	require.NoError(t, err)
	require.EqualValues(t, 55, h.value(h.shim, `SELECT stock FROM items WHERE id = $1`, 1))
}

func TestTheSnapshotOfAFreshConnectionIsTakenAfterTheFlush(t *testing.T) {
	h := newHarness(t, itemsTable, "")
	ctx := context.Background()
	c1 := h.conn(h.shim)
	var one int
	require.NoError(t, c1.QueryRowContext(ctx, `SELECT 1`).Scan(&one))
	require.EqualValues(t, 1, h.exec(`UPDATE items SET stock = 77 WHERE id = 1`))
	tx, err := c1.BeginTx(ctx, &sql.TxOptions{Isolation: sql.LevelRepeatableRead})
	require.NoError(t, err)
	require.NoError(t, tx.QueryRow(`SELECT 1`).Scan(&one))
	require.NoError(t, tx.QueryRow(`SELECT stock FROM items WHERE id = 1`).Scan(&one))
	require.NoError(t, tx.Rollback())
	require.Equal(t, 77, one)
}

const family = `CREATE TABLE parent (id int PRIMARY KEY, code text UNIQUE);
CREATE TABLE child (id int PRIMARY KEY, code text REFERENCES parent(code) ON UPDATE CASCADE, n int);
INSERT INTO parent VALUES (1,'a'); INSERT INTO child VALUES (1,'a',0);
CREATE VIEW v AS SELECT id, code AS c FROM parent;`

func TestAnUpsertCascades(t *testing.T) {
	h := newHarness(t, family, "")
	require.Equal(t, "a", h.value(h.shim, `SELECT code FROM child WHERE id = $1`, 1))
	h.exec(`INSERT INTO parent (id, code) VALUES (1, 'x') ON CONFLICT (id) DO UPDATE SET code = 'b'`)
	require.Equal(t, "b", h.value(h.past, `SELECT code FROM child WHERE id = $1`, 1))
	require.Equal(t, "b", h.value(h.shim, `SELECT code FROM child WHERE id = $1`, 1))
}

func TestAnUpdateThroughAViewCascades(t *testing.T) {
	h := newHarness(t, family, "")
	require.Equal(t, "a", h.value(h.shim, `SELECT code FROM child WHERE id = $1`, 1))
	h.exec(`UPDATE v SET c = 'b' WHERE id = 1`)
	require.Equal(t, "b", h.value(h.past, `SELECT code FROM child WHERE id = $1`, 1))
	require.Equal(t, "b", h.value(h.shim, `SELECT code FROM child WHERE id = $1`, 1))
}

func TestAFunctionCalledLikeAColumnIsSeen(t *testing.T) {
	h := newHarness(t, itemsTable+`CREATE TABLE orders (id int PRIMARY KEY, n int); INSERT INTO orders VALUES (1, 5);
	CREATE FUNCTION total(i items) RETURNS bigint LANGUAGE sql STABLE AS 'SELECT sum(n) FROM orders';`, "")
	require.EqualValues(t, 1, h.exec(`UPDATE orders SET n = 9 WHERE id = 1`))
	require.EqualValues(t, 9, h.value(h.shim, `SELECT (i).total FROM items i WHERE i.stock = 10`))
}

// optedInUnderATransaction makes a table past the shim and waits until it is
// opted in while a transaction has written to it.
func optedInUnderATransaction(t *testing.T) (*harness, *sql.Tx) {
	t.Helper()
	h := newHarness(t, itemsTable, "")
	h.exec(`UPDATE items SET stock = 1 WHERE id = 1`)
	h.mustPast(`CREATE TABLE fresh (id int PRIMARY KEY, n int); INSERT INTO fresh VALUES (1, 1)`)
	tx, err := h.shim.Begin()
	require.NoError(t, err)
	_, err = tx.Exec(`UPDATE fresh SET n = 2 WHERE id = 1`)
	require.NoError(t, err)
	h.eventually("opted in", func() bool {
		_, reason := h.explain(`SELECT n FROM fresh WHERE id = 1`)
		return strings.Contains(reason, "holds the table")
	})
	return h, tx
}

func TestATableOptedInUnderAnOpenTransactionIsNotCached(t *testing.T) {
	h, tx := optedInUnderATransaction(t)
	require.EqualValues(t, 1, h.value(h.shim, `SELECT n FROM fresh WHERE id = 1`))
	require.NoError(t, tx.Commit())
	require.EqualValues(t, 2, h.value(h.shim, `SELECT n FROM fresh WHERE id = 1`))
}

func TestATableOptedInUnderAnOpenTransactionDoesNotBlockIt(t *testing.T) {
	h, tx := optedInUnderATransaction(t)
	// As with lib/pq alone, the second writer waits for the first one's lock.
	second := make(chan error, 1)
	go func() {
		_, err := h.shim.Exec(`UPDATE fresh SET n = n + 10 WHERE id = 1`)
		second <- err
	}()
	h.eventually("the second writer waits", func() bool {
		return h.value(h.past, `SELECT count(*) FROM pg_locks WHERE NOT granted`) != int64(0)
	})
	require.NoError(t, tx.Commit())
	require.NoError(t, <-second)
	require.EqualValues(t, 12, h.value(h.shim, `SELECT n FROM fresh WHERE id = 1`))
}

func TestATemporaryTableMadeByAFunctionHidesTheRealOne(t *testing.T) {
	h := newHarness(t, itemsTable+`CREATE FUNCTION mk() RETURNS void LANGUAGE sql AS 'CREATE TEMP TABLE items AS SELECT 1::bigint AS id, ''temp''::text AS name';`, "")
	ctx := context.Background()
	c := h.conn(h.shim)
	var s string
	require.NoError(t, c.QueryRowContext(ctx, `SELECT name FROM items WHERE id = 1`).Scan(&s))
	_, err := c.ExecContext(ctx, `SELECT mk()`)
	require.NoError(t, err)
	require.NoError(t, c.QueryRowContext(ctx, `SELECT name FROM items WHERE id = 1`).Scan(&s))
	require.Equal(t, "temp", s)
}

func TestADDLStatementDoesNotWaitForAnothersTransaction(t *testing.T) {
	h := newHarness(t, itemsTable, "")
	h.exec(`UPDATE items SET stock = 1 WHERE id = 1`)
	tx, err := h.shim.Begin()
	require.NoError(t, err)
	_, err = tx.Exec(`ALTER TABLE items ADD COLUMN extra int DEFAULT 3`)
	require.NoError(t, err)
	done := make(chan error, 1)
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Second)
	defer cancel()
	go func() { _, err := h.shim.ExecContext(ctx, `CREATE TABLE unrelated (id int)`); done <- err }()
	select {
	case err := <-done:
		require.NoError(t, err)
	case <-time.After(8 * time.Second):
		t.Error("CREATE TABLE of another connection hangs past its deadline")
	}
	require.NoError(t, tx.Commit())
}

func TestATransactionInOneTextEndsWithIt(t *testing.T) {
	h := newHarness(t, itemsTable, "")
	h.exec(`UPDATE items SET stock = 1 WHERE id = 1`)
	_, err := h.shim.Exec(`BEGIN; CREATE TABLE x (id int); COMMIT`)
	require.NoError(t, err)
	mode, reason := h.table("items")
	require.Equal(t, "deferred", mode, reason)
}

func TestARollbackDoesNotWaitForTheFlusher(t *testing.T) {
	h := newHarness(t, itemsTable+`CREATE TABLE b (id int PRIMARY KEY, n int, x int); INSERT INTO b VALUES (1,1,1);`, "")
	ctx := context.Background()
	c := h.conn(h.shim)
	_, err := c.ExecContext(ctx, `BEGIN`)
	require.NoError(t, err)
	_, err = c.ExecContext(ctx, `UPDATE items SET stock = 3 WHERE id = 1`)
	require.NoError(t, err)
	h.exec(`UPDATE b SET n = 7 WHERE id = 1`)
	h.mustPast(`ALTER TABLE b RENAME COLUMN n TO m`)
	_, err = c.ExecContext(ctx, `ROLLBACK`)
	h.mustPast(`ALTER TABLE b RENAME COLUMN m TO n`)
	require.NoError(t, err)
}

func TestABeginWithinATransactionEndsWithIt(t *testing.T) {
	h := newHarness(t, itemsTable, "")
	tx, err := h.shim.Begin()
	require.NoError(t, err)
	_, err = tx.Exec(`BEGIN`)
	require.NoError(t, err)
	require.NoError(t, tx.Commit())
	h.exec(`UPDATE items SET stock = 3 WHERE id = 1`)
	mode, reason := h.table("items")
	require.Equal(t, "deferred", mode, reason)
}

func TestALostDirectWriterKeepsItsTableUntilItIsGone(t *testing.T) {
	h := newHarness(t, itemsTable, "")
	p, dsn := newProxy(t, h)
	p.linger.Store(true)
	db := h.open("writebehind", dsn+h.params)
	c := h.conn(db)
	ctx := context.Background()
	var n int
	require.NoError(t, db.QueryRow(`SELECT stock FROM items WHERE id = $1`, 1).Scan(&n)) // engine up
	require.NoError(t, c.PingContext(ctx))
	p.mu.Lock()
	mine := p.conns[len(p.conns)-1]
	p.mu.Unlock()
	go func() {
		h.eventually("the statement runs", func() bool {
			return h.value(h.past, `SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'UPDATE items%' AND state = 'active'`) == int64(1)
		})
		mine.Close()
	}()
	_, err := c.ExecContext(ctx, `UPDATE items SET stock = 99 FROM (SELECT pg_sleep(2)) AS s WHERE id = 1`)
	require.Error(t, err)
	require.NoError(t, db.QueryRow(`SELECT stock FROM items WHERE id = $1`, 1).Scan(&n))
	h.eventually("the server goes on", func() bool { return h.value(h.past, `SELECT stock FROM items WHERE id = 1`) == int64(99) })
	require.NoError(t, db.QueryRow(`SELECT stock FROM items WHERE id = $1`, 1).Scan(&n))
	require.Equal(t, 99, n)
}

func TestEveryTransactionOfAChainSeesWhatWasAcknowledgedBefore(t *testing.T) {
	h := newHarness(t, itemsTable, "")
	ctx := context.Background()
	c := h.conn(h.shim)
	must := func(q string) {
		_, err := c.ExecContext(ctx, q)
		require.NoError(t, err)
	}
	h.exec(`UPDATE items SET stock = 1 WHERE id = 2`)
	must(`BEGIN ISOLATION LEVEL REPEATABLE READ`)
	must(`SELECT 1 FROM pg_class LIMIT 1`)
	must(`COMMIT AND CHAIN`)
	require.EqualValues(t, 1, h.exec(`UPDATE items SET stock = 77 WHERE id = 1`))
	must(`SELECT 1 FROM pg_class LIMIT 1`)
	var n int
	require.NoError(t, c.QueryRowContext(ctx, `SELECT stock FROM items WHERE id = 1`).Scan(&n))
	must(`ROLLBACK`)
	require.Equal(t, 77, n)
}

func TestTheErrorOfAnothersFlushIsNotTheStatements(t *testing.T) {
	h := newHarness(t, itemsTable+`CREATE TABLE b (id int PRIMARY KEY, n int, x int); INSERT INTO b VALUES (1,1,1);`, " writebehind.max_pending_rows=1")
	h.exec(`UPDATE b SET n = 7 WHERE id = 1`)
	h.mustPast(`ALTER TABLE b RENAME COLUMN n TO m`)
	_, err := h.shim.Exec(`UPDATE items SET stock = 3 WHERE id = 1`)
	h.mustPast(`ALTER TABLE b RENAME COLUMN m TO n`)
	var pe *pq.Error
	require.ErrorIs(t, err, writebehind.ErrFull)
	require.NotErrorAs(t, err, &pe)
}

func TestDatabasesDoNotWaitForEachOther(t *testing.T) {
	h := newHarness(t, itemsTable, "")
	g := newHarness(t, itemsTable, "")
	tx, err := h.past.Begin()
	require.NoError(t, err)
	_, err = tx.Exec(`LOCK TABLE items IN ACCESS EXCLUSIVE MODE`)
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	_, err = h.shim.ExecContext(ctx, `UPDATE items SET stock = 1 WHERE id = 1`)
	require.Error(t, err, "the catalog is locked")
	done := make(chan error, 2)
	go func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		var s string
		done <- g.shim.QueryRowContext(ctx, `SELECT now()::text`).Scan(&s)
	}()
	select {
	case err := <-done:
		require.NoError(t, err)
	case <-time.After(4 * time.Second):
		t.Error("SELECT now() on another database hangs past its deadline")
	}
	require.NoError(t, tx.Rollback())
}

func TestADomainThatCallsAFunctionIsSeen(t *testing.T) {
	h := newHarness(t, `CREATE TABLE orders (id int PRIMARY KEY, n int); INSERT INTO orders VALUES (1, 5);
	CREATE FUNCTION okay(int) RETURNS bool LANGUAGE sql AS 'SELECT $1 <= (SELECT sum(n) FROM orders)';
	CREATE DOMAIN few AS int CHECK (okay(VALUE));`, "")
	require.EqualValues(t, 1, h.exec(`UPDATE orders SET n = 9 WHERE id = 1`))
	require.EqualValues(t, 8, h.value(h.shim, `SELECT 8::few`))
}

func TestAFunctionCalledOnAnArrayElementIsSeen(t *testing.T) {
	h := newHarness(t, itemsTable+`CREATE TABLE orders (id int PRIMARY KEY, n int); INSERT INTO orders VALUES (1, 5);
	CREATE FUNCTION total(i items) RETURNS bigint LANGUAGE sql STABLE AS 'SELECT sum(n) FROM orders';`, "")
	h.exec(`UPDATE orders SET n = 9 WHERE id = 1`)
	// (t.*).f and array element
	require.EqualValues(t, 9, h.value(h.shim, `SELECT ((ARRAY[i])[1]).total FROM items i WHERE i.stock = 10`))
}
