package proxy

import (
	"database/sql"
	"fmt"
	"net"
	"os"
	"testing"
	"time"

	_ "github.com/lib/pq" // through the proxy
	"github.com/stretchr/testify/require"

	"github.com/writebehind/writebehind/internal/pgtest"
)

// For what the server does in its own time.
const eventually, tick = 20 * time.Second, 5 * time.Millisecond

func TestMain(m *testing.M) { pgtest.Main(m) }

// setup has a database behind a proxy, and a way to it past the proxy.
func setup(t *testing.T) (p *Proxy, through, past *sql.DB) {
	t.Helper()
	server := pgtest.Shared(t)
	name := server.CreateDatabase(t)
	p, err := Start(t.Context(), fmt.Sprintf("127.0.0.1:%d", server.Port()))
	require.NoError(t, err)
	open := func(dsn string) *sql.DB {
		db, err := sql.Open("postgres", dsn)
		require.NoError(t, err)
		return db
	}
	past = open(server.DSN(name))
	through = open(server.DSN(name, fmt.Sprintf("port=%d", p.Port()), "host=127.0.0.1", "sslmode=disable"))
	t.Cleanup(func() {
		p.Up()
		require.NoError(t, through.Close())
		require.NoError(t, p.Close())
		require.NoError(t, past.Close())
	})
	_, err = past.Exec("CREATE TABLE t (n int)")
	require.NoError(t, err)
	return p, through, past
}

func rows(t *testing.T, db *sql.DB) (n int) {
	t.Helper()
	require.NoError(t, db.QueryRow("SELECT count(*) FROM t").Scan(&n))
	return n
}

func commit(t *testing.T, db *sql.DB) error {
	t.Helper()
	tx, err := db.Begin()
	require.NoError(t, err)
	_, err = tx.Exec("INSERT INTO t VALUES ($1)", 1)
	require.NoError(t, err)
	return tx.Commit()
}

func TestPass(t *testing.T) {
	_, through, past := setup(t)
	require.NoError(t, commit(t, through))
	require.Equal(t, 1, rows(t, through))
	require.Equal(t, 1, rows(t, past))
}

func TestAnswerToCommitIsLost(t *testing.T) {
	p, through, past := setup(t)
	done := p.CutCommit(Answer)
	require.Error(t, commit(t, through))
	<-done
	require.Equal(t, 1, rows(t, past), "the server has committed")
	require.NoError(t, commit(t, through), "one COMMIT was asked for")
	require.Equal(t, 2, rows(t, past))
}

func TestCommitIsLost(t *testing.T) {
	p, through, past := setup(t)
	done := p.CutCommit(Request)
	require.Error(t, commit(t, through))
	<-done
	require.Equal(t, 0, rows(t, past), "the server has not committed")
}

func TestCut(t *testing.T) {
	p, through, _ := setup(t)
	conn, err := through.Conn(t.Context())
	require.NoError(t, err)
	require.NoError(t, conn.PingContext(t.Context()))
	p.Cut()
	require.Error(t, conn.PingContext(t.Context()))
	_ = conn.Close()
	require.Equal(t, 0, rows(t, through), "a new connection passes")
}

func TestDown(t *testing.T) {
	p, through, _ := setup(t)
	require.NoError(t, through.Ping())
	p.Down()
	require.Error(t, through.Ping())
	p.Up()
	require.NoError(t, through.Ping())
}

func TestRefuse(t *testing.T) {
	p, through, _ := setup(t)
	require.NoError(t, through.Ping())
	require.NoError(t, p.Refuse())
	var network *net.OpError
	_, err := through.Exec("SELECT 1")
	require.ErrorAs(t, err, &network)
	require.Equal(t, "dial", network.Op)
	require.NoError(t, p.Listen(t.Context()))
	require.NoError(t, through.Ping())
}

func TestStall(t *testing.T) {
	p, through, past := setup(t)
	require.NoError(t, through.Ping())
	p.Stall()
	answered := make(chan error)
	go func() {
		_, err := through.Exec("INSERT INTO t VALUES (1)")
		answered <- err
	}()
	// It cannot have arrived, however long one waits.
	require.Equal(t, 0, rows(t, past))
	p.Up()
	require.NoError(t, <-answered)
	require.Equal(t, 1, rows(t, past))
}

func TestStallOfNewConnection(t *testing.T) {
	p, _, _ := setup(t)
	p.Stall()
	conn := dial(t, p)
	_, err := conn.Write([]byte{0, 0, 0, 8, 4, 210, 22, 47}) // SSLRequest
	require.NoError(t, err)
	answer := make([]byte, 1)
	require.NoError(t, conn.SetReadDeadline(time.Now().Add(10*time.Millisecond)))
	_, err = conn.Read(answer)
	require.ErrorIs(t, err, os.ErrDeadlineExceeded)
	p.Up()
	require.NoError(t, conn.SetReadDeadline(time.Time{}))
	_, err = conn.Read(answer)
	require.NoError(t, err)
	require.Equal(t, "N", string(answer))
}

func dial(t *testing.T, p *Proxy) net.Conn {
	t.Helper()
	var dialer net.Dialer
	conn, err := dialer.DialContext(t.Context(), "tcp", fmt.Sprintf("127.0.0.1:%d", p.Port()))
	require.NoError(t, err)
	t.Cleanup(func() { conn.Close() })
	return conn
}

func TestHalfClose(t *testing.T) {
	for _, side := range []Side{Client, Server} {
		t.Run([]string{"client", "server"}[side], func(t *testing.T) {
			p, through, past := setup(t)
			conn, err := through.Conn(t.Context())
			require.NoError(t, err)
			require.NoError(t, conn.PingContext(t.Context()))
			p.HalfClose(side)
			_, err = conn.ExecContext(t.Context(), "INSERT INTO t VALUES (1)")
			require.Error(t, err)
			_ = conn.Close()
			if side == Server {
				require.Equal(t, 0, rows(t, past), "the server did not hear of it")
			}
			require.NoError(t, through.Ping())
		})
	}
}

func TestCloseWithConnectionsStalled(t *testing.T) {
	p, err := Start(t.Context(), fmt.Sprintf("127.0.0.1:%d", pgtest.Shared(t).Port()))
	require.NoError(t, err)
	p.Stall()
	conn := dial(t, p)
	_, err = conn.Write([]byte{0, 0, 0, 8, 0, 3, 0, 0})
	require.NoError(t, err)
	require.NoError(t, p.Close())
}
