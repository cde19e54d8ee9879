package writebehind_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/lib/pq"
	"github.com/stretchr/testify/require"

	"github.com/writebehind/writebehind/internal/pgtest"
)

const sessionTables = `CREATE TABLE items (id bigint PRIMARY KEY, name text NOT NULL DEFAULT 'new', stock int NOT NULL DEFAULT 0,
		at timestamptz, day date, ratio float8, raw bytea);
	INSERT INTO items VALUES (1, 'one', 10, '2024-01-02 03:04:05Z', '2024-05-06', 0.1, '\x00ff5c'), (2, 'two', 20, NULL, NULL, NULL, NULL);
	CREATE SCHEMA other; CREATE TABLE other.items (LIKE items INCLUDING ALL);
	INSERT INTO other.items (id, name) VALUES (1, 'other'), (2, 'other two');
	CREATE FUNCTION run(statement text) RETURNS void LANGUAGE plpgsql AS 'BEGIN EXECUTE statement; END';`

// twins are two databases that are made alike: one behind the shim, one with
// lib/pq alone.
type twins struct {
	*harness
	plain  *sql.DB
	second string // the DSN of plain
}

func newTwins(t *testing.T, ddl, params string) *twins {
	t.Helper()
	if !strings.Contains(params, "writebehind.tables") {
		params += " writebehind.tables=public.items"
	}
	w := &twins{harness: newHarness(t, ddl, params)}
	w.second = pgtest.Shared(t).DSN(borrowDatabase(t))
	w.plain = w.open("postgres", w.second)
	_, err := w.plain.Exec(ddl)
	require.NoError(t, err)
	return w
}

// pair is one connection of each of the twins, which are told the same.
type pair struct {
	*twins
	shim, plain *oneConn
}

// oneConn is a connection, whose transactions are begun and ended by
// database/sql or by text.
type oneConn struct {
	conn   *sql.Conn
	byText bool
	tx     *sql.Tx
}

// pair returns a new connection of each.
func (w *twins) pair(byText bool) *pair {
	w.Helper()
	return &pair{w, &oneConn{conn: w.conn(w.harness.shim), byText: byText}, &oneConn{conn: w.conn(w.plain), byText: byText}}
}

// end closes both connections for good, so that nobody gets their state.
func (p *pair) end() {
	for _, s := range []*oneConn{p.shim, p.plain} {
		if s.tx != nil {
			_ = s.tx.Rollback()
		}
		_ = s.conn.Raw(func(any) error { return driver.ErrBadConn })
	}
}

// do has both do the same; what comes of it must be the same.
func (p *pair) do(statements ...string) {
	p.Helper()
	for _, statement := range statements {
		want := p.plain.do(statement)
		require.Equal(p, want, p.shim.do(statement), statement)
	}
}

// decides requires what the shim does with a keyed read and a keyed write.
func (p *pair) decides(deferred bool, about ...any) {
	p.Helper()
	read, write := "direct", "direct"
	if deferred {
		read, write = "cached", "deferred"
	}
	for statement, want := range map[string]string{stockOfOne: read, addOne: write} {
		var decision, keyed, table, reason string
		require.NoError(p, p.shim.conn.QueryRowContext(context.Background(), "EXPLAIN WRITEBEHIND "+statement).Scan(&decision, &keyed, &table, &reason))
		require.Equal(p, want, decision, fmt.Sprint(reason, about))
	}
	p.do(stockOfOne) // may have to be looked up
	before := p.stats()
	p.do(stockOfOne, addOne)
	after := p.stats()
	require.Equal(p, deferred, after.Deferred > before.Deferred, about)
	require.Equal(p, deferred, after.Cached > before.Cached, about)
}

// others requires that other connections go on deferring and caching.
func (w *twins) others(about ...any) {
	w.Helper()
	p := &pair{w, &oneConn{conn: w.conn(w.harness.shim)}, &oneConn{conn: w.conn(w.plain)}}
	p.do(everything)
	before := w.stats()
	p.do(everything, `UPDATE items SET stock = stock + 1, name = 'a\b' WHERE id = 1`, everything)
	require.NoError(w, p.shim.conn.Close())
	require.NoError(w, p.plain.conn.Close())
	after := w.stats()
	require.Equal(w, before.Deferred+1, after.Deferred, about)
	require.Equal(w, before.Cached+2, after.Cached, about)
	require.Equal(w, before.Direct, after.Direct, about)
}

const everything = `SELECT * FROM items WHERE id = 1`

var returnsRows = regexp.MustCompile(`(?i)^(SELECT|SHOW|FETCH|EXECUTE|TABLE|WITH)\b|RETURNING`)

// do executes a statement and says what came of it.
func (s *oneConn) do(statement string) (answer []string) {
	ctx := context.Background()
	var on interface {
		ExecContext(context.Context, string, ...any) (sql.Result, error)
		QueryContext(context.Context, string, ...any) (*sql.Rows, error)
	} = s.conn
	if s.tx != nil {
		on = s.tx
	}
	var err error
	switch {
	case !s.byText && statement == "BEGIN":
		s.tx, err = s.conn.BeginTx(ctx, nil)
	case s.tx != nil && statement == "COMMIT":
		err = s.tx.Commit()
		s.tx = nil
	case s.tx != nil && statement == "ROLLBACK":
		err = s.tx.Rollback()
		s.tx = nil
	case returnsRows.MatchString(statement):
		var rows *sql.Rows
		if rows, err = on.QueryContext(ctx, statement); err == nil {
			answer = metadata(panics{}, rows)
			var values []string
			values, err = allValues(rows)
			answer = append(answer, values...)
			err = errors.Join(err, rows.Close())
		}
	default:
		var result sql.Result
		if result, err = on.ExecContext(ctx, statement); err == nil {
			var n int64
			n, err = result.RowsAffected()
			answer = []string{fmt.Sprint(n, " rows")}
		}
	}
	if err != nil {
		answer = append(answer, said(err))
	}
	return answer
}

// said is what an error says that does not depend on where it comes from.
func said(err error) string {
	var refused *pq.Error
	if errors.As(err, &refused) {
		return fmt.Sprint(refused.Code, " ", refused.Message)
	}
	return err.Error()
}

// panics makes a failed requirement a panic.
type panics struct{}

func (panics) Errorf(format string, args ...any) { panic(fmt.Sprintf(format, args...)) }
func (panics) FailNow()                          { panic("failed") }

// forBothKinds runs a test without and with buffered transactions.
func forBothKinds(t *testing.T, ddl, params string, test func(w *twins)) {
	t.Helper()
	for _, kind := range []string{"direct", "buffer"} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			test(newTwins(t, ddl, params+" writebehind.transactions="+kind))
		})
	}
}

// settings are those that decide what a statement means or does, each with a
// value that is not the default.
var settings = []struct{ name, value string }{
	{"TimeZone", "Asia/Kathmandu"},
	{"DateStyle", "SQL, DMY"},
	{"IntervalStyle", "iso_8601"},
	{"search_path", "other"},
	{"extra_float_digits", "-10"},
	{"bytea_output", "escape"},
	{"standard_conforming_strings", "off"},
	{"default_transaction_isolation", "serializable"},
	{"default_transaction_read_only", "on"},
	{"statement_timeout", "20s"},
	{"lock_timeout", "20s"},
	{"synchronous_commit", "off"},
	{"role", "pg_monitor"},
	{"role", "pg_read_all_data"},
	{"session_replication_role", "replica"},
}

// sets are the ways to set a setting.
var sets = []func(name, value string, local bool) string{
	func(name, value string, local bool) string {
		scope := "SESSION"
		if local {
			scope = "LOCAL"
		}
		return fmt.Sprintf(`SET %s %s = %s`, scope, name, value)
	},
	func(name, value string, local bool) string {
		return fmt.Sprintf(`SELECT set_config('%s', %s, %t)`, name, value, local)
	},
	func(name, value string, local bool) string {
		return fmt.Sprintf(`SELECT public.run($$%s$$)`, setText(name, value, local))
	},
	func(name, value string, local bool) string {
		return fmt.Sprintf(`DO $$BEGIN %s; END$$`, setText(name, value, local))
	},
}

func setText(name, value string, local bool) string {
	if local {
		return fmt.Sprintf(`SET LOCAL %s = %s`, name, value)
	}
	return fmt.Sprintf(`SET %s = %s`, name, value)
}

// probe is what a setting can be seen by.
var probe = []string{
	everything,
	`UPDATE items SET stock = stock + 1, at = '2024-03-01 12:00', day = '02/03/2024', name = 'a\\b' WHERE id = 1`,
	everything,
	`SELECT sum(stock) FROM items`,
}

func TestASettingHoldsWhereAndAsLongAsWithLibPQ(t *testing.T) {
	for _, setting := range settings {
		t.Run(setting.name+" "+setting.value, func(t *testing.T) {
			forBothKinds(t, sessionTables, "", func(w *twins) {
				for i, set := range sets {
					if strings.Contains(w.params, "buffer") && i%3 != 0 {
						continue
					}
					name, value := setting.name, "'"+setting.value+"'"
					global, local, show := set(name, value, false), set(name, value, true), `SHOW `+name
					for _, x := range []struct {
						lasts   bool
						history []string
					}{
						{true, []string{global}},
						{false, []string{local}},
						{true, []string{`BEGIN`, addOne, global, `COMMIT`}},
						{false, []string{`BEGIN`, addOne, global, `ROLLBACK`}},
						{false, []string{`BEGIN`, `SAVEPOINT a`, global, `ROLLBACK TO a`, `RELEASE a`, addOne, `COMMIT`}},
						{false, []string{`BEGIN`, addOne, local, `COMMIT`}},
						{false, []string{`BEGIN`, local, `ROLLBACK`}},
					} {
						history := x.history
						p := w.pair(i%2 == 0)
						p.do(stockOfOne, addOne)
						for _, statement := range history {
							p.do(statement)
							if statement == global || statement == local {
								p.do(show)
								p.probe(history[0] == `BEGIN`)
							}
						}
						p.do(show)
						p.decides(!x.lasts, history)
						if x.lasts {
							p.do([]string{`RESET ` + name, `SET ` + name + ` TO DEFAULT`}[i%2])
							p.decides(true, history)
							p.do(global, `DISCARD ALL`, show)
							p.decides(true, history)
						}
						p.end()
						w.others(history)
					}
				}
				w.same()
			})
		})
	}
}

// probe sends what shows a setting; in a transaction so that it survives.
func (p *pair) probe(inTransaction bool) {
	p.Helper()
	for _, statement := range probe {
		if inTransaction {
			p.do(`SAVEPOINT probe`, statement, `ROLLBACK TO probe`, `RELEASE probe`)
		} else {
			p.do(statement)
		}
	}
}

// same requires that both databases hold the same.
func (w *twins) same() {
	w.Helper()
	w.flush()
	require.Zero(w, w.stats().RefusedGroups)
	const all = `SELECT i::text FROM items i UNION ALL SELECT i::text FROM other.items i ORDER BY 1`
	require.Equal(w, (&oneConn{conn: w.conn(w.plain)}).do(all), (&oneConn{conn: w.conn(w.past)}).do(all))
}
