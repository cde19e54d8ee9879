package pgvalue

import (
	"database/sql/driver"
	"math"
	"time"

	"github.com/lib/pq/oid"
)

// sure returns what a driver of which nothing is known but that it is one for
// PostgreSQL certainly makes of the argument v, as lib/pq's argument of the same
// meaning; ok is false if it may make something else of it. Known are:
//
//	integers of Go   int2, int4, int8, numeric
//	bool             bool
//	float64          float8, unless it is NaN, infinite or -0
//	string           all but bytea: it is sent as it is
//	[]byte           bytea
//	time.Time        timestamptz, and in UTC date and timestamp, if it has no more than microseconds
//
// Left out is what differs between drivers, and in one driver between protocols: pgx
// rounds down, lib/pq to the nearest microsecond, and of a time in another zone the date
// is that of UTC where pgx sends text.
func (t Type) sure(v driver.Value) (driver.Value, bool) {
	if n, isInteger := Integer(v); isInteger {
		_, _, ok := t.integerRange()
		return n, ok || t.is(oid.T_numeric)
	}
	switch a := v.(type) {
	case nil:
		return nil, true
	case bool:
		return v, t.is(oid.T_bool)
	case float64:
		finite := !math.IsNaN(a) && !math.IsInf(a, 0) && (a != 0 || !math.Signbit(a))
		return v, finite && t.is(oid.T_float8)
	case string:
		return v, !t.is(oid.T_bytea)
	case []byte:
		return v, a != nil && t.is(oid.T_bytea)
	case time.Time:
		return v, a.Nanosecond()%int(time.Microsecond) == 0 && t.takesTime(a)
	}
	return nil, false
}

func (t Type) takesTime(at time.Time) bool {
	if t.is(oid.T_timestamptz) {
		return true
	}
	_, offset := at.Zone()
	return offset == 0 && (t.is(oid.T_date) || t.is(oid.T_timestamp))
}

// Integer returns the value of an argument that is one of Go's integers. lib/pq's
// arguments are int64; other drivers may take the others as they are.
func Integer(v driver.Value) (n int64, ok bool) {
	switch v := v.(type) {
	case int64:
		return v, true
	case int:
		return int64(v), true
	case int32:
		return int64(v), true
	case int16:
		return int64(v), true
	}
	return 0, false
}

// sureArray returns the values of an array that such a driver is given as a slice.
func (t Type) sureArray(s Session, v driver.Value, limit int) (elements []driver.Value, ok bool) {
	switch v := v.(type) {
	case []int64:
		return sureElements(t, s, v, limit)
	case []int32:
		return sureElements(t, s, v, limit)
	case []string:
		if t.is(oid.T_text) || t.is(oid.T_varchar) {
			return sureElements(t, s, v, limit)
		}
	}
	return nil, false
}

func sureElements[E any](t Type, s Session, from []E, limit int) (elements []driver.Value, ok bool) {
	if from == nil || len(from) > limit {
		return nil, false
	}
	for _, v := range from {
		value, ok := t.bound(s, v, false)
		if !ok {
			return nil, false
		}
		elements = append(elements, value)
	}
	return elements, true
}
