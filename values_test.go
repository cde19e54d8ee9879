package writebehind_test

import (
	"database/sql"
	"fmt"
	"testing"
	"time"

	"github.com/lib/pq"
	"github.com/stretchr/testify/require"
)

// kindsTable has a column of every type that an application is likely to have,
// and rows that are full, empty and at the limits.
const kindsTable = `CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy');
	CREATE TABLE kinds (id int PRIMARY KEY,
	a_small smallint, a_int int, a_big bigint, a_real real, a_double double precision, a_numeric numeric, a_money2 numeric(12,2),
	a_bool bool, a_text text, a_varchar varchar(40), a_char char(6), a_one "char", a_name name, a_bytea bytea, a_uuid uuid,
	a_date date, a_time time, a_timetz timetz, a_ts timestamp, a_ts3 timestamp(3), a_tstz timestamptz, a_interval interval,
	a_json json, a_jsonb jsonb, a_ints int[], a_texts text[], a_inet inet, a_cidr cidr, a_mac macaddr, a_mood mood, a_bits bit varying(8),
	a_cash money, a_xml xml, a_range int4range, a_point point);
	INSERT INTO kinds VALUES (1, -5, 70000, 1, 1.1234567, 0.1, 1.10, 2.5, true, 'schön', 'var', 'ab', 'x', 'nm', '\x00ff41', '0E37DF36-f698-11e6-8dd4-cb9ced3df976',
	'2024-02-29', '12:34:56.789', '12:34:56+05', '2024-03-31 02:30:00.123456', '2024-01-01 00:00:00.1236', '2024-07-01 12:00:00.5+00', '1 mon 2 days 03:04:05',
	'{"a": 1,  "b":[]}', '{"b":1,"a":2}', '{1,NULL,3}', '{a,"b c",NULL}', '10.0.0.1/8', '10.0.0.0/8', '08:00:2b:01:02:03', 'happy', '101', 12.34, '<a/>', '[1,5)', '(1,2)');
	INSERT INTO kinds (id) VALUES (2);
	INSERT INTO kinds (id, a_small, a_int, a_big, a_real, a_double, a_numeric, a_text, a_char, a_bytea, a_date, a_ts, a_tstz) VALUES
	(3, -32768, -2147483648, -9223372036854775808, 'NaN', '-Infinity', 'NaN', '', '', '', '0001-01-01', '4713-01-01 00:00:00 BC', 'infinity'),
	(4, 32767, 2147483647, 9223372036854775807, '1e38', '1e308', 1e100, E'tab\t"quote"\\', ' x', '\x5c78', '9999-12-31', '99999-12-31 23:59:59.999999', '1900-01-01 00:00:00+00');`

func TestCachedReadsAreLikeLibPQs(t *testing.T) {
	forEachAccess(t, kindsTable, func(h *harness, via access) {
		for id := range 6 { // the first and the last are not there
			for _, columns := range []string{"*", "a_tstz, id AS key, a_text", "a_text"} {
				query := `SELECT ` + columns + ` FROM kinds WHERE id = $1`
				want, _, err := via.run(h.past, query, id)
				require.NoError(h, err)
				for range 3 {
					got, _, err := via.run(h.shim, query, id)
					require.NoError(h, err)
					require.Equal(h, want, got, query)
				}
			}
		}
		st := h.stats()
		require.EqualValues(h, 6, st.Missed, "each row is looked up once")
		require.EqualValues(h, 6*9-6, st.Cached)
		require.Zero(h, st.Direct)

		var described [][]string
		for _, db := range []*sql.DB{h.past, h.shim} {
			rows, err := db.Query(`SELECT * FROM kinds WHERE id = 1`)
			require.NoError(h, err)
			described = append(described, metadata(h, rows))
			require.NoError(h, rows.Close())
		}
		require.Equal(h, described[0], described[1])
		require.Greater(h, h.stats().Cached, st.Cached)
	})
}

// celsius and mood are types of an application.
type (
	celsius float64
	mood    string
)

// arguments are values that an application may give to the column, in every Go
// type that database/sql takes for it.
var arguments = []struct {
	column string
	values []any
}{
	{"a_small", []any{int8(-1), int16(300), uint8(200), 7, int64(9), "12", sql.NullInt16{Int16: 3, Valid: true}, sql.NullInt16{}}},
	{"a_int", []any{1, int32(-2), uint16(3), uint32(4), "5", []byte("6"), float64(7), true, sql.NullInt32{}, new(int)}},
	{"a_big", []any{int64(1) << 62, uint64(1) << 62, uint64(1) << 63, -1, "9223372036854775807", sql.NullInt64{Int64: 8, Valid: true}}},
	{"a_real", []any{float32(1.5), 1.123456789, 3, "2.5", 1e-50, 16777217.0}},
	{"a_double", []any{0.1, float32(0.1), celsius(36.6), 1, "1e300", "NaN", sql.NullFloat64{}}},
	{"a_numeric", []any{"1.50", "1e3", 2.5, 7, []byte("0.0"), "NaN", "-0", " 1 "}},
	{"a_money2", []any{"1.5", "1.005", 2.675, 100, "-0.004"}},
	{"a_bool", []any{true, false, "t", "yes", 1, "0", sql.NullBool{}}},
	{"a_text", []any{"plain", []byte("bytes"), mood("ok"), 5, 1.5, true, "", "ünï", sql.NullString{}, time.Date(2024, 1, 2, 3, 4, 5, 0, time.UTC)}},
	{"a_varchar", []any{"x", []byte("y"), 5, "trailing  ", "forty forty forty forty forty forty fort "}},
	{"a_char", []any{"a", "ab    ", "abcdef", "abcdef  ", []byte("z")}},
	{"a_bytea", []any{[]byte{0, 255, 92}, []byte{}, "text", `\x4142`, []byte(nil)}},
	{"a_uuid", []any{"0e37df36f69811e68dd4cb9ced3df976", "{0E37DF36-F698-11E6-8DD4-CB9CED3DF976}", []byte("0e37df36-f698-11e6-8dd4-cb9ced3df976")}},
	{"a_date", []any{time.Date(2024, 2, 29, 23, 0, 0, 0, time.UTC), "2023-01-01", "today", time.Date(2024, 6, 1, 1, 0, 0, 0, time.FixedZone("", 9*3600))}},
	{"a_ts", []any{time.Date(2024, 3, 31, 2, 30, 0, 999999999, time.UTC), "2024-01-01 00:00:00", time.Date(2024, 6, 1, 1, 0, 0, 500, time.FixedZone("", -7*3600))}},
	{"a_ts3", []any{time.Date(2024, 1, 1, 0, 0, 0, 999_600_000, time.UTC), "2024-01-01 00:00:00.0005"}},
	{"a_tstz", []any{time.Date(2024, 10, 27, 1, 30, 0, 0, time.UTC), "2024-07-01 12:00:00+02", "2024-03-31 02:30:00", sql.NullTime{}}},
	{"a_time", []any{"01:02:03", "24:00", time.Date(0, 1, 1, 5, 6, 7, 0, time.UTC)}},
	{"a_json", []any{`{"z":  1}`, []byte(`[1, 2]`), "null"}},
	{"a_jsonb", []any{`{"z":  1, "a": 2}`, []byte(`[1, 2]`), `{"a":1,"a":2}`}},
	{"a_ints", []any{pq.Array([]int{1, 2}), "{}", []int64{3, 4}}},
	{"a_texts", []any{pq.Array([]string{"a,b", `"`}), []string{"x"}}},
	{"a_inet", []any{"10.0.0.1", "::1/128"}},
	{"a_mood", []any{"sad", mood("ok"), []byte("happy")}},
	{"a_interval", []any{"90 minutes", "1 day"}},
}

func TestWrittenValuesComeBackAsPostgreSQLStoresThem(t *testing.T) {
	forEachAccess(t, kindsTable, func(h *harness, via access) {
		_, err := h.past.Exec(`CREATE TABLE plain (LIKE kinds INCLUDING ALL); INSERT INTO plain SELECT * FROM kinds`)
		require.NoError(h, err)
		for _, a := range arguments {
			for _, v := range a.values {
				about := fmt.Sprintf("%s = %T(%v)", a.column, v, v)
				update := `UPDATE %s SET ` + a.column + ` = $1 WHERE id = $2`
				_, _, got := via.run(h.shim, fmt.Sprintf(update, "kinds"), v, 1)
				_, _, want := via.run(h.past, fmt.Sprintf(update, "plain"), v, 1)
				require.Equal(h, text(want), text(got), about)
				read := `SELECT ` + a.column + ` FROM %s WHERE id = $1`
				overlay, _, err := via.run(h.shim, fmt.Sprintf(read, "kinds"), 1)
				require.NoError(h, err, about)
				stored, _, err := via.run(h.past, fmt.Sprintf(read, "plain"), 1)
				require.NoError(h, err, about)
				require.Equal(h, stored, overlay, about)
			}
		}
		st := h.stats()
		if via != queryText { // a write through Query is direct in this version
			require.Greater(h, st.Deferred, uint64(40), "most of them are deferred")
		}
		_, err = h.shim.Exec(`SHOW writebehind.flush`)
		require.NoError(h, err)
		require.Zero(h, h.stats().RefusedGroups)
		require.EqualValues(h, 0, h.value(h.past, `SELECT count(*) FROM kinds JOIN plain USING (id) WHERE kinds::text <> plain::text`), "what is stored is the same")
	})
}

func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
