package writebehind_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/lib/pq"
	"github.com/stretchr/testify/require"
)

const familyTables = `CREATE TABLE parents (id bigint PRIMARY KEY, name text);
	CREATE TABLE children (id bigint PRIMARY KEY, parent int REFERENCES parents, name text);
	CREATE TABLE regions (country text, code int, PRIMARY KEY (country, code));
	CREATE TABLE places (id bigint PRIMARY KEY, code int, country text, next bigint REFERENCES places, FOREIGN KEY (country, code) REFERENCES regions);
	INSERT INTO parents VALUES (1, 'one'); INSERT INTO regions VALUES ('de', 1);`

// familyWrites refer to rows that are there, or not.
var familyWrites = []string{
	`INSERT INTO children VALUES (1, 1, 'a')`,
	`INSERT INTO children VALUES (2, NULL, 'b')`,
	`INSERT INTO children VALUES (3, 99, 'c')`,
	`INSERT INTO parents VALUES (2, 'two')`,
	`INSERT INTO children VALUES (4, 2, 'd'), (5, 1, 'e') RETURNING id, parent`,
	`INSERT INTO children VALUES (6, 2, 'd'), (7, 98, 'e')`,
	`UPDATE children SET parent = 2 WHERE id = 1`,
	`UPDATE children SET parent = 97 WHERE id = 1`,
	`UPDATE children SET parent = 2, name = 'x' WHERE id = 1`,
	`UPDATE children SET parent = NULL WHERE id = 5 RETURNING *`,
	`INSERT INTO children VALUES (1, 96, 'z') ON CONFLICT (id) DO UPDATE SET name = EXCLUDED.name`,
	`INSERT INTO children VALUES (1, 96, 'z') ON CONFLICT (id) DO UPDATE SET parent = EXCLUDED.parent`,
	`INSERT INTO places VALUES (1, 1, 'de', NULL)`,
	`INSERT INTO places VALUES (2, 1, 'fr', NULL)`,
	`INSERT INTO places VALUES (3, NULL, 'fr', 1)`,
	`INSERT INTO places VALUES (4, 1, 'de', 4)`,
	`INSERT INTO places VALUES (5, 1, 'de', 3), (6, 1, 'de', 5)`,
	`INSERT INTO places VALUES (8, 1, 'de', 9), (9, 1, 'de', 8)`,
	`UPDATE places SET next = 77 WHERE id = 1`,
	`UPDATE places SET code = 5 WHERE id = 1`,
	`DELETE FROM parents WHERE id = 2`,
	`DELETE FROM children WHERE id = 4`,
	`UPDATE children SET parent = 1 WHERE parent = 2`,
	`DELETE FROM parents WHERE id = 2`,
	`INSERT INTO children VALUES (10, 2, 'd')`,
	`INSERT INTO parents VALUES (2, 'again')`,
	`INSERT INTO children VALUES (10, 2, 'd')`,
}

func TestRowsThatReferToOthers(t *testing.T) {
	for _, how := range []string{eachAlone, inTransactions, flushed} {
		h := newHarness(t, familyTables, "")
		twin := newHarness(t, familyTables, "")
		h.value(h.shim, `SELECT name FROM parents WHERE id = 3`)
		h.sameAs(twin, how, execText, familyWrites)
		h.flush()
		require.Empty(t, h.letters())
		for _, table := range []string{"parents", "children", "places"} {
			all := `SELECT string_agg(t::text, ',' ORDER BY id) FROM ` + table + ` t`
			require.Equal(t, h.value(twin.past, all), h.value(h.past, all))
		}
		require.Greater(t, h.stats().Deferred, uint64(13), how)
	}
}

func TestAParentThatIsKnownIsNotLookedUp(t *testing.T) {
	h := newHarness(t, familyTables, "")
	r := record(h, h.dsn, pq.Open)
	h.shim = h.open("writebehind", h.dsn+h.params+" writebehind.driver=recorded writebehind.insert=trust")
	sent := func(query string) (n int) {
		r.take()
		h.exec(query)
		for _, c := range r.take() {
			if (strings.Contains(c.what, "parents") || strings.Contains(c.what, "children")) && !strings.HasPrefix(c.what, "PREPARE") {
				n++
			}
		}
		return n
	}
	h.value(h.shim, `SELECT name FROM parents WHERE id = 5`)
	require.Equal(t, 1, sent(`INSERT INTO children VALUES (1, 1, 'a')`))
	require.Zero(t, sent(`INSERT INTO children VALUES (2, 1, 'a')`), "it is cached")
	require.Zero(t, sent(`INSERT INTO parents VALUES (5, 'five')`))
	require.Zero(t, sent(`INSERT INTO children VALUES (3, 5, 'a'), (4, 1, 'b')`), "it is pending")
	require.Zero(t, h.stats().Direct)
	h.flush()
	require.EqualValues(t, 4, h.value(h.past, `SELECT count(*) FROM children`))
}

func TestATransactionThatReliesOnAParent(t *testing.T) {
	h := newHarness(t, familyTables, "")
	h.value(h.shim, `SELECT name FROM parents WHERE id = 3`)
	h.exec(`INSERT INTO parents VALUES (5, 'five')`)
	tx := h.begin(h.shim)
	tx.exec(`INSERT INTO children VALUES (1, 5, 'a')`)
	tx.exec(`INSERT INTO parents VALUES (6, 'six')`)
	tx.exec(`INSERT INTO children VALUES (2, 6, 'a')`)
	h.isBuffered()
	require.EqualValues(t, 2, tx.value(`SELECT count(*) FROM children`), "made real, with the parent that was pending")
	require.NoError(t, tx.Commit())
	h.flush()
	require.Empty(t, h.letters())

	// Whoever deletes the parent waits for the transaction, and fails of it.
	tx = h.begin(h.shim)
	tx.exec(`INSERT INTO children VALUES (3, 1, 'a')`)
	ended := make(chan error)
	go func() {
		_, err := h.shim.Exec(`DELETE FROM parents WHERE id = 1`)
		ended <- err
	}()
	h.waitsForLock()
	require.NoError(t, tx.Commit())
	require.ErrorContains(t, <-ended, "23503")
}

func TestParentsThatComeAndGo(t *testing.T) {
	h := newHarness(t, `CREATE TABLE parents (id bigint PRIMARY KEY, name text); CREATE TABLE children (id bigserial PRIMARY KEY, parent bigint REFERENCES parents ON DELETE CASCADE)`,
		"writebehind.max_delay=3ms")
	h.value(h.shim, `SELECT name FROM parents WHERE id = 3`)
	var wg sync.WaitGroup
	for g := range 6 {
		wg.Go(func() {
			for i := range 150 {
				id := (g*31 + i*7) % 5
				var err error
				switch i % 5 {
				case 0:
					_, err = h.shim.Exec(`INSERT INTO parents VALUES ($1, 'x') ON CONFLICT DO NOTHING`, id)
				case 4:
					if g == 0 {
						_, err = h.shim.Exec(`DELETE FROM parents WHERE id = $1`, id)
					}
				default:
					_, err = h.shim.Exec(`INSERT INTO children (parent) VALUES ($1)`, id)
				}
				if err != nil && !strings.Contains(err.Error(), "23503") {
					t.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	h.flush()
	require.Empty(t, h.letters(), "what was acknowledged was certain")
	require.Zero(t, h.stats().RefusedGroups)
	require.NotZero(t, h.stats().Deferred, fmt.Sprint(h.stats()))
}

func TestParentsThatAreNotOptedIn(t *testing.T) {
	h := newHarness(t, familyTables, "writebehind.tables=children")
	h.value(h.shim, `SELECT name FROM children WHERE id = 3`)
	refused := func(query string) {
		t.Helper()
		_, err := h.shim.Exec(query)
		require.ErrorContains(t, err, "23503")
	}
	for id := 1; id <= 3; id++ {
		require.EqualValues(t, 1, h.exec(`INSERT INTO children VALUES ($1, 1, 'a')`, id))
	}
	require.EqualValues(t, 3, h.stats().Deferred)
	refused(`INSERT INTO children VALUES (4, 2, 'a')`)
	h.exec(`INSERT INTO parents VALUES (2, 'two')`)
	h.exec(`INSERT INTO children VALUES (4, 2, 'a')`)
	require.EqualValues(t, 4, h.stats().Deferred, "that it was not there is not remembered")
	refused(`DELETE FROM parents WHERE id = 2`)
	h.exec(`DELETE FROM children WHERE id = 4`)
	h.exec(`DELETE FROM parents WHERE id = 2`)
	refused(`INSERT INTO children VALUES (5, 2, 'a')`)
	tx := h.begin(h.shim)
	tx.exec(`UPDATE children SET parent = 1, name = 'b' WHERE id = 1`)
	tx.exec(`INSERT INTO children VALUES (6, 1, 'a')`)
	ended := make(chan error)
	go func() {
		_, err := h.shim.Exec(`UPDATE parents SET id = 7 WHERE id = 1`)
		ended <- err
	}()
	h.waitsForLock()
	require.NoError(t, tx.Commit())
	require.ErrorContains(t, <-ended, "23503")
	h.flush()
	require.Empty(t, h.letters())
}

func TestALookUpThatFailedTellsNothing(t *testing.T) {
	h := newHarness(t, familyTables, "")
	h.value(h.shim, `SELECT name FROM parents WHERE id = 3`)
	conn := h.conn(h.shim)
	lock := h.lock(`LOCK TABLE parents IN ACCESS EXCLUSIVE MODE`)
	done := make(chan error)
	go func() {
		_, err := conn.ExecContext(t.Context(), `INSERT INTO children VALUES (1, 1, 'a')`)
		done <- err
	}()
	h.waitsForLock()
	h.value(h.past, `SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()`)
	h.eventually("it is direct", func() bool { return h.stats().Direct > 0 })
	require.NoError(t, lock.Rollback())
	require.NoError(t, <-done)
	result, err := conn.ExecContext(t.Context(), `UPDATE parents SET name = 'x' WHERE id = 1`)
	require.NoError(t, err)
	n, err := result.RowsAffected()
	require.NoError(t, err)
	require.EqualValues(t, 1, n)
	require.Equal(t, "x", h.value(h.shim, `SELECT name FROM parents WHERE id = 1`))
}
