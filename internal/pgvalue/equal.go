package pgvalue

import (
	"bytes"
	"database/sql/driver"
	"strings"
	"time"

	"github.com/lib/pq/oid"
)

// Equal is the "=" of type t over two values that are canonical, or come from
// Compare or Literal, and are not nil. known is false if the type has no
// equality, or none that is known. Text is compared byte by byte, which is right
// for deterministic collations only.
func (t Type) Equal(a, b driver.Value) (equal, known bool) {
	if !t.hasEquality() {
		return false, false
	}
	switch a := a.(type) {
	case int64:
		b, ok := b.(int64)
		return a == b, ok
	case float64:
		b, ok := b.(float64)
		return a == b || a != a && b != b, ok
	case bool:
		b, ok := b.(bool)
		return a == b, ok
	case string:
		b, ok := b.(string)
		if t.is(oid.T_bpchar) {
			a, b = strings.TrimRight(a, " "), strings.TrimRight(b, " ")
		}
		return a == b, ok
	case time.Time:
		if _, infinite := b.([]byte); infinite {
			return false, true
		}
		b, ok := b.(time.Time)
		return a.Equal(b), ok
	case []byte:
		return t.equalBytes(a, b)
	}
	return false, false
}

func (t Type) equalBytes(a []byte, other driver.Value) (equal, known bool) {
	if _, finite := other.(time.Time); finite {
		return false, true // a is an infinity
	}
	b, ok := other.([]byte)
	if t.is(oid.T_numeric) {
		a, b = trimFraction(a), trimFraction(b)
	}
	return bytes.Equal(a, b), ok
}

// trimFraction cuts the zeros at the end of a number that do not change its value.
func trimFraction(number []byte) []byte {
	if bytes.IndexByte(number, '.') < 0 {
		return number
	}
	return bytes.TrimSuffix(bytes.TrimRight(number, "0"), []byte("."))
}
