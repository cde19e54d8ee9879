package pgvalue_test

import (
	"database/sql"
	"database/sql/driver"
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/lib/pq/oid"
	"github.com/stretchr/testify/require"

	"github.com/writebehind/writebehind/internal/pgvalue"
)

var strict = pgvalue.Session{Location: time.UTC, UTF8: true, Strict: true}

// onPGX is a session of pgx, which cuts times.
var onPGX = pgvalue.Session{Location: time.UTC, UTF8: true, Strict: true, CutsTimes: true}

func pointer[T any](v T) *T { return &v }

// TestOnlyArgumentsThatEveryDriverTakesAlikeAreKnown: the right column is what an
// argument is stored as, nil if that is not known.
func TestOnlyArgumentsThatEveryDriverTakesAlikeAreKnown(t *testing.T) {
	at := time.Date(2024, 7, 31, 23, 59, 58, 123456000, time.UTC)
	east := at.In(time.FixedZone("", 3600))
	label := pgvalue.Type{OID: 99999, Kind: pgvalue.Enum, Labels: []string{"ok"}}
	for _, c := range []struct {
		of     pgvalue.Type
		given  driver.Value
		stored driver.Value
	}{
		{base(oid.T_int4, -1), 7, int64(7)},
		{base(oid.T_int4, -1), int16(7), int64(7)},
		{base(oid.T_int4, -1), int32(7), int64(7)},
		{base(oid.T_int2, -1), 40000, nil},
		{base(oid.T_int4, -1), int8(-7), int64(-7)},
		{base(oid.T_int4, -1), uint8(7), int64(7)},
		{base(oid.T_int2, -1), uint16(40000), nil},
		{base(oid.T_int8, -1), uint32(math.MaxUint32), int64(math.MaxUint32)},
		{base(oid.T_int8, -1), uint64(math.MaxInt64), int64(math.MaxInt64)},
		{base(oid.T_int8, -1), uint64(math.MaxInt64 + 1), nil},
		{base(oid.T_numeric, -1), uint(math.MaxInt64 + 1), nil},
		{base(oid.T_numeric, -1), uint(7), []byte("7")},
		{base(oid.T_float8, -1), float32(0.5), nil},
		{base(oid.T_int4, -1), pointer(7), int64(7)},
		{base(oid.T_int4, -1), pointer(uint8(7)), int64(7)},
		{base(oid.T_int4, -1), pointer("7"), int64(7)},
		{base(oid.T_int4, -1), pointer(pointer(7)), nil},
		{base(oid.T_text, -1), pointer("a"), "a"},
		{base(oid.T_text, -1), pointer([]byte("a")), nil},
		{base(oid.T_json, -1), pointer("{}"), nil},
		{base(oid.T_json, -1), "{}", []byte("{}")},
		{base(oid.T_json, -1), []byte("{}"), nil},
		{base(oid.T_text, -1), sql.NullString{String: "a", Valid: true}, "a"},
		{base(oid.T_int4, -1), sql.NullString{String: "7", Valid: true}, nil},
		{base(oid.T_int4, -1), sql.NullInt64{Int64: 7, Valid: true}, int64(7)},
		{base(oid.T_int4, -1), sql.NullByte{Byte: 7, Valid: true}, int64(7)},
		{base(oid.T_text, -1), sql.NullInt32{Int32: 7, Valid: true}, nil},
		{base(oid.T_bool, -1), sql.NullBool{Bool: true, Valid: true}, true},
		{base(oid.T_float8, -1), sql.NullFloat64{Float64: math.NaN(), Valid: true}, nil},
		{base(oid.T_timestamptz, -1), sql.NullTime{Time: at.Add(1), Valid: true}, nil},
		{base(oid.T_int4, -1), true, nil},
		{base(oid.T_int4, -1), "7", int64(7)},
		{base(oid.T_numeric, -1), 7, []byte("7")},
		{base(oid.T_numeric, -1), 7.5, nil},
		{base(oid.T_text, -1), 7, nil},
		{base(oid.T_text, -1), []byte("a"), nil},
		{base(oid.T_text, -1), "a", "a"},
		{base(oid.T_bool, -1), int64(1), nil},
		{base(oid.T_bool, -1), true, true},
		{base(oid.T_float8, -1), 1.5, 1.5},
		{base(oid.T_float8, -1), 1, nil},
		{base(oid.T_float8, -1), math.Copysign(0, -1), nil},
		{base(oid.T_float8, -1), math.NaN(), nil},
		{base(oid.T_float8, -1), math.Inf(1), nil},
		{base(oid.T_float4, -1), 1.5, nil},
		{base(oid.T_bytea, -1), []byte{0, 255}, []byte{0, 255}},
		{base(oid.T_bytea, -1), "a", nil},
		{base(oid.T_bytea, -1), []byte(nil), nil},
		{label, "ok", []byte("ok")},
		{label, []byte("ok"), nil},
		{base(oid.T_timestamptz, -1), at.Add(1), nil},
		{base(oid.T_date, -1), east, nil},
		{base(oid.T_timestamp, -1), east, nil},
		{base(oid.T_timestamp, -1), at.Add(1), nil},
		{base(oid.T_text, -1), at, nil},
	} {
		got, ok := c.of.Argument(strict, c.given)
		require.Equal(t, c.stored != nil, ok, "%d %T %v", c.of.OID, c.given, c.given)
		if ok {
			require.Equal(t, c.stored, got)
		}
	}
	for of, want := range map[oid.Oid]time.Time{
		oid.T_timestamptz: at, oid.T_timestamp: at, oid.T_date: at.Truncate(24 * time.Hour),
	} {
		got, ok := base(of, -1).Argument(strict, at)
		require.True(t, ok)
		require.True(t, want.Equal(got.(time.Time)))
	}
	got, ok := base(oid.T_timestamptz, -1).Argument(strict, east)
	require.True(t, ok)
	require.True(t, at.Equal(got.(time.Time)))
	for _, null := range []driver.Value{nil, (*int)(nil), (*string)(nil), sql.NullString{}, sql.NullInt64{}, sql.NullTime{}} {
		v, ok := base(oid.T_int4, -1).Argument(strict, null)
		require.True(t, ok)
		require.Nil(t, v)
		_, ok = base(oid.T_json, -1).Argument(strict, null)
		require.Equal(t, null == nil, ok, "JSON has a null of its own")
	}
	for _, of := range []oid.Oid{oid.T_timestamptz, oid.T_timestamp, oid.T_date} {
		want, _ := base(of, -1).Argument(onPGX, at)
		for _, given := range []driver.Value{at.Add(999), pointer(at.Add(501)), sql.NullTime{Time: at.Add(1), Valid: true}} {
			got, ok := base(of, -1).Argument(onPGX, given)
			require.True(t, ok)
			require.Equal(t, want, got)
		}
	}
	_, ok = base(oid.T_date, -1).Argument(strict.Own(), east)
	require.True(t, ok, "what is made here is no argument of a driver")
}

func TestListsOfKeysAsSlices(t *testing.T) {
	for _, c := range []struct {
		of   oid.Oid
		list driver.Value
		want []driver.Value // nil: not known
	}{
		{oid.T_int4, []int64{1, 2}, []driver.Value{int64(1), int64(2)}},
		{oid.T_int4, []int64{1, math.MaxInt64}, nil},
		{oid.T_int8, []int32{1}, []driver.Value{int64(1)}},
		{oid.T_int4, []int64(nil), nil},
		{oid.T_int4, []int64{1, 2, 3, 4}, nil},
		{oid.T_text, []string{"a", "b"}, []driver.Value{"a", "b"}},
		{oid.T_uuid, []string{"a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"}, nil},
		{oid.T_int4, []string{"1"}, nil},
		{oid.T_int4, "{1,2}", []driver.Value{int64(1), int64(2)}},
		{oid.T_int4, []byte("{1,2}"), nil},
	} {
		got, ok := base(c.of, -1).Array(strict, c.list, 3)
		require.Equal(t, c.want != nil, ok, fmt.Sprint(c.of, c.list))
		if ok {
			require.Equal(t, c.want, got)
		}
	}
	_, ok := base(oid.T_int4, -1).Array(pgvalue.Session{UTF8: true}, []int64{1}, 3)
	require.False(t, ok, "lib/pq has made a text of it")
}
