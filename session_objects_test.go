package writebehind_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
)

const temporary = `AS SELECT 1::bigint AS id, 'temporary'::text AS name, 5 AS stock`

func TestATemporaryTableHidesTheOptedInOneWhileItIsThere(t *testing.T) {
	forBothKinds(t, sessionTables, "", func(w *twins) {
		for i, history := range [][]string{
			{`CREATE TEMP TABLE items ` + temporary, `DROP TABLE items`},
			{`CREATE LOCAL TEMPORARY TABLE items (id bigint PRIMARY KEY, name text, stock int)`, `DROP TABLE pg_temp.items`},
			{`CREATE TABLE pg_temp.items ` + temporary, `DISCARD TEMP`},
			{`CREATE TEMP VIEW items ` + temporary, `DROP VIEW items`},
			{`SELECT 1::bigint AS id, 'into' AS name, 5 AS stock INTO TEMP items`, `DISCARD ALL`},
			{`SELECT run($$CREATE TEMP TABLE items ` + temporary + `$$)`, `SELECT run('DROP TABLE items')`},
			{`DO $$BEGIN CREATE TEMP TABLE items ` + temporary + `; END$$`, `DO 'BEGIN DROP TABLE pg_temp.items; END'`},
			{`SET search_path = pg_temp, public; CREATE TABLE items ` + temporary + `; RESET search_path`, `DROP TABLE items`},
			{`EXPLAIN (ANALYZE, COSTS off, TIMING off, SUMMARY off) CREATE TEMP TABLE items ` + temporary, `DROP TABLE items`},
			{`ALTER TABLE items RENAME TO gone; CREATE TEMP TABLE items ` + temporary, `DROP TABLE items; ALTER TABLE gone RENAME TO items`},
		} {
			made, dropped := history[0], history[1]
			p := w.pair(i%2 == 0)
			p.do(stockOfOne, addOne, made)
			p.do(`SELECT * FROM items WHERE id = 1`, addOne, `INSERT INTO items (id, name) VALUES (3, 'three')`, `SELECT * FROM items`)
			p.decides(false, made)
			p.do(dropped)
			p.decides(true, dropped)
			p.do(`BEGIN`, addOne, made, addOne, stockOfOne, `ROLLBACK`)
			p.decides(true, made)
			p.do(`BEGIN`, addOne, made, stockOfOne, `COMMIT`)
			p.decides(false, made)
			p.end()
			if i < 9 {
				w.others(made)
			}
		}
		w.same()
	})
}

func TestATemporaryTableThatEndsWithItsTransaction(t *testing.T) {
	forBothKinds(t, sessionTables, "", func(w *twins) {
		for _, end := range []string{`COMMIT`, `ROLLBACK`} {
			p := w.pair(end == `COMMIT`)
			p.do(`BEGIN`, addOne, `CREATE TEMP TABLE items ON COMMIT DROP `+temporary, addOne, stockOfOne, end, stockOfOne)
			p.decides(true)
			p.end()
			w.others()
		}
		p := w.pair(true)
		p.do(`CREATE TEMP TABLE items (id bigint, stock int) ON COMMIT DELETE ROWS`)
		p.do(`BEGIN`, `INSERT INTO items VALUES (1, 1)`, stockOfOne, `COMMIT`, stockOfOne)
		p.decides(false)
		p.end()
		w.others()
		w.same()
	})
}

func TestAnotherRole(t *testing.T) {
	forBothKinds(t, sessionTables, "", func(w *twins) {
		for i, history := range [][]string{
			{`SET ROLE pg_monitor`, `RESET ROLE`},
			{`SET ROLE pg_monitor`, `SET ROLE NONE`},
			{`SET SESSION AUTHORIZATION pg_monitor`, `RESET SESSION AUTHORIZATION`},
			{`SET SESSION AUTHORIZATION pg_monitor`, `SET SESSION AUTHORIZATION DEFAULT`},
			{`SELECT run('SET ROLE pg_monitor')`, `RESET ROLE`},
		} {
			set, reset := history[0], history[1]
			p := w.pair(i%2 == 0)
			p.do(stockOfOne, set)
			require.Contains(w, p.shim.do(stockOfOne)[0], "42501", set)
			p.do(stockOfOne, addOne, `SELECT current_user, session_user`)
			p.decides(false, set)
			p.do(reset, `SELECT current_user, session_user`)
			p.decides(true, set)
			p.do(`BEGIN`, addOne, set, stockOfOne, `ROLLBACK`)
			p.decides(true, set)
			p.end()
			w.others(set)
		}
	})
}

func TestSettingsByAnUpdateOfTheirView(t *testing.T) {
	forBothKinds(t, sessionTables, "", func(w *twins) {
		for _, setting := range settings {
			if setting.name == "role" {
				continue
			}
			p := w.pair(true)
			set := fmt.Sprintf(`UPDATE pg_settings SET setting = '%s' WHERE name = '%s'`, setting.value, setting.name)
			p.do(everything, set)
			p.probe(false)
			p.decides(false, set)
			p.do(`RESET ` + setting.name)
			p.decides(true, set)
			p.end()
			w.others(set)
		}
		w.same()
	})
}

func TestStringsWithBackslashes(t *testing.T) {
	for _, at := range []string{"", " options='-c standard_conforming_strings=off'"} {
		w := newTwins(t, sessionTables, at)
		w.plain = w.open("postgres", w.second+at)
		p := w.pair(true)
		for _, strings := range []string{`SHOW server_version`, `SET standard_conforming_strings = off`, `SET standard_conforming_strings = on`, `RESET ALL`, `DISCARD ALL`} {
			p.do(strings, `SHOW standard_conforming_strings`)
			p.do(everything, `UPDATE items SET name = 'a\\b' WHERE id = 1`, everything)
			other := w.pair(true)
			other.do(everything, addOne)
			p.do(`SET application_name = 'x\'' ; DELETE FROM items WHERE id = 1; -- '`, everything)
			other.do(everything, `UPDATE items SET name = 'b' WHERE id = 1`, everything, `INSERT INTO items (id) VALUES (1) ON CONFLICT DO NOTHING`, everything)
			other.end()
			w.same()
		}
	}
}

func TestATimeoutOfTheSession(t *testing.T) {
	forBothKinds(t, sessionTables, "", func(w *twins) {
		for i, set := range []string{`SET statement_timeout = '20ms'`, `SET lock_timeout = '20ms'`, `SELECT set_config('lock_timeout', '20ms', false)`} {
			p := w.pair(i%2 == 0)
			p.do(addOne, set)
			p.shim.do(`SELECT 1`)
			w.flush()
			outsider := w.lock(`LOCK TABLE items`)
			theirs := w.conn(w.plain)
			other, err := theirs.BeginTx(w.Context(), nil)
			require.NoError(w, err)
			_, err = other.Exec(`LOCK TABLE items`)
			require.NoError(w, err)
			p.do(`SELECT stock FROM items WHERE id = 2`)
			require.NoError(w, outsider.Rollback())
			require.NoError(w, other.Rollback())
			p.do(`RESET ALL`)
			p.decides(true)
			p.end()
		}
	})
}

func TestATimeoutThatIsSetBeforeThereIsAnythingToDefer(t *testing.T) {
	h := newHarness(t, sessionTables, "")
	s := &oneConn{conn: h.conn(h.shim)}
	s.do(`SELECT run($$SET statement_timeout = '20ms'$$)`)
	h.value(h.shim, `SELECT stock FROM items WHERE id = 2`)
	outsider := h.lock(`LOCK TABLE items`)
	require.Equal(t, []string{"57014 canceling statement due to statement timeout"}, s.do(stockOfOne))
	require.NoError(t, outsider.Rollback())
	s.do(`RESET statement_timeout`)
	s.do(stockOfOne)
	before := h.stats().Cached
	s.do(stockOfOne)
	require.Equal(t, before+1, h.stats().Cached)
}

func TestASettingInATransactionIsNoMatterToOthers(t *testing.T) {
	forBothKinds(t, sessionTables, "", func(w *twins) {
		for i, set := range []string{
			`SET LOCAL lock_timeout = '5s'`, `SET LOCAL ROLE pg_monitor`, `SET LOCAL standard_conforming_strings = off`,
			`SELECT set_config('app.tenant', '7', true)`, `SELECT set_config('search_path', 'other', true)`,
			`SET TRANSACTION READ ONLY`, `SET TimeZone = 'Asia/Kathmandu'`, `RESET ALL`,
		} {
			p := w.pair(i%2 == 0)
			p.do(stockOfOne, addOne, `BEGIN`, set)
			w.others(set)
			p.do(`SELECT 1`, `SHOW TimeZone`)
			w.others(set)
			p.do(`COMMIT`)
			p.decides(set != `SET TimeZone = 'Asia/Kathmandu'`, set)
			p.do(`RESET ALL`)
			p.decides(true, set)
			p.end()
		}
		w.same()
	})
}

// Settings of the application's own mean something to its own code alone.
func TestSettingsOfTheApplicationsOwn(t *testing.T) {
	const ddl = sessionTables + `
		CREATE TABLE owned (id bigint PRIMARY KEY, name text DEFAULT current_setting('app.tenant', true)); INSERT INTO owned VALUES (1, 'one');
		CREATE TABLE tenants (id bigint PRIMARY KEY, name text DEFAULT current_setting('app.tenant', true),
			note text CHECK (note <> current_setting('app.forbidden', true)));
		INSERT INTO tenants VALUES (1, 'one', 'a');`
	forBothKinds(t, ddl, "writebehind.tables=public.items,tenants,owned", func(w *twins) {
		p := w.pair(true)
		p.do(`SELECT * FROM tenants WHERE id = 1`, `UPDATE tenants SET name = 'uno' WHERE id = 1`)
		for _, tenant := range []string{"a", "b", "a"} {
			p.do(`SET app.tenant = '`+tenant+`'`, `SET app.forbidden = '`+tenant+`'`)
			p.do(`INSERT INTO tenants (id) VALUES (2)`, `SELECT * FROM tenants WHERE id = 2`, `UPDATE tenants SET name = DEFAULT WHERE id = 1`,
				`SELECT * FROM tenants WHERE id = 1`, `UPDATE tenants SET note = 'b' WHERE id = 1`, `UPDATE tenants SET note = 'a' WHERE id = 1`,
				`SELECT * FROM tenants WHERE id = 1`, `DELETE FROM tenants WHERE id = 2`)
			p.do(`INSERT INTO owned (id) VALUES (2)`, `SELECT * FROM owned WHERE id = 2`, `DELETE FROM owned WHERE id = 2`,
				`UPDATE owned SET name = DEFAULT WHERE id = 1`, `SELECT * FROM owned WHERE id = 1`)
			p.decides(true)
			p.do(`BEGIN`, `SET LOCAL app.tenant = 'c'`, `INSERT INTO tenants (id) VALUES (2)`, `SELECT * FROM tenants WHERE id = 2`, `COMMIT`,
				`INSERT INTO tenants (id) VALUES (3)`, `SELECT * FROM tenants WHERE id = 3`, `DELETE FROM tenants WHERE id IN (2, 3)`)
		}
		w.others()
	})
}

func TestTheLastValueOfASequence(t *testing.T) {
	const ddl = sessionTables + `CREATE TABLE serials (id bigserial PRIMARY KEY, name text)`
	forBothKinds(t, ddl, "writebehind.tables=public.items,serials", func(w *twins) {
		p := w.pair(true)
		p.do(`SELECT lastval()`)
		for range 3 {
			p.do(`INSERT INTO serials (name) VALUES ('a') RETURNING id`, `SELECT lastval(), currval('serials_id_seq')`)
		}
		// Which values these are is PostgreSQL's, and the shim's, to choose.
		const same = `SELECT lastval() = currval('serials_id_seq') AS same, (SELECT max(id) = lastval() FROM serials) AS newest`
		p.do(`INSERT INTO serials (id, name) VALUES (DEFAULT, 'b')`, same, `DISCARD SEQUENCES`, `SELECT lastval()`)
		p.do(`BEGIN`, `INSERT INTO serials (name) VALUES ('a')`, same, `ROLLBACK`, `SELECT lastval() > 4 AS later`)
		p.do(`INSERT INTO serials (name) VALUES ('c')`, `SELECT pg_catalog.currval(pg_get_serial_sequence('serials', 'id')) = lastval() AS same`)
		p.do(`INSERT INTO items (id, name, stock) VALUES (77, 'last', lastval() - currval('serials_id_seq'))`, `SELECT stock FROM items WHERE id = 77`)
	})
}

func TestCursors(t *testing.T) {
	forBothKinds(t, sessionTables, "", func(w *twins) {
		p := w.pair(true)
		p.do(stockOfOne, addOne)
		p.do(`BEGIN`, addOne, `DECLARE c CURSOR FOR SELECT id, stock FROM items ORDER BY id`, addOne, `FETCH c`, `MOVE c`, `FETCH c`, `CLOSE c`, `COMMIT`)
		p.decides(true)
		p.do(`BEGIN`, addOne, `DECLARE c CURSOR FOR SELECT id, stock FROM items WHERE id = 1 FOR UPDATE`, `FETCH c`,
			`UPDATE items SET stock = 100 WHERE CURRENT OF c`, addOne, `COMMIT`, `FETCH c`)
		p.decides(true)
		p.do(addOne, `BEGIN`, `DECLARE h CURSOR WITH HOLD FOR SELECT id, stock FROM items ORDER BY id`, `COMMIT`)
		p.decides(true)
		p.do(`FETCH h`, addOne, `FETCH h`, `FETCH h`, stockOfOne, `CLOSE h`, `FETCH h`)
		p.do(`DECLARE h SCROLL CURSOR WITH HOLD FOR SELECT sum(stock) FROM items`, addOne, `FETCH h`, `FETCH FIRST h`)
		p.do(`CLOSE ALL`, `FETCH h`)
		p.decides(true)
		w.others()
		w.same()
	})
}

func TestStatementsPreparedByText(t *testing.T) {
	forBothKinds(t, sessionTables, "", func(w *twins) {
		p := w.pair(true)
		p.do(stockOfOne, addOne)
		p.do(`PREPARE w AS UPDATE items SET stock = stock + $1 WHERE id = $2`, `PREPARE r AS SELECT stock FROM items WHERE id = $1`,
			`PREPARE s AS SELECT set_config('TimeZone', $1, false)`)
		p.do(addOne, `EXECUTE r (1)`, `EXECUTE w (5, 1)`, stockOfOne, addOne, `EXECUTE r (1)`)
		p.decides(true)
		p.do(`EXECUTE s ('Asia/Kathmandu')`, everything)
		p.decides(false)
		p.do(`EXECUTE s ('UTC')`, everything, `RESET TimeZone`)
		p.decides(true)
		p.do(`BEGIN`, addOne, `EXECUTE w (5, 1)`, addOne, `EXECUTE r (1)`, `COMMIT`, `EXECUTE r (1)`)
		p.do(`DEALLOCATE w`, `EXECUTE w (5, 1)`, `EXECUTE r (1)`, `DEALLOCATE ALL`, `EXECUTE r (1)`)
		p.decides(true)
		w.others()
		w.same()
	})
}

func TestPreparedStatementsAreGoneAfterDiscard(t *testing.T) {
	forBothKinds(t, sessionTables, "", func(w *twins) {
		for _, discard := range []string{`DISCARD ALL`, `DEALLOCATE ALL`, `SELECT 1; DEALLOCATE PREPARE ALL`, `DO $$BEGIN EXECUTE 'DEALLOCATE ALL'; END$$`} {
			p := w.pair(true)
			var said [2][]string
			for i, s := range []*oneConn{p.shim, p.plain} {
				read, err := s.conn.PrepareContext(w.Context(), `SELECT stock FROM items WHERE id = $1`)
				require.NoError(w, err)
				write, err := s.conn.PrepareContext(w.Context(), `UPDATE items SET stock = stock + $1 WHERE id = $2`)
				require.NoError(w, err)
				_, err = write.Exec(1, 1)
				require.NoError(w, err)
				s.do(discard)
				var stock int
				for range 2 {
					_, err := write.Exec(1, 1)
					said[i] = append(said[i], fmt.Sprint(err), fmt.Sprint(read.QueryRow(1).Scan(&stock)))
				}
				said[i] = append(said[i], s.do(stockOfOne)...)
			}
			require.Equal(w, said[1], said[0], discard)
			p.decides(false, discard)
			p.end()
			w.others(discard)
		}
	})
}
