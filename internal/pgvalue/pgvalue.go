// Package pgvalue knows, per PostgreSQL type, what value the real driver will
// hand back for a value that was sent: the canonical form in which row images
// hold their cells.
//
// It answers "known" only where it is certain that PostgreSQL would accept the
// value and which form it would store; everything else is "not known", and the
// caller asks PostgreSQL. Canonical values are of the Go types that
// github.com/lib/pq returns: int64, float64, bool, string, []byte, time.Time
// and nil for NULL.
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
}
