package proxy

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// TestLibPQHasStatementsRepeated shows why load.Worker.Held is there: without any
// shim, a statement whose connection is lost after it was sent is executed twice.
// If this fails, lib/pq has been mended, and Held is not needed any more.
func TestLibPQHasStatementsRepeated(t *testing.T) {
	p, through, past := setup(t)
	_, err := past.Exec("INSERT INTO t VALUES (0)")
	require.NoError(t, err)
	tx, err := past.Begin()
	require.NoError(t, err)
	_, err = tx.Exec("UPDATE t SET n = n") // the row is locked
	require.NoError(t, err)

	answered := make(chan error)
	go func() {
		_, err := through.Exec("UPDATE t SET n = n + 1")
		answered <- err
	}()
	waiting := func(n int) {
		require.Eventually(t, func() bool {
			var got int
			require.NoError(t, past.QueryRow(`SELECT count(*) FROM pg_stat_activity
				WHERE datname = current_database() AND wait_event_type = 'Lock'`).Scan(&got))
			return got == n
		}, eventually, tick)
	}
	waiting(1)
	p.HalfClose(Client) // the server does not notice
	waiting(2)          // it was sent again
	require.NoError(t, tx.Commit())
	require.NoError(t, <-answered)
	waiting(0)
	require.Eventually(t, func() bool {
		var n int
		require.NoError(t, past.QueryRow("SELECT n FROM t").Scan(&n))
		return n == 2
	}, eventually, tick)
}
