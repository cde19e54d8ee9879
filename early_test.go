package writebehind_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/lib/pq"
	"github.com/stretchr/testify/require"
)

// Statements before there is an engine, connections that outlive theirs, and
// connections that are lost.

const setStock = `CREATE FUNCTION set_stock(bigint, int) RETURNS void LANGUAGE sql AS 'UPDATE items SET stock = $2 WHERE id = $1';`

func TestAnEarlyStatementIsHeldByItsOwnDatabase(t *testing.T) {
	x := newHarness(t, itemsTable+setStock, "")
	y := newHarness(t, itemsTable, "")
	tx, err := x.shim.Begin()
	require.NoError(t, err)
	_, err = tx.Exec(`SELECT set_stock(1, 55)`)
	require.NoError(t, err)
	y.exec(`UPDATE items SET stock = 1 WHERE id = 1`)
	require.EqualValues(t, 10, x.value(x.shim, `SELECT stock FROM items WHERE id = 1`))
	require.NoError(t, tx.Commit())
	require.EqualValues(t, 55, x.value(x.past, `SELECT stock FROM items WHERE id = 1`))
	require.EqualValues(t, 55, x.value(x.shim, `SELECT stock FROM items WHERE id = 1`))
}

func TestATransactionOutlivesItsDBWithItsHolds(t *testing.T) {
	h := newHarness(t, itemsTable, "")
	tx, err := h.shim.Begin()
	require.NoError(t, err)
	_, err = tx.Exec(`UPDATE items SET stock = 55 WHERE id = 1`)
	require.NoError(t, err)
	require.NoError(t, h.shim.Close())
	db2 := h.open("writebehind", h.dsn+h.params)
	require.EqualValues(t, 10, h.value(db2, `SELECT stock FROM items WHERE id = 1`))
	require.NoError(t, tx.Commit())
	require.EqualValues(t, 55, h.value(h.past, `SELECT stock FROM items WHERE id = 1`))
	require.EqualValues(t, 55, h.value(db2, `SELECT stock FROM items WHERE id = 1`))
}

func TestAConnectionOutlivesItsDBWithItsEngine(t *testing.T) {
	h := newHarness(t, itemsTable, "")
	c := h.conn(h.shim)
	ctx := context.Background()
	var n int
	require.NoError(t, c.QueryRowContext(ctx, `SELECT stock FROM items WHERE id = 1`).Scan(&n))
	require.NoError(t, h.shim.Close())
	db2 := h.open("writebehind", h.dsn+h.params)
	_, err := db2.Exec(`UPDATE items SET stock = 77 WHERE id = 1`)
	require.NoError(t, err)
	require.NoError(t, db2.Close())
	require.EqualValues(t, 77, h.value(h.past, `SELECT stock FROM items WHERE id = 1`))
	require.NoError(t, c.QueryRowContext(ctx, `SELECT stock FROM items WHERE id = 1`).Scan(&n))
	require.Equal(t, 77, n)
}

func TestAnEngineDoesNotWaitForTheTransactionThatNeedsIt(t *testing.T) {
	h := newHarness(t, itemsTable+`CREATE FUNCTION migrate() RETURNS void LANGUAGE sql AS 'ALTER TABLE items ADD COLUMN x int';`, "")
	ctx, cancel := context.WithTimeout(context.Background(), 8*time.Second)
	defer cancel()
	tx, err := h.shim.BeginTx(ctx, nil)
	require.NoError(t, err)
	_, err = tx.Exec(`SELECT migrate()`)
	require.NoError(t, err)
	_, err = tx.Exec(`UPDATE items SET stock = 3 WHERE id = 1`)
	require.NoError(t, err)
	require.NoError(t, tx.Commit())
}

func TestACastOnAFreshConnectionSeesWhatOthersWrote(t *testing.T) {
	h := newHarness(t, `CREATE TABLE orders (id int PRIMARY KEY, n int); INSERT INTO orders VALUES (1, 5);
	CREATE FUNCTION okay(int) RETURNS bool LANGUAGE sql AS 'SELECT $1 <= (SELECT sum(n) FROM orders)';
	CREATE DOMAIN few AS int CHECK (okay(VALUE));`, "")
	c := h.conn(h.shim)
	require.EqualValues(t, 1, h.exec(`UPDATE orders SET n = 9 WHERE id = 1`))
	var n int
	require.NoError(t, c.QueryRowContext(context.Background(), `SELECT 8::few`).Scan(&n))
}
func TestAnOperatorOnAFreshConnectionIsADirectWriter(t *testing.T) {
	h := newHarness(t, `CREATE TABLE orders (id int PRIMARY KEY, n int); INSERT INTO orders VALUES (1, 5);
	CREATE FUNCTION plus(int,int) RETURNS int LANGUAGE sql AS 'UPDATE orders SET n = $1 + $2 WHERE id = 1 RETURNING n';
	CREATE OPERATOR #%# (LEFTARG=int, RIGHTARG=int, FUNCTION=plus);`, "")
	c := h.conn(h.shim)
	require.EqualValues(t, 5, h.value(h.shim, `SELECT n FROM orders WHERE id = 1`))
	var n int
	require.NoError(t, c.QueryRowContext(context.Background(), `SELECT 8 #%# 2`).Scan(&n))
	require.EqualValues(t, 10, h.value(h.shim, `SELECT n FROM orders WHERE id = 1`))
}

// proxy stands between a connector and the server.
type proxy struct {
	l      net.Listener
	mu     sync.Mutex
	conns  []net.Conn
	refuse atomic.Bool // new connections
	linger atomic.Bool // the server's side stays open when the client's is cut
}

func newProxy(t *testing.T, h *harness) (*proxy, string) {
	t.Helper()
	cfg, err := pq.NewConfig(h.dsn)
	require.NoError(t, err)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	p := &proxy{l: l}
	t.Cleanup(func() {
		l.Close()
		p.cut()
	})
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			p.mu.Lock()
			p.conns = append(p.conns, c)
			p.mu.Unlock()
			if p.refuse.Load() {
				c.Close()
				continue
			}
			var s net.Conn
			if cfg.Host != "" && cfg.Host[0] == '/' {
				s, err = net.Dial("unix", fmt.Sprintf("%s/.s.PGSQL.%d", cfg.Host, cfg.Port))
			} else {
				s, err = net.Dial("tcp", net.JoinHostPort(cfg.Host, strconv.Itoa(int(cfg.Port))))
			}
			if err != nil {
				c.Close()
				continue
			}
			go func() {
				_, _ = io.Copy(s, c)
				if !p.linger.Load() {
					s.Close()
				}
			}()
			go func() {
				_, _ = io.Copy(c, s)
				c.Close()
			}()
		}
	}()
	dsn := regexp.MustCompile(`host=\S+`).ReplaceAllString(h.dsn, "host=127.0.0.1")
	dsn = regexp.MustCompile(`port=\S+`).ReplaceAllString(dsn, fmt.Sprintf("port=%d", l.Addr().(*net.TCPAddr).Port))
	return p, dsn
}
func (p *proxy) cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range p.conns {
		c.Close()
	}
	p.conns = nil
}

func TestAFailedDialLeavesNothingHeld(t *testing.T) {
	h := newHarness(t, itemsTable, "")
	p, dsn := newProxy(t, h)
	p.refuse.Store(true)
	db := h.open("writebehind", dsn+h.params)
	ctx := context.Background()
	c := h.conn(db)
	_, err := c.ExecContext(ctx, `SELECT now()`)
	require.Error(t, err)
	p.refuse.Store(false)
	_, err = db.Exec(`UPDATE items SET stock = 3 WHERE id = 1`)
	require.NoError(t, err)
	require.EqualValues(t, 10, h.value(h.past, `SELECT stock FROM items WHERE id = 1`), "deferred")
}

func TestALostDirectWriterOfAFunctionIsWaitedOut(t *testing.T) {
	h := newHarness(t, itemsTable+`CREATE FUNCTION slow(bigint, int) RETURNS void LANGUAGE sql AS 'SELECT pg_sleep(1); UPDATE items SET stock = $2 WHERE id = $1';`, "")
	p, dsn := newProxy(t, h)
	db := h.open("writebehind", dsn+h.params)
	require.EqualValues(t, 10, h.value(db, `SELECT stock FROM items WHERE id = 1`))
	go func() {
		h.eventually("the statement runs", func() bool {
			return h.value(h.past, `SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'SELECT slow%' AND state = 'active'`) == int64(1)
		})
		p.cut()
	}()
	_, err := h.conn(db).ExecContext(context.Background(), `SELECT slow(1, 5)`)
	require.Error(t, err)
	h.shim = db
	h.eventually("the server process is gone, and the table open again", func() bool {
		d, _ := h.explain(`SELECT stock FROM items WHERE id = 1`)
		return d == "cached"
	})
}

func TestATableOptedInUnderAnEarlyTransactionIsNotCached(t *testing.T) {
	h := newHarness(t, itemsTable+`CREATE FUNCTION f(int) RETURNS void LANGUAGE plpgsql AS 'BEGIN IF $1 > 0 THEN EXECUTE ''UPDATE fresh SET n = 55 WHERE id = 1''; END IF; END';`, "")
	tx, err := h.shim.Begin()
	require.NoError(t, err)
	_, err = tx.Exec(`SELECT f(0)`)
	require.NoError(t, err)
	h.exec(`UPDATE items SET stock = 3 WHERE id = 1`)
	h.mustPast(`CREATE TABLE fresh (id int PRIMARY KEY, n int); INSERT INTO fresh VALUES (1, 1)`)
	_, err = tx.Exec(`SELECT f(1)`)
	require.NoError(t, err)
	h.eventually("opted in", func() bool {
		_, reason := h.explain(`SELECT n FROM fresh WHERE id = 1`)
		return strings.Contains(reason, "holds the table")
	})
	require.EqualValues(t, 1, h.value(h.shim, `SELECT n FROM fresh WHERE id = 1`))
	require.NoError(t, tx.Commit())
	require.EqualValues(t, 55, h.value(h.shim, `SELECT n FROM fresh WHERE id = 1`))
}
