package pgvalue

import (
	"database/sql/driver"
	"math"
	"testing"

	"github.com/lib/pq/oid"
	"github.com/stretchr/testify/require"
)

func TestIncrement(t *testing.T) {
	numeric := func(mod int32) Type { return Type{OID: uint32(oid.T_numeric), Mod: mod} }
	two := numeric(modHeader + 10<<16 + 2)
	integer := Type{OID: uint32(oid.T_int4), Mod: -1}
	for _, c := range []struct {
		t        Type
		v        driver.Value
		subtract bool
		want     driver.Value // nil: it is not kept as an increment
	}{
		{integer, int64(5), false, int64(5)},
		{integer, int64(5), true, int64(-5)},
		{Type{OID: uint32(oid.T_int2), Mod: -1}, int64(40000), true, int64(-40000)},
		{Type{OID: uint32(oid.T_int8), Mod: -1}, int64(math.MinInt64), false, int64(math.MinInt64)},
		{Type{OID: uint32(oid.T_int8), Mod: -1}, int64(math.MinInt64), true, nil},
		{two, []byte("1.25"), false, []byte("1.25")},
		{two, []byte("1.25"), true, []byte("-1.25")},
		{two, []byte("1.250"), false, nil},
		{two, []byte("NaN"), false, nil},
		{numeric(-1), []byte("1.250"), false, []byte("1.250")},
		{numeric(-1), []byte("1.250"), true, []byte("-1.250")},
		{two, int64(1), false, nil},
		{integer, []byte("1"), false, nil},
		{integer, "1", false, nil},
		{Type{OID: uint32(oid.T_float8), Mod: -1}, 1.5, false, nil},
	} {
		got, ok := c.t.Increment(c.v, c.subtract)
		require.Equal(t, c.want != nil, ok, "%v", c)
		if ok {
			require.Equal(t, c.want, got)
		}
	}
}
