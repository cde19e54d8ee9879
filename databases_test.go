package writebehind_test

import (
	"context"
	"crypto/rand"
	"database/sql"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/writebehind/writebehind/internal/pgerr"
	"github.com/writebehind/writebehind/internal/pgtest"
)

// databases are those on the shared server. Making one takes longer than most
// tests do, so a test that has passed leaves its own to the next, emptied.
var databases struct {
	mu        sync.Mutex
	server    *pgtest.Server
	all, free []string
}

func TestMain(m *testing.M) {
	if dsn := os.Getenv(remoteDSN); dsn != "" {
		if err := serveRemote(dsn); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	code := m.Run()
	for _, end := range []func() error{dropDatabases, pgtest.CloseShared} {
		if err := end(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = max(code, 1)
		}
	}
	os.Exit(code)
}

// borrowDatabase returns the name of an empty database that no other test uses.
func borrowDatabase(t *testing.T) string {
	t.Helper()
	databases.mu.Lock()
	defer databases.mu.Unlock()
	server := pgtest.Shared(t)
	databases.server = server
	var name string
	if n := len(databases.free); n > 0 {
		name = databases.free[n-1]
		databases.free = databases.free[:n-1]
	} else {
		name = "writebehind_" + strings.ToLower(rand.Text()[:12])
		require.NoError(t, server.AddDatabase(t.Context(), name))
		databases.all = append(databases.all, name)
	}
	t.Cleanup(func() { // after all that the test opens has been closed
		if t.Failed() {
			return
		}
		require.NoError(t, empty(server.DSN(name)))
		databases.mu.Lock()
		defer databases.mu.Unlock()
		databases.free = append(databases.free, name)
	})
	return name
}

// empty makes a database as good as new: what tests make is in a schema. Server processes
// whose clients have gone may still read it, in another order.
func empty(dsn string) error {
	db, err := sql.Open("postgres", dsn)
	if err != nil {
		return err
	}
	defer db.Close()
	for range 5 {
		if err = drop(db); pgerr.State(err) != "40P01" {
			return err
		}
	}
	return err
}

func drop(db *sql.DB) error {
	_, err := db.Exec(`SET client_min_messages = error;
		DO $$ DECLARE s name; BEGIN
			FOR s IN SELECT nspname FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname <> 'information_schema' LOOP
				EXECUTE format('DROP SCHEMA %I CASCADE', s);
			END LOOP;
		END $$;
		CREATE SCHEMA public;
		GRANT USAGE ON SCHEMA public TO PUBLIC`)
	return err
}

// dropDatabases leaves nothing behind on a server that outlives this process.
func dropDatabases() error {
	if databases.server == nil || !databases.server.External() {
		return nil
	}
	for _, name := range databases.all {
		if err := databases.server.DropDatabase(context.Background(), name); err != nil {
			return err
		}
	}
	return nil
}
