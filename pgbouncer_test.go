package writebehind_test

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/writebehind/writebehind/internal/pgtest"
)

// newPooler starts PgBouncer in transaction mode before a server, and returns its
// port.
func newPooler(t *testing.T, server *pgtest.Server) int {
	t.Helper()
	program, err := exec.LookPath("pgbouncer")
	if err != nil {
		if program = "/usr/sbin/pgbouncer"; !exists(program) {
			t.Skip("PgBouncer is not installed (Debian: apt-get install pgbouncer)")
		}
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	port := listener.Addr().(*net.TCPAddr).Port
	require.NoError(t, listener.Close())
	dir := t.TempDir()
	config := filepath.Join(dir, "pgbouncer.ini")
	require.NoError(t, os.WriteFile(config, fmt.Appendf(nil, `[databases]
* = host=127.0.0.1 port=%d user=postgres
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = %d
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = 5
ignore_startup_parameters = extra_float_digits
`, server.Port(), port), 0o644))
	cmd := exec.Command(program, "-q", config)
	if os.Geteuid() == 0 { // it refuses root
		const nobody = 65534
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
		for d := dir; d != os.TempDir() && d != "/"; d = filepath.Dir(d) {
			require.NoError(t, os.Chmod(d, 0o755))
		}
	}
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait() // it was killed
	})
	return port
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

func TestTwoProcessesBehindAPoolerThatSharesSessions(t *testing.T) {
	server := pgtest.Shared(t)
	h := newHarness(t, itemsTable, "")
	var database string
	require.NoError(t, h.past.QueryRow(`SELECT current_database()`).Scan(&database))
	past := h.dsn
	h.dsn = "host=127.0.0.1 user=postgres sslmode=disable binary_parameters=yes dbname=" + database +
		" port=" + strconv.Itoa(newPooler(t, server))
	pooled := h.open("postgres", h.dsn)
	h.eventually("PgBouncer answers", func() bool { return pooled.PingContext(context.Background()) == nil })

	one := h.newRemote("writebehind.journal=" + t.TempDir())
	one.exec(`UPDATE items SET stock = stock + 1 WHERE id = 1`)
	require.Equal(t, "11", one.value(stockOfOne))
	require.Equal(t, "owner", one.do("ownership", ""))
	require.EqualValues(t, 10, h.value(h.past, stockOfOne), "deferred")

	two := h.newRemote("writebehind.journal=" + t.TempDir())
	require.Equal(t, "11", two.value(stockOfOne), "the first has handed over")
	for n := range 5 {
		one.exec(`UPDATE items SET stock = stock + 1 WHERE id = 1`)
		two.exec(`UPDATE items SET stock = stock + 1 WHERE id = 1`)
		require.EqualValues(t, 13+2*n, h.value(h.past, stockOfOne))
		require.Equal(t, strconv.Itoa(13+2*n), one.value(stockOfOne))
	}
	two.kill()
	h.eventually("the first is alone again", func() bool {
		one.exec(`UPDATE items SET stock = stock + 1 WHERE id = 1`)
		return one.do("ownership", "") == "owner"
	})
	require.Equal(t, "ok", one.do("close", ""))
	h.dsn = past
	require.Equal(t, h.value(h.past, stockOfOne), h.value(h.shim, stockOfOne))
}
