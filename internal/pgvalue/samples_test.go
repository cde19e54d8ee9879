package pgvalue_test

import (
	"database/sql"
	"database/sql/driver"
	"math"
	"time"

	"github.com/writebehind/writebehind/internal/pgvalue"
)

// A given is one value that docs/types.md speaks of: an argument, or a literal
// as it stands in SQL.
type given struct {
	name    string
	value   driver.Value
	literal *literal
}

// literal is a value that is written in a statement.
type literal struct {
	kind pgvalue.LiteralKind
	text string // decoded, if it is in quotes
	sql  string
}

// A family holds the values of one Go type, or the literals of one kind.
type family struct {
	name   string
	givens []given
}

// named takes a name and a value in turn.
func named(pairs ...any) []given {
	var givens []given
	for i := 0; i < len(pairs); i += 2 {
		givens = append(givens, given{name: pairs[i].(string), value: pairs[i+1]})
	}
	return givens
}

func written(kind pgvalue.LiteralKind, sql ...string) []given {
	var givens []given
	for _, s := range sql {
		text := s
		if kind == pgvalue.LiteralString {
			text = s[1 : len(s)-1]
		}
		givens = append(givens, given{name: "`" + s + "`", literal: &literal{kind, text, s}})
	}
	return givens
}

// argumentFamilies are the Go types that database/sql hands to lib/pq.
func argumentFamilies() []family {
	return []family{
		{"nil", named("`nil`", nil, "`[]byte(nil)`", []byte(nil))},
		{"int64", named(
			"`0`", int64(0), "`1`", int64(1), "`-1`", int64(-1), "`1000`", int64(1000), "`1 << 15`", int64(1<<15),
			"`1 << 31`", int64(1<<31), "`math.MinInt64`", int64(math.MinInt64), "`math.MaxInt64`", int64(math.MaxInt64),
		)},
		{"float64", named(
			"`0.0`", 0.0, "`1.0`", 1.0, "-0", math.Copysign(0, -1), "`0.5`", 0.5, "`12.345`", 12.345, "`1000.0`", 1000.0, "`1e20`", 1e20, "`1e300`", 1e300,
			"`1e-40` (subnormal as `real`)", 1e-40, "`5e-324` (subnormal)", 5e-324, "NaN", math.NaN(), "+infinity", math.Inf(1), "-infinity", math.Inf(-1),
		)},
		{"bool", named("`true`", true, "`false`", false)},
		{"string", texted(func(text string) driver.Value { return text })},
		{"[]byte", append(
			texted(func(text string) driver.Value { return []byte(text) }),
			named("bytes that are no text", []byte{0, 0xff})...,
		)},
		{"time.Time", moments()},
	}
}

// texted are the texts that are sent as string and as []byte.
func texted(as func(string) driver.Value) []given {
	const id = "6ba7b810-9dad-11d1-80b4-00c04fd430c8"
	var givens []given
	for _, text := range []string{
		"", "a", "ab   ", "grüßen", "sad",
		"1", "-7", "+7", " 7", "40000", "3000000000", "1.5", "12.345", "1000", "1e3", "NaN", "Infinity",
		"true", "t", "yes", "True",
		id, "6BA7B810-9DAD-11D1-80B4-00C04FD430C8", "6ba7b8109dad11d180b400c04fd430c8", "{" + id + "}",
		`\x00ff`, `a\b`,
		"2024-02-29", "2023-02-29", "2024-02-29 12:34:56", "2024-02-29T12:34:56.123456Z", "2024-02-29 12:34:56+05:30", "2024-02-29 12:34", "now", "infinity", "0044-03-15 BC",
		`{"a": [1, "é"]}`, `"\u0041"`, `"\u0000"`, `"\ud83d\ude00"`, `{a:1}`,
	} {
		givens = append(givens, given{name: "`" + text + "`", value: as(text)})
	}
	givens[0].name = "empty"
	givens[2].name = "`ab`, three spaces"
	return append(givens, named("a zero byte in text", as("a\x00b"), "invalid UTF-8", as("a\xff"))...)
}

func moments() []given {
	at := func(zone *time.Location, year, nanoseconds int) driver.Value {
		return time.Date(year, 2, 28, 12, 34, 56, nanoseconds, zone)
	}
	offset := func(seconds int) *time.Location { return time.FixedZone("", seconds) }
	return named(
		"a day in UTC", time.Date(2024, 2, 29, 0, 0, 0, 0, time.UTC), "microseconds in UTC", at(time.UTC, 2024, 123456000), "nanoseconds", at(time.UTC, 2024, 123456789),
		"`time.Time{}`", time.Time{}, "the year 1969", at(time.UTC, 1969, 0), "the year 2038", at(time.UTC, 2038, 0), "the year 9999", at(time.UTC, 9999, 0),
		"offset +05:30", at(offset(19800), 2024, 0), "offset -00:00:30", at(offset(-30), 2024, 0), "offset +16:00", at(offset(57600), 2024, 0),
		"the year 0", at(time.UTC, 0, 0), "the year 10000", at(time.UTC, 10000, 0),
	)
}

// literalFamilies are the ways to write a value in a statement.
func literalFamilies() []family {
	return []family{
		{"quoted", written(
			pgvalue.LiteralString, "'a'", "'7'", "'1.5'", "'true'", "'sad'", "'6ba7b810-9dad-11d1-80b4-00c04fd430c8'",
			"'2024-02-29'", "'2024-02-29 12:34:56'", "'2024-02-29 12:34:56+01'", "'[1]'", `'\x00ff'`, "'now'",
		)},
		{"integer", written(pgvalue.LiteralInteger, "0", "1", "-7", "1000", "40000", "3000000000", "10000000000000000000")},
		{"decimal", written(pgvalue.LiteralDecimal, "1.0", "1.5", "12.345", "1000.0", "1e3", "1e300", "1e400")},
		{"boolean", written(pgvalue.LiteralBool, "true", "false")},
	}
}

// otherDriverFamilies are what database/sql hands to a driver that converts its
// arguments itself, such as pgx.
func otherDriverFamilies() []family {
	one, text, id := 1, "a", [16]byte{1}
	byName := make(map[string][]given)
	for _, f := range argumentFamilies() {
		byName[f.name] = f.givens
	}
	return []family{
		{"nil", named("`nil`", nil)},
		{"integers", append(named("`int(1)`", 1, "`int8(1)`", int8(1), "`int16(1)`", int16(1), "`int32(1)`", int32(1), "`uint(1)`", uint(1), "`uint8(1)`", uint8(1), "`uint16(1)`", uint16(1), "`uint32(1)`", uint32(1), "`uint64(1)`", uint64(1), "`uint64(1 << 63)`", uint64(1)<<63), byName["int64"]...)},
		{"float32", named("`float32(0.5)`", float32(0.5))},
		{"float64", byName["float64"]},
		{"bool", byName["bool"]},
		{"string", byName["string"]},
		{"[]byte", byName["[]byte"]},
		{"time.Time", byName["time.Time"]},
		{"pointers", named("`*int`", &one, "`*string`, `7`", pointer("7"), "`*string`, `a`", pointer("a"), "`*bool`", pointer(true), "`*float64`", pointer(1.5), "`*time.Time`", pointer(time.Date(2024, 2, 28, 12, 34, 56, 123456000, time.UTC)), "`(*int)(nil)`", (*int)(nil), "`*[]byte`", pointer([]byte("a")))},
		{"Null types", named("`sql.NullInt64`", sql.NullInt64{Int64: 1, Valid: true}, "`sql.NullBool`", sql.NullBool{Bool: true, Valid: true}, "`sql.NullFloat64`", sql.NullFloat64{Float64: 1.5, Valid: true}, "`sql.NullString`", sql.NullString{String: text, Valid: true}, "NULL", sql.NullString{}, "`sql.Null[int]`", sql.Null[int]{V: 1, Valid: true})},
		{"all else", named("`[16]byte`", id, "`[]byte(nil)`", []byte(nil), "`[]int`", []int{1}, "`[]string`", []string{"a"}, "`map`", map[string]any{"a": 1}, "`time.Duration`", time.Second)},
	}
}
