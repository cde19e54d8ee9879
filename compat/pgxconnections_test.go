package compat

import (
	"context"
	"database/sql"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/stdlib"
	"github.com/stretchr/testify/require"

	"github.com/writebehind/writebehind"
)

// TestPGXConnectionsAreMadeWhenNeeded: arguments that are checked before a statement is
// deferred need no connection.
func TestPGXConnectionsAreMadeWhenNeeded(t *testing.T) {
	dsn := pgxDatabase(t)
	shim := overPGX(t, dsn+" application_name=counted")
	update := func(on *sql.Conn) {
		_, err := on.ExecContext(t.Context(), "UPDATE texts SET v = $1 WHERE id = $2", 1, "none")
		require.NoError(t, err)
	}
	sessions := func() (n int) {
		require.NoError(t, open(t, "postgres", dsn).QueryRow("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'counted'").Scan(&n))
		return n
	}
	first, err := shim.Conn(t.Context())
	require.NoError(t, err)
	update(first)
	before := sessions()
	for range 5 {
		conn, err := shim.Conn(t.Context())
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, conn.Close()) })
		update(conn)
	}
	require.Equal(t, before, sessions())
	require.NoError(t, first.Close())
}

// TestPGXConnectionIsThereToUnwrap: what only pgx can do is done on its own connection.
func TestPGXConnectionIsThereToUnwrap(t *testing.T) {
	shim := overPGX(t, pgxDatabase(t))
	conn, err := shim.Conn(t.Context())
	require.NoError(t, err)
	defer conn.Close()
	require.NoError(t, conn.Raw(func(c any) error {
		real := c.(*writebehind.Conn).Unwrap().(*stdlib.Conn).Conn()
		_, err := real.Exec(t.Context(), "LISTEN news; NOTIFY news, 'hello'")
		require.NoError(t, err)
		news, err := real.WaitForNotification(t.Context())
		require.NoError(t, err)
		require.Equal(t, "hello", news.Payload)
		return nil
	}))
}

// TestAStatementThatPGXGivesUpMayGoOn: pgx closes its connection when a context ends,
// and the server may execute the statement all the same. Until it is done nobody else
// writes the row from memory.
func TestAStatementThatPGXGivesUpMayGoOn(t *testing.T) {
	dsn := pgxDatabase(t)
	shim := overPGX(t, dsn)
	_, err := shim.Exec("INSERT INTO taken VALUES (1, 'a', 1)")
	require.NoError(t, err)
	require.NoError(t, writebehind.Flush(t.Context(), shim))

	// The server works on, whatever the client says, as long as another one has the lock.
	lock := open(t, "postgres", dsn)
	tx, err := lock.Begin()
	require.NoError(t, err)
	_, err = tx.Exec("SELECT FROM taken WHERE id = 1 FOR UPDATE")
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	failed := make(chan error)
	go func() {
		_, err := shim.ExecContext(ctx, "UPDATE taken SET n = n * 2 WHERE id = 1")
		failed <- err
	}()
	require.Eventually(t, func() bool {
		var waits bool
		require.NoError(t, lock.QueryRow("SELECT EXISTS (SELECT FROM pg_stat_activity WHERE query LIKE 'UPDATE taken%' AND wait_event_type = 'Lock')").Scan(&waits))
		return waits
	}, 10*time.Second, 5*time.Millisecond)
	cancel()
	require.ErrorIs(t, <-failed, context.Canceled)
	require.NoError(t, tx.Rollback())

	var n string
	require.NoError(t, shim.QueryRow("SELECT n FROM taken WHERE id = 1").Scan(&n))
	_, err = shim.Exec("UPDATE taken SET n = n + 1 WHERE id = 1")
	require.NoError(t, err)
	var now, stored string
	require.NoError(t, shim.QueryRow("SELECT n FROM taken WHERE id = 1").Scan(&now))
	require.NoError(t, writebehind.Flush(t.Context(), shim))
	require.NoError(t, lock.QueryRow("SELECT n FROM taken WHERE id = 1").Scan(&stored))
	require.Equal(t, stored, now)
}

// TestAnotherModeOfPGXOnOneDatabase: what one pool has cached is not what another one would
// be given that has pgx read times as text.
func TestAnotherModeOfPGXOnOneDatabase(t *testing.T) {
	params := " timezone=Asia/Kolkata"
	dsn := pgxDatabase(t)
	shim := behind(t, "") + " writebehind.driver=pgx"
	for _, mode := range []string{"", " default_query_exec_mode=exec"} {
		plain, over := open(t, "pgx", dsn+params+mode), open(t, "writebehind", dsn+params+mode+shim)
		for range 2 {
			const query = "SELECT t FROM texts WHERE id = $1"
			_, err := over.Exec("INSERT INTO texts (id) VALUES ($1) ON CONFLICT (id) DO NOTHING", "a")
			require.NoError(t, err)
			require.NoError(t, writebehind.Flush(t.Context(), over))
			require.Equal(t, queried(plain, query, "a"), queried(over, query, "a"))
		}
	}
}
