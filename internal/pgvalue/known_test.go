package pgvalue_test

import (
	"bytes"
	"database/sql/driver"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/lib/pq/oid"
	"github.com/stretchr/testify/require"

	"github.com/writebehind/writebehind/internal/pgvalue"
)

func base(o oid.Oid, mod int32) pgvalue.Type { return pgvalue.Type{OID: uint32(o), Mod: mod} }

// The modifiers of varchar(n) and numeric(p,s), as pg_attribute holds them.
func length(n int32) int32              { return n + 4 }
func precision(p, s int32) int32        { return p<<16 | s + 4 }
func inZone(at time.Time) driver.Value  { return at.In(time.FixedZone("", 0)) }
func numericText(s string) driver.Value { return []byte(s) }

var utc = pgvalue.Session{Location: time.UTC, UTF8: true}

// What an application sends every day must be known, or nothing is deferred.
func TestEverydayValuesAreKnown(t *testing.T) {
	at := time.Date(2024, 2, 29, 12, 34, 56, 123456789, time.FixedZone("", 3600))
	const id = "6ba7b810-9dad-11d1-80b4-00c04fd430c8"
	for _, tt := range []struct {
		typ  pgvalue.Type
		sent driver.Value
		want driver.Value
	}{
		{base(oid.T_int2, -1), int64(-32768), int64(-32768)},
		{base(oid.T_int4, -1), int64(7), int64(7)},
		{base(oid.T_int4, -1), "7", int64(7)},
		{base(oid.T_int8, -1), int64(math.MaxInt64), int64(math.MaxInt64)},
		{base(oid.T_int8, -1), "9223372036854775807", int64(math.MaxInt64)},
		{base(oid.T_int8, -1), 3.0, int64(3)},
		{base(oid.T_float8, -1), 0.1, 0.1},
		{base(oid.T_float8, -1), int64(3), 3.0},
		{base(oid.T_float8, -1), math.Inf(1), math.Inf(1)},
		{base(oid.T_float8, -1), math.Copysign(0, -1), math.Copysign(0, -1)},
		{base(oid.T_float8, -1), "2.50", 2.5},
		{base(oid.T_float4, -1), 1.123456789, 1.1234568},
		{base(oid.T_float4, -1), float64(float32(1.1)), 1.1},
		{base(oid.T_numeric, -1), int64(5), numericText("5")},
		{base(oid.T_numeric, -1), "1.50", numericText("1.50")},
		{base(oid.T_numeric, -1), 0.25, numericText("0.25")},
		{base(oid.T_numeric, precision(10, 2)), "1.5", numericText("1.50")},
		{base(oid.T_numeric, precision(10, 2)), "1.005", numericText("1.01")},
		{base(oid.T_numeric, precision(10, 2)), []byte("19.99"), numericText("19.99")},
		{base(oid.T_numeric, precision(10, 2)), math.NaN(), numericText("NaN")},
		{base(oid.T_bool, -1), true, true},
		{base(oid.T_bool, -1), "true", true},
		{base(oid.T_bool, -1), int64(0), false},
		{base(oid.T_text, -1), "Grüße", "Grüße"},
		{base(oid.T_text, -1), "", ""},
		{base(oid.T_text, -1), []byte("x"), "x"},
		{base(oid.T_text, -1), int64(5), "5"},
		{base(oid.T_text, -1), at, "2024-02-29 12:34:56.123456789+01:00"},
		{base(oid.T_varchar, length(5)), "Grüße", "Grüße"},
		{base(oid.T_varchar, length(2)), "ab  ", "ab"},
		{base(oid.T_bpchar, length(4)), "ab", "ab  "},
		{base(oid.T_bytea, -1), []byte{0, 0xff}, []byte{0, 0xff}},
		{base(oid.T_bytea, -1), "\x00\xff", []byte{0, 0xff}},
		{base(oid.T_bytea, -1), []byte{}, []byte{}},
		{base(oid.T_uuid, -1), id, []byte(id)},
		{base(oid.T_uuid, -1), strings.ToUpper(id), []byte(id)},
		{base(oid.T_uuid, -1), []byte(id), []byte(id)},
		{base(oid.T_date, -1), at, inZone(time.Date(2024, 2, 29, 0, 0, 0, 0, time.UTC))},
		{base(oid.T_date, -1), "2024-02-29", inZone(time.Date(2024, 2, 29, 0, 0, 0, 0, time.UTC))},
		{base(oid.T_timestamp, -1), at, inZone(time.Date(2024, 2, 29, 12, 34, 56, 123457000, time.UTC))},
		{base(oid.T_timestamp, 0), at, inZone(time.Date(2024, 2, 29, 12, 34, 56, 0, time.UTC))},
		{base(oid.T_timestamptz, -1), at, time.Date(2024, 2, 29, 11, 34, 56, 123457000, time.UTC)},
		{base(oid.T_timestamptz, -1), time.Time{}, time.Time{}},
		{base(oid.T_timestamptz, -1), "2024-02-29T12:34:56.5+01:00", time.Date(2024, 2, 29, 11, 34, 56, 500000000, time.UTC)},
		{base(oid.T_timestamptz, -1), "2024-02-29 12:34:56", time.Date(2024, 2, 29, 12, 34, 56, 0, time.UTC)},
		{base(oid.T_json, -1), `{"a": [1, "é"]}`, []byte(`{"a": [1, "é"]}`)},
		{base(oid.T_json, -1), []byte(`null`), []byte(`null`)},
		{pgvalue.Type{Mod: -1, Kind: pgvalue.Enum, Labels: moods}, "sad", []byte("sad")},
		{base(oid.T_jsonb, -1), nil, nil},
		{base(oid.T_bytea, -1), []byte(nil), nil},
	} {
		got, ok := tt.typ.Argument(utc, tt.sent)
		require.True(t, ok, "%+v: %s", tt.typ, show(tt.sent))
		require.True(t, identical(tt.want, got), "%+v: %s gives %s, not %s", tt.typ, show(tt.sent), show(got), show(tt.want))
	}
}

func TestDoubtfulValuesAreNotKnown(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	require.NoError(t, err)
	inBerlin := pgvalue.Session{Location: berlin, UTF8: true}
	now := time.Date(2024, 6, 1, 12, 0, 0, 0, time.UTC)
	for _, tt := range []struct {
		why  string
		s    pgvalue.Session
		typ  pgvalue.Type
		sent driver.Value
	}{
		{"unknown zone", pgvalue.Session{UTF8: true}, base(oid.T_timestamptz, -1), now},
		{"before the zone was compared", inBerlin, base(oid.T_timestamptz, -1), time.Date(1969, 12, 31, 0, 0, 0, 0, time.UTC)},
		{"after the zone was compared", inBerlin, base(oid.T_timestamptz, -1), time.Date(2038, 1, 1, 0, 0, 0, 0, time.UTC)},
		{"local time in a zone with gaps", inBerlin, base(oid.T_timestamptz, -1), "2024-06-01 12:00:00"},
		{"times may be sent as infinity", pgvalue.Session{Location: time.UTC, UTF8: true, InfinityTimes: true}, base(oid.T_timestamp, -1), now},
		{"another encoding", pgvalue.Session{Location: time.UTC}, base(oid.T_text, -1), "é"},
		{"NUL", utc, base(oid.T_text, -1), "a\x00"},
		{"binary format of a number", pgvalue.Session{UTF8: true, BinaryParameters: true}, base(oid.T_int8, -1), []byte("7")},
		{"escapes in text for bytea", pgvalue.Session{UTF8: true, BinaryParameters: true}, base(oid.T_bytea, -1), `a\b`},
		{"too long", utc, base(oid.T_varchar, length(2)), "abc"},
		{"out of range", utc, base(oid.T_int2, -1), int64(32768)},
		{"no integer", utc, base(oid.T_int4, -1), 3.5},
		{"overflow by rounding", utc, base(oid.T_numeric, precision(3, 2)), "9.995"},
		{"infinite numeric", utc, base(oid.T_numeric, -1), math.Inf(1)},
		{"negative scale", utc, base(oid.T_numeric, 3<<16|(-2&0x7ff)+4), "1200"},
		{"unknown label", utc, pgvalue.Type{Kind: pgvalue.Enum, Labels: moods}, "glad"},
		{"depends on the clock", utc, base(oid.T_timestamptz, -1), "now"},
		{"year of five digits", utc, base(oid.T_date, -1), time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)},
		{"year before 1", utc, base(oid.T_date, -1), time.Date(0, 1, 1, 0, 0, 0, 0, time.UTC)},
		{"offset whose sign is lost", utc, base(oid.T_timestamptz, -1), now.In(time.FixedZone("", -30))},
		{"NULL in a domain", utc, pgvalue.Type{Kind: pgvalue.Other}, nil},
		{"no driver value", utc, base(oid.T_int4, -1), 7},
	} {
		_, ok := tt.typ.Argument(tt.s, tt.sent)
		require.False(t, ok, tt.why)
	}
}

// A value in canonical form costs no allocation and is handed back as it is.
func TestCanonicalValuesPassThrough(t *testing.T) {
	for _, tt := range []struct {
		typ pgvalue.Type
		v   driver.Value
	}{
		{base(oid.T_int2, -1), int64(12345)},
		{base(oid.T_int4, -1), int64(1234567)},
		{base(oid.T_int8, -1), int64(1) << 40},
		{base(oid.T_bool, -1), true},
		{base(oid.T_float8, -1), 1.25},
		{base(oid.T_float8, -1), math.NaN()},
		{base(oid.T_float4, -1), 1.1234568},
		{base(oid.T_text, -1), "Grüße"},
		{base(oid.T_varchar, length(20)), "Grüße"},
		{base(oid.T_bpchar, length(5)), "Grüße"},
		{base(oid.T_bytea, -1), []byte{0, 1}},
		{base(oid.T_date, -1), inZone(time.Date(2024, 2, 29, 0, 0, 0, 0, time.UTC))},
		{base(oid.T_timestamp, -1), inZone(time.Date(2024, 2, 29, 1, 2, 3, 4000, time.UTC))},
		{base(oid.T_timestamptz, -1), time.Date(2024, 2, 29, 1, 2, 3, 4000, time.UTC)},
		{base(oid.T_timestamptz, 3), time.Date(2024, 2, 29, 1, 2, 3, 4000000, time.UTC)},
	} {
		var stored, compared driver.Value
		allocs := testing.AllocsPerRun(100, func() {
			stored, _ = tt.typ.Argument(utc, tt.v)
			compared, _ = tt.typ.Compare(utc, tt.v)
		})
		require.Zero(t, allocs, "%+v: %s", tt.typ, show(tt.v))
		require.True(t, identical(tt.v, stored) && identical(tt.v, compared), show(tt.v))
	}
	for o, text := range map[oid.Oid]string{
		oid.T_numeric: "12.50", oid.T_uuid: "6ba7b810-9dad-11d1-80b4-00c04fd430c8", oid.T_json: "[1]", oid.T_bytea: "x",
	} {
		sent := []byte(text)
		stored, ok := base(o, -1).Argument(utc, sent)
		require.True(t, ok)
		require.Same(t, &sent[0], &stored.([]byte)[0], "%d", o)
	}
}

// Keys of several columns stay apart: what one value ends with is not what the
// next begins with.
func TestCompositeKeysAreUnambiguous(t *testing.T) {
	text := base(oid.T_text, -1)
	key := func(values ...string) []byte {
		var dst []byte
		for _, v := range values {
			var ok bool
			dst, ok = text.AppendKey(dst, v)
			require.True(t, ok)
		}
		return dst
	}
	require.NotEqual(t, key("ab", "c"), key("a", "bc"))
	require.NotEqual(t, key("", "a"), key("a", ""))
	require.NotEqual(t, key(strings.Repeat("a", 200), ""), key(strings.Repeat("a", 199), "a"))

	integer := base(oid.T_int8, -1)
	low, _ := integer.AppendKey(nil, int64(-5))
	high, _ := integer.AppendKey(nil, int64(3))
	require.Negative(t, bytes.Compare(low, high))

	for _, o := range []oid.Oid{oid.T_bpchar, oid.T_numeric, oid.T_float8, oid.T_json} {
		require.False(t, base(o, -1).KeyType())
		for _, v := range []driver.Value{"1", []byte("1"), 1.0} {
			_, ok := base(o, -1).AppendKey(nil, v)
			require.False(t, ok)
		}
	}
	_, ok := base(oid.T_timestamp, -1).AppendKey(nil, []byte("infinity"))
	require.False(t, ok)
	_, ok = integer.AppendKey(nil, nil)
	require.False(t, ok)
}
