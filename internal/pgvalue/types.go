package pgvalue

import (
	"math"

	"github.com/lib/pq/oid"
)

// maxWidth is the widest value, in bytes, of which anything is known: far below
// what a message, in hex, or a row can hold.
const maxWidth = 64 << 20

func (t Type) is(o oid.Oid) bool {
	return t.Kind == Base && oid.Oid(t.OID) == o
}

// supported says whether the values of t are known at all.
func (t Type) supported() bool {
	if t.Kind == Enum {
		return true
	}
	return t.hasEquality() || t.is(oid.T_json)
}

// hasEquality says whether t is a known type with an "=" operator.
func (t Type) hasEquality() bool {
	switch t.Kind {
	case Enum:
		return true
	case Base:
		switch oid.Oid(t.OID) {
		case oid.T_bool, oid.T_int2, oid.T_int4, oid.T_int8, oid.T_float4, oid.T_float8, oid.T_numeric,
			oid.T_text, oid.T_varchar, oid.T_bpchar, oid.T_bytea, oid.T_uuid,
			oid.T_date, oid.T_timestamp, oid.T_timestamptz:
			return true
		}
	}
	return false
}

// KeyType says whether a column of type t can be part of a row key: its equal
// values have one canonical form only.
func (t Type) KeyType() bool {
	if t.Kind != Base {
		return false
	}
	switch oid.Oid(t.OID) {
	case oid.T_bool, oid.T_int2, oid.T_int4, oid.T_int8, oid.T_text, oid.T_varchar, oid.T_bytea, oid.T_uuid,
		oid.T_date, oid.T_timestamp, oid.T_timestamptz:
		return true
	}
	return false
}

// OrderedByBytes says that the order of a key of type t depends on no collation.
func (t Type) OrderedByBytes() bool { return t.KeyType() && !t.is(oid.T_text) && !t.is(oid.T_varchar) }

// integerRange returns the bounds of an integer type; ok is false for others.
func (t Type) integerRange() (lo, hi int64, ok bool) {
	switch {
	case t.is(oid.T_int2):
		return math.MinInt16, math.MaxInt16, true
	case t.is(oid.T_int4):
		return math.MinInt32, math.MaxInt32, true
	case t.is(oid.T_int8):
		return math.MinInt64, math.MaxInt64, true
	}
	return 0, 0, false
}
