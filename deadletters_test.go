package writebehind_test

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/writebehind/writebehind"
	"github.com/writebehind/writebehind/internal/wbschema"
)

// letters returns, of each dead letter, the table, the kind, the key, the values
// and the SQLSTATE.
func (h *harness) letters() (letters []string) {
	h.Helper()
	rows, err := h.past.Query(`SELECT concat_ws(' ', table_name, kind, key, new_values, sqlstate) FROM writebehind.dead_letter ORDER BY lsn, position`)
	require.NoError(h, err)
	defer rows.Close()
	for rows.Next() {
		var text string
		require.NoError(h, rows.Scan(&text))
		letters = append(letters, text)
	}
	require.NoError(h, rows.Err())
	return letters
}

func (h *harness) letterIDs() (ids []int64) {
	h.Helper()
	rows, err := h.shim.Query(`SHOW writebehind.dead_letters`)
	require.NoError(h, err)
	defer rows.Close()
	for rows.Next() {
		var id int64
		var at, journal, lsn, table, kind, key, state, message string
		require.NoError(h, rows.Scan(&id, &at, &journal, &lsn, &table, &kind, &key, &state, &message))
		ids = append([]int64{id}, ids...)
	}
	require.NoError(h, rows.Err())
	return ids
}

func TestKeyTakenFromOutsideMakesADeadLetter(t *testing.T) {
	h := newHarness(t, itemsTable, "writebehind.insert=trust")
	ctx := context.Background()
	h.exec(`INSERT INTO items (id, name, stock, price) VALUES (3, 'mine', 7, 2.50)`)
	h.exec(`UPDATE items SET stock = stock - 1 WHERE id = 3`)
	h.exec(`UPDATE items SET stock = stock + 1 WHERE id = 1`)
	h.mustPast(`INSERT INTO items (id, name) VALUES (3, 'theirs')`)
	h.flush()
	require.Equal(t, []string{
		`items insert {"id": "3"} {"id": "3", "name": "mine", "price": "2.50", "stock": "7"} 23505`,
		`items update {"id": "3"} {"id": "3", "stock": "-1"} 23505`,
	}, h.letters(), "what was acknowledged on top of it fails with it")
	require.EqualValues(t, 11, h.value(h.past, stockOfOne), "the rest arrives")
	require.Equal(t, "theirs", h.value(h.shim, `SELECT name FROM items WHERE id = 3`), "reads show what PostgreSQL holds")
	require.EqualValues(t, 2, h.stats().RefusedGroups)

	ids := h.letterIDs()
	require.Len(t, ids, 2)
	require.ErrorContains(t, writebehind.RetryDeadLetters(ctx, h.shim, ids...), "duplicate key")
	require.Len(t, h.letters(), 2, "nothing has happened")
	h.exec(`DELETE FROM items WHERE id = 3`)
	require.NoError(t, writebehind.RetryDeadLetters(ctx, h.shim, ids...))
	require.Empty(t, h.letters())
	require.EqualValues(t, 6, h.value(h.shim, `SELECT stock FROM items WHERE id = 3`))
	require.ErrorContains(t, writebehind.DiscardDeadLetters(ctx, h.shim, ids[0]), "0 of 1")
}

func TestRowDeletedFromOutsideMakesADeadLetter(t *testing.T) {
	h := newHarness(t, itemsTable, "")
	h.exec(`UPDATE items SET stock = 5 WHERE id = 1`)
	h.exec(`DELETE FROM items WHERE id = 2`)
	h.mustPast(`DELETE FROM items`)
	h.flush()
	require.Equal(t, []string{
		`items update {"id": "1"} {"id": "1", "stock": "5"} P0002`,
		`items delete {"id": "2"} {} P0002`,
	}, h.letters())
	require.Nil(t, h.value(h.shim, stockOfOne))
	require.NoError(t, writebehind.DiscardDeadLetters(context.Background(), h.shim, h.letterIDs()...))
	require.Empty(t, h.letters())
}

func TestConstraintAddedFromOutsideMakesDeadLetters(t *testing.T) {
	h := newHarness(t, itemsTable, "")
	h.exec(`UPDATE items SET stock = 500 WHERE id = 1`)
	h.exec(`UPDATE items SET price = NULL WHERE id = 1`)
	h.exec(`UPDATE items SET stock = 50 WHERE id = 2`)
	h.mustPast(`ALTER TABLE items ADD CHECK (stock < 100)`)
	h.flush()
	require.Equal(t, []string{
		`items update {"id": "1"} {"id": "1", "stock": "500"} 23514`,
		`items update {"id": "1"} {"id": "1", "price": null} 23514`,
	}, h.letters())
	require.EqualValues(t, 10, h.value(h.shim, stockOfOne))
	require.EqualValues(t, 50, h.value(h.past, `SELECT stock FROM items WHERE id = 2`))
}

func TestPoisonInTheMiddleOfManyStopsNothingElse(t *testing.T) {
	h := newHarness(t, itemsTable, "writebehind.insert=trust writebehind.batch_rows=10000")
	conn := h.conn(h.shim)
	for id := 10; id < 5010; id++ {
		_, err := conn.ExecContext(t.Context(), `INSERT INTO items (id) VALUES ($1)`, id)
		require.NoError(t, err)
	}
	h.mustPast(`INSERT INTO items (id, name) VALUES (2510, 'poison')`)
	h.flush()
	require.Len(t, h.letters(), 1)
	require.EqualValues(t, 5002, h.value(h.past, `SELECT count(*) FROM items`))
}

func TestTooManyRefusalsPauseUntilAnOperatorDecides(t *testing.T) {
	h := newHarness(t, itemsTable, "writebehind.insert=trust")
	ctx := context.Background()
	require.ErrorContains(t, writebehind.RefusePaused(ctx, h.shim), "not paused")
	for id := 10; id < 160; id++ {
		h.exec(`INSERT INTO items (id) VALUES ($1)`, id)
	}
	h.mustPast(`INSERT INTO items (id) SELECT i FROM generate_series(10, 159) AS i`)
	require.ErrorIs(t, writebehind.Flush(ctx, h.shim), writebehind.ErrPending)
	require.True(t, h.stats().Paused)
	require.Empty(t, h.letters(), "a mistake can still be mended")
	require.NoError(t, writebehind.RefusePaused(ctx, h.shim))
	h.eventually("the flusher goes on", func() bool { return h.stats().PendingRows == 0 })
	require.Len(t, h.letters(), 150)
}

func TestChangedSchemaPausesAndAnOperatorDecides(t *testing.T) {
	h := newHarness(t, itemsTable, "")
	h.exec(`UPDATE items SET stock = 11 WHERE id = 1`)
	h.exec(`UPDATE items SET name = 'uno' WHERE id = 1`)
	h.mustPast(`ALTER TABLE items RENAME COLUMN stock TO amount`)
	require.ErrorIs(t, writebehind.Flush(context.Background(), h.shim), writebehind.ErrPending)
	require.True(t, h.stats().Paused)
	require.Empty(t, h.letters())

	h.mustPast(`ALTER TABLE items RENAME COLUMN amount TO stock`)
	h.eventually("it goes on by itself when the column is back", func() bool { return h.stats().PendingRows == 0 })
	require.EqualValues(t, 11, h.value(h.past, stockOfOne))
	require.Empty(t, h.letters())

	h.eventually("the shim has noticed", func() bool {
		decision, _ := h.explain(`UPDATE items SET stock = 12 WHERE id = 2`)
		return decision == "deferred"
	})
	h.exec(`UPDATE items SET stock = 12 WHERE id = 2`)
	h.mustPast(`ALTER TABLE items DROP COLUMN stock`)
	require.ErrorIs(t, writebehind.Flush(context.Background(), h.shim), writebehind.ErrPending)
	_, err := h.shim.Exec(`SHOW writebehind.refuse_paused`)
	require.NoError(t, err)
	h.eventually("the flusher goes on", func() bool { return h.stats().PendingRows == 0 })
	require.Equal(t, []string{`items update {"id": "2"} {"id": "2", "stock": "12"} 42703`}, h.letters())
}

func TestHandlerHearsOfADeadLetterOnceItIsKept(t *testing.T) {
	h := newHarness(t, itemsTable, "")
	var mu sync.Mutex
	var heard []string
	connector, err := writebehind.NewConnector(h.dsn+h.params, writebehind.WithDeadLetterHandler(func(l writebehind.DeadLetter) {
		kept := h.value(h.past, `SELECT count(*) FROM writebehind.dead_letter`)
		mu.Lock()
		defer mu.Unlock()
		heard = append(heard, fmt.Sprint(l.Table, l.LSN, l.SQLState, kept))
	}))
	require.NoError(t, err)
	db := sql.OpenDB(connector)
	_, err = db.Exec(`UPDATE items SET stock = 5 WHERE id = 1`)
	require.NoError(t, err)
	h.mustPast(`DELETE FROM items WHERE id = 1`)
	require.NoError(t, db.Close())
	require.Equal(t, []string{"public.items1" + "1"}, heard)
}

func TestRevokedPrivilegePausesUntilItIsGrantedAgain(t *testing.T) {
	h := newHarness(t, itemsTable, "")
	role := h.role()
	require.NoError(t, wbschema.Ensure(t.Context(), h.past))
	h.mustPast(wbschema.Grants(role) + `GRANT SELECT, INSERT, UPDATE ON items TO ` + role)
	db := h.open("writebehind", h.dsn+" user="+role+h.params)
	for n := range 3 {
		_, err := db.Exec(`UPDATE items SET stock = stock + 1 WHERE id = 1`)
		require.NoError(t, err, n)
	}
	h.mustPast(`REVOKE UPDATE ON items FROM ` + role)
	err := writebehind.Flush(t.Context(), db)
	require.ErrorIs(t, err, writebehind.ErrPending)
	require.ErrorContains(t, err, "permission denied")
	require.True(t, statsOf(t, db).Paused)
	require.Empty(t, h.letters())
	h.mustPast(`GRANT UPDATE ON items TO ` + role)
	h.eventually("it goes on by itself", func() bool { return statsOf(t, db).PendingRows == 0 })
	require.EqualValues(t, 13, h.value(h.past, stockOfOne))
	require.Empty(t, h.letters())
}

func TestDroppedTablePausesAndAnOperatorDecides(t *testing.T) {
	h := newHarness(t, itemsTable+`CREATE TABLE other (id int PRIMARY KEY, n int); INSERT INTO other VALUES (1, 1)`, "")
	h.exec(`UPDATE items SET stock = 11 WHERE id = 1`)
	h.exec(`UPDATE other SET n = 2 WHERE id = 1`)
	h.mustPast(`DROP TABLE items`)
	require.ErrorIs(t, writebehind.Flush(t.Context(), h.shim), writebehind.ErrPending)
	require.True(t, h.stats().Paused)
	require.Empty(t, h.letters())
	require.NoError(t, writebehind.RefusePaused(t.Context(), h.shim))
	h.eventually("the flusher goes on", func() bool { return h.stats().PendingRows == 0 })
	require.Equal(t, []string{`items update {"id": "1"} {"id": "1", "stock": "11"} 42P01`}, h.letters())
	require.EqualValues(t, 2, h.value(h.past, `SELECT n FROM other WHERE id = 1`))
}

func TestColumnMadeNotNullFromOutsideMakesADeadLetter(t *testing.T) {
	h := newHarness(t, itemsTable, "")
	h.exec(`UPDATE items SET price = NULL WHERE id = 1`)
	h.exec(`UPDATE items SET stock = 21 WHERE id = 2`)
	h.mustPast(`UPDATE items SET price = 0 WHERE price IS NULL; ALTER TABLE items ALTER price SET NOT NULL`)
	h.flush()
	require.Equal(t, []string{`items update {"id": "1"} {"id": "1", "price": null} 23502`}, h.letters())
	require.EqualValues(t, 21, h.value(h.past, `SELECT stock FROM items WHERE id = 2`))
	require.Equal(t, "1.50", fmt.Sprintf("%s", h.value(h.shim, `SELECT price FROM items WHERE id = 1`)))
}

func TestDeferredConstraintThatFailsAtCommitRefusesItsGroupAlone(t *testing.T) {
	h := newHarness(t, itemsTable, "")
	h.exec(`UPDATE items SET name = 'two' WHERE id = 1`)
	h.exec(`UPDATE items SET stock = 21 WHERE id = 2`)
	h.mustPast(`ALTER TABLE items ADD UNIQUE (name) DEFERRABLE INITIALLY DEFERRED`)
	h.flush()
	require.Equal(t, []string{`items update {"id": "1"} {"id": "1", "name": "two"} 23505`}, h.letters())
	require.EqualValues(t, 21, h.value(h.past, `SELECT stock FROM items WHERE id = 2`))
	require.Equal(t, "one", h.value(h.shim, `SELECT name FROM items WHERE id = 1`))
}

func TestUniqueValuesThatMoveBetweenRowsAreNotRefused(t *testing.T) {
	h := newHarness(t, itemsTable, "")
	for _, step := range []string{
		`UPDATE items SET name = 'free' WHERE id = 1`,
		`UPDATE items SET name = 'one' WHERE id = 2`,
		`UPDATE items SET name = 'two' WHERE id = 1`,
	} {
		require.EqualValues(t, 1, h.exec(step))
	}
	h.mustPast(`CREATE UNIQUE INDEX ON items (name)`) // which the coalesced rows meet in an order that was not theirs
	h.flush()
	require.Empty(t, h.letters())
	require.Equal(t, "two one", h.value(h.past, `SELECT string_agg(name, ' ' ORDER BY id) FROM items`))

	// With the index known, the same by way of the shim.
	for _, step := range []string{
		`UPDATE items SET name = 'free' WHERE id = 1`,
		`UPDATE items SET name = 'two' WHERE id = 2`,
		`UPDATE items SET name = 'one' WHERE id = 1`,
	} {
		require.EqualValues(t, 1, h.exec(step))
	}
	h.flush()
	require.Empty(t, h.letters())
	require.Equal(t, "one two", h.value(h.past, `SELECT string_agg(name, ' ' ORDER BY id) FROM items`))
}

func TestReparentedRowOutlivesTheDeleteOfItsFormerParent(t *testing.T) {
	const family = `CREATE TABLE parents (id int PRIMARY KEY, name text); INSERT INTO parents VALUES (1, 'a'), (2, 'b');
		CREATE TABLE children (id int PRIMARY KEY, parent int REFERENCES parents, n int); INSERT INTO children VALUES (1, 1, 0)`
	h := newHarness(t, family, "")
	for _, step := range []string{
		`UPDATE children SET n = 1 WHERE id = 1`,
		`UPDATE children SET parent = 2 WHERE id = 1`,
		`UPDATE parents SET name = 'z' WHERE id = 1`,
		`DELETE FROM parents WHERE id = 1`,
		`UPDATE children SET n = 2 WHERE id = 1`,
	} {
		require.EqualValues(t, 1, h.exec(step), step)
	}
	h.flush()
	require.Empty(t, h.letters())
	require.Equal(t, "2 2", h.value(h.past, `SELECT concat_ws(' ', parent, n) FROM children`))

	// The constraint comes from outside, after both were acknowledged.
	h = newHarness(t, strings.Replace(family, "REFERENCES parents", "", 1), "")
	h.exec(`UPDATE children SET parent = 2 WHERE id = 1`)
	h.exec(`DELETE FROM parents WHERE id = 1`)
	require.EqualValues(t, 2, h.stats().PendingRows)
	h.mustPast(`ALTER TABLE children ADD FOREIGN KEY (parent) REFERENCES parents`)
	h.flush()
	require.Empty(t, h.letters())
	require.EqualValues(t, 1, h.value(h.past, `SELECT count(*) FROM parents`))
}

func TestParentDeletedFromOutsideMakesADeadLetter(t *testing.T) {
	h := newHarness(t, `CREATE TABLE parents (id int PRIMARY KEY); INSERT INTO parents VALUES (1), (2);
		CREATE TABLE children (id int PRIMARY KEY, parent int); INSERT INTO children VALUES (1, 1), (2, 1)`, "")
	h.exec(`UPDATE children SET parent = 2 WHERE id = 1`)
	h.exec(`UPDATE children SET parent = NULL WHERE id = 2`)
	h.mustPast(`DELETE FROM parents WHERE id = 2; ALTER TABLE children ADD FOREIGN KEY (parent) REFERENCES parents`)
	h.flush()
	require.Equal(t, []string{`children update {"id": "1"} {"id": "1", "parent": "2"} 23503`}, h.letters())
	require.EqualValues(t, 1, h.value(h.shim, `SELECT parent FROM children WHERE id = 1`))
	require.Nil(t, h.value(h.shim, `SELECT parent FROM children WHERE id = 2`))
}
