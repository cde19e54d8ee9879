package writebehind_test

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"

	"github.com/lib/pq"
	"github.com/stretchr/testify/require"

	"github.com/writebehind/writebehind"
	"github.com/writebehind/writebehind/internal/pgtest"
	"github.com/writebehind/writebehind/internal/wbschema"
)

func TestABadParameterIsRefusedByOpenAndNamed(t *testing.T) {
	const dsn = "host=127.0.0.1 password=geheim "
	for params, says := range map[string]string{
		"writebehind.tabels=items":                          `did you mean "writebehind.tables"`,
		"writebehind.colour=blue":                           `unknown parameter "writebehind.colour"; known are writebehind.tables, `,
		"writebehind.tables=items":                          `"writebehind.journal" is required`,
		"writebehind.tables=a.b.c writebehind.journal=none": "a table name has at most two parts",
		"writebehind.max_delay=100":                         "a number without a unit",
		"writebehind.max_delay=-1s":                         "out of range",
		"writebehind.batch_rows=0":                          "out of range",
		"writebehind.batch_rows=many":                       "not a whole number",
		"writebehind.max_pending_bytes=1XB":                 "not a size",
		"writebehind.overflow=drop":                         `must be one of ["block" "error"]`,
		"writebehind.driver=nosuch":                         `real driver "nosuch"`,
		"writebehind.driver=writebehind":                    "this driver itself",
		"writebehind.insert=trust writebehind.insert=check": "given twice",
		"writebehind.sync=1":                                "it must be one of",
	} {
		_, err := sql.Open("writebehind", dsn+params)
		require.ErrorContains(t, err, says, params)
		require.ErrorContains(t, err, "writebehind: ", params)
		require.NotContains(t, err.Error(), "geheim", params)

		_, err = writebehind.NewConnector(dsn + params)
		require.ErrorContains(t, err, says, params)
	}
}

func TestANamedTableThatDoesNotExistYetIsPickedUpOnceItDoes(t *testing.T) {
	t.Parallel()
	h := newHarness(t, itemsTable, "writebehind.tables=items,later,elsewhere")
	mode, reason := h.table("later")
	require.Equal(t, "direct", mode)
	require.Contains(t, reason, "does not exist")
	_, err := h.shim.Exec(`UPDATE later SET n = 1 WHERE id = 1`)
	requirePQ(t, err, "42P01")

	h.exec(`CREATE TABLE later (id int PRIMARY KEY, n int)`)
	mode, reason = h.table("later")
	require.Equal(t, "deferred", mode, "created through the shim: at once; %s", reason)
	h.exec(`INSERT INTO later VALUES (1, 2)`)
	require.EqualValues(t, 1, h.stats().PendingRows)

	h.mustPast(`CREATE TABLE elsewhere (id int PRIMARY KEY, n int)`)
	h.exec(`INSERT INTO elsewhere VALUES (1, 2)`) // opted in or not, it works
	h.eventually("created past the shim: by the poll", func() bool {
		mode, _ := h.table("elsewhere")
		return mode == "deferred"
	})
}

func TestATableThatCannotBeOptedInSaysWhy(t *testing.T) {
	kinds := []struct{ name, ddl, says string }{
		{"keyless", `CREATE TABLE keyless (n int)`, "it has no primary key"},
		{"deferrable", `CREATE TABLE "deferrable" (id int PRIMARY KEY DEFERRABLE)`, "is deferrable"},
		{"bynumeric", `CREATE TABLE bynumeric (id numeric PRIMARY KEY)`, `key column "id" is of type numeric`},
		{"triggered", `CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
			CREATE TABLE triggered (id int PRIMARY KEY);
			CREATE TRIGGER audit BEFORE UPDATE ON triggered FOR EACH ROW EXECUTE FUNCTION f()`, `trigger "audit"`},
		{"ruled", `CREATE TABLE ruled (id int PRIMARY KEY); CREATE RULE nothing AS ON DELETE TO ruled DO INSTEAD NOTHING`, `rule "nothing"`},
		{"parent", `CREATE TABLE parent (id int PRIMARY KEY)`, "inheritance child"},
		{"child", `CREATE TABLE child (PRIMARY KEY (id)) INHERITS (parent)`, "inherits from"},
		{"parted_1", `CREATE TABLE parted (id int PRIMARY KEY) PARTITION BY RANGE (id);
			CREATE TABLE parted_1 PARTITION OF parted FOR VALUES FROM (0) TO (10)`, "it is a partition of"},
		{"aview", `CREATE VIEW aview AS SELECT 1 AS id`, "it is a view"},
		{"mview", `CREATE MATERIALIZED VIEW mview AS SELECT 1 AS id`, "it is a materialized view"},
		{"counter", `CREATE SEQUENCE counter`, "it is a sequence"},
		{"loose", `CREATE COLLATION loose (provider = icu, locale = 'und', deterministic = false);
			CREATE TABLE loose (id text COLLATE loose PRIMARY KEY)`, "not deterministic"},
	}
	var ddl, names []string
	for _, k := range kinds {
		ddl, names = append(ddl, k.ddl), append(names, k.name)
	}
	h := newHarness(t, strings.Join(ddl, ";\n"), "writebehind.tables='"+strings.Join(names, ",")+"'")
	for _, k := range kinds {
		mode, reason := h.table(k.name)
		require.Equal(t, "direct", mode, k.name)
		require.Contains(t, reason, k.says, k.name)
		_, reason = h.explain(`UPDATE "` + k.name + `" SET id = 1 WHERE id = 1`)
		require.Contains(t, reason, k.says, k.name)
	}
}

// logs collects what is logged.
type logs struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *logs) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *logs) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// openLogged opens the shim with a logger of its own, everything included.
func (h *harness) openLogged(dsn string) (*sql.DB, *logs) {
	h.Helper()
	collected := new(logs)
	logger := slog.New(slog.NewTextHandler(collected, &slog.HandlerOptions{Level: slog.LevelDebug}))
	connector, err := writebehind.NewConnector(dsn, writebehind.WithLogger(logger))
	require.NoError(h, err)
	db := sql.OpenDB(connector)
	h.Cleanup(func() { _ = db.Close() })
	return db, collected
}

func TestNoPasswordInErrorsLogsAndAnswers(t *testing.T) {
	const password = "s3kr3t-pass"
	server := pgtest.New(t, pgtest.WithPassword(password))
	h := newHarnessOn(t, server, itemsTable, "")
	require.Contains(t, h.dsn, password)

	for name, dsn := range map[string]string{
		"wrong password": strings.Replace(h.dsn, password, "wr0ng-"+password, 1) + h.params,
		"no server":      "host=127.0.0.1 port=1 user=u sslmode=disable password=" + password + h.params,
		"no database":    h.dsn + " dbname=nosuch" + h.params,
		"bad port":       h.dsn + " port=no" + h.params,
	} {
		db, collected := h.openLogged(dsn)
		_, err := db.Exec(`UPDATE items SET stock = 1 WHERE id = 1`)
		require.Error(t, err, name)
		plain, openErr := sql.Open("postgres", strings.TrimSuffix(dsn, h.params))
		if openErr == nil {
			_, plainErr := plain.Exec(`SELECT 1`)
			require.Equal(t, plainErr.Error(), err.Error(), "%s: the error is the real driver's", name)
			require.NoError(t, plain.Close())
		}
		require.NotContains(t, err.Error()+collected.String(), password, name)
		require.Error(t, db.Ping(), name)
	}

	db, collected := h.openLogged(h.dsn + h.params)
	_, err := db.Exec(`UPDATE items SET name = $1 WHERE id = 1`, "row-value")
	require.NoError(t, err)
	for _, show := range []string{"status", "tables", "settings", "flush"} {
		rows, err := db.Query(`SHOW writebehind.` + show)
		require.NoError(t, err)
		require.NotContains(t, fmt.Sprint(allText(t, rows)), password, show)
	}
	server.RequireControl(t)
	_, err = db.Exec(`UPDATE items SET name = $1 WHERE id = 1`, "row-value")
	require.NoError(t, err)
	require.NoError(t, server.Kill())
	err = writebehind.Flush(context.Background(), db)
	require.ErrorIs(t, err, writebehind.ErrPending)
	require.NotContains(t, err.Error(), password)
	require.NotContains(t, collected.String(), password)
	require.NotContains(t, collected.String()+err.Error(), "row-value")
	require.NoError(t, server.Start(context.Background()))
}

// allText reads a result of text columns.
func allText(t *testing.T, rows *sql.Rows) (all [][]string) {
	t.Helper()
	defer rows.Close()
	columns, err := rows.Columns()
	require.NoError(t, err)
	for rows.Next() {
		row := make([]string, len(columns))
		into := make([]any, len(columns))
		for i := range row {
			into[i] = &row[i]
		}
		require.NoError(t, rows.Scan(into...))
		all = append(all, row)
	}
	require.NoError(t, rows.Err())
	return all
}

// requirePQ requires PostgreSQL's own error, as lib/pq gives it.
func requirePQ(t *testing.T, err error, state string, msg ...any) {
	t.Helper()
	var refused *pq.Error
	require.ErrorAs(t, err, &refused, msg...)
	require.Equal(t, state, string(refused.Code), fmt.Sprint(err, msg))
}

// role makes a role for the test that may log in and nothing else.
func (h *harness) role() string {
	h.Helper()
	role := "r" + strings.ReplaceAll(strings.ToLower(h.Name()), "/", "_")
	h.mustPast(`DROP ROLE IF EXISTS ` + role + `; CREATE ROLE ` + role + ` LOGIN`)
	h.Cleanup(func() { h.mustPast(`DROP OWNED BY ` + role + `; DROP ROLE ` + role) })
	return role
}

func TestARoleWithoutRightsGetsPostgreSQLsError(t *testing.T) {
	t.Parallel()
	h := newHarness(t, itemsTable+`CREATE TABLE secret (id int PRIMARY KEY, n int); INSERT INTO secret VALUES (1, 1)`, "")
	role := h.role()
	h.mustPast(`GRANT SELECT, INSERT, UPDATE ON items TO ` + role)
	db := h.open("writebehind", h.dsn+" user="+role+h.params)

	_, err := db.Exec(`UPDATE items SET stock = 1 WHERE id = 1`)
	require.ErrorContains(t, err, "CREATE TABLE IF NOT EXISTS writebehind.checkpoint", "what an administrator must run")
	require.NoError(t, wbschema.Ensure(t.Context(), h.past))
	_, err = db.Exec(`UPDATE items SET stock = 1 WHERE id = 1`)
	require.ErrorContains(t, err, wbschema.Grants(role))
	h.mustPast(wbschema.Grants(role))

	_, err = db.Exec(`UPDATE secret SET n = 2 WHERE id = 1`)
	requirePQ(t, err, "42501")
	var n int
	requirePQ(t, db.QueryRow(`SELECT n FROM secret WHERE id = 1`).Scan(&n), "42501")
	_, err = db.Exec(`DELETE FROM items WHERE id = 1`)
	requirePQ(t, err, "42501", "no DELETE on an opted-in table")
	_, err = db.Exec(`UPDATE items SET stock = 1 WHERE id = 1`)
	require.NoError(t, err, "granted")

	h.mustPast(`REVOKE UPDATE ON items FROM ` + role)
	h.eventually("the revocation is noticed", func() bool {
		_, err := db.Exec(`UPDATE items SET stock = 1 WHERE id = 1`)
		return err != nil
	})
	h.mustPast(`GRANT UPDATE ON items TO ` + role)
	require.NoError(t, writebehind.Flush(context.Background(), db))
}

const strictTable = `CREATE TABLE strict (id int PRIMARY KEY, n int NOT NULL DEFAULT 2147483647, small smallint, word varchar(3), flag bool,
	amount numeric(4,2), even int CHECK (even % 2 = 0), code text UNIQUE, born date, owner int REFERENCES strict);
	INSERT INTO strict (id, code) VALUES (1, 'a'), (2, 'b');`

// refusals are keyed statements that PostgreSQL refuses, with the SQLSTATE.
var refusals = []struct {
	query string
	args  []any
	state string
}{
	{`UPDATE strict SET n = $1 WHERE id = $2`, []any{"ten", 1}, "22P02"},
	{`UPDATE strict SET n = $1 WHERE id = $2`, []any{nil, 1}, "23502"},
	{`UPDATE strict SET n = NULL WHERE id = 1`, nil, "23502"},
	{`UPDATE strict SET n = n + 1 WHERE id = $1`, []any{1}, "22003"},
	{`UPDATE strict SET n = $1 WHERE id = $2`, []any{int64(1) << 40, 1}, "22003"},
	{`UPDATE strict SET small = $1 WHERE id = $2`, []any{40000, 1}, "22003"},
	{`UPDATE strict SET small = 40000 WHERE id = 1`, nil, "22003"},
	{`UPDATE strict SET word = $1 WHERE id = $2`, []any{"four", 1}, "22001"},
	{`UPDATE strict SET word = 'four' WHERE id = 1`, nil, "22001"},
	{`UPDATE strict SET flag = $1 WHERE id = $2`, []any{"maybe", 1}, "22P02"},
	{`UPDATE strict SET amount = $1 WHERE id = $2`, []any{"100.00", 1}, "22003"},
	{`UPDATE strict SET amount = $1 WHERE id = $2`, []any{"99.999", 1}, "22003"},
	{`UPDATE strict SET even = $1 WHERE id = $2`, []any{3, 1}, "23514"},
	{`UPDATE strict SET code = $1 WHERE id = $2`, []any{"b", 1}, "23505"},
	{`UPDATE strict SET code = $1 WHERE id = $2`, []any{"nul\x00", 1}, "22021"},
	{`UPDATE strict SET code = $1 WHERE id = $2`, []any{"latin\xe9", 1}, "22021"},
	{`UPDATE strict SET born = $1 WHERE id = $2`, []any{"2024-02-30", 1}, "22008"},
	{`UPDATE strict SET owner = $1 WHERE id = $2`, []any{99, 1}, "23503"},
	{`UPDATE strict SET id = $1 WHERE id = $2`, []any{2, 1}, "23505"},
	{`UPDATE strict SET nosuch = $1 WHERE id = $2`, []any{2, 1}, "42703"},
	{`UPDATE strict SET n = $1, n = $1 WHERE id = $2`, []any{2, 1}, "42601"},
	{`UPDATE strict SET n = $1 WHERE id = $2 AND nosuch = 1`, []any{2, 1}, "42703"},
	{`UPDATE strict SET n = 1 WHERE id = $1 AND small = $2`, []any{1, "x"}, "22P02"},
	{`INSERT INTO strict (id) VALUES ($1)`, []any{1}, "23505"},
	{`INSERT INTO strict (id, id) VALUES ($1, $1)`, []any{9}, "42701"},
	{`INSERT INTO strict (id, n) VALUES ($1, $2)`, []any{9, nil}, "23502"},
	{`INSERT INTO strict (id, word) VALUES ($1, $2)`, []any{9, "four"}, "22001"},
	{`INSERT INTO strict (id, n) VALUES ($1)`, []any{9}, "42601"},
	{`INSERT INTO strict (id) VALUES (1) ON CONFLICT (nosuch) DO NOTHING`, nil, "42703"},
	{`INSERT INTO strict (id, even) VALUES (1, 3) ON CONFLICT (id) DO UPDATE SET n = 1`, nil, "23514"},
	{`DELETE FROM strict WHERE id = $1 AND nosuch = 1`, []any{1}, "42703"},
	{`SELECT nosuch FROM strict WHERE id = $1`, []any{1}, "42703"},
	{`SELECT n FROM strict WHERE id = $1`, []any{"one"}, "22P02"},
	{`SELECT n FROM strict WHERE id = $1`, []any{int64(1) << 40}, "22003"},
	{`SELECT n FROM strict WHERE id = $1 LIMIT $2`, []any{1, -1}, "2201W"},
	{`SELECT n FROM strict WHERE id = $1 ORDER BY nosuch`, []any{1}, "42703"},
	{`UPDATE strict SET n = 1 WHERE id = `, nil, "42601"},
	{`UPDATE strict SET n = 1 WHERE id = 1;;; garbage`, nil, "42601"},
	{`UPDATE strict SET n = $1 WHERE id = 1`, nil, "42P02"},
}

func TestWhatPostgreSQLRefusesIsRefusedAtTheStatement(t *testing.T) {
	forEachAccess(t, strictTable, func(h *harness, via access) {
		// The rows are known, so that nothing but the refusal sends a statement on.
		require.EqualValues(t, 2147483647, h.value(h.shim, `SELECT n FROM strict WHERE id = 1`))
		require.EqualValues(t, 1, h.exec(`UPDATE strict SET flag = true WHERE id = 1`))
		for _, r := range refusals {
			_, _, err := via.run(h.shim, r.query, r.args...)
			require.Error(h, err, r.query)
			_, _, past := via.run(h.past, r.query, r.args...)
			require.Equal(h, past, err, r.query)
			if via == execText && !h.binary {
				requirePQ(h.T, err, r.state, r.query)
			}
		}
		require.EqualValues(h, 2147483647, h.value(h.shim, `SELECT n FROM strict WHERE id = 1`))
		h.flush()
		require.Zero(h, h.stats().RefusedGroups)
		require.EqualValues(h, 2, h.value(h.past, `SELECT count(*) FROM strict`))
	})
}
