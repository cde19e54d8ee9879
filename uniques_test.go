package writebehind_test

import (
	"database/sql"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
)

const usersTable = `CREATE TABLE users (id bigserial PRIMARY KEY, email text UNIQUE, tenant int, nick varchar(10), UNIQUE (tenant, nick));
	INSERT INTO users (email, tenant, nick) VALUES ('a@x', 1, 'a');`

var userWrites = []string{
	`INSERT INTO users (email) VALUES ('b@x') RETURNING email`,
	`INSERT INTO users (email) VALUES ('b@x')`,
	`INSERT INTO users (email) VALUES ('a@x')`,
	`INSERT INTO users (email) VALUES (NULL), (NULL)`,
	`INSERT INTO users (email) VALUES ('c@x'), ('c@x')`,
	`INSERT INTO users (email) VALUES ('c@x'), ('a@x') ON CONFLICT DO NOTHING RETURNING email`,
	`INSERT INTO users (email, tenant, nick) VALUES ('d@x', 1, 'b'), ('e@x', 2, 'a')`,
	`INSERT INTO users (email, tenant, nick) VALUES ('f@x', 1, 'a')`,
	`INSERT INTO users (email, tenant, nick) VALUES ('f@x', 1, NULL), ('g@x', 1, NULL)`,
	`UPDATE users SET email = 'a@x' WHERE id = 1`,
	`UPDATE users SET email = 'z@x' WHERE id = 1`,
	`UPDATE users SET email = 'z@x', nick = 'a' WHERE id = 1`,
	`INSERT INTO users (id, email) VALUES (1, 'z@x') ON CONFLICT (id) DO UPDATE SET tenant = 7`,
	`INSERT INTO users (id, email) VALUES (100000, 'z@x') ON CONFLICT (id) DO UPDATE SET tenant = 7`,
	`INSERT INTO users (email) VALUES ('a@x') RETURNING email`,
	`DELETE FROM users WHERE id = 1`,
	`INSERT INTO users (email) VALUES ('z@x') RETURNING email`,
}

func TestValuesThatMustBeUnique(t *testing.T) {
	for _, how := range []string{eachAlone, inTransactions, flushed, "direct"} {
		params := ""
		if how == "direct" {
			params = "writebehind.unique=direct"
		}
		h := newHarness(t, usersTable, params)
		twin := newHarness(t, usersTable, "")
		h.value(h.shim, `SELECT email FROM users WHERE id = 3`)
		h.sameAs(twin, how, execText, userWrites)
		if how != "direct" {
			require.GreaterOrEqual(t, h.stats().Deferred, uint64(7), how)
		}
		h.flush()
		require.Empty(t, h.letters())
		const all = `SELECT string_agg(ROW(email, tenant, nick)::text, ',' ORDER BY email, tenant, nick) FROM users`
		require.Equal(t, h.value(twin.past, all), h.value(h.past, all))
	}
}

func TestTwoTransactionsThatClaimTheSame(t *testing.T) {
	for _, commit := range []bool{true, false} {
		h := newHarness(t, usersTable, "")
		h.value(h.shim, `SELECT email FROM users WHERE id = 3`)
		first, second := h.begin(h.shim), h.begin(h.shim)
		first.exec(`INSERT INTO users (email) VALUES ('new@x')`)
		ended := make(chan error)
		go func() {
			_, err := second.Exec(`INSERT INTO users (email) VALUES ('new@x')`)
			ended <- err
		}()
		h.eventually("the second one waits", func() bool { return h.stats().Waiting > 0 })
		if commit {
			require.NoError(t, first.Commit())
			require.ErrorContains(t, <-ended, "23505")
			require.NoError(t, second.Rollback())
		} else {
			require.NoError(t, first.Rollback())
			require.NoError(t, <-ended)
			require.NoError(t, second.Commit())
		}
		h.flush()
		require.EqualValues(t, 1, h.value(h.past, `SELECT count(*) FROM users WHERE email = 'new@x'`))
	}
}

func TestManyClaimTheSame(t *testing.T) {
	h := newHarness(t, usersTable, "writebehind.max_delay=3ms")
	h.value(h.shim, `SELECT email FROM users WHERE id = 3`)
	var wg sync.WaitGroup
	var won atomic.Int64
	for range 8 {
		wg.Go(func() {
			for i := range 100 {
				var err error
				if i%2 == 0 {
					_, err = h.shim.Exec(`INSERT INTO users (email) VALUES ($1)`, strconv.Itoa(i))
				} else {
					err = within(t.Context(), h.shim, nil, func(tx *sql.Tx) error {
						_, err := tx.Exec(`INSERT INTO users (email, tenant, nick) VALUES ($1, 5, $2)`, strconv.Itoa(i), strconv.Itoa(i))
						return err
					})
				}
				switch {
				case err == nil:
					won.Add(1)
				case !strings.Contains(err.Error(), "23505"):
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	h.flush()
	require.EqualValues(t, 100, won.Load())
	require.EqualValues(t, 101, h.value(h.past, `SELECT count(*) FROM users`))
	require.Empty(t, h.letters())
}

func TestTrustedValuesAreNotLookedUp(t *testing.T) {
	h := newHarness(t, usersTable, "writebehind.unique.users=trust")
	h.value(h.shim, `SELECT email FROM users WHERE id = 3`)
	h.exec(`INSERT INTO users (email) VALUES ('a@x')`)
	require.EqualValues(t, 1, h.stats().Deferred)
	h.flush()
	require.Len(t, h.letters(), 1)
}

func TestValuesInAJournalAreClaimed(t *testing.T) {
	h := newHarness(t, usersTable, "")
	journal := "writebehind.journal=" + t.TempDir()
	r := h.newRemote(journal)
	r.exec(`INSERT INTO users (email) VALUES ('new@x')`)
	r.kill()
	db := h.open("writebehind", h.dsn+" writebehind.tables=* writebehind.max_delay=1h "+journal)
	_, err := db.Exec(`INSERT INTO users (email) VALUES ('new@x')`)
	require.ErrorContains(t, err, "23505")
}

func TestValuesThatReferToANewRowAreNotLookedUp(t *testing.T) {
	const ddl = `CREATE TABLE orders (id bigserial PRIMARY KEY, note text);
		CREATE TABLE lines (id bigserial PRIMARY KEY, of bigint REFERENCES orders, n int, UNIQUE (of, n))`
	h := newHarness(t, ddl, "")
	insert := func(db sender, of any, n int) error {
		_, err := db.ExecContext(t.Context(), `INSERT INTO lines (of, n) VALUES ($1, $2)`, of, n)
		return err
	}
	for range 3 { // a sequence that was never drawn from gives a first value alone
		require.NoError(t, insert(h.shim, h.value(h.shim, `INSERT INTO orders (note) VALUES ('a') RETURNING id`), 1))
	}
	tx := h.begin(h.shim)
	order := tx.value(`INSERT INTO orders (note) VALUES ('a') RETURNING id`)
	require.NoError(t, insert(tx, order, 1))
	asked := h.stats().LookedUp
	require.NoError(t, insert(tx, order, 2))
	require.Equal(t, asked, h.stats().LookedUp, "it is the transaction's own")
	require.NoError(t, tx.Commit())
	require.NoError(t, insert(h.shim, order, 3))
	require.Equal(t, asked, h.stats().LookedUp, "it is pending")
	requirePQ(t, insert(h.shim, order, 3), "23505")
	require.NoError(t, insert(h.shim, order, 4))
	require.Equal(t, asked+1, h.stats().LookedUp, "PostgreSQL has it now")
	requirePQ(t, insert(h.shim, order, 1), "23505")
	h.flush()
	require.Empty(t, h.letters())
	require.EqualValues(t, 7, h.value(h.past, `SELECT count(*) FROM lines`))
}

func TestValuesTakenPastTheLookUp(t *testing.T) {
	h := newHarness(t, usersTable, "writebehind.max_delay=2ms")
	h.value(h.shim, `SELECT email FROM users WHERE id = 3`)
	var wg sync.WaitGroup
	for g := range 6 {
		wg.Go(func() {
			for i := range 100 {
				query := `INSERT INTO users (email) VALUES ($1)`
				if g%2 == 0 {
					query = `INSERT INTO users (email) SELECT $1::text`
				}
				if _, err := h.shim.Exec(query, strconv.Itoa(i)); err != nil && !strings.Contains(err.Error(), "23505") {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	h.flush()
	require.Empty(t, h.letters(), "what was acknowledged was certain")
	require.EqualValues(t, 101, h.value(h.past, `SELECT count(*) FROM users`))
}
