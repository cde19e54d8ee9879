package pgvalue

import (
	"bytes"
	"database/sql/driver"
	"math"
	"time"

	"github.com/lib/pq/oid"
)

// Form is how a real driver returns the values of a type: the zero Form in canonical
// form, as lib/pq does. pgx returns numeric, uuid and enums as string, date and
// timestamp in UTC, and timestamptz in the program's zone.
type Form struct {
	text bool           // string where []byte is canonical
	zone *time.Location // in which times are returned; nil: the canonical one
	home *time.Location // the canonical one
}

// Canonical returns the canonical value of one that the driver has returned. ok is
// false if the value is not of this form, such as pgx's string "infinity" among times.
func (f Form) Canonical(v driver.Value) (value driver.Value, ok bool) {
	switch {
	case v == nil || f == Form{}:
		return v, true
	case f.text:
		text, ok := v.(string)
		return []byte(text), ok
	}
	at, ok := v.(time.Time)
	return at.In(f.home), ok && at.Location() == f.zone
}

// Returned returns a canonical value as the driver does.
func (f Form) Returned(v driver.Value) driver.Value {
	switch v := v.(type) {
	case []byte:
		if f.text {
			return string(v)
		}
	case time.Time:
		if f.zone != nil {
			return v.In(f.zone)
		}
	}
	return v
}

// FormOf tells, from what a driver returns for a canonical value of type t, in which
// form it returns the values of the type. ok is false if that is none that is known.
func (t Type) FormOf(s Session, canonical, returned driver.Value) (f Form, ok bool) {
	switch want := canonical.(type) {
	case int64, bool, string:
		return f, want == returned
	case float64:
		got, ok := returned.(float64)
		return f, ok && math.Float64bits(got) == math.Float64bits(want)
	case []byte:
		switch got := returned.(type) {
		case []byte:
			return f, bytes.Equal(got, want)
		case string:
			return Form{text: true}, got == string(want) && !t.is(oid.T_bytea)
		}
	case time.Time:
		if got, ok := returned.(time.Time); ok && got.Equal(want) {
			return t.formOfTime(s, got)
		}
	}
	return f, false
}

// formOfTime takes the canonical zone first: of a timestamptz that is one that lib/pq
// has loaded anew for the connection.
func (t Type) formOfTime(s Session, got time.Time) (f Form, ok bool) {
	zone := got.Location()
	if t.is(oid.T_timestamptz) {
		switch {
		case s.Location != nil && zone.String() == s.Location.String():
			return f, true
		case zone != time.Local && zone != time.UTC:
			return f, false
		case s.Location == nil: // none is computed; it is kept in UTC
			return Form{zone: zone, home: time.UTC}, true
		}
		return Form{zone: zone, home: s.Location}, true
	}
	if name, offset := got.Zone(); name == "" && offset == 0 {
		return f, true
	}
	return Form{zone: zone, home: noZone()}, zone == time.UTC
}

// Sample is a value by which a driver shows in which form it returns a type.
type Sample struct {
	Type     Type
	SQLType  string
	Literal  string       // in SQL
	Value    driver.Value // canonical; nil for a type of whose values nothing is known
	Argument driver.Value // of the same value
}

// Samples returns one for each base type whose values are known, but timestamptz, of
// which one sample tells nothing: the zone may change with the season. Others follow, for
// each further type that is common.
func Samples() []Sample {
	at := time.Date(2024, 7, 31, 23, 59, 58, 123456000, time.UTC)
	sample := func(o oid.Oid, name, literal string, value, argument driver.Value) Sample {
		return Sample{Type{OID: uint32(o), Mod: -1}, "pg_catalog." + name, "'" + literal + "'::pg_catalog." + name, value, argument}
	}
	asText := func(o oid.Oid, name, literal string) Sample {
		return sample(o, name, literal, []byte(literal), literal)
	}
	samples := []Sample{
		sample(oid.T_bool, "bool", "true", true, true),
		sample(oid.T_int2, "int2", "-32768", int64(math.MinInt16), int64(math.MinInt16)),
		sample(oid.T_int4, "int4", "-2147483648", int64(math.MinInt32), int64(math.MinInt32)),
		sample(oid.T_int8, "int8", "-9223372036854775808", int64(math.MinInt64), int64(math.MinInt64)),
		sample(oid.T_float4, "float4", "1.1", 1.1, "1.1"),
		sample(oid.T_float8, "float8", "1.1", 1.1, 1.1),
		asText(oid.T_numeric, "numeric", "-12345678901234567890.10"),
		sample(oid.T_text, "text", " a", " a", " a"),
		sample(oid.T_varchar, "varchar", " a", " a", " a"),
		sample(oid.T_bpchar, "bpchar", "a ", "a ", "a "),
		sample(oid.T_bytea, "bytea", `\x00ff`, []byte{0, 0xff}, []byte{0, 0xff}),
		asText(oid.T_uuid, "uuid", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"),
		asText(oid.T_json, "json", `{"b" : 1.0, "a":[]}`),
		sample(oid.T_date, "date", "2024-07-31", at.Truncate(24*time.Hour), at.Truncate(24*time.Hour)),
		sample(oid.T_timestamp, "timestamp", "2024-07-31 23:59:58.123456", at, at),
	}
	for _, s := range [...]struct {
		oid           oid.Oid
		name, literal string
	}{
		{oid.T_jsonb, "jsonb", `{"a": 1}`}, {oid.T_time, "time", "12:34:56"}, {oid.T_timetz, "timetz", "12:34:56+02"},
		{oid.T_interval, "interval", "1 day"}, {oid.T_inet, "inet", "10.0.0.1"}, {oid.T_cidr, "cidr", "10.0.0.0/8"},
		{oid.T_macaddr, "macaddr", "08:00:2b:01:02:03"}, {oid.T_money, "money", "1"}, {oid.T_varbit, "varbit", "101"},
		{oid.T_oid, "oid", "7"}, {oid.T_name, "name", "a"}, {oid.T_point, "point", "(1,2)"}, {oid.T_tsvector, "tsvector", "a"},
		{oid.T__bool, "_bool", "{t}"}, {oid.T__int2, "_int2", "{1}"}, {oid.T__int4, "_int4", "{1}"}, {oid.T__int8, "_int8", "{1}"},
		{oid.T__float8, "_float8", "{1.5}"}, {oid.T__numeric, "_numeric", "{1.50}"}, {oid.T__text, "_text", "{a}"},
		{oid.T__varchar, "_varchar", "{a}"}, {oid.T__uuid, "_uuid", "{a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11}"}, {oid.T__jsonb, "_jsonb", "{1}"},
		{oid.T_int4range, "int4range", "[1,3)"}, {oid.T_int8range, "int8range", "[1,3)"}, {oid.T_numrange, "numrange", "[1,3)"},
		{oid.T_tstzrange, "tstzrange", "[2024-07-31 00:00:00+00,)"}, {oid.T_daterange, "daterange", "[2024-07-31,2024-08-01)"},
	} {
		samples = append(samples, sample(s.oid, s.name, s.literal, nil, nil))
	}
	return samples
}
