package catalog

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// Session holds what decides the meaning of a statement besides its text: the
// database, the role and the settings that name resolution, input, output and
// transactions go by.
type Session struct {
	// SystemID identifies the cluster (pg_control_system). Where the role may
	// not read it, it is made of the server's address and SystemIDKnown is
	// false: two clusters can then have the same.
	SystemID      string
	SystemIDKnown bool
	Database      string
	DatabaseOID   string

	SessionUser string
	CurrentUser string

	SearchPath                string // the setting
	TimeZone                  string
	DateStyle                 string
	IntervalStyle             string
	ClientEncoding            string
	ServerEncoding            string
	StandardConformingStrings bool

	DefaultTransactionIsolation  string
	DefaultTransactionReadOnly   bool
	DefaultTransactionDeferrable bool

	ExtraFloatDigits string
	ByteaOutput      string
	// Others holds further settings that change how a value is read or shown
	// or what a write sets off, as name=value, separated by line feeds, and
	// whether the session has temporary tables or types, which hide others of
	// their name.
	Others string
	// Limits holds, in the same form, the settings that say how long a statement
	// may take and what its end stands for. They are no part of the Class.
	Limits string

	ServerVersionNum int // 150004 for 15.4
	InRecovery       bool

	// ServerStart is when the server was started (Unix time in seconds, with a
	// fraction): it tells apart two servers that run on copies of one cluster. It
	// is no part of the Class.
	ServerStart string
	// BackendPID and BackendStart (Unix time in seconds, with a fraction)
	// identify the server process. They are no part of the Class.
	BackendPID   int
	BackendStart string
}

// Class is the same for two sessions if any statement means the same in both.
func (s Session) Class() string {
	s.BackendPID, s.BackendStart, s.ServerStart, s.Limits = 0, "", "", ""
	return fmt.Sprintf("%#v", s)
}

// SessionQuery returns one row that ReadSession knows how to read. All its
// columns are text, which every driver hands over alike.
const SessionQuery = "SELECT (SELECT system_identifier FROM pg_catalog.pg_control_system())::text, 'true'" + sessionRest

// anonymousQuery is SessionQuery for a role that may not call
// pg_control_system.
const anonymousQuery = `SELECT pg_catalog.concat_ws(':', 'server', pg_catalog.inet_server_addr(), pg_catalog.inet_server_port(),
	pg_catalog.current_setting('port'), pg_catalog.current_setting('cluster_name', true)), 'false'` + sessionRest

const sessionRest = `,
	pg_catalog.current_database()::text,
	(SELECT d.oid FROM pg_catalog.pg_database d WHERE d.datname = pg_catalog.current_database())::text,
	session_user::text, current_user::text,
	pg_catalog.current_setting('search_path'),
	pg_catalog.current_setting('TimeZone'),
	pg_catalog.current_setting('DateStyle'),
	pg_catalog.current_setting('IntervalStyle'),
	pg_catalog.current_setting('client_encoding'),
	pg_catalog.current_setting('server_encoding'),
	pg_catalog.current_setting('standard_conforming_strings'),
	pg_catalog.current_setting('default_transaction_isolation'),
	pg_catalog.current_setting('default_transaction_read_only'),
	pg_catalog.current_setting('default_transaction_deferrable'),
	pg_catalog.current_setting('extra_float_digits'),
	pg_catalog.current_setting('bytea_output'),
	(SELECT pg_catalog.string_agg(name || '=' || coalesce(pg_catalog.current_setting(name, true), ''), E'\n' ORDER BY name)
		FROM pg_catalog.unnest(ARRAY['array_nulls', 'backslash_quote', 'default_text_search_config', 'default_with_oids',
			'lc_messages', 'lc_monetary', 'lc_numeric', 'lc_time', 'row_security', 'session_replication_role',
			'timezone_abbreviations', 'transform_null_equals', 'xmlbinary', 'xmloption']) AS name)
		|| E'\ntemporary=' || CASE WHEN pg_catalog.pg_my_temp_schema() = 0 THEN false ELSE
			EXISTS (SELECT FROM pg_catalog.pg_class WHERE relnamespace = pg_catalog.pg_my_temp_schema()) OR
			EXISTS (SELECT FROM pg_catalog.pg_type WHERE typnamespace = pg_catalog.pg_my_temp_schema()) END::text,
	(SELECT pg_catalog.string_agg(name || '=' || coalesce(pg_catalog.current_setting(name, true), ''), E'\n' ORDER BY name)
		FROM pg_catalog.unnest(ARRAY['idle_in_transaction_session_timeout', 'lock_timeout', 'statement_timeout',
			'synchronous_commit', 'transaction_timeout']) AS name),
	pg_catalog.current_setting('server_version_num'),
	pg_catalog.pg_is_in_recovery()::text,
	EXTRACT(epoch FROM pg_catalog.pg_postmaster_start_time())::text,
	pg_catalog.pg_backend_pid()::text,
	coalesce((SELECT EXTRACT(epoch FROM a.backend_start) FROM pg_catalog.pg_stat_get_activity(pg_catalog.pg_backend_pid()) a)::text, '')`

// ReadSession asks a connection for its session, outside of a transaction. It needs nothing
// of it but what database/sql demands of a driver. An error is the connection's own: the
// application's statement would have met it.
func ReadSession(ctx context.Context, conn driver.Conn) (Session, error) {
	s, err := readSession(ctx, conn, SessionQuery)
	var refused interface{ SQLState() string }
	if errors.As(err, &refused) && (refused.SQLState() == "42501" || refused.SQLState() == "42883") {
		s, err = readSession(ctx, conn, anonymousQuery)
	}
	return s, err
}

func readSession(ctx context.Context, conn driver.Conn, query string) (s Session, err error) {
	rows, done, err := queryConn(ctx, conn, query)
	if err != nil {
		return s, err
	}
	defer func() { err = errors.Join(err, done()) }()

	var version, pid, known, conforming, readOnly, deferrable, recovery string
	into := []*string{
		&s.SystemID, &known, &s.Database, &s.DatabaseOID, &s.SessionUser, &s.CurrentUser,
		&s.SearchPath, &s.TimeZone, &s.DateStyle, &s.IntervalStyle, &s.ClientEncoding, &s.ServerEncoding, &conforming,
		&s.DefaultTransactionIsolation, &readOnly, &deferrable,
		&s.ExtraFloatDigits, &s.ByteaOutput, &s.Others, &s.Limits, &version, &recovery, &s.ServerStart, &pid, &s.BackendStart,
	}
	if err := scanText(rows, into); err != nil {
		return s, err
	}
	s.SystemIDKnown = known == "true"
	s.StandardConformingStrings = conforming == "on"
	s.DefaultTransactionReadOnly = readOnly == "on"
	s.DefaultTransactionDeferrable = deferrable == "on"
	s.InRecovery = recovery == "true"
	if s.ServerVersionNum, err = strconv.Atoi(version); err != nil {
		return s, err
	}
	s.BackendPID, err = strconv.Atoi(pid)
	return s, err
}

// queryConn runs a query as database/sql would. done closes what it opened.
func queryConn(ctx context.Context, conn driver.Conn, query string) (rows driver.Rows, done func() error, err error) {
	if q, ok := conn.(driver.QueryerContext); ok {
		rows, err = q.QueryContext(ctx, query, nil)
		if err == nil {
			return rows, rows.Close, nil
		}
		if err != driver.ErrSkip { //nolint:errorlint // a sentinel that is never wrapped
			return nil, nil, err
		}
	}
	var stmt driver.Stmt
	if p, ok := conn.(driver.ConnPrepareContext); ok {
		stmt, err = p.PrepareContext(ctx, query)
	} else {
		stmt, err = conn.Prepare(query)
	}
	if err != nil {
		return nil, nil, err
	}
	if q, ok := stmt.(driver.StmtQueryContext); ok {
		rows, err = q.QueryContext(ctx, nil)
	} else {
		rows, err = stmt.Query(nil) //nolint:staticcheck // drivers without StmtQueryContext have nothing else
	}
	if err != nil {
		return nil, nil, errors.Join(err, stmt.Close())
	}
	return rows, func() error { return errors.Join(rows.Close(), stmt.Close()) }, nil
}

// scanText reads the one row of a result of text columns.
func scanText(rows driver.Rows, into []*string) error {
	row := make([]driver.Value, len(rows.Columns()))
	if len(row) != len(into) {
		return fmt.Errorf("%d columns instead of %d", len(row), len(into))
	}
	if err := rows.Next(row); err != nil {
		return err
	}
	for i, v := range row {
		switch v := v.(type) {
		case string:
			*into[i] = strings.Clone(v)
		case []byte:
			*into[i] = string(v)
		default:
			return fmt.Errorf("column %d is a %T instead of text", i+1, v)
		}
	}
	if err := rows.Next(row); !errors.Is(err, io.EOF) {
		return errors.Join(errors.New("more than one row"), err)
	}
	return nil
}
