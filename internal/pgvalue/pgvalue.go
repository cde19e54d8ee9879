// Package pgvalue knows, per PostgreSQL type, what value the real driver will
// hand back for a value that was sent: the canonical form in which row images
// hold their cells.
//
// It answers "known" only where it is certain that PostgreSQL would accept the
// value and which form it would store; everything else is "not known", and the
// caller asks PostgreSQL. Canonical values are of the Go types that
// github.com/lib/pq returns: int64, float64, bool, string, []byte, time.Time
// and nil for NULL.
//
// What is known of an argument, by its Go type and the type of the parameter
// (n: if the text lib/pq sends is a number the column takes; s: if it has one of
// the strict forms of that type; -: never):
//
//	                  int64  float64  bool   string  []byte  time.Time  canonical
//	int2, int4, int8  range  n        -      n       n       -          int64
//	float8, float4    n      yes (1)  -      n       n       -          float64
//	numeric           yes    n (2)    -      n       n       -          []byte
//	bool              0, 1   0, 1     yes    s       s       -          bool
//	text              yes    yes      yes    yes     yes     yes        string
//	varchar, char     fit    fit      fit    fit     fit     fit        string
//	bytea             yes    yes      yes    yes     yes     yes        []byte
//	uuid              -      -        -      s       s       -          []byte
//	json              s      s        s      s       s       -          []byte
//	enum              label  label    label  label   label   label      []byte
//	date              -      -        -      s       s       yes (3)    time.Time
//	timestamp         -      -        -      s       s       yes (3)    time.Time
//	timestamptz       -      -        -      s       s       yes (3)    time.Time
//
// (1) NaN and infinities included, subnormal numbers not; nor a real whose
// shortest decimal is not the only one of its length (2^-12). (2) NaN included,
// infinities not: PostgreSQL 13 refuses them. (3) Years 1 to 9999; for
// timestamptz see Session.KnowsInstant. Text must be valid UTF-8 without NUL,
// and ASCII where the database's encoding is another one. With
// Session.BinaryParameters a []byte is known only for bytea, text, varchar,
// char, json and enum. NULL is known for every base type and enum; of a domain
// not even that, since it may refuse NULL. Nothing else is known of the values
// of any other type. docs/types.md tells it value by value; a test keeps it so.
//
// All of it rests on what every session of lib/pq has: client_encoding UTF8,
// DateStyle ISO and extra_float_digits at its default or higher.
package pgvalue

import "time"

// Kind tells how a type is made up.
type Kind uint8

// The kinds of types, after pg_type.typtype.
const (
	Base  Kind = iota // a built-in base type: OID tells which
	Enum              // Labels holds what it accepts
	Other             // domains, composites, ranges, arrays, extension types: nothing is known of their values
)

// Type is the type of a column.
type Type struct {
	OID    uint32   // pg_type.oid
	Mod    int32    // pg_attribute.atttypmod, -1 when there is none
	Kind   Kind     //
	Labels []string // labels of an Enum, in order
}

// Session holds what of a session decides how values are read and shown.
type Session struct {
	// Location is the session's TimeZone as the real driver understands it,
	// nil when it is unknown or the zone data of this machine and of the
	// server were not seen to agree: then no timestamptz is known.
	Location *time.Location
	// UTF8 says that the database's encoding is UTF8.
	UTF8 bool
	// BinaryParameters says that []byte arguments are sent in binary format
	// (lib/pq's binary_parameters=yes).
	BinaryParameters bool
	// InfinityTimes says that the program has called pq.EnableInfinityTs (see
	// InfinityTimes): then no time.Time is known.
	InfinityTimes bool
	// Strict says that the real driver is another one than lib/pq: of its arguments
	// only those are known that mean the same to every driver.
	Strict bool
	// CutsTimes says that the driver, another one than lib/pq, was seen to leave out
	// what a time.Time has beyond microseconds, instead of rounding.
	CutsTimes bool
}

// Own is the session for values that do not come from a driver's arguments.
func (s Session) Own() Session {
	s.Strict = false
	return s
}
