package compat

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"
	"net/netip"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	_ "github.com/jackc/pgx/v5/stdlib" // the real driver
	"github.com/lib/pq"
	"github.com/stretchr/testify/require"

	"github.com/writebehind/writebehind"
)

// pgxSchema has a column of each type that one of the drivers treats in a way of its own.
const pgxSchema = `
CREATE TYPE mood AS ENUM ('sad', 'ok', 'it''s');
CREATE DOMAIN positive AS int CHECK (VALUE > 0);
CREATE TABLE every (
	id int PRIMARY KEY, i2 int2, i8 int8, f4 float4, f8 float8, num numeric(10,2), n numeric, b bool,
	t text, v varchar(5), c char(4), raw bytea, u uuid, j json, jb jsonb, d date, ts timestamp, ts0 timestamp(0),
	tz timestamptz, tm time, ttz timetz, iv interval, ip inet, m mood, dom positive, ints int[], texts text[],
	o oid, ch "char", nm name, money money, bits bit(3), x xml, r int4range, p point);
CREATE TABLE texts (id text PRIMARY KEY, v int NOT NULL DEFAULT 7, d numeric NOT NULL DEFAULT 1.50,
	t timestamptz NOT NULL DEFAULT '2024-07-01 12:00:00+00', m mood DEFAULT 'ok', day date DEFAULT '2024-02-29',
	f real DEFAULT 1.1, u uuid DEFAULT 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11');
CREATE TABLE uuids (id uuid PRIMARY KEY, v text);
CREATE TABLE moments (id timestamptz PRIMARY KEY, v text);
CREATE TABLE days (id date, at timestamp, v text, PRIMARY KEY (id, at));
CREATE TABLE bytes (id bytea PRIMARY KEY, v text);
CREATE TABLE counted (id bigserial PRIMARY KEY, v text NOT NULL, n int CHECK (n >= 0), parent uuid REFERENCES uuids);
CREATE TABLE taken (id int PRIMARY KEY, email varchar(20) UNIQUE, n numeric);
INSERT INTO every (id, i2, i8, f4, f8, num, n, b, t, v, c, raw, u, j, jb, d, ts, ts0, tz, tm, ttz, iv, ip, m, dom, ints, texts, o, ch, nm, money, bits, x, r, p)
	SELECT id, 1, 2, 1.1, 2.2, 3.3, 4.40, true, 'a', 'b', 'c', '\x01ff', 'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11', '{"a" : 1}', '{"a" : 1}',
		'2024-02-29', '2024-02-29 12:00:00.5', '2024-02-29 12:00:00.5', '2024-07-31 12:00:00.123456+02', '12:34:56', '12:34:56+02', '1 day',
		'10.0.0.1', 'ok', 1, '{1,2}', '{a,"b c"}', 7, 'q', 'nam', '1.5', '101', '<a/>', '[1,3)', '(1,2)' FROM generate_series(1, 3) AS id;
INSERT INTO every (id, d, ts, tz) VALUES (4, 'infinity', 'infinity', '-infinity'), (5, '0044-03-15 BC', '0044-03-15 BC', '1900-01-01 00:00:00+00'),
	(6, '12345-01-01', '12345-01-01', '12345-01-01 00:00:00+00'), (7, NULL, NULL, NULL);`

// pgxSettings are pgx's ways to send a statement, of which the first is its own choice.
var pgxSettings = []string{
	"timezone=UTC", "timezone=Europe/Berlin",
	"timezone=UTC default_query_exec_mode=describe_exec", "timezone=Europe/Berlin default_query_exec_mode=exec",
	"timezone=UTC default_query_exec_mode=simple_protocol",
}

// TestSameOnPGX runs statements on pgx and on writebehind over pgx: what comes of each,
// and the tables at the end, are the same.
func TestSameOnPGX(t *testing.T) {
	for _, settings := range pgxSettings {
		t.Run(settings, func(t *testing.T) {
			plainDSN, shimDSN := pgxDatabase(t), pgxDatabase(t)
			plain := open(t, "pgx", plainDSN+" "+settings)
			shim := overPGX(t, shimDSN+" "+settings)
			for _, s := range pgxScripts {
				want, got := s.run(plain), s.run(shim)
				require.Len(t, got, len(want), s.name)
				for i := range want {
					if want[i] != got[i] {
						t.Errorf("%s\n pgx:         %s\n writebehind: %s", s.name, want[i], got[i])
					}
				}
			}
			require.NoError(t, writebehind.Flush(context.Background(), shim))
			st, err := writebehind.Stats(shim)
			require.NoError(t, err)
			require.Zero(t, st.RefusedGroups)
			t.Logf("deferred %d cached %d missed %d direct %d", st.Deferred, st.Cached, st.Missed, st.Direct)
			require.Greater(t, st.Deferred, uint64(400))
			require.Greater(t, st.Cached, uint64(700))
			for _, table := range []string{"every", "texts", "uuids", "moments", "days", "bytes", "counted", "taken"} {
				query := "SELECT to_json(t)::text FROM " + table + " t ORDER BY 1"
				require.Equal(t, queried(open(t, "postgres", plainDSN), query), queried(open(t, "postgres", shimDSN), query), table)
			}
		})
	}
}

// overPGX opens the database with all tables opted in.
func overPGX(t *testing.T, dsn string) *sql.DB {
	t.Helper()
	return open(t, "writebehind", behind(t, dsn)+" writebehind.driver=pgx")
}

func pgxDatabase(t *testing.T) string {
	t.Helper()
	dsn := database(t)
	execute(t, dsn, pgxSchema)
	return dsn
}

// script is some statements in a row.
type script struct {
	name string
	run  func(*sql.DB) []string
}

type execer interface {
	Exec(query string, args ...any) (sql.Result, error)
	Query(query string, args ...any) (*sql.Rows, error)
}

// did shows what came of a statement.
func did(on execer, query string, args ...any) string {
	result, err := on.Exec(query, args...)
	if err != nil {
		return shownError(query, args, err)
	}
	n, err := result.RowsAffected()
	_, last := result.LastInsertId()
	return fmt.Sprintf("%s %v: %d %v %v", query, args, n, err, last)
}

// queried shows what a query returns: values with types and zones, and column types.
func queried(on execer, query string, args ...any) string {
	rows, err := on.Query(query, args...)
	if err != nil {
		return shownError(query, args, err)
	}
	defer rows.Close()
	return fmt.Sprintf("%s %v: %s", query, args, shownRows(rows))
}

func shownRows(rows *sql.Rows) string {
	var b strings.Builder
	types, err := rows.ColumnTypes()
	if err != nil {
		return err.Error()
	}
	for _, c := range types {
		length, hasLength := c.Length()
		precision, scale, hasScale := c.DecimalSize()
		nullable, knowsNull := c.Nullable()
		fmt.Fprint(&b, c.Name(), " ", noOID.ReplaceAllString(c.DatabaseTypeName(), "of the schema"), " ", c.ScanType(), length, hasLength, precision, scale, hasScale, nullable, knowsNull, "; ")
	}
	for rows.Next() {
		values, into := make([]any, len(types)), make([]any, len(types))
		for i := range values {
			into[i] = &values[i]
		}
		if err := rows.Scan(into...); err != nil {
			return err.Error()
		}
		b.WriteString("\n  ")
		for _, v := range values {
			if at, ok := v.(time.Time); ok {
				name, offset := at.Zone()
				fmt.Fprintf(&b, "%s %q %q %d %v, ", at.Format(time.RFC3339Nano), at.Location(), name, offset, at.Location() == time.UTC)
				continue
			}
			fmt.Fprintf(&b, "%T %#v, ", v, v)
		}
	}
	fmt.Fprintf(&b, " %T %v", rows.Err(), rows.Err())
	return b.String()
}

// shownError leaves out what repeats a key that was drawn.
func shownError(query string, args []any, err error) string {
	var state interface{ SQLState() string }
	code := ""
	if errors.As(err, &state) {
		code = state.SQLState()
	}
	return fmt.Sprintf("%s %v: %T %s %v", query, args, err, code, noOID.ReplaceAllString(err.Error(), "of the schema"))
}

// noOID is an OID that differs between databases: pgx names a type that it does not know by it.
var noOID = regexp.MustCompile(`\b(1[6-9]|[2-9]\d)\d{3}\b`)

type text string

type number int

type valuer struct{ v any }

func pointer[T any](v T) *T { return &v }

var pointed = pointer("pointed")

var pgxScripts = append([]script{
	{"reads by key", func(db *sql.DB) (seen []string) {
		for range 2 {
			for id := range 9 {
				seen = append(seen, queried(db, "SELECT * FROM every WHERE id = $1", id))
			}
			seen = append(seen, queried(db, "SELECT * FROM every WHERE id = 1"), queried(db, "SELECT tz, d, ts AS other FROM every WHERE id = '2'"),
				queried(db, "SELECT * FROM texts WHERE id = $1", "none"))
		}
		return seen
	}},
	{"reads by list", func(db *sql.DB) (seen []string) {
		for range 2 {
			for _, list := range []any{[]int64{3, 1, 99}, []int32{1, 2}, []int{1, 2}, []string{"1", "2"}, []int64{}, []int64(nil), "{2,1}", pq.Array([]int{1, 3}), []int64{1, math.MaxInt64}, nil} {
				seen = append(seen, queried(db, "SELECT id, num, u, m, tz FROM every WHERE id = ANY($1) ORDER BY id", list))
			}
			seen = append(seen, queried(db, "SELECT id, t FROM every WHERE id IN ($1, $2) ORDER BY id", 1, int64(2)),
				queried(db, "SELECT id, t FROM every WHERE id IN ($1, $2) ORDER BY id LIMIT $3", 1, int64(2), 1),
				queried(db, "SELECT count(*) FROM every WHERE id = $1", 1), queried(db, "SELECT 1 FROM every WHERE id = $1", 1),
				queried(db, "SELECT EXISTS (SELECT 1 FROM every WHERE id = $1)", 77), queried(db, "SELECT id FROM texts WHERE id = ANY($1) ORDER BY id", []string{"a", "b,\"c"}))
		}
		return seen
	}},
	{"keys", func(db *sql.DB) (seen []string) {
		id := "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a12"
		at := time.Date(2024, 10, 27, 1, 30, 0, 123456000, time.UTC)
		day := time.Date(2024, 10, 27, 0, 0, 0, 0, time.UTC)
		east := at.In(time.FixedZone("", 5*3600))
		for _, k := range []struct {
			table string
			key   any
		}{
			{"uuids", id}, {"uuids", strings.ToUpper(id)}, {"uuids", []byte(id)}, {"uuids", [16]byte{1, 2}}, {"uuids", "nonsense"},
			{"moments", at}, {"moments", east.Add(time.Second)}, {"moments", at.Add(999)}, {"moments", "2024-01-01 00:00:00"}, {"moments", "2024-01-01 00:00:00+05"},
			{"bytes", []byte("\x00\xff")}, {"bytes", "text"}, {"bytes", []byte(nil)}, {"bytes", []byte{}},
			{"texts", "plain"}, {"texts", text("named")}, {"texts", pointed}, {"texts", []byte("bytes")}, {"texts", 5}, {"texts", "nul\x00"}, {"texts", "bad\xff"}, {"texts", ""},
		} {
			column := "v"
			value := any("x")
			if k.table == "texts" {
				value = 1
			}
			seen = append(seen,
				did(db, "INSERT INTO "+k.table+" (id, "+column+") VALUES ($1, $2)", k.key, value),
				queried(db, "SELECT * FROM "+k.table+" WHERE id = $1", k.key),
				did(db, "UPDATE "+k.table+" SET v = $1 WHERE id = $2", value, k.key),
				queried(db, "SELECT * FROM "+k.table+" WHERE id = $1", k.key),
				did(db, "INSERT INTO "+k.table+" (id, "+column+") VALUES ($1, $2)", k.key, value))
		}
		for _, at := range []any{at, east, at.Add(time.Nanosecond), "2024-05-05 01:02:03", "2024-05-05T01:02:03Z"} {
			for _, day := range []any{day, east, "2024-05-05"} {
				seen = append(seen, did(db, "INSERT INTO days VALUES ($1, $2, $3)", day, at, "x"),
					queried(db, "SELECT * FROM days WHERE id = $1 AND at = $2", day, at),
					did(db, "DELETE FROM days WHERE id = $1 AND at = $2", day, at))
			}
		}
		return seen
	}},
	{"defaults and RETURNING", func(db *sql.DB) []string {
		return []string{
			did(db, "INSERT INTO texts (id) VALUES ($1)", "defaults"), queried(db, "SELECT * FROM texts WHERE id = $1", "defaults"),
			queried(db, "INSERT INTO texts (id, f) VALUES ($1, NULL) RETURNING *", "returned"),
			queried(db, "INSERT INTO texts (id, f, d, t) VALUES ($1, NULL, $2, $3) RETURNING d, t, m, day, u", "more", 12, time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)),
			queried(db, "UPDATE texts SET v = v + $1, d = d - $2 WHERE id = $3 RETURNING v, d", 5, "0.25", "more"),
			queried(db, "UPDATE texts SET v = v + $1 WHERE id = $2 RETURNING v", -5, "more"),
			queried(db, "DELETE FROM texts WHERE id = $1 RETURNING *", "more"), queried(db, "DELETE FROM texts WHERE id = $1 RETURNING *", "more"),
		}
	}},
	{"upserts", func(db *sql.DB) (seen []string) {
		for i := range 3 {
			seen = append(seen, did(db, "INSERT INTO texts (id, v, d) VALUES ($1, $2, $3) ON CONFLICT (id) DO UPDATE SET v = texts.v + EXCLUDED.v, d = EXCLUDED.d", "up", i, "1.0"),
				did(db, "INSERT INTO texts (id, v) VALUES ($1, $2) ON CONFLICT (id) DO NOTHING", "up", i),
				queried(db, "SELECT * FROM texts WHERE id = $1", "up"))
		}
		return seen
	}},
	{"sequences, foreign keys, unique values, checks", func(db *sql.DB) []string {
		return []string{
			did(db, "INSERT INTO uuids VALUES ($1, $2)", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380aaa", "parent"),
			queried(db, "INSERT INTO counted (v, n, parent) VALUES ($1, $2, $3) RETURNING id", "a", 1, "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380aaa"),
			queried(db, "INSERT INTO counted (v, n) VALUES ($1, $2) RETURNING id", "b", int32(2)),
			queried(db, "SELECT * FROM counted WHERE id = $1", 1), queried(db, "SELECT * FROM counted WHERE id = $1", 2),
			did(db, "UPDATE counted SET n = n - $1 WHERE id = $2", 5, 1), did(db, "UPDATE counted SET n = $1 WHERE id = $2", nil, 1),
			did(db, "UPDATE counted SET v = $1 WHERE id = $2", nil, 1), did(db, "UPDATE counted SET parent = $1 WHERE id = $2", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380bbb", 1),
			did(db, "INSERT INTO taken VALUES ($1, $2, $3)", 1, "a@b", 1.5), did(db, "INSERT INTO taken VALUES ($1, $2, $3)", 2, "a@b", 2),
			did(db, "INSERT INTO taken VALUES ($1, $2, $3)", 1, "b@b", "3"), did(db, "INSERT INTO taken VALUES ($1, $2, $3)", 3, nil, nil),
			did(db, "INSERT INTO taken VALUES ($1, $2, $3), ($4, $5, $6)", 4, "d@b", 1, 5, "e@b", 2),
			did(db, "INSERT INTO taken VALUES ($1, $2, $3)", 6, "longer than twenty characters", 1),
			queried(db, "SELECT * FROM taken WHERE id = $1", 1), queried(db, "SELECT * FROM taken WHERE id = $1 AND n = $2", 1, "1.50"), queried(db, "SELECT * FROM taken WHERE id = $1 AND email = $2", 1, "x"),
		}
	}},
	{"prepared", func(db *sql.DB) (seen []string) {
		for _, query := range []string{"SELECT num, u, tz FROM every WHERE id = $1", "UPDATE every SET t = $2 WHERE id = $1", "SELECT nothing FROM every WHERE id = $1", "DELETE FROM every WHERE id = $1"} {
			s, err := db.Prepare(query)
			if err != nil {
				seen = append(seen, shownError(query, nil, err))
				continue
			}
			for _, args := range [][]any{{1}, {1, "x"}, {"2"}, {}, {nil}, {int64(77)}, {"one"}} {
				rows, err := s.Query(args...)
				if err != nil {
					seen = append(seen, shownError(query, args, err))
					continue
				}
				seen = append(seen, fmt.Sprintf("%s %v %s", query, args, shownRows(rows)))
				rows.Close()
			}
			seen = append(seen, fmt.Sprint(s.Close()))
		}
		return append(seen, did(db, "INSERT INTO every (id, t) VALUES (1, 'back')"))
	}},
	{"transactions", func(db *sql.DB) (seen []string) {
		for _, end := range []func(*sql.Tx) error{(*sql.Tx).Rollback, (*sql.Tx).Commit} {
			for _, more := range []string{"SELECT sum(v) FROM texts", "SELECT nothing", "SAVEPOINT a", "UPDATE texts SET v = 'x' WHERE id = 'tx'"} {
				tx, err := db.Begin()
				if err != nil {
					return append(seen, err.Error())
				}
				seen = append(seen, did(tx, "INSERT INTO texts (id, v) VALUES ($1, $2) ON CONFLICT (id) DO NOTHING", "tx", 1), queried(tx, "SELECT * FROM texts WHERE id = $1", "tx"),
					did(tx, "UPDATE texts SET v = v + 1 WHERE id = $1", "tx"), queried(tx, "SELECT v, t FROM texts WHERE id = $1 FOR UPDATE", "tx"),
					did(tx, more), queried(tx, "SELECT v FROM texts WHERE id = $1", "tx"))
				err = end(tx)
				seen = append(seen, fmt.Sprintf("%T %v", err, err), queried(db, "SELECT * FROM texts WHERE id = $1", "tx"))
			}
		}
		return seen
	}},
	{"transactions at another level", func(db *sql.DB) (seen []string) {
		for _, o := range []sql.TxOptions{{Isolation: sql.LevelSerializable}, {ReadOnly: true}, {Isolation: sql.LevelLinearizable}} {
			tx, err := db.BeginTx(context.Background(), &o)
			if err != nil {
				seen = append(seen, fmt.Sprintf("%T %v", err, err))
				continue
			}
			seen = append(seen, did(tx, "UPDATE texts SET v = v + 1 WHERE id = $1", "tx"), fmt.Sprint(tx.Commit()))
		}
		return seen
	}},
	{"several statements, DDL, sessions", func(db *sql.DB) []string {
		return []string{
			did(db, "UPDATE texts SET v = 3 WHERE id = 'up'; UPDATE texts SET v = v + 1 WHERE id = 'up'"), queried(db, "SELECT v FROM texts WHERE id = $1", "up"),
			did(db, "ALTER TABLE texts ADD COLUMN extra numeric DEFAULT 2.50"),
			queried(db, "SELECT id, extra FROM texts WHERE id = $1", "up"), did(db, "UPDATE texts SET extra = $1 WHERE id = $2", "9.90", "up"), queried(db, "SELECT id, extra FROM texts WHERE id = $1", "up"),
			queried(db, "SHOW timezone"), did(db, "nonsense"), did(db, "UPDATE texts SET v = $1", 1, 2), did(db, "SELECT 1"),
			did(db, "DELETE FROM texts WHERE id = $1", pgx.QueryExecModeSimpleProtocol, "up"), queried(db, "SELECT v FROM texts WHERE id = $1", "up"),
			queried(db, "SELECT v FROM texts WHERE id = $1", pgx.QueryExecModeExec, "plain"), queried(db, "SELECT v FROM texts WHERE id = 'plain'", pgx.QueryExecModeExec),
			queried(db, "SELECT v FROM texts WHERE id = @id", pgx.NamedArgs{"id": "plain"}),
		}
	}},
	{"a context that ends", func(db *sql.DB) (seen []string) {
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		_, err := db.ExecContext(ctx, "UPDATE texts SET v = 99 WHERE id = 'plain'")
		seen = append(seen, fmt.Sprintf("%T %v", err, err))
		return append(seen, queried(db, "SELECT v FROM texts WHERE id = $1", "plain"))
	}},
}, pgxArguments()...)

// pgxArguments sets and compares each column with arguments of every kind.
func pgxArguments() (scripts []script) {
	at := time.Date(2024, 3, 31, 1, 59, 59, 123456000, time.UTC)
	berlin, _ := time.LoadLocation("Europe/Berlin")
	values := []any{
		nil, 0, 1, -1, int64(40000), int64(math.MaxInt64), int8(1), int16(2), int32(3), uint8(4), uint16(5), uint32(6), uint64(7), uint64(math.MaxUint64), uint(8), number(9),
		true, false, pointer(true), 1.5, 0.1, float32(0.1), math.Copysign(0, -1), math.NaN(), math.Inf(1), 1e300, 5e-324, 1.0, 12345678.905,
		"", "a", "abcdef", "ab   ", "1", " 1", "1.255", "NaN", "true", "t", "ok", "it's", "A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A13", `{"k": [1, 2.0]}`, `{"k": "\u0041"}`, "2024-02-30", "2024-02-29",
		"2024-02-29 10:00:00.1234567", "2024-02-29 10:00:00+03", "infinity", `\x6162`, "{1,2}", "epoch", text("named"), pointer("x"), (*string)(nil),
		[]byte("ab"), []byte{}, []byte(nil), []byte("1"), []byte(`{"a": 1}`), []byte{0, 255},
		at, at.Add(600), at.In(berlin), at.In(time.Local), at.In(time.FixedZone("", -5*3600)), at.AddDate(-2020, 0, 0), at.AddDate(9000, 0, 0), pointer(at), time.Time{},
		[]int64{1, 2}, []string{"a"}, pq.Array([]string{"a"}), [16]byte{7}, sql.NullString{String: "a", Valid: true}, sql.NullInt64{}, netip.MustParseAddr("10.0.0.2"), time.Second, valuer{1}, map[string]any{"a": 1},
		pointer(2), pointer(int64(40000)), pointer(uint8(3)), pointer(uint64(math.MaxUint64)), (*int)(nil), pointer(1.5), pointer(float32(0.1)), pointer("ok"), pointer("1"),
		pointer("2024-02-29 10:00:00+03"), pointer("A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A13"), pointer(`{"a" : 1}`), pointer("1.255"), pointer([]byte("ab")), pointer(pointer(1)),
		sql.NullByte{Byte: 4, Valid: true}, sql.NullInt16{Int16: -5, Valid: true}, sql.NullInt32{Int32: 70000, Valid: true}, sql.NullInt64{Int64: 6, Valid: true},
		sql.NullBool{Bool: true, Valid: true}, sql.NullFloat64{Float64: 0.1, Valid: true}, sql.NullFloat64{}, sql.NullTime{Time: at.Add(999), Valid: true}, sql.NullTime{},
		sql.NullString{}, sql.NullString{String: " 1", Valid: true}, sql.NullString{String: "ok", Valid: true}, sql.NullString{String: `{"a" : 1}`, Valid: true}, sql.Null[int]{V: 1, Valid: true},
		at.Add(501), at.Add(999), pointer(at.Add(999)), time.Date(1969, 12, 31, 23, 59, 59, 999999999, time.UTC), time.Date(1903, 5, 6, 7, 8, 9, 1999, berlin), time.Date(2024, 2, 28, 23, 59, 59, 999999999, time.UTC),
	}
	columns := []string{"i2", "i8", "f4", "f8", "num", "n", "b", "t", "v", "c", "raw", "u", "j", "jb", "d", "ts", "ts0", "tz", "tm", "iv", "ip", "m", "dom", "ints", "texts", "x"}
	for _, c := range columns {
		scripts = append(scripts, script{"arguments for " + c, func(db *sql.DB) (seen []string) {
			for _, v := range values {
				seen = append(seen, did(db, "UPDATE every SET "+c+" = $1 WHERE id = $2", v, 3), queried(db, "SELECT "+c+", id FROM every WHERE id = $1", 3),
					queried(db, "SELECT id FROM every WHERE id = $1 AND "+c+" = $2", 3, v))
			}
			return seen
		}})
	}
	for _, c := range []string{"i2", "i8", "f8", "num", "n"} {
		scripts = append(scripts, script{"additions to " + c, func(db *sql.DB) (seen []string) {
			seen = append(seen, did(db, "UPDATE every SET "+c+" = 1 WHERE id = $1", 2))
			for _, v := range []any{1, int64(2), int16(-3), 1.5, "2.255", "x", nil, true, int64(math.MaxInt64), uint8(1), time.Second} {
				seen = append(seen, did(db, "UPDATE every SET "+c+" = "+c+" - $1 WHERE id = $2", v, 2), queried(db, "SELECT "+c+" FROM every WHERE id = $1", 2))
				if v == nil {
					seen = append(seen, did(db, "UPDATE every SET "+c+" = 1 WHERE id = $1", 2))
				}
			}
			return seen
		}})
	}
	return append(scripts, script{"keys of every kind", func(db *sql.DB) (seen []string) {
		for _, v := range values {
			if reflect.TypeOf(v) == reflect.TypeFor[map[string]any]() {
				continue // pgx writes its address into the error
			}
			seen = append(seen, queried(db, "SELECT id, t FROM every WHERE id = $1", v), did(db, "UPDATE every SET i8 = $1 WHERE id = $2", 5, v))
		}
		return seen
	}})
}
