package pgvalue

import (
	"database/sql/driver"
	"strings"

	"github.com/lib/pq/oid"
)

// LiteralKind tells how a literal is written in SQL, which decides its type.
type LiteralKind uint8

// The kinds of literals.
const (
	LiteralString  LiteralKind = iota // in quotes; text is decoded. It takes the type of the column.
	LiteralInteger                    // digits with an optional sign
	LiteralDecimal                    // any other number, with an optional sign
	LiteralBool                       // "true" or "false"
)

// Literal returns the value of a literal that is stored in a column of type t
// (assign: the length modifier applies, the result is what lib/pq returns for
// the column) or compared with or added to one (the result is as that of
// Compare). An integer that is compared may exceed the range of the column's
// type. Known are strings as in Argument, integers for integer, numeric and
// floating point columns, decimals for the latter two, and booleans for boolean
// ones. With a real column a number is not compared, nor added: to PostgreSQL that
// is double precision, and 1.1 there is not what the column holds of 1.1.
func (t Type) Literal(s Session, kind LiteralKind, text string, assign bool) (value driver.Value, ok bool) {
	if !t.supported() || !assign && !t.hasEquality() {
		return nil, false
	}
	switch kind {
	case LiteralString:
		return t.parse(s, text, nil, assign)
	case LiteralInteger:
		return t.integerLiteral(strings.TrimPrefix(text, "+"), assign)
	case LiteralDecimal:
		return t.decimalLiteral(strings.TrimPrefix(text, "+"), assign)
	case LiteralBool:
		if t.is(oid.T_bool) && (text == "true" || text == "false") {
			return text == "true", true
		}
	}
	return nil, false
}

func (t Type) integerLiteral(text string, assign bool) (driver.Value, bool) {
	if t.is(oid.T_numeric) || t.is(oid.T_float8) || t.is(oid.T_float4) {
		if !allDigits(strings.TrimPrefix(text, "-")) {
			return nil, false
		}
		return t.decimalLiteral(text, assign)
	}
	lo, hi, ok := t.integerRange()
	if !ok {
		return nil, false
	}
	n, ok := parseInteger(text)
	if !ok || assign && (n < lo || n > hi) {
		return nil, false
	}
	return n, true
}

// decimalLiteral goes by way of numeric, the type of such a literal: so -0.0 is
// 0 in a floating point column. An integer becomes the nearest number of the column,
// whether by way of its digits or not.
func (t Type) decimalLiteral(text string, assign bool) (driver.Value, bool) {
	d, ok := parseDecimal(text)
	if !ok {
		return nil, false
	}
	switch {
	case t.is(oid.T_numeric):
		text, ok := t.fitDecimal(d, assign)
		if !ok {
			return nil, false
		}
		return []byte(text), true
	case t.is(oid.T_float8):
		f, ok := parseFloat8(d.String())
		return f, ok
	case t.is(oid.T_float4) && assign:
		f, ok := parseFloat4(d.String())
		return f, ok
	}
	return nil, false
}
