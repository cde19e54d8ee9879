package catalog

import (
	"slices"
	"strings"
)

// ineligible says why a table cannot be opted in.
func (t *table) ineligible() string {
	switch t.Kind {
	case 'r', 'p':
	case 'v':
		return "it is a view"
	case 'm':
		return "it is a materialized view"
	case 'f':
		return "it is a foreign table"
	case 'S':
		return "it is a sequence"
	default:
		return "it is not a table"
	}
	if t.row.Partition {
		return "it is a partition of " + quote(t.parents[0].Name.String()) + "; opt that table in"
	}
	if len(t.parents) > 0 {
		return "it inherits from " + quote(t.parents[0].Name.String())
	}
	if t.Kind == 'r' && len(t.children) > 0 {
		return "it has the inheritance child " + quote(t.children[0].Name.String())
	}
	if why := t.keyReason(); why != "" {
		return why
	}
	for _, p := range append([]*table{t}, t.descendants()...) {
		if why := p.guarded(); why != "" {
			if p != t {
				why = "partition " + quote(p.Name.String()) + ": " + why
			}
			return why
		}
	}
	if t.row.Secured {
		return "row security applies to the role"
	}
	for _, privilege := range []string{"USAGE", "SELECT", "INSERT", "UPDATE"} {
		if !t.May(privilege) {
			what := "on the table"
			if privilege == "USAGE" {
				what = "on the schema " + quote(t.Name.Schema)
			}
			return "the role lacks the privilege " + privilege + " " + what
		}
	}
	return ""
}

// keyReason says what is wrong with the primary key.
func (t *table) keyReason() string {
	at := slices.IndexFunc(t.indexes, func(x indexRow) bool { return x.Primary })
	if at < 0 || len(t.Key) == 0 {
		return "it has no primary key"
	}
	key := t.indexes[at]
	switch {
	case !key.Immediate:
		return "its primary key " + quote(key.Name) + " is deferrable"
	case !key.Valid:
		return "its primary key " + quote(key.Name) + " is not valid"
	}
	for _, i := range t.Key {
		c := t.Relation.Columns[i]
		switch {
		case t.bytewise(i):
		case !t.columns[i].Deterministic:
			return "its key column " + quote(c.Name) + " has a collation that is not deterministic"
		default:
			return "its key column " + quote(c.Name) + " is of type " + c.SQLType
		}
	}
	return ""
}

// guarded says what runs when a row of the table itself is written.
func (t *table) guarded() string {
	if t.Kind == 'f' {
		return "it is a foreign table"
	}
	if len(t.triggers) > 0 {
		return "it has the " + plural("trigger", t.triggers)
	}
	if len(t.rules) > 0 {
		return "it has the " + plural("rule", t.rules)
	}
	return ""
}

// plural names what a table has: trigger "a", triggers "a", "b".
func plural(word string, rows []dependantRow) string {
	names := make([]string, 0, len(rows))
	for _, r := range rows {
		names = append(names, quote(r.Name))
	}
	if len(names) > 1 {
		word += "s"
	}
	return word + " " + strings.Join(names, ", ")
}
