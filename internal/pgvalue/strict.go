package pgvalue

import (
	"database/sql"
	"database/sql/driver"
	"math"
	"time"

	"github.com/lib/pq/oid"
)

// sure returns what a driver of which nothing is known but that it is one for
// PostgreSQL certainly makes of the argument v, as lib/pq's argument of the same
// meaning; ok is false if it may make something else of it. Known are:
//
//	integers of Go   int2, int4, int8, numeric, up to the largest int64
//	bool             bool
//	float64          float8, unless it is NaN, infinite or -0
//	string           all but bytea: it is sent as it is
//	[]byte           bytea
//	time.Time        timestamptz, and in UTC date and timestamp
//	pointers to these but []byte, and Null types of database/sql: as what they hold, but in json
//	sql.NullString   text, varchar, bpchar
//
// Nanoseconds are known where the driver was seen to cut them off (CutsTimes): pgx
// does in all of its modes, lib/pq rounds.
//
// Left out is what differs between drivers, and in one driver between protocols. Of a
// time in another zone the date is that of UTC where pgx sends text. A []byte for text
// or json is sent as it is if pgx knows the type of the parameter, and in hex if it does
// not. A float32 is widened, or written as its shortest decimal. A driver.Valuer may have
// methods that pgx asks before Value, and sql.NullString for another type than text is
// read by pgx itself. What JSON a pointer is depends on the version of pgx.
func (t Type) sure(s Session, v driver.Value) (driver.Value, bool) {
	v, indirect := held(v)
	if indirect && t.is(oid.T_json) {
		return nil, false
	}
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
	case sql.NullString:
		if a.Valid {
			return a.String, t.is(oid.T_text) || t.is(oid.T_varchar) || t.is(oid.T_bpchar)
		}
		return nil, true
	case []byte:
		return v, a != nil && t.is(oid.T_bytea)
	case time.Time:
		if rest := a.Nanosecond() % int(time.Microsecond); rest != 0 {
			return a.Add(-time.Duration(rest)), s.CutsTimes && t.takesTime(a)
		}
		return v, t.takesTime(a)
	}
	return nil, false
}

// held returns what a pointer points to, or a Null type of database/sql holds.
func held(v driver.Value) (value driver.Value, indirect bool) {
	switch v := v.(type) {
	case *bool:
		return pointed(v), true
	case *int:
		return pointed(v), true
	case *int8:
		return pointed(v), true
	case *int16:
		return pointed(v), true
	case *int32:
		return pointed(v), true
	case *int64:
		return pointed(v), true
	case *uint:
		return pointed(v), true
	case *uint8:
		return pointed(v), true
	case *uint16:
		return pointed(v), true
	case *uint32:
		return pointed(v), true
	case *uint64:
		return pointed(v), true
	case *float64:
		return pointed(v), true
	case *string:
		return pointed(v), true
	case *time.Time:
		return pointed(v), true
	case sql.NullBool, sql.NullByte, sql.NullInt16, sql.NullInt32, sql.NullInt64, sql.NullFloat64, sql.NullTime:
		value, err := v.(driver.Valuer).Value()
		return value, err == nil
	case sql.NullString:
		return v, true
	}
	return v, false
}

func pointed[T any](p *T) driver.Value {
	if p == nil {
		return nil
	}
	return *p
}

func (t Type) takesTime(at time.Time) bool {
	if t.is(oid.T_timestamptz) {
		return true
	}
	_, offset := at.Zone()
	return offset == 0 && (t.is(oid.T_date) || t.is(oid.T_timestamp))
}

// Integer returns the value of an argument that is one of Go's integers, and not above the largest int64. lib/pq's
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
	case int8:
		return int64(v), true
	case uint:
		return int64(v), v <= math.MaxInt64
	case uint8:
		return int64(v), true
	case uint16:
		return int64(v), true
	case uint32:
		return int64(v), true
	case uint64:
		return int64(v), v <= math.MaxInt64
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
