//go:build cgo

package parser

import (
	"fmt"

	pg "github.com/pganalyze/pg_query_go/v6"

	"github.com/writebehind/writebehind/rewrite"
)

// set confirms a SET list.
func (f form) set(set []rewrite.Assignment, targets []*pg.Node) error {
	if len(set) != len(targets) {
		return fmt.Errorf("there are %d assignments, not %d", len(targets), len(set))
	}
	for i, n := range targets {
		target := n.GetResTarget()
		if err := only(target, "name", "val"); err != nil {
			return err
		}
		if target.GetName() != set[i].Column {
			return fmt.Errorf("column %q is %q", set[i].Column, target.GetName())
		}
		if err := f.assignment(set[i], target.GetVal()); err != nil {
			return err
		}
	}
	return nil
}

func (f form) assignment(a rewrite.Assignment, n *pg.Node) error {
	if m := n.GetMultiAssignRef(); m != nil {
		row := m.GetSource().GetRowExpr().GetArgs()
		if len(row) != int(m.GetNcolumns()) || a.Op != rewrite.SetTo {
			return fmt.Errorf("assignment %+v is %v", a, n)
		}
		n = row[m.GetColno()-1]
	}
	switch a.Op {
	case rewrite.SetTo:
		return value(a.Value, n)
	case rewrite.Add:
		left, right, ok := operatorOf(n, pg.A_Expr_Kind_AEXPR_OP, "+")
		if !ok {
			return fmt.Errorf("addition %+v is %v", a, n)
		}
		if !f.isOwn(a, left) && !a.OrZero {
			left, right = right, left
		}
		if !f.isOwn(a, left) {
			return fmt.Errorf("addition %+v is %v", a, n)
		}
		return value(a.Value, right)
	case rewrite.Subtract:
		left, right, ok := operatorOf(n, pg.A_Expr_Kind_AEXPR_OP, "-")
		if !ok || !f.isOwn(a, left) {
			return fmt.Errorf("subtraction %+v is %v", a, n)
		}
		return value(a.Value, right)
	}
	return fmt.Errorf("assignment %+v", a)
}

// isOwn tells whether a node is the column that is set, or COALESCE of it and 0.
func (f form) isOwn(a rewrite.Assignment, n *pg.Node) bool {
	if a.OrZero {
		args := n.GetCoalesceExpr().GetArgs()
		if len(args) != 2 || !isValue(rewrite.Value{Kind: rewrite.Integer, Text: "0"}, args[1]) {
			return false
		}
		n = args[0]
	}
	// In ON CONFLICT it would be ambiguous without the name of the table.
	return f.isColumn(a.Column, n) && (!f.upsert || len(n.GetColumnRef().GetFields()) > 1)
}

// isColumn tells whether a node is a column of the statement's table.
func (f form) isColumn(column string, n *pg.Node) bool {
	names, ok := texts(n.GetColumnRef().GetFields())
	return ok && len(names) > 0 && names[len(names)-1] == column && f.isRow(names[:len(names)-1])
}

// isRow tells whether a qualifier means the statement's table. An alias hides its
// name.
func (f form) isRow(qualifier []string) bool {
	switch {
	case len(qualifier) == 0:
		return true
	case f.Alias != "":
		return len(qualifier) == 1 && qualifier[0] == f.Alias
	case len(qualifier) == 1:
		return qualifier[0] == f.Table.Name
	}
	return len(qualifier) == 2 && f.Table == rewrite.Ident{Schema: qualifier[0], Name: qualifier[1]}
}
