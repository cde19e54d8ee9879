package pgvalue

import (
	"database/sql/driver"
	"math"
	"strconv"
	"time"

	"github.com/lib/pq"
	"github.com/lib/pq/oid"
)

// Argument returns what lib/pq returns for a column of type t after v was
// stored in it, where v was bound to a parameter that the server resolved to
// t's type. The length modifier applies as it does on assignment. ok is false
// when that is not known, which includes every value that PostgreSQL refuses.
//
// A value that already is canonical is returned as it is, without a copy: a
// []byte still is the caller's.
func (t Type) Argument(s Session, v driver.Value) (stored driver.Value, ok bool) {
	return t.bound(s, v, true)
}

// Compare returns the value that v has in a comparison "column = $n" with a
// column of type t. No length modifier applies. The result is for Equal,
// AppendKey, AppendText and Add; a timestamptz keeps the location it came with.
// ok is false when the value is not known or the type has no equality.
func (t Type) Compare(s Session, v driver.Value) (value driver.Value, ok bool) {
	if !t.hasEquality() {
		return nil, false
	}
	return t.bound(s, v, false)
}

// bound returns the value of type t that the bound argument v becomes.
func (t Type) bound(s Session, v driver.Value, assign bool) (driver.Value, bool) {
	if s.Strict {
		var ok bool
		if v, ok = t.sure(s, v); !ok {
			return nil, false
		}
	}
	if b, isBytes := v.([]byte); v == nil || isBytes && b == nil {
		return nil, t.Kind != Other // lib/pq sends a nil []byte as NULL too
	}
	if !t.supported() {
		return nil, false
	}
	switch a := v.(type) {
	case int64:
		if lo, hi, ok := t.integerRange(); ok {
			return v, lo <= a && a <= hi
		}
		return t.parse(s, strconv.FormatInt(a, 10), nil, assign)
	case bool:
		if t.is(oid.T_bool) {
			return v, true
		}
		return t.parse(s, strconv.FormatBool(a), nil, assign)
	case float64:
		return t.boundFloat(s, a, v, assign)
	case string:
		if t.is(oid.T_bytea) && !s.BinaryParameters {
			// lib/pq writes it in hex, so that any byte is welcome.
			return []byte(a), len(a) <= maxWidth
		}
		return t.parse(s, a, v, assign)
	case []byte:
		return t.boundBytes(s, a, v, assign)
	case time.Time:
		return t.boundTime(s, a, v, assign)
	}
	return nil, false
}

func (t Type) boundFloat(s Session, f float64, v driver.Value, assign bool) (driver.Value, bool) {
	switch {
	case t.is(oid.T_float8):
		if f != f && math.Float64bits(f) != math.Float64bits(math.NaN()) {
			return math.NaN(), true
		}
		return v, !subnormal(f, minNormal64)
	case t.is(oid.T_float4):
		if g, ok := canonicalFloat4(float32(f)); ok && math.Float64bits(g) == math.Float64bits(f) {
			return v, true
		}
	}
	return t.parse(s, strconv.FormatFloat(f, 'f', -1, 64), nil, assign)
}

func (t Type) boundBytes(s Session, b []byte, v driver.Value, assign bool) (driver.Value, bool) {
	if t.is(oid.T_bytea) {
		return v, len(b) <= maxWidth
	}
	if s.BinaryParameters && t.Kind == Base {
		switch oid.Oid(t.OID) {
		case oid.T_text, oid.T_varchar, oid.T_bpchar, oid.T_json:
			// Their binary format is their text.
		default:
			return nil, false
		}
	}
	return t.parse(s, string(b), v, assign)
}

func (t Type) boundTime(s Session, at time.Time, v driver.Value, assign bool) (driver.Value, bool) {
	if !knownTime(s, at) {
		return nil, false
	}
	if t.Kind == Base {
		switch oid.Oid(t.OID) {
		case oid.T_date:
			y, m, d := at.Date()
			return keepOrBox(v, time.Date(y, m, d, 0, 0, 0, 0, noZone())), true
		case oid.T_timestamp:
			y, m, d := at.Date()
			hour, minute, second := at.Clock()
			local := time.Date(y, m, d, hour, minute, second, 0, noZone()).Add(microseconds(at.Nanosecond()))
			return t.storeTimestamp(local, v, assign)
		case oid.T_timestamptz:
			instant := at.Add(microseconds(at.Nanosecond()) - time.Duration(at.Nanosecond()))
			return t.storeInstant(s, instant, v, assign)
		}
	}
	return t.parse(s, string(pq.FormatTimestamp(at)), nil, assign)
}
