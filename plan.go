package writebehind

import (
	"slices"
	"strings"

	"github.com/writebehind/writebehind/internal/catalog"
	"github.com/writebehind/writebehind/rewrite"
)

// plan is what was decided about one SQL text under one schema. It is
// immutable. What depends on arguments is checked at each execution.
type plan struct {
	query  string
	schema *schema
	stmt   *rewrite.Statement
	reach  reach

	// keyed says that the statement fixes the whole primary key of table, an
	// opted-in table; reason says why it is direct nevertheless, or what it
	// lacks to be keyed.
	keyed  bool
	table  *table
	reason string

	// row is the key of the only row that the statement touches, even if it is
	// direct; nil if it may touch others, or the key is not certain.
	row []source

	read  *readPlan  // set if it can be answered from overlay and cache
	write *writePlan // set if it can be deferred

	control control // set if the statement is addressed to the shim itself
}

// plan returns the plan of a SQL text, made anew if the schema has changed.
func (e *engine) plan(query string) *plan {
	s := e.schema.Load()
	known := e.plans.get(query)
	if known != nil && known.schema == s {
		return known
	}
	p := e.newPlan(s, query)
	if known != nil || e.plans.admits(query) {
		e.plans.put(p)
	}
	return p
}

func (e *engine) newPlan(s *schema, query string) *plan {
	// The text may lie in a buffer of the caller's that is much larger.
	p := &plan{query: strings.Clone(query), schema: s}
	if p.control = parseControl(query); p.control.verb != noControl {
		return p
	}
	p.stmt = rewrite.Parse(query)
	p.reach = s.reachOf(p.stmt)
	e.decide(p)
	return p
}

// decide works out whether the statement is keyed, and whether it can be
// cached or deferred.
func (e *engine) decide(p *plan) {
	st := p.stmt
	if st.Form == rewrite.Other {
		p.reason = p.reach.why
		if p.reason == "" {
			p.reason = "it is not a simple statement on one table by its primary key"
		}
		return
	}
	rel, ok := p.schema.catalog.Resolve(st.Table.Schema, st.Table.Name)
	if !ok {
		p.reason = "the table is not in the catalog"
		return
	}
	p.table = p.schema.tables[rel.Name]
	if p.table == nil {
		p.reason = "the table is not opted in"
		if why := p.schema.refused[rel.Name]; why != "" {
			p.reason += ": " + why
		}
		return
	}
	b := binding{engine: e, plan: p, table: p.table}
	defer func() {
		p.keyed = b.keyed
		if b.keyed && p.touchesOneRow() {
			p.row = b.row
		}
		if why := e.unsuited(st.Form != rewrite.Select); why != "" {
			p.read, p.write, p.reason = nil, nil, why
		}
	}()
	switch st.Form {
	case rewrite.Select:
		p.read, p.reason = b.read()
	case rewrite.Insert:
		p.write, p.reason = b.insert()
	case rewrite.Update:
		p.write, p.reason = b.update()
	case rewrite.Delete:
		p.write, p.reason = b.delete()
	}
}

// touchesOneRow tells whether a keyed statement touches, and locks, nothing but the
// row of its key.
func (p *plan) touchesOneRow() bool {
	r, rel := &p.reach, p.table.rel
	if r.why != "" || r.ddl || p.stmt.Several || p.stmt.Opaque != "" {
		return false
	}
	if len(r.writes) == 0 {
		return len(r.reads) == 1 && r.reads[0] == p.table
	}
	if len(r.writes) != 1 || r.writes[0] != p.table {
		return false
	}
	// A row that others refer to is locked by those who write these.
	return (len(rel.ReferencedBy) == 0 || p.schema.cascadesNot(p.stmt, rel)) && !p.meetsOthers()
}

// meetsOthers tells whether a keyed write may meet other rows of its table in an
// index.
func (p *plan) meetsOthers() bool {
	rel := p.table.rel
	switch p.stmt.Form {
	case rewrite.Insert:
		return len(rel.Uniques) > 0 || rel.InsertUncertain != ""
	case rewrite.Update:
		return rel.UpdateUncertain != "" || slices.ContainsFunc(rel.Uniques, func(u catalog.Unique) bool {
			return u.Columns == nil || u.Partial || slices.ContainsFunc(p.stmt.Set, func(a rewrite.Assignment) bool { return slices.Contains(u.Columns, rel.Column(a.Column)) })
		})
	}
	return false
}

// unsuited says why nothing can be deferred, or even cached, in sessions like
// those of the engine.
func (e *engine) unsuited(write bool) string {
	switch {
	case e.session.InRecovery:
		return "the server is a standby, which others write to"
	case write && e.session.DefaultTransactionReadOnly:
		return "default_transaction_read_only is on"
	}
	return ""
}
