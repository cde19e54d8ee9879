//go:build cgo

package parser

import (
	"errors"
	"fmt"

	pg "github.com/pganalyze/pg_query_go/v6"

	"github.com/writebehind/writebehind/rewrite"
)

// where confirms the conjuncts of a WHERE clause, in their order.
func (f form) where(n *pg.Node) error {
	rest := f.Where
	for _, conjunct := range conjuncts(n) {
		confirmed := f.conjunct(rest, conjunct)
		if confirmed == 0 {
			return fmt.Errorf("conditions %+v start with %v", rest, conjunct)
		}
		rest = rest[confirmed:]
	}
	return must(len(rest) == 0, "conditions %+v are not there", rest)
}

// conjuncts takes the ANDs apart.
func conjuncts(n *pg.Node) []*pg.Node {
	if n == nil {
		return nil
	}
	b := n.GetBoolExpr()
	if b.GetBoolop() != pg.BoolExprType_AND_EXPR {
		return []*pg.Node{n}
	}
	var list []*pg.Node
	for _, arg := range b.GetArgs() {
		list = append(list, conjuncts(arg)...)
	}
	return list
}

// conjunct returns how many of the conditions a node confirms: one, or one for
// each column of a row comparison; 0 if it does not confirm the first.
func (f form) conjunct(list []rewrite.Condition, n *pg.Node) int {
	if left, right, ok := operatorOf(n, pg.A_Expr_Kind_AEXPR_OP, "="); ok {
		return f.equal(list, left, right)
	}
	if len(list) > 0 && f.condition(list[0], n) {
		return 1
	}
	return 0
}

func (f form) equal(list []rewrite.Condition, left, right *pg.Node) int {
	l, r := left.GetRowExpr(), right.GetRowExpr()
	if l == nil && r == nil {
		if len(list) == 0 || list[0].Op != rewrite.Equals {
			return 0
		}
		c := list[0]
		if !f.isColumn(c.Columns[0], left) {
			left, right = right, left
		}
		if f.isColumn(c.Columns[0], left) && oneValue(c) && value(c.Rows[0][0], right) == nil {
			return 1
		}
		return 0
	}
	if len(l.GetArgs()) != len(r.GetArgs()) {
		return 0
	}
	confirmed := 0
	for i := range l.GetArgs() {
		n := f.equal(list[confirmed:], l.GetArgs()[i], r.GetArgs()[i])
		if n == 0 {
			return 0
		}
		confirmed += n
	}
	return confirmed
}

func oneValue(c rewrite.Condition) bool {
	return len(c.Columns) == 1 && len(c.Rows) == 1 && len(c.Rows[0]) == 1
}

// condition confirms a condition that is not Equals.
func (f form) condition(c rewrite.Condition, n *pg.Node) bool {
	switch c.Op {
	case rewrite.IsNull, rewrite.IsNotNull:
		t := n.GetNullTest()
		kind := pg.NullTestType_IS_NULL
		if c.Op == rewrite.IsNotNull {
			kind = pg.NullTestType_IS_NOT_NULL
		}
		return t.GetNulltesttype() == kind && only(t, "arg", "nulltesttype") == nil && f.isColumn(c.Columns[0], t.GetArg())
	case rewrite.In:
		return f.in(c, n) == nil || f.anyElement(c, n) == nil
	case rewrite.Any:
		left, right, ok := operatorOf(n, pg.A_Expr_Kind_AEXPR_OP_ANY, "=")
		return ok && f.isColumn(c.Columns[0], left) && oneValue(c) && value(c.Rows[0][0], right) == nil
	case rewrite.BeforeNow:
		return f.againstNow(c, n, "<", ">")
	case rewrite.NotAfterNow:
		return f.againstNow(c, n, "<=", ">=")
	case rewrite.AfterNow:
		return f.againstNow(c, n, ">", "<")
	case rewrite.NotBeforeNow:
		return f.againstNow(c, n, ">=", "<=")
	}
	return false
}

func (f form) againstNow(c rewrite.Condition, n *pg.Node, operator, flipped string) bool {
	left, right, ok := operatorOf(n, pg.A_Expr_Kind_AEXPR_OP, operator)
	if ok && isNow(right) && f.isColumn(c.Columns[0], left) {
		return true
	}
	left, right, ok = operatorOf(n, pg.A_Expr_Kind_AEXPR_OP, flipped)
	return ok && isNow(left) && f.isColumn(c.Columns[0], right)
}

// in confirms an IN list, of values or of rows.
func (f form) in(c rewrite.Condition, n *pg.Node) error {
	left, right, ok := operatorOf(n, pg.A_Expr_Kind_AEXPR_IN, "=")
	items := right.GetList().GetItems()
	if !ok || len(items) != len(c.Rows) {
		return errors.New("no such IN list")
	}
	columns := []*pg.Node{left}
	if row := left.GetRowExpr(); row != nil {
		columns = row.GetArgs()
	}
	if len(columns) != len(c.Columns) {
		return errors.New("other columns")
	}
	for i, column := range columns {
		if !f.isColumn(c.Columns[i], column) {
			return errors.New("another column")
		}
	}
	for i, item := range items {
		values := []*pg.Node{item}
		if left.GetRowExpr() != nil {
			values = item.GetRowExpr().GetArgs()
		}
		if len(values) != len(c.Rows[i]) || len(values) != len(columns) {
			return errors.New("another row")
		}
		for j, n := range values {
			if err := value(c.Rows[i][j], n); err != nil {
				return err
			}
		}
	}
	return nil
}

// anyElement confirms = ANY (ARRAY[…]). The cast of the array is that of each
// element.
func (f form) anyElement(c rewrite.Condition, n *pg.Node) error {
	left, right, ok := operatorOf(n, pg.A_Expr_Kind_AEXPR_OP_ANY, "=")
	if !ok || len(c.Columns) != 1 || !f.isColumn(c.Columns[0], left) {
		return errors.New("no such ANY")
	}
	cast := right.GetTypeCast()
	if cast != nil {
		right = cast.GetArg()
	}
	elements := right.GetAArrayExpr().GetElements()
	if len(elements) != len(c.Rows) {
		return errors.New("other elements")
	}
	for i, n := range elements {
		if len(c.Rows[i]) != 1 {
			return errors.New("a row")
		}
		v := c.Rows[i][0]
		if cast != nil {
			if err := typeName(v.Cast+"[]", cast.GetTypeName()); err != nil {
				return err
			}
			v.Cast = ""
		} else if v.Kind != rewrite.Integer || v.Cast != "" {
			return errors.New("the elements may have another type than the column")
		}
		if err := value(v, n); err != nil {
			return err
		}
	}
	return nil
}
