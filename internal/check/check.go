// Package check evaluates CHECK constraints on rows whose cells are known.
//
// It reads a constraint as pg_get_constraintdef prints it and knows of it all or
// nothing: a constraint with a function, arithmetic, another operator or cast
// than those below, or a comparison whose result depends on a collation, cannot
// be parsed. What can be parsed raises no error, so that the order in which
// PostgreSQL evaluates its parts makes no difference.
//
// Known are AND, OR, NOT, IS [NOT] NULL, TRUE, FALSE and UNKNOWN; columns and
// constants; and the comparisons, with ANY and ALL of an array of such values
// (that is IN) and IS [NOT] DISTINCT FROM:
//
//	                            = <>   < <= > >=
//	int2, int4, int8             yes      yes     of any width on either side
//	numeric                      yes      yes     integers cast to it, too
//	date, timestamp, timestamptz yes      yes     both sides of one type
//	bool, uuid, enum             yes      -
//	text, varchar, char          yes      -       a column with a constant, if the collation is deterministic
//
// Casts are known where they keep every value as it is: of an integer to a wider
// one and to numeric, between text and varchar, and to the type that a value has
// already; none with a length.
package check

import (
	"database/sql/driver"
	"strings"

	"github.com/writebehind/writebehind/internal/pgvalue"
)

// Column is a column of the table.
type Column struct {
	Name string
	Type pgvalue.Type
	// Bytewise says that two texts of it are equal only if their bytes are: its
	// collation is deterministic.
	Bytewise bool
}

// Constraint is a CHECK constraint that was parsed.
type Constraint struct {
	// Columns holds the indexes of the columns that it mentions, each once.
	Columns []int

	condition condition
}

// Verdict is what a constraint says of a row.
type Verdict uint8

// The verdicts.
const (
	Unknown Verdict = iota // that depends on a cell which is not known
	Holds                  // PostgreSQL takes the row: the condition is true or NULL
	Fails                  // PostgreSQL refuses the row
)

// Parse reads a constraint of a table with the given columns. ok is false if not
// all of it is known, and for one that is not valid or not enforced. The session
// is that in which the definition was printed.
func Parse(definition string, columns []Column, s pgvalue.Session) (c *Constraint, ok bool) {
	definition = strings.TrimSuffix(definition, " NO INHERIT")
	tokens, ok := scan(definition)
	if !ok {
		return nil, false
	}
	p := parser{tokens: tokens, columns: columns, session: s}
	if !p.word("CHECK") || !p.sign("(") {
		return nil, false
	}
	t, ok := p.expression()
	if !ok || !p.sign(")") || len(p.tokens) > 0 {
		return nil, false
	}
	condition, ok := t.asCondition()
	return &Constraint{Columns: p.used, condition: condition}, ok
}

// Eval evaluates the constraint on the cells of c.Columns, in their order. They
// are canonical (see pgvalue), nil for NULL; a value of any other type than those
// is one that is not known.
func (c *Constraint) Eval(cells []driver.Value) Verdict {
	switch t := c.condition.eval(cells); {
	case t&isFalse == 0:
		return Holds
	case t == isFalse:
		return Fails
	}
	return Unknown
}
