package writebehind

import (
	"database/sql/driver"
	"fmt"
	"slices"
	"strings"

	"github.com/writebehind/writebehind/internal/catalog"
	"github.com/writebehind/writebehind/internal/pgvalue"
	"github.com/writebehind/writebehind/rewrite"
)

// source is where a value of a keyed statement comes from: a parameter, or a
// constant whose canonical value was found when the plan was made.
type source struct {
	column   *catalog.Column
	param    int // index into the arguments, -1 for a constant
	stored   bool
	draw     draw // what makes it, instead
	constant driver.Value
}

// value returns the canonical value; ok is false where it is not certain.
func (s *source) value(session pgvalue.Session, args []driver.NamedValue) (v driver.Value, ok bool) {
	if s.param < 0 {
		return s.constant, true
	}
	if s.stored {
		return s.column.Type.Argument(session, args[s.param].Value)
	}
	return s.column.Type.Compare(session, args[s.param].Value)
}

// sources binds the values of one statement and watches over the types that
// PostgreSQL will deduce for its parameters.
type sources struct {
	session pgvalue.Session
	params  map[int]uint32 // type of each parameter seen
}

// use notes that a parameter is used as a value of a type. It returns the reason if it has
// been used as one of another type: which of them it has we would have to guess.
func (b *sources) use(param int, as uint32) (reason string) {
	if known, seen := b.params[param]; seen && known != as {
		return fmt.Sprintf("parameter $%d is used for values of different types", param)
	}
	if b.params == nil {
		b.params = make(map[int]uint32)
	}
	b.params[param] = as
	return ""
}

// bind binds a value to a column; stored says that it is written to it, not
// compared with it. reason says why the value is not certain.
func (b *sources) bind(v *rewrite.Value, column *catalog.Column, stored bool) (s source, reason string) {
	s = source{column: column, param: -1, stored: stored}
	if v.Cast != "" && !sameType(v.Cast, column.SQLType) {
		return s, fmt.Sprintf("the value of column %q is cast to another type", column.Name)
	}
	if _, ok := column.Type.Compare(b.session, nil); !stored && !ok {
		return s, fmt.Sprintf("the type of column %q has no equality", column.Name)
	}
	switch v.Kind {
	case rewrite.Param:
		if reason = b.use(v.Index, column.Type.OID); reason == "" {
			s.param = v.Index - 1
		}
		return s, reason
	case rewrite.Null:
		return s, ""
	case rewrite.Now:
		if stored && b.session.Location != nil && isTemporal(column) {
			s.draw = drawNow
			return s, ""
		}
	}
	kind, ok := literalKind(v.Kind)
	if !ok {
		return s, fmt.Sprintf("column %q gets an expression, which this version does not evaluate", column.Name)
	}
	typ, fits := column.Type, stored
	if v.Cast != "" && !stored {
		// What is cast must fit the type, though not the column's own length.
		typ.Mod, fits = -1, true
	}
	s.constant, ok = typ.Literal(b.session, kind, v.Text, fits)
	if !ok {
		return s, fmt.Sprintf("it is not certain what the literal for column %q means", column.Name)
	}
	return s, ""
}

// unused says which parameter of the statement was bound to no column: whether
// PostgreSQL can tell its type is not certain.
func (b *sources) unused(params int) string {
	for i := 1; i <= params; i++ {
		if _, seen := b.params[i]; !seen {
			return fmt.Sprintf("parameter $%d is used for no column", i)
		}
	}
	return ""
}

// isTemporal tells whether PostgreSQL stores now() in a column: as a timestamp with
// or without time zone, or a date.
func isTemporal(column *catalog.Column) bool {
	return slices.Contains([]string{"timestamp with time zone", "timestamp without time zone", "date"}, column.SQLType)
}

func literalKind(k rewrite.ValueKind) (pgvalue.LiteralKind, bool) {
	switch k {
	case rewrite.String:
		return pgvalue.LiteralString, true
	case rewrite.Integer:
		return pgvalue.LiteralInteger, true
	case rewrite.Decimal:
		return pgvalue.LiteralDecimal, true
	case rewrite.Bool:
		return pgvalue.LiteralBool, true
	}
	return 0, false
}

// sameType tells whether a written type is the type of a column, for which no
// modifiers may be written: those of the column apply.
func sameType(written, sqlType string) bool {
	if name, ok := typeNames[strings.TrimPrefix(written, "pg_catalog.")]; ok {
		return name == sqlType
	}
	return written == sqlType
}

// typeNames are the names that PostgreSQL has for the types of the standard
// (PostgreSQL documentation, Chapter 8, Table 8.1).
var typeNames = map[string]string{
	"int8": "bigint", "int": "integer", "int4": "integer", "int2": "smallint",
	"float8": "double precision", "float4": "real", "decimal": "numeric", "bool": "boolean",
	"varchar": "character varying", "timestamptz": "timestamp with time zone", "timestamp": "timestamp without time zone",
}

// condition is a conjunct beside the key, evaluated on the row image.
type condition struct {
	column int
	op     rewrite.ConditionOp // all but In and Any
	source source              // of Equals
}

// holds evaluates the condition on the value of its column; known is false
// where it is not certain.
func (c *condition) holds(session pgvalue.Session, args []driver.NamedValue, cell driver.Value) (holds, known bool) {
	switch c.op {
	case rewrite.IsNull:
		return cell == nil, true
	case rewrite.IsNotNull:
		return cell != nil, true
	}
	if c.comparesWithNow() {
		return false, true // NULL
	}
	v, ok := c.source.value(session, args)
	if !ok {
		return false, false
	}
	if v == nil || cell == nil {
		return false, true // NULL = x is not true
	}
	return c.source.column.Type.Equal(cell, v)
}
