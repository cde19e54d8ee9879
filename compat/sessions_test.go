package compat

import (
	"context"
	"database/sql"
	"testing"
	"time"

	"github.com/alexedwards/scs/postgresstore"
	"github.com/stretchr/testify/require"

	"github.com/writebehind/writebehind"
)

const sessionsTable = `CREATE TABLE sessions (token TEXT PRIMARY KEY, data BYTEA NOT NULL, expiry TIMESTAMPTZ NOT NULL);
	CREATE INDEX sessions_expiry_idx ON sessions (expiry)`

// sessions is what a web server does with the store of scs: the answers.
func sessions(t *testing.T, db *sql.DB) []any {
	t.Helper()
	store := postgresstore.NewWithCleanupInterval(db, 0)
	var seen []any
	find := func(token string) {
		data, found, err := store.Find(token)
		seen = append(seen, data, found, err)
	}
	later := time.Now().Add(time.Hour)
	find("a")
	for _, data := range []string{"one", "two", "\x00\xff"} {
		require.NoError(t, store.Commit("a", []byte(data), later))
		find("a")
	}
	require.NoError(t, store.Commit("b", []byte("over"), time.Now().Add(-time.Hour)))
	find("b")
	result, err := db.Exec("DELETE FROM sessions WHERE expiry < current_timestamp")
	require.NoError(t, err)
	swept, err := result.RowsAffected()
	seen = append(seen, swept, err)
	require.NoError(t, store.Commit("c", []byte{}, later))
	find("c")
	require.NoError(t, store.Delete("a"))
	require.NoError(t, store.Delete("a"))
	find("a")
	all, err := store.All()
	return append(seen, all, err)
}

// TestSessions: the store of scs, whose sweep is a statement on many rows.
func TestSessions(t *testing.T) {
	plain := database(t)
	execute(t, plain, sessionsTable)
	dsn := database(t)
	execute(t, dsn, sessionsTable)
	shim := open(t, "writebehind", behind(t, dsn))
	require.Equal(t, sessions(t, open(t, "postgres", plain)), sessions(t, shim))

	require.NoError(t, writebehind.Flush(context.Background(), shim))
	var tokens string
	require.NoError(t, open(t, "postgres", dsn).QueryRow("SELECT string_agg(token, ',') FROM sessions").Scan(&tokens))
	require.Equal(t, "c", tokens)
	st, err := writebehind.Stats(shim)
	require.NoError(t, err)
	t.Logf("sessions: deferred %d cached %d missed %d direct %d", st.Deferred, st.Cached, st.Missed, st.Direct)
	require.NotZero(t, st.Deferred, "a session is written by its key")
}
