package cachekeys

import (
	"bytes"
	"database/sql/driver"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/lib/pq/oid"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/writebehind/writebehind/internal/catalog"
	"github.com/writebehind/writebehind/internal/pgvalue"
)

// keyTypes are the types a key may be made of, each with its canonical values.
var keyTypes = map[oid.Oid]*rapid.Generator[driver.Value]{
	oid.T_int2: integers(-1<<15, 1<<15-1),
	oid.T_int4: integers(-1<<31, 1<<31-1),
	oid.T_int8: integers(-1<<63, 1<<63-1),
	oid.T_bool: rapid.Map(rapid.Bool(), func(b bool) driver.Value { return b }),
	// Few letters, so that values run into each other.
	oid.T_text:    rapid.Map(rapid.StringMatching("[a\x01\x02]{0,4}"), func(s string) driver.Value { return s }),
	oid.T_varchar: rapid.Map(rapid.String(), func(s string) driver.Value { return s }),
	oid.T_bytea: rapid.Map(rapid.SliceOfN(rapid.ByteMax(3), 0, 4), func(b []byte) driver.Value {
		return append([]byte{}, b...)
	}),
	oid.T_uuid: rapid.Map(rapid.Uint8(), func(n uint8) driver.Value {
		return fmt.Appendf(nil, "%08x-0000-4000-8000-0000000000%02x", n/16, n%16)
	}),
	oid.T_date:        times(24*time.Hour, time.FixedZone("", 0)),
	oid.T_timestamp:   times(time.Microsecond, time.FixedZone("", 0)),
	oid.T_timestamptz: times(time.Microsecond, time.UTC),
}

func integers(from, to int64) *rapid.Generator[driver.Value] {
	return rapid.Map(rapid.Int64Range(from, to), func(n int64) driver.Value { return n })
}

func times(unit time.Duration, zone *time.Location) *rapid.Generator[driver.Value] {
	return rapid.Map(rapid.Int64Range(-1000, 1000), func(n int64) driver.Value {
		return time.Unix(0, 0).Add(time.Duration(n) * unit).In(zone)
	})
}

// table makes a relation whose key columns are of these types, in an order that
// is not that of the columns.
func table(number uint32, types []oid.Oid) *catalog.Relation {
	r := &catalog.Relation{OID: number}
	for i, t := range types {
		r.Columns = append(r.Columns, catalog.Column{Type: pgvalue.Type{OID: uint32(t), Mod: -1}})
		r.Key = append(r.Key, len(types)-1-i)
	}
	return r
}

// values draws a key, in key order.
func values(t *rapid.T, r *catalog.Relation, label string) []driver.Value {
	v := make([]driver.Value, len(r.Key))
	for i, column := range r.Key {
		v[i] = keyTypes[oid.Oid(r.Columns[column].Type.OID)].Draw(t, label)
	}
	return v
}

// same compares values as PostgreSQL would.
func same(a, b []driver.Value) bool {
	for i := range a {
		switch x := a[i].(type) {
		case time.Time:
			if !x.Equal(b[i].(time.Time)) {
				return false
			}
		case []byte:
			if !bytes.Equal(x, b[i].([]byte)) {
				return false
			}
		default:
			if a[i] != b[i] {
				return false
			}
		}
	}
	return true
}

func drawTypes(t *rapid.T) []oid.Oid {
	all := slices.Sorted(maps.Keys(keyTypes)) // the same order each time, or rapid cannot shrink
	return rapid.SliceOfN(rapid.SampledFrom(all), 1, 4).Draw(t, "types")
}

func TestKeysAreEqualExactlyWhenTheirValuesAre(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := table(7, drawTypes(t))
		a, b := values(t, r, "a"), values(t, r, "b")
		x, ok := Append(nil, r, a)
		require.True(t, ok)
		y, ok := Append(nil, r, b)
		require.True(t, ok)
		require.Equal(t, same(a, b), bytes.Equal(x, y))

		again, ok := Append(nil, r, append([]driver.Value(nil), a...))
		require.True(t, ok)
		require.Equal(t, x, again)
	})
}

func TestKeysOfDifferentTablesAreDifferent(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := table(rapid.Uint32().Draw(t, "oid a"), drawTypes(t))
		b := table(rapid.Uint32().Draw(t, "oid b"), drawTypes(t))
		if a.OID == b.OID {
			t.Skip("one table")
		}
		x, ok := Append(nil, a, values(t, a, "a"))
		require.True(t, ok)
		y, ok := Append(nil, b, values(t, b, "b"))
		require.True(t, ok)
		require.NotEqual(t, x, y)
		require.NotEqual(t, x[:PrefixSize], y[:PrefixSize])
	})
}

func TestKeyIsAppended(t *testing.T) {
	r := table(7, []oid.Oid{oid.T_int8})
	alone, ok := Append(nil, r, []driver.Value{int64(1)})
	require.True(t, ok)
	after, ok := Append([]byte("before"), r, []driver.Value{int64(1)})
	require.True(t, ok)
	require.Equal(t, "before"+string(alone), string(after))
}

func TestOneInstantIsOneKeyInAnyZone(t *testing.T) {
	r := table(7, []oid.Oid{oid.T_timestamptz})
	at := time.Date(2024, 5, 6, 7, 8, 9, 1000, time.UTC)
	x, ok := Append(nil, r, []driver.Value{at})
	require.True(t, ok)
	y, ok := Append(nil, r, []driver.Value{at.In(time.FixedZone("", 3600))})
	require.True(t, ok)
	require.Equal(t, x, y)
}

func TestNoKey(t *testing.T) {
	bigint := []oid.Oid{oid.T_int8}
	for name, c := range map[string]struct {
		types  []oid.Oid
		values []driver.Value
	}{
		"null":             {bigint, []driver.Value{nil}},
		"second is null":   {[]oid.Oid{oid.T_int8, oid.T_text}, []driver.Value{"a", nil}},
		"too few":          {[]oid.Oid{oid.T_int8, oid.T_int8}, []driver.Value{int64(1)}},
		"too many":         {bigint, []driver.Value{int64(1), int64(2)}},
		"none":             {bigint, nil},
		"of another type":  {bigint, []driver.Value{"1"}},
		"no type of keys":  {[]oid.Oid{oid.T_numeric}, []driver.Value{[]byte("1")}},
		"a float":          {[]oid.Oid{oid.T_float8}, []driver.Value{1.0}},
		"part of a moment": {[]oid.Oid{oid.T_timestamp}, []driver.Value{time.Unix(0, 1)}},
	} {
		t.Run(name, func(t *testing.T) {
			_, ok := Append(nil, table(7, c.types), c.values)
			require.False(t, ok)
		})
	}
}

// FuzzAppend looks for two pairs of strings that make the same key.
func FuzzAppend(f *testing.F) {
	f.Add("a", []byte("b"), "ab", []byte(""))
	f.Add("", []byte("\x01a"), "\x01a", []byte(""))
	f.Add("\x00", []byte{}, "", []byte{0})
	f.Add("same", []byte("same"), "same", []byte("same"))
	r := table(7, []oid.Oid{oid.T_bytea, oid.T_text})
	f.Fuzz(func(t *testing.T, s1 string, b1 []byte, s2 string, b2 []byte) {
		if b1 == nil || b2 == nil {
			return
		}
		x, ok := Append(nil, r, []driver.Value{s1, b1})
		require.True(t, ok)
		y, ok := Append(nil, r, []driver.Value{s2, b2})
		require.True(t, ok)
		require.Equal(t, s1 == s2 && bytes.Equal(b1, b2), bytes.Equal(x, y))
	})
}

func TestAppendAllocatesNothing(t *testing.T) {
	r := table(7, []oid.Oid{oid.T_timestamptz, oid.T_uuid, oid.T_text, oid.T_int8})
	v := []driver.Value{int64(1), "text", []byte("00000000-0000-4000-8000-000000000000"), time.Unix(0, 0)}
	dst := make([]byte, 0, 100)
	require.Zero(t, testing.AllocsPerRun(100, func() {
		if _, ok := Append(dst, r, v); !ok {
			panic("no key")
		}
	}))
}

func BenchmarkAppend(b *testing.B) {
	r := table(7, []oid.Oid{oid.T_int8})
	v := []driver.Value{int64(1)}
	var key []byte
	b.ReportAllocs()
	for b.Loop() {
		key, _ = Append(key[:0], r, v)
	}
}
