package writebehind_test

import (
	"bufio"
	"database/sql"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/writebehind/writebehind/internal/pgtest"
)

// begin sends a line whose answer nobody waits for.
func (r *remote) begin(verb, rest string) {
	r.Helper()
	w := bufio.NewWriter(r.in)
	_, err := fmt.Fprintln(w, verb, rest)
	require.NoError(r, err)
	require.NoError(r, w.Flush())
}

// atWork tells whether the server executes a statement of this text.
func (h *harness) atWork(like string) bool {
	h.Helper()
	return h.value(h.past, `SELECT EXISTS (SELECT FROM pg_stat_activity WHERE state = 'active' AND pid <> pg_backend_pid() AND query LIKE $1)`, like).(bool)
}

// isAtWork waits until the server executes a statement of this text.
func (h *harness) isAtWork(like string) {
	h.Helper()
	h.eventually("the statement has begun", func() bool { return h.atWork(like) })
}

// isIdle waits until the server executes none.
func (h *harness) isIdle(like string) {
	h.Helper()
	h.eventually("the statement has ended", func() bool { return !h.atWork(like) })
}

// The statement of a process that was killed goes on in the server.
func TestWhatAKilledProcessLeftAtWorkIsNotCachedPast(t *testing.T) {
	for name, statement := range map[string]string{
		"of a table":          `UPDATE items SET stock = 50 FROM pg_sleep(2) WHERE id = 1`,
		"of a function":       `SELECT set_stock()`,
		"of a partition":      `UPDATE parts_one SET stock = 50 FROM pg_sleep(2) WHERE id = 1`,
		"of a referred table": `DELETE FROM kinds USING pg_sleep(2)`,
	} {
		t.Run(name, func(t *testing.T) {
			h := newHarness(t, itemsTable+`;
				CREATE TABLE kinds (id int PRIMARY KEY);
				INSERT INTO kinds VALUES (1);
				CREATE TABLE kinded (id int PRIMARY KEY, stock int DEFAULT 10, kind int REFERENCES kinds ON DELETE CASCADE);
				INSERT INTO kinded VALUES (1, 10, 1);
				CREATE TABLE parts (id int PRIMARY KEY, stock int) PARTITION BY RANGE (id);
				CREATE TABLE parts_one PARTITION OF parts FOR VALUES FROM (1) TO (100);
				INSERT INTO parts VALUES (1, 10);
				CREATE FUNCTION set_stock() RETURNS void LANGUAGE plpgsql AS
					$$ BEGIN PERFORM pg_sleep(2); UPDATE items SET stock = 50 WHERE id = 1; END $$`, "")
			journal := "writebehind.journal=" + t.TempDir()
			read := `SELECT stock FROM items WHERE id = 1`
			switch name {
			case "of a partition":
				read = `SELECT stock FROM parts WHERE id = 1`
			case "of a referred table":
				read = `SELECT stock FROM kinded WHERE id = 1`
			}
			after := h.newRemote(journal)
			before := after.value(read)
			after.kill()

			r := h.newRemote(journal)
			r.begin("exec", statement)
			h.isAtWork(statement)
			r.kill()
			r = h.newRemote(journal)
			require.Equal(t, before, r.value(read))
			require.Equal(t, before, r.value(read))
			h.isIdle(statement)
			require.NotEqual(t, before, r.value(read))
			if now := h.value(h.past, read); now == nil {
				require.Contains(t, r.value(read), sql.ErrNoRows.Error())
			} else {
				require.Equal(t, fmt.Sprint(now), r.value(read))
			}
			h.eventually("it caches again", func() bool { return r.do("caches", read) == "true" })
			require.Equal(t, "ok", r.do("close", ""))
		})
	}
}

func TestATableStaysDirectWhileATransactionThatIsPreparedMayChangeIt(t *testing.T) {
	h := newHarnessOn(t, pgtest.New(t, pgtest.WithSetting("max_prepared_transactions", "5")), itemsTable, "")
	h.mustPast(`BEGIN; UPDATE items SET stock = 50 WHERE id = 1; PREPARE TRANSACTION 'one'`)
	require.EqualValues(t, 10, h.value(h.shim, stockOfOne))
	require.EqualValues(t, 10, h.value(h.shim, stockOfOne))
	h.mustPast(`COMMIT PREPARED 'one'`)
	require.EqualValues(t, 50, h.value(h.shim, stockOfOne))
	h.eventually("it caches again", func() bool {
		cached := h.stats().Cached
		h.value(h.shim, stockOfOne)
		return h.stats().Cached > cached
	})
}
