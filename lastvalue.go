package writebehind

import (
	"slices"
	"strings"

	"github.com/writebehind/writebehind/internal/catalog"
	"github.com/writebehind/writebehind/rewrite"
)

// lastValues are what lastval() and currval() return in a session whose deferred
// INSERTs have drawn from sequences, of which PostgreSQL has heard nothing. They hold
// until PostgreSQL itself may have drawn something in the session.
type lastValues struct {
	of     map[catalog.Name]int64
	newest catalog.Name
}

// drawnValue is a value that a statement has drawn.
type drawnValue struct {
	from  catalog.Name
	value int64
}

// note takes note of what a statement has drawn, in its order.
func (l *lastValues) note(drawn []drawnValue) {
	for _, d := range drawn {
		if l.of == nil {
			l.of = make(map[catalog.Name]int64)
		}
		l.of[d.from], l.newest = d.value, d.from
	}
}

// askLast returns a direct statement with what it asks the session for that only this
// connection knows. One whose text is another for that is not the prepared one.
func (c *Conn) askLast(p *plan, query string, s *Stmt) (string, *Stmt) {
	if len(c.last.of) == 0 || !asksLast(p.stmt) {
		return query, s
	}
	asked := rewrite.WithLastValues(query, func(l rewrite.LastValue) (int64, bool) {
		name := c.last.newest
		switch {
		case l.Sequence != "":
			name = p.schema.sequenceNamed(l.Sequence)
		case l.Table != "":
			name = p.schema.sequenceOf(l.Table, l.Column)
		}
		v, ok := c.last.of[name]
		return v, ok
	})
	if asked != query {
		s = nil
	}
	return asked, s
}

// asksLast tells whether a statement may call lastval or currval where a subquery can
// stand for the call.
func asksLast(st *rewrite.Statement) bool {
	switch st.Verb {
	case "SELECT", "INSERT", "UPDATE", "DELETE", "VALUES", "WITH":
	default:
		return false
	}
	return slices.ContainsFunc(st.Functions, func(f rewrite.Ident) bool { return f.Name == "lastval" || f.Name == "currval" })
}

// forgetLast forgets what PostgreSQL knows better once a statement has run.
func (c *Conn) forgetLast(p *plan) {
	if len(c.last.of) == 0 || !mayDraw(p) {
		return
	}
	from, certain := p.schema.drawsFrom(p.stmt)
	if p.reach.why != "" || !certain {
		c.last = lastValues{}
		return
	}
	for _, name := range from {
		delete(c.last.of, name)
		c.last.newest = catalog.Name{}
	}
}

// drawsFrom returns the sequences from which the columns of the tables that a statement
// may write draw. certain is false if a default may draw from another one.
func (s *schema) drawsFrom(st *rewrite.Statement) (from []catalog.Name, certain bool) {
	if slices.ContainsFunc(st.Functions, func(f rewrite.Ident) bool { return f.Name == "nextval" || f.Name == "setval" }) {
		return nil, false
	}
	relations, why := s.touched(st)
	if why != "" {
		return nil, false
	}
	for _, rel := range relations {
		for i := range rel.Columns {
			switch d := &rel.Columns[i].Default; {
			case len(relations) == 1 && gives(st, rel, i):
			case d.Kind == catalog.DefaultSequence:
				from = append(from, d.Sequence)
			case strings.Contains(d.Expr, "val("):
				return nil, false
			}
		}
	}
	return from, true
}

// gives tells whether an INSERT gives a value to a column in each of its rows.
func gives(st *rewrite.Statement, rel *catalog.Relation, column int) bool {
	if st.Form != rewrite.Insert {
		return false
	}
	at := column
	if st.Columns != nil {
		at = slices.Index(st.Columns, rel.Columns[column].Name)
	}
	return at >= 0 && !slices.ContainsFunc(st.Rows, func(row []rewrite.Value) bool {
		return at >= len(row) || row[at].Kind == rewrite.DefaultKey
	})
}

// mayDraw tells whether a direct statement may draw from a sequence, or make the
// session forget that it has.
func mayDraw(p *plan) bool {
	switch {
	case p.reach.why != "", slices.ContainsFunc(p.stmt.Functions, func(f rewrite.Ident) bool { return f.Name == "nextval" || f.Name == "setval" }):
		return true
	case p.stmt.Effect < rewrite.Writes:
		return false
	}
	return p.stmt.Verb != "UPDATE" && p.stmt.Verb != "DELETE" && p.stmt.Verb != "SELECT"
}

// sequenceNamed returns the name of the sequence that a regclass literal stands for.
func (s *schema) sequenceNamed(text string) catalog.Name {
	name, rest, err := parseTable(text)
	if err != nil || rest != "" {
		return catalog.Name{}
	}
	rel, ok := s.catalog.Resolve(name.Schema, name.Name)
	if !ok {
		return catalog.Name{}
	}
	return rel.Name
}

// sequenceOf returns what pg_get_serial_sequence does.
func (s *schema) sequenceOf(table, column string) catalog.Name {
	rel := s.catalog.Relations[s.sequenceNamed(table)]
	if rel == nil {
		return catalog.Name{}
	}
	for name, other := range s.catalog.Relations {
		if q := other.Sequence; q != nil && q.Owner == rel.Name && q.OwnerColumn == column {
			return name
		}
	}
	return catalog.Name{}
}
