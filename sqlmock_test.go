package writebehind_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/DATA-DOG/go-sqlmock"
	"github.com/lib/pq"
	"github.com/stretchr/testify/require"

	"github.com/writebehind/writebehind"
	"github.com/writebehind/writebehind/internal/catalog"
	"github.com/writebehind/writebehind/internal/pgtest"
)

// What a flush sends before the rows.
const beginFlush = `SELECT set_config('synchronous_commit', 'on', true), ` +
	`set_config('statement_timeout', '60000', true), set_config('lock_timeout', '10000', true), ` +
	`set_config('DateStyle', 'ISO', true), set_config('search_path', 'pg_catalog', true), set_config('application_name', $1, true), pg_catalog.pg_advisory_xact_lock($2)`

const moveCheckpoint = `UPDATE writebehind.checkpoint AS c SET lsn = $3, updated = pg_catalog.now()
		WHERE c.journal = $1 AND c.lsn = $2 AND NOT c.abandoned
		AND ($4::bigint = 0 OR EXISTS (SELECT FROM writebehind.owner AS o WHERE o.epoch = $4::bigint))`

const (
	lookupItem = `SELECT "id", "name", "stock", "price" FROM "public"."items" WHERE "id" = ANY($1::bigint[])`
	updateItem = `WITH w AS (UPDATE "public"."items" AS t SET "name" = u.c1, "stock" = t."stock" + u.c2 ` +
		`FROM unnest($1::bigint[], $2::text[], $3::bigint[], $4::integer[]) WITH ORDINALITY AS u(c0, c1, c2, c3, n) WHERE t."id" = u.c0 ` +
		`RETURNING u.n, t."stock" IS DISTINCT FROM u.c3 AS off) SELECT count(*), string_agg(n::text, ',') FILTER (WHERE off) FROM w`
)

// mocked is the shim over go-sqlmock, with all that the engine asks for when it
// starts answered as PostgreSQL did.
type mocked struct {
	*testing.T
	sqlmock.Sqlmock
	*recorder
	db    *sql.DB
	start []call // what the engine asks for
}

var mocks int

// captured are the questions that an engine asks PostgreSQL when it starts, and
// the answers.
var captured struct {
	sync.Once
	calls []call
}

func capture(t *testing.T) []call {
	t.Helper()
	h := newHarness(t, itemsTable, "")
	r := record(h, h.dsn, pq.Open)
	r.aside = func() (driver.Conn, error) { return pq.Open(h.dsn) }
	_, err := h.open("writebehind", h.dsn+h.params+" writebehind.driver=recorded").Exec(`SHOW writebehind.status`)
	require.NoError(t, err)
	calls := r.take()
	require.GreaterOrEqual(t, len(calls), 4, "session, schema, built-in functions, columns")
	return calls
}

// newMocked makes a mock that answers the engine as PostgreSQL did. expect adds what the
// test itself will send.
func newMocked(t *testing.T, inner, shim string, expect func(m *mocked)) *mocked {
	t.Helper()
	captured.Do(func() { captured.calls = capture(t) })
	m := &mocked{T: t, start: slices.Clone(captured.calls)}
	// Each is another cluster, so that each has an engine of its own.
	mocks++
	m.start[0].rows = [][]driver.Value{slices.Clone(m.start[0].rows[0])}
	m.start[0].rows[0][0] = fmt.Sprint("mock ", mocks)
	innerDSN := fmt.Sprintf(inner, mocks)
	mdb, mock, err := sqlmock.NewWithDSN(innerDSN, sqlmock.QueryMatcherOption(sqlmock.QueryMatcherEqual))
	require.NoError(t, err)
	m.Sqlmock = mock
	mock.MatchExpectationsInOrder(false)
	t.Cleanup(func() { mock.ExpectClose(); require.NoError(t, mdb.Close()) })
	m.recorder = record(t, innerDSN, mdb.Driver().Open)
	side := pgtest.Shared(t).DSN(borrowDatabase(t))
	m.aside = func() (driver.Conn, error) { return pq.Open(side) }
	for _, c := range m.start {
		m.answer(c)
	}
	expect(m)
	m.db, err = sql.Open("writebehind", fmt.Sprintf(shim, mocks))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, m.db.Close()) })
	return m
}

// answer makes the mock give a recorded answer once more. Text comes as bytes,
// which the mock overwrites as soon as it may.
func (m *mocked) answer(c call) {
	switch query, prepared := strings.CutPrefix(c.what, "PREPARE "); {
	case prepared:
		m.ExpectPrepare(query)
		return
	case c.what == "BEGIN":
		m.ExpectBegin()
		return
	case c.what == "ROLLBACK":
		m.ExpectRollback()
		return
	}
	rows := sqlmock.NewRows(c.columns)
	for _, row := range c.rows {
		out := make([]driver.Value, len(row))
		for i, v := range row {
			if s, ok := v.(string); ok && strings.HasPrefix(c.what, "SELECT (SELECT system_identifier") {
				v = []byte(s)
			}
			out[i] = v
		}
		rows.AddRow(out...)
	}
	m.ExpectQuery(c.what).WithArgs(c.args...).WillReturnRows(rows)
}

// sent returns the statements that have reached the real driver since the last
// call, without the engine's look-outs for a changed schema.
func (m *mocked) sent() []string {
	var list []string
	for _, c := range m.take() {
		if !strings.Contains(c.what, "WITH rels AS MATERIALIZED") {
			list = append(list, c.what)
		}
	}
	return list
}

func (m *mocked) expectLookup() {
	m.ExpectQuery(lookupItem).WithArgs("{1}").WillReturnRows(
		sqlmock.NewRows([]string{"id", "name", "stock", "price"}).AddRow(int64(1), "one", int64(10), []byte("1.50")))
}

func TestExactlyWhatReachesTheRealDriverAndWhen(t *testing.T) {
	const session = catalog.SessionQuery
	m := newMocked(t, `inner-%d`, `inner-%d writebehind.tables=items writebehind.journal=none writebehind.max_delay=1h writebehind.driver=recorded`,
		func(m *mocked) {
			m.answer(m.start[0]) // the session of the look-ups
			m.expectLookup()
			m.ExpectBegin()
			m.ExpectQuery(beginFlush).WithArgs(sqlmock.AnyArg(), sqlmock.AnyArg()).WillReturnRows(
				sqlmock.NewRows([]string{"a", "b", "c", "d", "e", "f", "g"}).AddRow("on", "60000", "10000", "ISO", "pg_catalog", "writebehind flush", ""))
			m.ExpectExec(moveCheckpoint).WithArgs(sqlmock.AnyArg(), 0, 3, 1).WillReturnResult(driver.RowsAffected(1))
			m.ExpectQuery(updateItem).WithArgs(`{1}`, `{uno}`, `{-4}`, `{6}`).WillReturnRows(
				sqlmock.NewRows([]string{"count", "string_agg"}).AddRow(int64(1), nil))
			m.ExpectCommit()
			m.answer(m.start[0]) // the session of the connection, once it is used for more than deferring
		})

	read := func() (name string, stock int, price []byte) {
		t.Helper()
		require.NoError(t, m.db.QueryRow(`SELECT name, stock, price FROM items WHERE id = $1`, 1).Scan(&name, &stock, &price))
		return name, stock, price
	}
	name, stock, price := read()
	require.Equal(t, "one 10 1.50", fmt.Sprint(name, " ", stock, " ", string(price)))
	sent := m.sent()
	require.Equal(t, session, sent[0])
	require.Equal(t, []string{session, lookupItem}, sent[len(sent)-2:], "the row is looked up once")

	name, stock, price = read()
	require.Equal(t, "one 10 1.50", fmt.Sprint(name, " ", stock, " ", string(price)), "the mock has overwritten what it returned")
	require.Empty(t, m.sent(), "a cached read sends nothing")

	for _, change := range []struct {
		set  string
		args []any
	}{{`stock = stock - $2`, []any{1, 3}}, {`stock = stock - $2`, []any{1, 1}}, {`name = $2`, []any{1, "uno"}}} {
		result, err := m.db.Exec(`UPDATE items SET `+change.set+` WHERE id = $1`, change.args...)
		require.NoError(t, err)
		n, err := result.RowsAffected()
		require.NoError(t, err)
		require.EqualValues(t, 1, n)
	}
	name, stock, _ = read()
	require.Equal(t, "uno 6", fmt.Sprint(name, " ", stock))
	require.Empty(t, m.sent(), "a deferred update sends nothing before the flush")
	require.ErrorContains(t, m.ExpectationsWereMet(), "Begin")

	require.NoError(t, writebehind.Flush(context.Background(), m.db))
	require.Equal(t, []string{"BEGIN", beginFlush, moveCheckpoint, updateItem, "COMMIT"}, m.sent(), "three updates are one statement")
	require.NoError(t, m.ExpectationsWereMet())

	name, stock, _ = read()
	require.Equal(t, "uno 6", fmt.Sprint(name, " ", stock))
	require.Empty(t, m.sent(), "the flushed row was read before, so it is in the cache")

	require.NoError(t, m.db.Close())
	require.Equal(t, m.opened.Load(), m.closed.Load(), "connections of the real driver left open")
}

// The mock takes no DSN but its own, byte for byte.
func TestTheRealDriverGetsTheRestOfTheDSNByteForByte(t *testing.T) {
	for _, dsn := range []struct{ inner, shim string }{
		{`host=h%d password='a b\'c'  application_name=x`,
			`host=h%d password='a b\'c'  application_name=x writebehind.tables=items writebehind.journal=none writebehind.driver=recorded`},
		{`host=i%d dbname='writebehind.tables=x'`,
			`writebehind.tables=items writebehind.journal=none writebehind.driver=recorded host=i%d dbname='writebehind.tables=x'`},
		{`postgres://u:p%%25%%2F@j%d/db?a=1&b=%%20`,
			`postgres://u:p%%25%%2F@j%d/db?a=1&writebehind.tables=items&writebehind.journal=none&b=%%20&writebehind.driver=recorded`},
		{`postgres://u@k%d/db`,
			`postgres://u@k%d/db?writebehind.tables=items&writebehind.journal=none&writebehind.driver=recorded`},
	} {
		t.Run(dsn.inner, func(t *testing.T) {
			m := newMocked(t, dsn.inner, dsn.shim, func(*mocked) {})
			_, err := m.db.Exec(`SHOW writebehind.status`)
			require.NoError(t, err)
			require.NoError(t, m.ExpectationsWereMet())
		})
	}
}

func TestWithoutTablesEveryStatementPassesThroughAsItIs(t *testing.T) {
	m := newMocked(t, `plain-%d`, `plain-%d writebehind.driver=recorded`, func(m *mocked) {
		m.ExpectExec(`UPDATE items SET stock = $1 WHERE id = $2`).WithArgs(int64(1), int64(2)).WillReturnResult(driver.RowsAffected(1))
		m.ExpectQuery(`SELECT 1`).WillReturnRows(sqlmock.NewRows([]string{"one"}).AddRow(int64(1)))
		m.ExpectBegin()
		m.ExpectRollback()
	})
	_, err := m.db.Exec(`UPDATE items SET stock = $1 WHERE id = $2`, 1, 2)
	require.NoError(t, err)
	var one int
	require.NoError(t, m.db.QueryRow(`SELECT 1`).Scan(&one))
	tx, err := m.db.Begin()
	require.NoError(t, err)
	require.NoError(t, tx.Rollback())
	require.Equal(t, []string{`UPDATE items SET stock = $1 WHERE id = $2`, `SELECT 1`, "BEGIN", "ROLLBACK"}, m.sent())
}
