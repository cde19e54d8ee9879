package generate

import "slices"

// kind is a column type with the values that are tried on it.
type kind struct {
	name string // in SQL
	key  bool   // eligible as a key
	rest bool   // one of restKinds
	sums string // what an increment is drawn from: "int", "numeric", "float" or ""
	// plain values are few, so that histories interact.
	plain []value
	// edge values are accepted too, but sit at a boundary or come back in
	// another form than they were sent.
	edge []value
	// wrong values are refused, or mean something else than they seem to.
	wrong []value
}

// value is one SQL value in the ways an application can send it.
type value struct {
	args []any  // as arguments; the first one is the natural one
	lit  string // as a literal; "" if it cannot be one
}

func val(lit string, args ...any) value { return value{args: args, lit: lit} }

// newKinds returns all kinds, in a fixed order.
func newKinds() []*kind {
	return slices.Concat(numberKinds(), textKinds(), timeKinds(), otherKinds(), restKinds())
}
