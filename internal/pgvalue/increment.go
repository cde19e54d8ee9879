package pgvalue

import (
	"database/sql/driver"

	"github.com/lib/pq/oid"
)

// IncrementType returns the type in which what is added to a column of type t is
// summed up, so that adding the sum is the same as adding one by one: bigint for
// the integers, numeric without a length for numeric. ok is false for other
// types: with double precision, the order of additions matters.
func (t Type) IncrementType() (sums Type, ok bool) {
	if _, _, integer := t.integerRange(); integer {
		return Type{OID: uint32(oid.T_int8), Mod: -1}, true
	}
	if t.is(oid.T_numeric) {
		return Type{OID: uint32(oid.T_numeric), Mod: -1}, true
	}
	return Type{}, false
}

// Increment returns v, or -v to subtract, as a value of t's IncrementType. ok is
// false if t has none, and for a number of more decimal places than a column of
// type t keeps: it would be rounded with each addition.
func (t Type) Increment(v driver.Value, subtract bool) (delta driver.Value, ok bool) {
	sums, ok := t.IncrementType()
	if !ok {
		return nil, false
	}
	switch v := v.(type) {
	case int64:
		if _, _, integer := t.integerRange(); !integer {
			return nil, false
		}
		if !subtract {
			return v, true
		}
		return sums.Add(int64(0), v, true)
	case []byte:
		if !t.is(oid.T_numeric) {
			return nil, false
		}
		d, ok := parseDecimal(string(v))
		if !ok || t.Mod >= modHeader && d.scale > int(t.Mod-modHeader)&0xffff {
			return nil, false
		}
		return sums.Add([]byte("0"), v, subtract)
	}
	return nil, false
}
