//go:build cgo

package parser

import (
	"fmt"
	"strconv"
	"strings"

	pg "github.com/pganalyze/pg_query_go/v6"
	"google.golang.org/protobuf/proto"

	"github.com/writebehind/writebehind/rewrite"
)

// value confirms a value.
func value(v rewrite.Value, n *pg.Node) error {
	if v.Kind == rewrite.Expression {
		return expression(v.Text, n)
	}
	if cast := n.GetTypeCast(); cast != nil || v.Cast != "" {
		if err := typeName(v.Cast, cast.GetTypeName()); err != nil {
			return err
		}
		n = cast.GetArg()
	}
	if !isValue(v, n) {
		return fmt.Errorf("value %+v is %v", v, n)
	}
	return nil
}

// isValue confirms a value without a cast.
func isValue(v rewrite.Value, n *pg.Node) bool {
	constant := n.GetAConst()
	switch v.Kind {
	case rewrite.Param:
		return n.GetParamRef() != nil && int(n.GetParamRef().GetNumber()) == v.Index
	case rewrite.String:
		s, ok := constant.GetVal().(*pg.A_Const_Sval)
		return ok && s.Sval.GetSval() == v.Text
	case rewrite.Integer, rewrite.Decimal:
		return isNumber(v, constant)
	case rewrite.Bool:
		b, ok := constant.GetVal().(*pg.A_Const_Boolval)
		return ok && strconv.FormatBool(b.Boolval.GetBoolval()) == v.Text
	case rewrite.Null:
		return constant.GetIsnull()
	case rewrite.DefaultKey:
		return n.GetSetToDefault() != nil
	case rewrite.Now:
		return isNow(n)
	case rewrite.Excluded:
		names, ok := texts(n.GetColumnRef().GetFields())
		return ok && len(names) == 2 && names[0] == "excluded" && names[1] == v.Text
	}
	return false
}

// isNumber confirms a number: PostgreSQL keeps an integer of 32 bits as one, and
// of all others the text.
func isNumber(v rewrite.Value, constant *pg.A_Const) bool {
	switch c := constant.GetVal().(type) {
	case *pg.A_Const_Ival:
		n, err := strconv.ParseInt(v.Text, 10, 64)
		return v.Kind == rewrite.Integer && err == nil && n == int64(c.Ival.GetIval())
	case *pg.A_Const_Fval:
		_, err := strconv.ParseInt(c.Fval.GetFval(), 10, 64)
		return c.Fval.GetFval() == v.Text && (err == nil) == (v.Kind == rewrite.Integer)
	}
	return false
}

func isNow(n *pg.Node) bool {
	if f := n.GetFuncCall(); f != nil {
		names, ok := texts(f.GetFuncname())
		return ok && len(names) == 1 && names[0] == "now" && only(f, "funcname", "funcformat") == nil
	}
	return n.GetSqlvalueFunction().GetOp() == pg.SQLValueFunctionOp_SVFOP_CURRENT_TIMESTAMP
}

// expression confirms the text of an expression, by what PostgreSQL makes of that
// text alone.
func expression(text string, n *pg.Node) error {
	tree, err := parse("SELECT " + text + "\n")
	if err != nil {
		return fmt.Errorf("expression %q is none: %w", text, err)
	}
	list := tree.GetStmts()[0].GetStmt().GetSelectStmt()
	if err := only(list, "target_list", "limit_option", "op"); err != nil || len(tree.GetStmts()) != 1 || len(list.GetTargetList()) != 1 {
		return fmt.Errorf("expression %q is more than one", text)
	}
	target := list.GetTargetList()[0].GetResTarget()
	if err := only(target, "val"); err != nil {
		return fmt.Errorf("expression %q: %w", text, err)
	}
	if !proto.Equal(placeless(target.GetVal()), placeless(n)) {
		return fmt.Errorf("expression %q is %v", text, n)
	}
	subquery := false
	walk(n.ProtoReflect(), func(m proto.Message) bool {
		_, is := m.(*pg.SelectStmt)
		subquery = subquery || is
		return !subquery
	})
	if subquery {
		return fmt.Errorf("expression %q holds a subquery", text)
	}
	return nil
}

// typeName confirms the name of a type, by what PostgreSQL makes of that name
// alone. How many dimensions an array has means nothing.
func typeName(cast string, t *pg.TypeName) error {
	if cast == "" || t == nil {
		return fmt.Errorf("cast %q is %v", cast, t)
	}
	tree, err := pg.Parse("SELECT NULL::" + cast)
	if err != nil {
		return fmt.Errorf("cast %q is none: %w", cast, err)
	}
	target := tree.GetStmts()[0].GetStmt().GetSelectStmt().GetTargetList()[0].GetResTarget()
	ours, theirs := placeless(target.GetVal().GetTypeCast().GetTypeName()), placeless(t)
	if strings.HasSuffix(cast, "[]") && len(theirs.GetArrayBounds()) > 0 {
		ours.ArrayBounds, theirs.ArrayBounds = nil, nil
	}
	if target.GetVal().GetTypeCast() == nil || !proto.Equal(ours, theirs) {
		return fmt.Errorf("cast %q is %v", cast, t)
	}
	return nil
}
