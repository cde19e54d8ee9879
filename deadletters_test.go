package writebehind_test

import (
	"context"
	"database/sql"
	"fmt"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/writebehind/writebehind"
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
		`items update {"id": "3"} {"id": "3", "stock": "6"} 23505`,
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
	for id := 10; id < 2010; id++ {
		_, err := conn.ExecContext(t.Context(), `INSERT INTO items (id) VALUES ($1)`, id)
		require.NoError(t, err)
	}
	h.mustPast(`INSERT INTO items (id, name) VALUES (1010, 'poison')`)
	h.flush()
	require.Len(t, h.letters(), 1)
	require.EqualValues(t, 2002, h.value(h.past, `SELECT count(*) FROM items`))
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
