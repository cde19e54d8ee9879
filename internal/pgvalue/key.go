package pgvalue

import (
	"database/sql/driver"
	"encoding/binary"
	"encoding/hex"
	"time"

	"github.com/lib/pq/oid"
)

// AppendKey appends the canonical bytes of the key value v, which is canonical
// or comes from Compare or Literal: equal values give equal bytes, different
// ones different bytes, and none is a prefix of another of the same type, so
// that the values of a composite key may follow each other. Integers and times
// sort as their bytes do. ok is false, and dst is returned as it was, for nil,
// for types that are no KeyType and for infinite times.
func (t Type) AppendKey(dst []byte, v driver.Value) (key []byte, ok bool) {
	if t.Kind != Base {
		return dst, false
	}
	switch oid.Oid(t.OID) {
	case oid.T_int2, oid.T_int4, oid.T_int8:
		if n, ok := v.(int64); ok {
			return appendOrdered(dst, n), true
		}
	case oid.T_bool:
		if b, ok := v.(bool); ok {
			if b {
				return append(dst, 1), true
			}
			return append(dst, 0), true
		}
	case oid.T_text, oid.T_varchar:
		if s, ok := v.(string); ok {
			return append(binary.AppendUvarint(dst, uint64(len(s))), s...), true
		}
	case oid.T_bytea:
		if b, ok := v.([]byte); ok && b != nil {
			return append(binary.AppendUvarint(dst, uint64(len(b))), b...), true
		}
	case oid.T_uuid:
		if b, ok := v.([]byte); ok {
			return appendUUID(dst, b)
		}
	case oid.T_date, oid.T_timestamp, oid.T_timestamptz:
		if at, ok := v.(time.Time); ok {
			return appendInstant(dst, at)
		}
	}
	return dst, false
}

// appendOrdered appends n in eight bytes that sort as n does.
func appendOrdered(dst []byte, n int64) []byte {
	return binary.BigEndian.AppendUint64(dst, uint64(n)^1<<63)
}

// appendInstant appends the microseconds since 1970, as long as they fit.
func appendInstant(dst []byte, at time.Time) ([]byte, bool) {
	if year := at.Year(); year < -5000 || year > 290_000 || at.Nanosecond()%int(time.Microsecond) != 0 {
		return dst, false
	}
	return appendOrdered(dst, at.UnixMicro()), true
}

// appendUUID appends the sixteen bytes of a uuid in canonical text.
func appendUUID(dst, text []byte) ([]byte, bool) {
	if len(text) != 36 {
		return dst, false
	}
	var digits [32]byte
	n := copy(digits[:], text[:8])
	n += copy(digits[n:], text[9:13])
	n += copy(digits[n:], text[14:18])
	n += copy(digits[n:], text[19:23])
	copy(digits[n:], text[24:])
	var id [16]byte
	if _, err := hex.Decode(id[:], digits[:]); err != nil {
		return dst, false
	}
	return append(dst, id[:]...), true
}
