package writebehind_test

import (
	"database/sql/driver"
	"fmt"
	"testing"
	"time"

	"github.com/lib/pq"
	"github.com/stretchr/testify/require"

	"github.com/writebehind/writebehind/internal/catalog"
)

func TestWhoIsNotifiedSeesWhatWasWrittenBefore(t *testing.T) {
	forBothKinds(t, sessionTables, "", func(w *twins) {
		listener := pq.NewListener(w.dsn, time.Second, time.Second, nil)
		defer listener.Close()
		require.NoError(w, listener.Listen("changed"))
		p := w.pair(true)
		p.do(stockOfOne, `LISTEN changed`)
		p.decides(true)
		stock := func() any { return w.value(w.past, stockOfOne) }
		for _, notify := range [][]string{
			{addOne, `NOTIFY changed, 'a'`},
			{addOne, `SELECT pg_notify('changed', 'a')`},
			{`BEGIN`, addOne, `NOTIFY changed, 'a'`, `COMMIT`},
			{`BEGIN`, `NOTIFY changed, 'a'`, addOne, `COMMIT`},
		} {
			p.do(notify...)
			want := p.plain.do(stockOfOne)
			select {
			case n := <-listener.Notify:
				require.Equal(w, "a", n.Extra)
			case <-time.After(10 * time.Second):
				require.Fail(w, "nobody was notified", notify)
			}
			require.Contains(w, want[len(want)-1], fmt.Sprint(stock()), notify)
		}
		p.do(`UNLISTEN *`)
		p.decides(true)
		w.others()
	})
}

func TestWhoGetsAnAdvisoryLockSeesWhatWasWrittenUnderIt(t *testing.T) {
	forBothKinds(t, sessionTables, "", func(w *twins) {
		for i, history := range [][]string{
			{`SELECT pg_advisory_lock(7)`, addOne, `SELECT pg_advisory_unlock(7)`},
			{`SELECT pg_try_advisory_lock(7)`, addOne, `SELECT pg_advisory_unlock_all()`},
			{`SELECT pg_advisory_lock(7)`, addOne, `DISCARD ALL`},
			{`BEGIN`, `SELECT pg_advisory_xact_lock(7)`, addOne, `COMMIT`},
			{`BEGIN`, addOne, `SELECT pg_advisory_lock(7)`, `COMMIT`, addOne, `SELECT pg_advisory_unlock(7)`},
		} {
			p := w.pair(i%2 == 0)
			p.do(stockOfOne)
			last := len(history) - 1
			p.do(history[:last]...)
			waiter := w.conn(w.past)
			got := make(chan error, 1)
			go func() {
				_, err := waiter.ExecContext(w.Context(), `SELECT pg_advisory_lock(7)`)
				got <- err
			}()
			w.waitsForLock()
			p.do(history[last])
			require.NoError(w, <-got)
			require.Equal(w, p.plain.do(stockOfOne), (&oneConn{conn: waiter}).do(stockOfOne), history)
			_, err := waiter.ExecContext(w.Context(), `SELECT pg_advisory_unlock(7)`)
			require.NoError(w, err)
			p.decides(true, history)
			p.end()
			w.others(history)
		}
	})
}

func TestTheNextUserOfAConnectionGetsItAsItIs(t *testing.T) {
	forBothKinds(t, sessionTables, "", func(w *twins) {
		w.harness.shim.SetMaxOpenConns(1)
		w.plain.SetMaxOpenConns(1)
		use := func(statements ...string) {
			w.Helper()
			p := w.pair(false)
			p.do(statements...)
			require.NoError(w, p.shim.conn.Close())
			require.NoError(w, p.plain.conn.Close())
		}
		use(stockOfOne, `SET search_path = other`)
		use(everything, `SHOW search_path`, addOne, `BEGIN`, addOne, `COMMIT`, everything)
		use(`RESET search_path`)
		use(everything, `CREATE TEMP TABLE items `+temporary)
		use(everything, addOne, everything)
		use(`DROP TABLE items`, `BEGIN`, `SET LOCAL TimeZone = 'Asia/Kathmandu'`, everything, `COMMIT`)
		p := w.pair(false)
		w.harness.shim.SetMaxOpenConns(0)
		p.decides(true)
	})
}

func TestTheStateOfASessionEndsWithItsConnection(t *testing.T) {
	forBothKinds(t, sessionTables, "", func(w *twins) {
		w.harness.shim.SetMaxOpenConns(1)
		conn := w.conn(w.harness.shim)
		s := &oneConn{conn: conn}
		s.do(stockOfOne)
		s.do(`SET search_path = other`)
		require.Contains(w, s.do(`SELECT name FROM items WHERE id = 1`), "name: string(\"other\")\n")
		var pid int
		require.NoError(w, conn.QueryRowContext(w.Context(), `SELECT pg_backend_pid()`).Scan(&pid))
		w.mustPast(`SELECT pg_terminate_backend($1)`, pid)
		w.eventually("the server process is gone", func() bool {
			return w.value(w.past, `SELECT count(*) FROM pg_stat_activity WHERE pid = $1`, pid) == int64(0)
		})
		require.NotContains(w, s.do(`SELECT name FROM items WHERE id = 1`), "name: string(\"one\")\n")
		_ = conn.Raw(func(c any) error {
			require.False(w, c.(driver.Validator).IsValid())
			require.ErrorIs(w, c.(driver.SessionResetter).ResetSession(w.Context()), driver.ErrBadConn)
			return nil
		})
		_ = conn.Close()
		require.Equal(w, "one", w.value(w.harness.shim, `SELECT name FROM items WHERE id = 1`))
		w.harness.shim.SetMaxOpenConns(0)
		p := w.pair(false)
		p.decides(true)
	})
}

func TestASessionThatCannotBeReadIsDirect(t *testing.T) {
	w := newTwins(t, sessionTables, "")
	p := w.pair(true)
	p.do(`REVOKE EXECUTE ON FUNCTION current_setting(text) FROM PUBLIC`)
	t.Cleanup(func() { p.do(`GRANT EXECUTE ON FUNCTION current_setting(text) TO PUBLIC`) })
	p.do(everything, `SELECT run('SET ROLE pg_read_all_data')`)
	p.do(`SELECT count(*) FROM items`, everything, addOne)
	p.decides(false)
	p.do(`RESET ROLE`)
	p.decides(true)
}

func TestASessionIsReadAgainOnlyBeforeSomethingIsDeferredOrCached(t *testing.T) {
	h := newHarness(t, itemsTable, "")
	r := record(h, h.dsn, pq.Open)
	h.shim = h.open("writebehind", h.dsn+h.params+" writebehind.driver=recorded")
	h.shim.SetMaxOpenConns(1)
	s := &oneConn{conn: h.conn(h.shim)}
	reads := func(statements ...string) (n int) {
		t.Helper()
		for _, statement := range statements {
			s.do(statement)
		}
		for _, c := range r.take() {
			if c.what == catalog.SessionQuery {
				n++
			}
		}
		return n
	}
	reads(`SELECT count(*) FROM items`, addOne)
	require.Zero(t, reads(`BEGIN`, `SET LOCAL lock_timeout = '5s'`, addOne, `COMMIT`, addOne, stockOfOne))
	require.Zero(t, reads(`BEGIN`, `SELECT set_config('app.tenant', '7', true)`, addOne, `COMMIT`, `SELECT count(*) FROM items`))
	require.Equal(t, 1, reads(addOne, stockOfOne, addOne))
	require.Zero(t, reads(`SET search_path = pg_catalog`, `SELECT count(*) FROM public.items`, `SELECT 'plain'`))
	require.Equal(t, 1, reads(addOne, stockOfOne, `SELECT count(*) FROM public.items`))
	require.Equal(t, 1, reads(`DISCARD ALL`, `SELECT 'back\slash' FROM public.items`, addOne))
}

func TestALoadedLibraryMakesAConnectionDirectForGood(t *testing.T) {
	w := newTwins(t, sessionTables, "")
	p := w.pair(true)
	p.do(everything, `LOAD 'auto_explain'`, everything)
	p.decides(false)
	p.do(`DISCARD ALL`)
	p.decides(false)
	w.others()
}
