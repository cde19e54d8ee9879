//go:build cgo

package parser

import (
	"fmt"
	"slices"

	pg "github.com/pganalyze/pg_query_go/v6"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// walk visits a message and all messages in it, a parent before its children,
// for as long as visit returns true for the parent.
func walk(m protoreflect.Message, visit func(proto.Message) bool) {
	if !visit(m.Interface()) {
		return
	}
	m.Range(func(f protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		switch {
		case f.Kind() != protoreflect.MessageKind:
		case f.IsList():
			for i := range v.List().Len() {
				walk(v.List().Get(i).Message(), visit)
			}
		default:
			walk(v.Message(), visit)
		}
		return true
	})
}

// only returns an error if a field of a message is set that is not in names. What
// is confirmed by it is that a statement says no more than what was looked at.
func only(m proto.Message, names ...string) (err error) {
	r := m.ProtoReflect()
	if !r.IsValid() {
		return fmt.Errorf("there is no %s", r.Descriptor().Name())
	}
	r.Range(func(f protoreflect.FieldDescriptor, _ protoreflect.Value) bool {
		name := string(f.Name())
		if name == "location" || slices.Contains(names, name) {
			return true
		}
		err = fmt.Errorf("%s has a %s", r.Descriptor().Name(), name)
		return false
	})
	return err
}

// placeless returns a copy of a message without the places in the text.
func placeless[M proto.Message](m M) M {
	c := proto.Clone(m).(M)
	walk(c.ProtoReflect(), func(m proto.Message) bool {
		r := m.ProtoReflect()
		if f := r.Descriptor().Fields().ByName("location"); f != nil {
			r.Clear(f)
		}
		return true
	})
	return c
}

// texts returns a list of String nodes; false if there is another node in it.
func texts(nodes []*pg.Node) ([]string, bool) {
	list := make([]string, len(nodes))
	for i, n := range nodes {
		s := n.GetString_()
		if s == nil {
			return nil, false
		}
		list[i] = s.GetSval()
	}
	return list, true
}

// operatorOf tells whether a node is left <name> right, with an operator that is
// written without a schema.
func operatorOf(n *pg.Node, kind pg.A_Expr_Kind, name string) (left, right *pg.Node, ok bool) {
	e := n.GetAExpr()
	if e.GetKind() != kind {
		return nil, nil, false
	}
	names, ok := texts(e.GetName())
	return e.GetLexpr(), e.GetRexpr(), ok && len(names) == 1 && names[0] == name
}
