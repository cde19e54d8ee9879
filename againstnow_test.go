package writebehind_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestTimesAgainstNow(t *testing.T) {
	const ddl = `CREATE TABLE sessions (token text PRIMARY KEY, data bytea NOT NULL, expiry timestamptz, made timestamp)`
	h := newHarness(t, ddl, "")
	h.value(h.shim, `SELECT 1 FROM sessions WHERE token = 'x'`)
	const (
		find = `SELECT data FROM sessions WHERE token = $1 AND current_timestamp < expiry`
		over = `SELECT token FROM sessions WHERE token = $1 AND now() >= expiry`
		put  = `INSERT INTO sessions (token, data, expiry) VALUES ($1, $2, $3) ON CONFLICT (token) DO UPDATE SET data = EXCLUDED.data, expiry = EXCLUDED.expiry`
	)
	at := func(d time.Duration) time.Time { return time.Now().Add(d) }
	h.exec(put, "live", []byte("a"), at(time.Hour))
	h.exec(put, "over", []byte("b"), at(-time.Minute))
	h.exec(put, "none", []byte("c"), nil)
	require.Zero(t, h.stats().Direct)
	require.Equal(t, []byte("a"), h.value(h.shim, find, "live"))
	require.Nil(t, h.value(h.shim, over, "live"))
	require.Nil(t, h.value(h.shim, find, "over"))
	require.Equal(t, "over", h.value(h.shim, over, "over"))
	require.Nil(t, h.value(h.shim, find, "none"))
	require.Nil(t, h.value(h.shim, over, "none"))
	require.EqualValues(t, 1, h.exec(`DELETE FROM sessions WHERE token = $1 AND expiry < now()`, "over"))
	require.EqualValues(t, 0, h.exec(`DELETE FROM sessions WHERE token = $1 AND expiry < now()`, "live"))
	require.Zero(t, h.stats().Direct)
	h.exec(put, "close", []byte("d"), at(200*time.Millisecond))
	h.value(h.shim, find, "close")
	require.EqualValues(t, 1, h.stats().Direct, "which side of now() it lies PostgreSQL knows")
	decision, reason := h.explain(`SELECT 1 FROM sessions WHERE token = 'a' AND made < now()`)
	require.Equal(t, "direct", decision)
	require.Contains(t, reason, "no timestamp with time zone")
}

// What a transaction has decided by the time of its BEGIN stays decided when it is
// repeated in PostgreSQL later.
func TestATimeThatPassesWhileATransactionIsOpen(t *testing.T) {
	for _, write := range []string{
		`UPDATE sessions SET data = 'seen' WHERE token = 'a' AND expiry > now()`,
		`DELETE FROM sessions WHERE token = 'a' AND now() < expiry`,
		`SELECT data FROM sessions WHERE token = 'a' AND expiry > now() FOR NO KEY UPDATE`,
	} {
		h := newHarness(t, `CREATE TABLE sessions (token text PRIMARY KEY, data text, expiry timestamptz)`, "")
		h.value(h.shim, `SELECT 1 FROM sessions WHERE token = 'x'`)
		expiry := h.value(h.past, `SELECT clock_timestamp() + interval '2 s'`)
		h.exec(`INSERT INTO sessions VALUES ('a', 'new', $1)`, expiry)
		tx := h.begin(h.shim)
		tx.exec(`INSERT INTO sessions VALUES ('b', 'new', NULL)`)
		rows, _, err := queryText.run(tx, write)
		require.NoError(t, err)
		h.eventually("the time has passed", func() bool { return h.value(h.past, `SELECT clock_timestamp() > $1`, expiry) == true })
		require.NotNil(t, tx.value(`SELECT count(*) + sum(length(data)) FROM sessions`), "it is real, and has done all of it again")
		require.NoError(t, tx.Commit())
		if write[0] == 'S' {
			require.Len(t, rows, 1)
			continue
		}
		h.flush()
		require.Nil(t, h.value(h.past, `SELECT 1 FROM sessions WHERE data = 'new' AND token = 'a'`), write)
	}
}
