package check

import (
	"database/sql/driver"
	"slices"

	"github.com/lib/pq/oid"

	"github.com/writebehind/writebehind/internal/pgvalue"
)

// comparison is one of two operands, of one type.
type comparison struct {
	op          string
	left, right operand
	typ         pgvalue.Type
}

func (c *comparison) eval(cells []driver.Value) truth {
	a, left := c.left.get(cells)
	b, right := c.right.get(cells)
	switch {
	case left == null || right == null:
		return isNull
	case left == unknown || right == unknown:
		return anyTruth
	case c.op == "=" || c.op == "<>":
		equal, known := c.typ.Equal(a, b)
		if !known {
			return anyTruth
		}
		return truthOf(equal == (c.op == "="))
	}
	order, known := c.typ.Order(a, b)
	if !known {
		return anyTruth
	}
	switch c.op {
	case "<":
		return truthOf(order < 0)
	case "<=":
		return truthOf(order <= 0)
	case ">":
		return truthOf(order > 0)
	default:
		return truthOf(order >= 0)
	}
}

// distinct is IS DISTINCT FROM: a comparison for which NULL is a value.
type distinct struct{ comparison }

func (d *distinct) eval(cells []driver.Value) truth {
	_, left := d.left.get(cells)
	_, right := d.right.get(cells)
	switch {
	case left == unknown || right == unknown:
		return isTrue | isFalse
	case left == null || right == null:
		return truthOf(left != right)
	}
	if t := d.comparison.eval(cells); t != anyTruth {
		return t
	}
	return isTrue | isFalse
}

// compare makes a comparison. ok is false if its result would not be certain.
func compare(op string, left, right operand, s pgvalue.Session) (c *comparison, ok bool) {
	if !label(&left, &right) || !label(&right, &left) || left.form != typed || right.form != typed {
		return nil, false
	}
	c = &comparison{op: op, left: left, right: right, typ: left.typ}
	if left.integer() && right.integer() {
		c.typ = base(oid.T_int8)
		return c, slices.Contains(orders, op) || slices.Contains(equalities, op)
	}
	if left.typ.OID != right.typ.OID || left.typ.Kind != right.typ.Kind {
		return nil, false
	}
	c.typ.Mod = -1
	switch {
	case slices.Contains(equalities, op):
		return c, hasEquality(&left, &right, s)
	case slices.Contains(orders, op):
		return c, hasOrder(&left, s)
	}
	return nil, false
}

var (
	equalities = []string{"=", "<>"}
	orders     = []string{"<", "<=", ">", ">="}
)

// label gives a constant of an enum the type of the enum column that it is
// compared with: PostgreSQL compares an enum with the same enum only. The label
// must be one of its own.
func label(o, with *operand) bool {
	if o.form != labeled {
		return true
	}
	if with.form != typed || with.typ.Kind != pgvalue.Enum || !slices.Contains(with.typ.Labels, o.value.(string)) {
		return false
	}
	o.value, o.typ, o.form = []byte(o.value.(string)), with.typ, typed
	return true
}

// hasEquality says whether "=" of two operands of one type is certain.
func hasEquality(left, right *operand, s pgvalue.Session) bool {
	switch {
	case left.typ.Kind == pgvalue.Enum:
		return true
	case left.is(oid.T_text), left.is(oid.T_bpchar):
		// Two columns may have two collations, which is an error.
		return left.bytewise && right.bytewise && (left.column < 0 || right.column < 0)
	case left.is(oid.T_bool), left.is(oid.T_uuid):
		return true
	}
	return hasOrder(left, s)
}

// hasOrder says whether "<" of two operands of the type is certain.
func hasOrder(o *operand, s pgvalue.Session) bool {
	switch {
	case o.is(oid.T_numeric):
		return true
	case o.is(oid.T_date), o.is(oid.T_timestamp), o.is(oid.T_timestamptz):
		return !s.InfinityTimes
	}
	return false
}
