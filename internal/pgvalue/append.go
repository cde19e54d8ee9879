package pgvalue

import (
	"database/sql/driver"
	"encoding/hex"
	"math"
	"strconv"
	"time"

	"github.com/lib/pq/oid"
)

// AppendText appends the text, not quoted, that PostgreSQL reads back as exactly
// the value v of type t, whatever the session's TimeZone. v is canonical and not
// nil. ok is false, and dst is returned as it was, if v is not of t's Go type or
// nothing is known of t.
func (t Type) AppendText(dst []byte, v driver.Value) (text []byte, ok bool) {
	if t.Kind == Enum {
		label, ok := v.([]byte)
		return append(dst, label...), ok
	}
	if t.Kind != Base {
		return dst, false
	}
	switch oid.Oid(t.OID) {
	case oid.T_int2, oid.T_int4, oid.T_int8:
		n, ok := v.(int64)
		if !ok {
			return dst, false
		}
		return strconv.AppendInt(dst, n, 10), true
	case oid.T_bool:
		b, ok := v.(bool)
		if !ok {
			return dst, false
		}
		return strconv.AppendBool(dst, b), true
	case oid.T_float4:
		f, ok := v.(float64)
		return appendFloat(dst, float64(float32(f)), 32, ok)
	case oid.T_float8:
		f, ok := v.(float64)
		return appendFloat(dst, f, 64, ok)
	case oid.T_text, oid.T_varchar, oid.T_bpchar:
		s, ok := v.(string)
		return append(dst, s...), ok
	case oid.T_numeric, oid.T_uuid, oid.T_json:
		b, ok := v.([]byte)
		return append(dst, b...), ok
	case oid.T_bytea:
		b, ok := v.([]byte)
		if !ok {
			return dst, false
		}
		return hex.AppendEncode(append(dst, `\x`...), b), true
	case oid.T_date, oid.T_timestamp, oid.T_timestamptz:
		if infinity, ok := v.([]byte); ok {
			return append(dst, infinity...), true
		}
		at, ok := v.(time.Time)
		if !ok || at.Nanosecond()%int(time.Microsecond) != 0 {
			return dst, false
		}
		return t.appendTime(dst, at), true
	}
	return dst, false
}

func appendFloat(dst []byte, f float64, bits int, ok bool) ([]byte, bool) {
	switch {
	case !ok:
		return dst, false
	case math.IsInf(f, 1):
		return append(dst, "Infinity"...), true
	case math.IsInf(f, -1):
		return append(dst, "-Infinity"...), true
	}
	return strconv.AppendFloat(dst, f, 'g', -1, bits), true
}

// appendTime writes years beyond 9999 with more digits and those before 1 as BC.
func (t Type) appendTime(dst []byte, at time.Time) []byte {
	if t.is(oid.T_timestamptz) {
		at = at.UTC()
	}
	year, month, day := at.Date()
	bc := year <= 0
	if bc {
		year = 1 - year
	}
	dst = appendPadded(dst, year, 4)
	dst = appendPadded(append(dst, '-'), int(month), 2)
	dst = appendPadded(append(dst, '-'), day, 2)
	if !t.is(oid.T_date) {
		dst = at.AppendFormat(dst, " 15:04:05.999999")
	}
	if t.is(oid.T_timestamptz) {
		dst = append(dst, "+00"...)
	}
	if bc {
		dst = append(dst, " BC"...)
	}
	return dst
}

// appendPadded appends n with at least so many digits.
func appendPadded(dst []byte, n, digits int) []byte {
	for limit := 10; digits > 1; digits-- {
		if n < limit {
			for range digits - 1 {
				dst = append(dst, '0')
			}
			break
		}
		limit *= 10
	}
	return strconv.AppendInt(dst, int64(n), 10)
}
