package catalog_test

import (
	"context"
	"database/sql/driver"
	"errors"
	"io"
	"strconv"
	"strings"
	"testing"

	"github.com/lib/pq"
	"github.com/stretchr/testify/require"

	"github.com/writebehind/writebehind/internal/catalog"
)

// dial opens a driver connection of its own.
func dial(t *testing.T, dsn string) driver.Conn {
	t.Helper()
	connector, err := pq.NewConnector(dsn)
	require.NoError(t, err)
	conn, err := connector.Connect(t.Context())
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, conn.Close()) })
	return conn
}

func session(t *testing.T, conn driver.Conn) catalog.Session {
	t.Helper()
	s, err := catalog.ReadSession(t.Context(), conn)
	require.NoError(t, err)
	return s
}

func TestReadSession(t *testing.T) {
	db := database(t)
	dsn := connString(t, db)
	s := session(t, dial(t, dsn))
	ask := func(query string) (answer string) {
		t.Helper()
		require.NoError(t, db.QueryRowContext(t.Context(), query).Scan(&answer))
		return answer
	}
	require.Equal(t, ask(`SELECT system_identifier FROM pg_control_system()`), s.SystemID)
	require.True(t, s.SystemIDKnown)
	require.Equal(t, ask(`SELECT current_database()`), s.Database)
	require.Equal(t, ask(`SELECT oid FROM pg_database WHERE datname = current_database()`), s.DatabaseOID)
	require.Equal(t, ask(`SELECT current_user`), s.CurrentUser)
	require.Equal(t, ask(`SELECT session_user`), s.SessionUser)
	require.Equal(t, `"$user", public`, s.SearchPath)
	require.Equal(t, ask(`SHOW timezone`), s.TimeZone)
	require.Equal(t, "ISO, MDY", s.DateStyle)
	require.Equal(t, "postgres", s.IntervalStyle)
	require.Equal(t, "UTF8", s.ClientEncoding)
	require.Equal(t, ask(`SHOW server_encoding`), s.ServerEncoding)
	require.True(t, s.StandardConformingStrings)
	require.Equal(t, "read committed", s.DefaultTransactionIsolation)
	require.False(t, s.DefaultTransactionReadOnly)
	require.False(t, s.DefaultTransactionDeferrable)
	require.Equal(t, ask(`SHOW extra_float_digits`), s.ExtraFloatDigits)
	require.Equal(t, "hex", s.ByteaOutput)
	require.Contains(t, s.Others, "\nsession_replication_role=origin\n")
	require.Equal(t, ask(`SHOW server_version_num`), strconv.Itoa(s.ServerVersionNum))
	require.False(t, s.InRecovery)
}

func TestSessionNamesItsBackend(t *testing.T) {
	db := database(t)
	s := session(t, dial(t, connString(t, db)))
	var n int
	require.NoError(t, db.QueryRowContext(t.Context(),
		`SELECT count(*) FROM pg_stat_activity WHERE pid = $1 AND EXTRACT(epoch FROM backend_start)::text = $2`,
		s.BackendPID, s.BackendStart).Scan(&n))
	require.Equal(t, 1, n)
}

func TestClassDiffersWhereAStatementMeansSomethingElse(t *testing.T) {
	db := database(t,
		`CREATE SCHEMA other`,
		`DO $$ BEGIN CREATE ROLE catalog_reader; EXCEPTION WHEN duplicate_object THEN NULL; END $$`)
	dsn := connString(t, db)
	first, second := dial(t, dsn), dial(t, dsn)
	class := session(t, first).Class()
	require.Equal(t, class, session(t, second).Class())
	require.NotEqual(t, session(t, first).BackendPID, session(t, second).BackendPID)

	set := func(query string) {
		t.Helper()
		_, err := second.(driver.ExecerContext).ExecContext(t.Context(), query, nil)
		require.NoError(t, err)
	}
	for _, setting := range []string{
		`search_path = other`, `TimeZone = 'Asia/Kathmandu'`, `DateStyle = 'SQL, DMY'`, `IntervalStyle = iso_8601`,
		`default_transaction_isolation = serializable`, `default_transaction_read_only = on`, `default_transaction_deferrable = on`,
		`extra_float_digits = 0`, `bytea_output = escape`, `standard_conforming_strings = off`,
		`session_replication_role = replica`, `transform_null_equals = on`, `row_security = off`, `ROLE catalog_reader`,
	} {
		set(`SET ` + setting)
		require.NotEqual(t, class, session(t, second).Class(), setting)
		set(`RESET ALL`)
		set(`RESET ROLE`)
		require.Equal(t, class, session(t, second).Class(), setting)
	}
	limits := session(t, first).Limits
	for _, setting := range []string{`application_name = x`, `work_mem = '1MB'`} {
		set(`SET ` + setting)
		require.Equal(t, class, session(t, second).Class(), setting)
		require.Equal(t, limits, session(t, second).Limits, setting)
	}
	for _, setting := range []string{`statement_timeout = 10000`, `lock_timeout = 10000`, `synchronous_commit = off`} {
		set(`SET ` + setting)
		require.Equal(t, class, session(t, second).Class(), setting)
		require.NotEqual(t, limits, session(t, second).Limits, setting)
		set(`RESET ALL`)
		require.Equal(t, limits, session(t, second).Limits, setting)
	}
	for _, made := range []string{`CREATE TEMP TABLE t ()`, `CREATE TYPE pg_temp.t AS ENUM ()`, `CREATE TEMP SEQUENCE t`, `CREATE TEMP VIEW t AS SELECT 1`} {
		set(made)
		require.NotEqual(t, class, session(t, second).Class(), made)
		set(`DISCARD TEMP`)
		require.Equal(t, class, session(t, second).Class(), made)
	}
}

func TestSessionWithoutTheRightToKnowTheSystem(t *testing.T) {
	db := database(t,
		`DO $$ BEGIN CREATE ROLE catalog_nobody; EXCEPTION WHEN duplicate_object THEN NULL; END $$`,
		`REVOKE EXECUTE ON FUNCTION pg_control_system FROM PUBLIC`)
	conn := dial(t, connString(t, db))
	_, err := conn.(driver.ExecerContext).ExecContext(t.Context(), `SET ROLE catalog_nobody`, nil)
	require.NoError(t, err)
	s := session(t, conn)
	require.False(t, s.SystemIDKnown)
	require.True(t, strings.HasPrefix(s.SystemID, "server:"), s.SystemID)
	require.Equal(t, "catalog_nobody", s.CurrentUser)
}

// The drivers below have less and less of what lib/pq has.
type (
	skipping   struct{ driver.Conn }
	prepares   struct{ driver.Conn }
	plain      struct{ conn driver.Conn }
	plainStmt  struct{ stmt driver.Stmt }
	byteValues struct{ driver.Conn }
	byteRows   struct{ driver.Rows }
)

func (skipping) QueryContext(context.Context, string, []driver.NamedValue) (driver.Rows, error) {
	return nil, driver.ErrSkip
}

func (c prepares) PrepareContext(ctx context.Context, query string) (driver.Stmt, error) {
	return c.Conn.(driver.ConnPrepareContext).PrepareContext(ctx, query)
}

func (c plain) Prepare(query string) (driver.Stmt, error) {
	s, err := c.conn.Prepare(query)
	return plainStmt{s}, err
}
func (c plain) Close() error              { return c.conn.Close() }
func (c plain) Begin() (driver.Tx, error) { return nil, errors.New("not needed") }

func (s plainStmt) Close() error                               { return s.stmt.Close() }
func (s plainStmt) NumInput() int                              { return s.stmt.NumInput() }
func (s plainStmt) Exec([]driver.Value) (driver.Result, error) { return nil, errors.New("not needed") }
func (s plainStmt) Query(args []driver.Value) (driver.Rows, error) {
	named := make([]driver.NamedValue, len(args))
	return s.stmt.(driver.StmtQueryContext).QueryContext(context.Background(), named)
}

func (c byteValues) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	rows, err := c.Conn.(driver.QueryerContext).QueryContext(ctx, query, args)
	return byteRows{rows}, err
}

func (r byteRows) Next(row []driver.Value) error {
	err := r.Rows.Next(row)
	for i, v := range row {
		if s, ok := v.(string); ok {
			row[i] = []byte(s)
		}
	}
	return err
}

func TestReadSessionOverDriversThatHaveLess(t *testing.T) {
	conn := dial(t, connString(t, database(t)))
	want := session(t, conn)
	for name, c := range map[string]driver.Conn{
		"queryer that skips": skipping{conn}, "prepare with context": prepares{conn}, "prepare only": plain{conn}, "bytes": byteValues{conn},
	} {
		got, err := catalog.ReadSession(t.Context(), c)
		require.NoError(t, err, name)
		require.Equal(t, want, got, name)
	}
}

// oneRow answers every query with the same values.
type oneRow struct {
	driver.Conn
	values []driver.Value
	times  int
}

func (c *oneRow) QueryContext(context.Context, string, []driver.NamedValue) (driver.Rows, error) {
	r := *c
	return &r, nil
}
func (c *oneRow) Columns() []string { return make([]string, len(c.values)) }
func (c *oneRow) Close() error      { return nil }
func (c *oneRow) Next(row []driver.Value) error {
	if c.times--; c.times < 0 {
		return io.EOF
	}
	copy(row, c.values)
	return nil
}

func TestReadSessionRefusesAStrangeAnswer(t *testing.T) {
	text := make([]driver.Value, 25)
	for i := range text {
		text[i] = "1"
	}
	odd := append([]driver.Value{int64(1)}, text[1:]...)
	for want, conn := range map[string]*oneRow{
		"1 columns instead of 25":             {values: text[:1], times: 1},
		"EOF":                                 {values: text},
		"more than one row":                   {values: text, times: 2},
		"column 1 is a int64 instead of text": {values: odd, times: 1},
	} {
		_, err := catalog.ReadSession(t.Context(), conn)
		require.ErrorContains(t, err, want)
	}
}
