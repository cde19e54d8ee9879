package pgtest_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/writebehind/writebehind/internal/pgtest"
)

func TestMain(m *testing.M) {
	if os.Getenv(envOrphan) != "" {
		orphan()
	}
	pgtest.Main(m)
}

func open(t *testing.T, dsn string) *sql.DB {
	t.Helper()
	db, err := sql.Open("postgres", dsn)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	return db
}

func ask(t *testing.T, db *sql.DB, query string) string {
	t.Helper()
	var got string
	require.NoError(t, db.QueryRowContext(t.Context(), query).Scan(&got))
	return got
}

func TestKilledServerKeepsWhatWasCommitted(t *testing.T) {
	t.Parallel()
	s := pgtest.New(t)
	s.RequireControl(t)
	db := open(t, s.DSN(s.CreateDatabase(t)))
	_, err := db.ExecContext(t.Context(), "CREATE TABLE t AS SELECT 7 AS n")
	require.NoError(t, err)

	// A session in the middle of a statement must not outlive the server.
	session, err := db.Conn(t.Context())
	require.NoError(t, err)
	defer session.Close()
	var pid int
	require.NoError(t, session.QueryRowContext(t.Context(), "SELECT pg_backend_pid()").Scan(&pid))
	ended := make(chan error, 1)
	go func() {
		_, err := session.ExecContext(context.Background(), "SELECT pg_sleep(600)")
		ended <- err
	}()
	require.Eventually(t, func() bool {
		return ask(t, db, "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep%'") == "1"
	}, 10*time.Second, 5*time.Millisecond)

	require.NoError(t, s.Kill())
	require.False(t, s.Running())
	require.Error(t, <-ended)
	require.Error(t, db.PingContext(t.Context()))

	port := s.Port()
	require.NoError(t, s.Start(t.Context()))
	require.Equal(t, port, s.Port())
	require.Equal(t, "7", ask(t, db, "SELECT n FROM t"))
	require.Equal(t, "0", ask(t, db, "SELECT count(*) FROM pg_stat_activity WHERE pid = "+strconv.Itoa(pid)))
	log, err := s.Log()
	require.NoError(t, err)
	require.Contains(t, log, "was not properly shut down", "Kill must look like a crash")
}

func TestStoppedServerStartsAgainCleanly(t *testing.T) {
	t.Parallel()
	s := pgtest.New(t)
	s.RequireControl(t)
	db := open(t, s.DSN("postgres"))
	_, err := db.ExecContext(t.Context(), "CREATE TABLE t AS SELECT 7 AS n")
	require.NoError(t, err)

	require.NoError(t, s.Stop())
	require.NoError(t, s.Stop(), "stopping twice is no error")
	require.False(t, s.Running())
	require.NoError(t, s.Start(t.Context()))
	require.NoError(t, s.Start(t.Context()), "starting twice is no error")
	require.NoError(t, s.Restart())
	require.Equal(t, "7", ask(t, db, "SELECT n FROM t"))
	log, err := s.Log()
	require.NoError(t, err)
	require.NotContains(t, log, "was not properly shut down")
}

func TestClustersInParallelKeepApart(t *testing.T) {
	t.Parallel()
	const clusters = 3
	servers := make([]*pgtest.Server, clusters)
	errs := make([]error, clusters)
	var wg sync.WaitGroup
	for i := range servers {
		wg.Go(func() { servers[i], errs[i] = pgtest.Start(t.Context()) })
	}
	wg.Wait()
	for i, s := range servers {
		require.NoError(t, errs[i])
		t.Cleanup(func() { require.NoError(t, s.Close()) })
		s.RequireControl(t)
	}
	ports := map[int]bool{}
	for _, s := range servers {
		ports[s.Port()] = true
		_, err := open(t, s.DSN("postgres")).ExecContext(t.Context(), "CREATE TABLE t()")
		require.NoError(t, err)
	}
	require.Len(t, ports, clusters)
}

func TestDefaults(t *testing.T) {
	t.Parallel()
	s := pgtest.New(t)
	s.RequireControl(t)
	db := open(t, s.DSN("postgres"))
	for query, want := range map[string]string{
		"SHOW fsync":            "off",
		"SHOW server_encoding":  "UTF8",
		"SHOW TimeZone":         "UTC",
		"SHOW listen_addresses": "127.0.0.1",
		"SELECT datcollate FROM pg_database WHERE datname = 'postgres'": "C",
	} {
		require.Equal(t, want, ask(t, db, query), query)
	}
}

func TestOptions(t *testing.T) {
	t.Parallel()
	s := pgtest.New(t, pgtest.WithFsync(), pgtest.WithPassword("it's \\ secret"),
		pgtest.WithInitdb("--data-checksums"), pgtest.WithSetting("work_mem", "1234kB"))
	db := open(t, s.DSN("postgres"))
	require.Equal(t, "on", ask(t, db, "SHOW fsync"))
	require.Equal(t, "on", ask(t, db, "SHOW data_checksums"))
	require.Equal(t, "1234kB", ask(t, db, "SHOW work_mem"))
	require.Equal(t, "1234kB", ask(t, open(t, s.URL("postgres")), "SHOW work_mem"))

	err := open(t, s.DSN("postgres", "password=wrong")).PingContext(t.Context())
	require.ErrorContains(t, err, "password authentication failed")
}

func TestBadSettingIsReportedWithTheServersReason(t *testing.T) {
	t.Parallel()
	_, err := pgtest.Start(t.Context(), pgtest.WithSetting("no_such_setting", "1"))
	if errors.Is(err, pgtest.ErrExternal) {
		t.Skip(err)
	}
	require.ErrorContains(t, err, "no_such_setting")
}

func TestConnectsOverTheSocket(t *testing.T) {
	t.Parallel()
	s := pgtest.New(t)
	s.RequireControl(t)
	require.Equal(t, "1", ask(t, open(t, s.DSN("postgres", "host="+s.SocketDir())), "SELECT 1"))
	require.Equal(t, "1", ask(t, open(t, s.URL("postgres", "host="+s.SocketDir())), "SELECT 1"))
}

func TestDatabasesOfTestsAreFreshAndDropped(t *testing.T) {
	t.Parallel()
	s := pgtest.Shared(t)
	require.Same(t, s, pgtest.Shared(t))
	names := map[string]bool{}
	for range 2 {
		t.Run("Name with 'odd' \"characters\" and far more than sixty-three bytes in all", func(t *testing.T) {
			name := s.CreateDatabase(t)
			names[name] = true
			db := open(t, s.DSN(name))
			require.Equal(t, name, ask(t, db, "SELECT current_database()"))
			_, err := db.ExecContext(t.Context(), "CREATE TABLE t()")
			require.NoError(t, err)
		})
	}
	require.Len(t, names, 2)
	db := open(t, s.DSN("postgres"))
	for name := range names {
		require.Equal(t, "0", ask(t, db, "SELECT count(*) FROM pg_database WHERE datname = '"+name+"'"))
	}
}

func TestCloseRemovesEverything(t *testing.T) {
	t.Parallel()
	s, err := pgtest.Start(t.Context())
	require.NoError(t, err)
	defer s.Close()
	s.RequireControl(t)
	require.DirExists(t, s.SocketDir())
	require.NoError(t, s.Close())
	require.NoError(t, s.Close(), "closing twice is no error")
	require.NoDirExists(t, s.SocketDir())
	require.Error(t, s.Start(t.Context()))
}

func TestCommandReachesTheServer(t *testing.T) {
	t.Parallel()
	s := pgtest.New(t, pgtest.WithPassword("secret"))
	cmd, err := s.Command(t.Context(), "postgres", "pg_isready", "--quiet")
	require.NoError(t, err)
	require.NoError(t, cmd.Run())
	_, err = s.Command(t.Context(), "postgres", "no_such_program")
	require.ErrorIs(t, err, os.ErrNotExist)
}

const envOrphan = "PGTEST_ORPHAN"

// orphan is the body of a process that dies without closing its server.
func orphan() {
	s, err := pgtest.Start(context.Background())
	if err != nil {
		panic(err)
	}
	fmt.Println(s.SocketDir())
	_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
}

func TestServerDiesWithItsProcess(t *testing.T) {
	t.Parallel()
	pgtest.New(t).RequireControl(t)
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), envOrphan+"=1")
	out, err := cmd.Output()
	require.Error(t, err, "it kills itself")
	dir := strings.TrimSpace(string(out))
	require.Contains(t, dir, "pgtest-")
	// Its own pid file goes with an orderly or immediate shutdown.
	require.Eventually(t, func() bool {
		_, err := os.Stat(dir + "/data/postmaster.pid")
		return os.IsNotExist(err)
	}, 10*time.Second, 5*time.Millisecond)

	// The next start removes what is left.
	pgtest.New(t)
	require.NoDirExists(t, dir)
}
