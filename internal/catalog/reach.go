package catalog

import (
	"cmp"
	"slices"
)

// ancestors returns all tables above t in its partition or inheritance tree.
func (t *table) ancestors() []*table {
	return closure(t, func(t *table) []*table { return t.parents })
}

// descendants returns all tables below t.
func (t *table) descendants() []*table {
	return closure(t, func(t *table) []*table { return t.children })
}

// closure returns what is reached from t over any number of steps, without t.
func closure(t *table, next func(*table) []*table) []*table {
	seen := map[*table]bool{t: true}
	var reached []*table
	for queue := next(t); len(queue) > 0; {
		n := queue[0]
		queue = queue[1:]
		if !seen[n] {
			seen[n] = true
			reached = append(reached, n)
			queue = append(queue, next(n)...)
		}
	}
	return reached
}

// touched returns what is read or written when t is named: itself not, its
// partition tree, and what its view or policies read, with all that in turn.
// A table names its ancestors and descendants, but not its siblings.
func (t *table) touched() []*table {
	seen := map[*table]bool{t: true}
	var reached []*table
	for queue := []*table{t}; len(queue) > 0; {
		n := queue[0]
		queue = queue[1:]
		for _, m := range slices.Concat([]*table{n}, n.ancestors(), n.descendants()) {
			if !seen[m] {
				seen[m] = true
				reached = append(reached, m)
			}
			for _, u := range m.uses {
				if !seen[u] {
					seen[u] = true
					reached = append(reached, u)
					queue = append(queue, u)
				}
			}
		}
	}
	return reached
}

// reach sets Touches, Opaque and OpaqueRead of all relations.
func (b *builder) reach() {
	for _, t := range b.ordered {
		touched := t.touched()
		for _, n := range append([]*table{t}, touched...) {
			t.OpaqueRead = cmp.Or(t.OpaqueRead, n.named(t, n.opaqueRead()))
			t.Opaque = cmp.Or(t.Opaque, n.named(t, cmp.Or(n.opaqueRead(), n.opaqueWrite())))
		}
		for _, n := range touched {
			t.Touches = append(t.Touches, n.Name)
		}
		slices.SortFunc(t.Touches, compareNames)
	}
}

// named says in a reason of t which relation it is really about.
func (t *table) named(asked *table, why string) string {
	if why == "" || t == asked {
		return why
	}
	return "it reaches " + quote(t.Name.String()) + ": " + why
}

// opaqueRead says what any use of t may run.
func (t *table) opaqueRead() string {
	if t.Kind == 'f' {
		return "it is a foreign table"
	}
	for _, r := range t.rules {
		if r.View && r.Calls != "" {
			return "its definition" + callsOf(r.Calls)
		}
	}
	for _, p := range t.policies {
		if p.Calls != "" {
			return "the policy " + quote(p.Name) + callsOf(p.Calls)
		}
	}
	for _, x := range t.indexes {
		if calls := cmp.Or(x.Calls, x.Compares); calls != "" {
			return "the index " + quote(x.Name) + callsOf(calls)
		}
	}
	if t.row.Calls != "" {
		return "the partition key" + callsOf(t.row.Calls)
	}
	return ""
}

// opaqueWrite says what a write of t may run besides.
func (t *table) opaqueWrite() string {
	for _, g := range t.triggers {
		if g.Calls != "" {
			return "the trigger " + quote(g.Name) + callsOf(g.Calls)
		}
	}
	for _, r := range t.rules {
		if !r.View {
			return "it has the rule " + quote(r.Name)
		}
	}
	for _, k := range t.checks {
		if k.Calls != "" {
			return "the check " + quote(k.Name) + callsOf(k.Calls)
		}
	}
	for i, c := range t.Relation.Columns {
		switch {
		case t.columns[i].TypeCalls != "":
			return "the type of column " + quote(c.Name) + callsOf(t.columns[i].TypeCalls)
		case c.Default.Opaque != "":
			return c.Default.Opaque
		}
	}
	return ""
}

// callsOf ends a reason with the function that makes it one.
func callsOf(function string) string {
	if RunsText(function) {
		return " calls the function " + quote(function) + ", which reaches beyond its arguments"
	}
	return " calls the function " + quote(function) + ", which is not built in"
}

func compareNames(a, b Name) int {
	return cmp.Or(cmp.Compare(a.Schema, b.Schema), cmp.Compare(a.Name, b.Name))
}
