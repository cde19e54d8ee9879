package pgvalue_test

import (
	"database/sql"
	"flag"
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"testing"
	"time"

	"github.com/lib/pq"
	"github.com/stretchr/testify/require"

	"github.com/writebehind/writebehind/internal/pgtest"
	"github.com/writebehind/writebehind/internal/pgvalue"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

var seed = flag.Uint64("seed", 0, "seed of the random values, 0 for one that differs each time")

// newRandom returns a source of random values and logs how to repeat them.
func newRandom(t *testing.T) *rand.Rand {
	t.Helper()
	n := *seed
	if n == 0 {
		n = uint64(time.Now().UnixNano())
	}
	t.Logf("random values: -seed=%d", n)
	return rand.New(rand.NewPCG(n, 1))
}

// column is a column of one type, called c in a table of its own with the key id.
type column struct {
	sqlType string
	table   string
	element string // sqlType without modifier
	typ     pgvalue.Type
}

// knownTypes are the SQL types of which something is known.
var knownTypes = []string{
	"bool", "int2", "int4", "int8", "float4", "float8",
	"numeric", "numeric(5,2)", "numeric(10,0)", "numeric(3,3)", "numeric(1000,500)",
	"text", "varchar", "varchar(5)", "char", "char(4)", "bpchar", "bytea", "uuid",
	"date", "timestamp", "timestamp(0)", "timestamp(3)", "timestamptz", "timestamptz(0)", "timestamptz(2)",
	"json", "mood",
}

// otherTypes are SQL types of whose values nothing is known.
var otherTypes = []string{
	"jsonb", "int4[]", "text[]", "interval", "time", "timetz", "inet", "money", "xml", `"char"`, "name", "oid",
	"bit(3)", "varbit", "int4range", "point", "positive", "label",
}

// session is one way in which lib/pq can be used, with what is known of it.
type session struct {
	name  string
	db    *sql.DB
	known pgvalue.Session
	// prepared holds the statements prepared so far, nil in a session that
	// does not prepare any.
	prepared map[string]*sql.Stmt
}

// newDatabase returns the sessions to a database with one table per column.
func newDatabase(t testing.TB) ([]session, []column) {
	t.Helper()
	server := pgtest.Shared(t)
	name := server.CreateDatabase(t)
	berlin, err := time.LoadLocation("Europe/Berlin")
	require.NoError(t, err)

	open := func(what string, prepare, binary bool, location *time.Location) session {
		s := session{name: what, known: pgvalue.Session{Location: location, UTF8: true, BinaryParameters: binary}}
		params := []string{"timezone=" + location.String()}
		if binary {
			params = append(params, "binary_parameters=yes")
		}
		if prepare {
			s.prepared = make(map[string]*sql.Stmt)
		}
		s.db = openDB(t, server.DSN(name, params...))
		return s
	}
	sessions := []session{
		open("plain", false, false, time.UTC),
		open("prepared", true, false, berlin),
		open("binary", false, true, berlin),
		open("binary prepared", true, true, time.UTC),
	}
	return sessions, newColumns(t, sessions[0].db)
}

func openDB(t testing.TB, dsn string) *sql.DB {
	t.Helper()
	db, err := sql.Open("postgres", dsn)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	db.SetMaxOpenConns(1)
	return db
}

// moods are the labels of the enum type mood.
var moods = []string{"sad", "ok", "happy", "Grüße", "with space", `q'"uote`}

func newColumns(t testing.TB, db *sql.DB) []column {
	t.Helper()
	labels := ""
	for i, label := range moods {
		if i > 0 {
			labels += ", "
		}
		labels += pq.QuoteLiteral(label)
	}
	exec(t, db, "CREATE TYPE mood AS ENUM ("+labels+")")
	exec(t, db, "CREATE DOMAIN positive AS int4 CHECK (VALUE > 0)")
	exec(t, db, "CREATE DOMAIN label AS text NOT NULL")
	var columns []column
	for i, sqlType := range append(append([]string{}, knownTypes...), otherTypes...) {
		c := column{sqlType: sqlType, table: fmt.Sprintf("v%d", i)}
		exec(t, db, "CREATE TABLE "+c.table+" (id int8 GENERATED ALWAYS AS IDENTITY PRIMARY KEY, c "+sqlType+")")
		var kind string
		require.NoError(t, db.QueryRow(`
			SELECT a.atttypid, a.atttypmod, format_type(a.atttypid, NULL),
				CASE WHEN t.typtype = 'e' THEN 'e' WHEN t.typtype = 'b' AND t.typcategory <> 'A' THEN 'b' ELSE 'o' END
			FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
			WHERE a.attrelid = $1::regclass AND a.attname = 'c'`, c.table).
			Scan(&c.typ.OID, &c.typ.Mod, &c.element, &kind))
		switch kind {
		case "e":
			c.typ.Kind, c.typ.Labels = pgvalue.Enum, moods
		case "o":
			c.typ.Kind = pgvalue.Other
		}
		if c.element == "character" {
			c.element = "bpchar" // "character" alone is char(1)
		}
		columns = append(columns, c)
	}
	return columns
}

// columnOf returns the column of the SQL type.
func columnOf(t *testing.T, columns []column, sqlType string) column {
	t.Helper()
	for _, c := range columns {
		if c.sqlType == sqlType {
			return c
		}
	}
	t.Fatalf("no column of type %s", sqlType)
	return column{}
}

func exec(t testing.TB, db *sql.DB, query string, args ...any) {
	t.Helper()
	_, err := db.Exec(query, args...)
	require.NoError(t, err, query)
}

// one runs a query that returns one value, in the session's own protocol.
func (s session) one(query string, args ...any) (value any, err error) {
	if s.prepared == nil {
		err = s.db.QueryRow(query, args...).Scan(&value)
		return value, err
	}
	stmt := s.prepared[query]
	if stmt == nil {
		if stmt, err = s.db.Prepare(query); err != nil {
			return nil, err
		}
		s.prepared[query] = stmt
	}
	err = stmt.QueryRow(args...).Scan(&value)
	return value, err
}

// cells returns the column's values in the order of the rows.
func (s session) cells(t *testing.T, c column) []any {
	t.Helper()
	return s.list(t, "SELECT c FROM "+c.table+" ORDER BY id")
}

// list returns the values of the only column of a query.
func (s session) list(t testing.TB, query string, args ...any) []any {
	t.Helper()
	rows, err := s.db.Query(query, args...)
	require.NoError(t, err, query)
	defer rows.Close()
	var values []any
	for rows.Next() {
		var value any
		require.NoError(t, rows.Scan(&value))
		values = append(values, value)
	}
	require.NoError(t, rows.Err(), "%s %v", query, args)
	return values
}

// identical says whether two values are the same to the last bit.
func identical(a, b any) bool {
	if a, ok := a.(float64); ok {
		b, ok := b.(float64)
		return ok && math.Float64bits(a) == math.Float64bits(b)
	}
	return reflect.DeepEqual(a, b)
}

// show prints a value with its Go type, a time with its location.
func show(v any) string {
	if at, ok := v.(time.Time); ok {
		return fmt.Sprintf("time %s in %q", at.Format(time.RFC3339Nano), at.Location())
	}
	if b, ok := v.([]byte); ok {
		return fmt.Sprintf("[]byte %q", b)
	}
	return fmt.Sprintf("%T %#v", v, v)
}
