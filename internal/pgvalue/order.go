package pgvalue

import (
	"bytes"
	"cmp"
	"database/sql/driver"
	"time"

	"github.com/lib/pq/oid"
)

// Order compares two values that are canonical, or come from Compare or Literal,
// and are not nil, as "<" and ">" of type t do: the result is negative, zero or
// positive. Known are the integers, numeric, date, timestamp and timestamptz; not
// text, whose order depends on the collation.
func (t Type) Order(a, b driver.Value) (order int, known bool) {
	if t.Kind != Base {
		return 0, false
	}
	switch oid.Oid(t.OID) {
	case oid.T_int2, oid.T_int4, oid.T_int8:
		a, ok := a.(int64)
		b, ok2 := b.(int64)
		return cmp.Compare(a, b), ok && ok2
	case oid.T_numeric:
		a, ok := a.([]byte)
		b, ok2 := b.([]byte)
		if !ok || !ok2 {
			return 0, false
		}
		return orderNumeric(a, b)
	case oid.T_date, oid.T_timestamp, oid.T_timestamptz:
		return orderTime(a, b)
	}
	return 0, false
}

// orderTime compares finite times and infinities.
func orderTime(a, b driver.Value) (order int, known bool) {
	x, ok := infinite(a)
	y, ok2 := infinite(b)
	if !ok || !ok2 {
		return 0, false
	}
	if x != 0 || y != 0 {
		return cmp.Compare(x, y), true
	}
	return a.(time.Time).Compare(b.(time.Time)), true
}

// infinite returns -1 and 1 for the infinite times and 0 for others. Those that
// do not have a year of four digits are not known.
func infinite(v driver.Value) (sign int, known bool) {
	switch v := v.(type) {
	case time.Time:
		return 0, fourDigitYear(v)
	case []byte:
		switch string(v) {
		case "infinity":
			return 1, true
		case "-infinity":
			return -1, true
		}
	}
	return 0, false
}

// orderNumeric compares numbers as PostgreSQL writes them. The infinities lie
// around all other numbers, and NaN above all.
func orderNumeric(a, b []byte) (order int, known bool) {
	x, ok := splitNumber(a)
	y, ok2 := splitNumber(b)
	if !ok || !ok2 {
		return 0, false
	}
	if x.rank != y.rank || x.rank != 0 {
		return cmp.Compare(x.rank, y.rank), true
	}
	if s, t := x.sign(), y.sign(); s != t || s == 0 {
		return cmp.Compare(s, t), true
	}
	order = cmp.Or(cmp.Compare(len(x.whole), len(y.whole)), bytes.Compare(x.whole, y.whole), bytes.Compare(x.fraction, y.fraction))
	if x.negative {
		order = -order
	}
	return order, true
}

// number is a number taken apart, without zeros at its ends.
type number struct {
	rank            int // -1, 1, 2 for -Infinity, Infinity, NaN
	negative        bool
	whole, fraction []byte
}

func (n *number) sign() int {
	switch {
	case len(n.whole)+len(n.fraction) == 0:
		return 0
	case n.negative:
		return -1
	}
	return 1
}

func splitNumber(text []byte) (n number, ok bool) {
	switch string(text) {
	case "-Infinity":
		return number{rank: -1}, true
	case "Infinity":
		return number{rank: 1}, true
	case "NaN":
		return number{rank: 2}, true
	}
	digits, negative := bytes.CutPrefix(text, []byte("-"))
	whole, fraction, _ := bytes.Cut(digits, []byte("."))
	if len(whole) == 0 || !allDigits(string(whole)) || !allDigits(string(fraction)) {
		return number{}, false
	}
	return number{negative: negative, whole: bytes.TrimLeft(whole, "0"), fraction: bytes.TrimRight(fraction, "0")}, true
}
