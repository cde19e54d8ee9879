package pgvalue_test

import (
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
		{base(oid.T_int4, -1), uint8(7), nil},
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
	v, ok := base(oid.T_int4, -1).Argument(strict, nil)
	require.True(t, ok)
	require.Nil(t, v)
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
