package writebehind

import (
	"slices"

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

// askLast returns the text of a direct statement with what it asks the session for
// that only this connection knows.
func (c *Conn) askLast(p *plan, query string) string {
	if len(c.last.of) == 0 || !asksLast(p.stmt) {
		return query
	}
	return rewrite.WithLastValues(query, func(l rewrite.LastValue) (int64, bool) {
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
	if len(c.last.of) > 0 && mayDraw(p) {
		c.last = lastValues{}
	}
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
	c := rel.Column(column)
	if c < 0 {
		return catalog.Name{}
	}
	return rel.Columns[c].Default.Sequence
}
