package pgvalue

import (
	"database/sql/driver"
	"math"

	"github.com/lib/pq/oid"
)

// Add returns what "column + b", or "column - b", stores back in the column of
// type t that holds a. Both are canonical values of t, b possibly from Compare
// or Literal. ok is false for an overflow, for a result that is not finite, and
// for types other than the integers, numeric and double precision.
func (t Type) Add(a, b driver.Value, subtract bool) (sum driver.Value, ok bool) {
	switch a := a.(type) {
	case int64:
		lo, hi, integer := t.integerRange()
		b, ok := b.(int64)
		if !integer || !ok {
			return nil, false
		}
		n, ok := addInteger(a, b, subtract)
		return n, ok && lo <= n && n <= hi
	case float64:
		b, ok := b.(float64)
		if !ok || !t.is(oid.T_float8) {
			return nil, false
		}
		if subtract {
			b = -b
		}
		f := a + b
		if math.IsNaN(f) || math.IsInf(f, 0) || subnormal(f, minNormal64) {
			return nil, false
		}
		return f, true
	case []byte:
		b, ok := b.([]byte)
		if !ok || !t.is(oid.T_numeric) {
			return nil, false
		}
		return t.addNumeric(string(a), string(b), subtract)
	}
	return nil, false
}

// Adds says whether Add knows the type: only then is it certain that PostgreSQL has
// the operators, and that a parameter added to a column is of the column's type.
func (t Type) Adds() bool {
	_, _, integer := t.integerRange()
	return integer || t.is(oid.T_numeric) || t.is(oid.T_float8)
}

func addInteger(a, b int64, subtract bool) (int64, bool) {
	if subtract {
		n := a - b
		return n, (n < a) == (b > 0)
	}
	n := a + b
	return n, (n > a) == (b > 0)
}

// addNumeric does not know NaN and the infinities.
func (t Type) addNumeric(a, b string, subtract bool) (driver.Value, bool) {
	x, ok := parseDecimal(a)
	if !ok {
		return nil, false
	}
	y, ok := parseDecimal(b)
	if !ok {
		return nil, false
	}
	text, ok := t.fitDecimal(x.add(y, subtract), true)
	if !ok {
		return nil, false
	}
	return []byte(text), true
}
