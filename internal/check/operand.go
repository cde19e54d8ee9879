package check

import (
	"database/sql/driver"
	"strconv"
	"time"

	"github.com/lib/pq/oid"

	"github.com/writebehind/writebehind/internal/pgvalue"
)

// operand is a column or a constant.
type operand struct {
	column   int          // its place among the columns of the constraint, -1 for a constant
	value    driver.Value // of a constant
	typ      pgvalue.Type // after the casts; of a label, not known yet
	bytewise bool         // see Column
	form     form
}

// form tells what is still missing of a constant.
type form uint8

const (
	typed   form = iota
	bare         // a text, or NULL, without the cast that tells its type
	labeled      // a text that was cast to a type of the user's own
)

// state tells what is known of a cell.
type state uint8

const (
	unknown state = iota
	null
	present
)

// get returns the value of the operand.
func (o *operand) get(cells []driver.Value) (driver.Value, state) {
	v := o.value
	if o.column >= 0 {
		v = cells[o.column]
	}
	switch x := v.(type) {
	case nil:
		return nil, null
	case []byte:
		if x == nil {
			return nil, null
		}
	case int64:
		if o.is(oid.T_numeric) {
			return strconv.AppendInt(nil, x, 10), present
		}
	case float64, bool, string, time.Time:
	default:
		return nil, unknown
	}
	return v, present
}

func (o *operand) is(t oid.Oid) bool {
	return o.form == typed && o.typ.Kind == pgvalue.Base && oid.Oid(o.typ.OID) == t
}

func (o *operand) integer() bool { return o.is(oid.T_int2) || o.is(oid.T_int4) || o.is(oid.T_int8) }

func (o *operand) text() bool { return o.is(oid.T_text) || o.is(oid.T_varchar) }

// base is the type of an OID, without a length modifier.
func base(t oid.Oid) pgvalue.Type { return pgvalue.Type{OID: uint32(t), Mod: -1} }

// cast returns the operand as a value of another type, if that keeps every value
// as it is.
func (o operand) cast(to typeName, s pgvalue.Session) (operand, bool) {
	switch {
	case o.form == bare && o.value == nil && !to.own:
		o.typ, o.form = base(to.oid), typed
		return o, true
	case o.form == bare && o.value != nil && to.own:
		o.form = labeled
		return o, true
	case o.form == bare && o.value != nil:
		v, ok := base(to.oid).Literal(s, pgvalue.LiteralString, o.value.(string), false)
		return operand{column: -1, value: v, typ: base(to.oid), bytewise: true}, ok
	case o.form != typed || to.own:
		return operand{}, false
	}
	target := operand{typ: base(to.oid)}
	switch {
	case o.is(to.oid), o.text() && target.text():
	case o.integer() && target.is(oid.T_numeric):
	case o.integer() && target.integer():
		if o.column >= 0 && o.is(oid.T_int8) || o.column >= 0 && target.is(oid.T_int2) {
			return operand{}, false // it may be out of range
		}
		if n, ok := o.value.(int64); ok {
			if _, ok := target.typ.Argument(s, n); !ok {
				return operand{}, false
			}
		}
	default:
		return operand{}, false
	}
	o.typ = target.typ
	return o, true
}
