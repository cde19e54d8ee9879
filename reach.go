package writebehind

import (
	"fmt"
	"slices"
	"strings"

	"github.com/writebehind/writebehind/internal/catalog"
	"github.com/writebehind/writebehind/rewrite"
)

// reach is which opted-in tables a direct statement may touch. A statement that
// touches none costs nothing.
type reach struct {
	reads  []*table // their pending rows must be in PostgreSQL first
	writes []*table // their rows may change or be locked: the tables go direct
	ddl    bool     // the schema may be another one afterwards
	why    string   // what the statement is taken for, where that is not plain
}

func (r *reach) nothing() bool { return len(r.reads) == 0 && len(r.writes) == 0 && !r.ddl }

// reachAll is the reach of a statement of which nothing is known but effect.
func (s *schema) reachAll(effect rewrite.Effect, why string) reach {
	r := reach{why: why}
	if effect == rewrite.Reads {
		r.reads = s.sorted()
	} else {
		r.writes = s.sorted()
	}
	return r
}

// reachOf computes what a statement may touch, from all the names in it.
func (s *schema) reachOf(st *rewrite.Statement) reach {
	switch {
	case st.Effect == rewrite.NoEffect && len(st.Functions) == 0 && st.Opaque == "":
		return reach{}
	case st.Opaque != "":
		return s.unknown(st, st.Opaque)
	case st.Several:
		return s.unknown(st, "it is several statements")
	case st.Effect == rewrite.Unknown:
		return s.unknown(st, fmt.Sprintf("%s may touch any table", st.Verb))
	}
	if why := s.runsAnything(st); why != "" {
		return s.unknown(st, why)
	}
	var r reach
	touched, why := s.touched(st)
	if why != "" {
		return s.unknown(st, why)
	}
	if st.Effect == rewrite.Reads {
		r.reads = s.optedIn(touched)
		return r
	}
	writes, reads := slices.Clone(touched), []*catalog.Relation(nil)
	for _, rel := range touched {
		reads = append(reads, s.catalog.Neighbours(rel)...)
		if s.cascadesNot(st, rel) {
			continue
		}
		for _, child := range s.catalog.Cascade(rel) {
			if child.Opaque != "" {
				return s.unknown(st, fmt.Sprintf("a foreign key leads to %s, and %s", child.Name, child.Opaque))
			}
			writes = append(writes, child)
		}
	}
	r.writes, r.reads = s.optedIn(writes), s.optedIn(reads)
	return r
}

// changedWith returns the tables that a write of rel may change; others says that
// it may run code that changes further ones.
func (s *schema) changedWith(rel *catalog.Relation) (tables []*table, others bool) {
	all := []*catalog.Relation{rel}
	for _, name := range rel.Touches {
		if touched := s.catalog.Relations[name]; touched != nil {
			all = append(all, touched)
		}
	}
	for _, touched := range all {
		all = append(all, s.catalog.Cascade(touched)...)
	}
	for _, r := range all {
		others = others || r.Opaque != ""
	}
	return s.optedIn(all), others
}

// unknown is the reach of a statement that may do anything, or, if it only
// reads, see anything.
func (s *schema) unknown(st *rewrite.Statement, why string) reach {
	r := s.reachAll(rewrite.Unknown, why)
	r.ddl = st.DDL || st.Several || st.Effect == rewrite.Unknown && !keepsSchema[st.Verb]
	return r
}

// keepsSchema are the statements that may touch any table and cannot change
// what tables there are.
var keepsSchema = map[string]bool{
	"ANALYZE": true, "CHECKPOINT": true, "CLOSE": true, "COPY": true, "DECLARE": true, "DEALLOCATE": true, "DISCARD": true,
	"FETCH": true, "LOCK": true, "MOVE": true, "PREPARE": true, "VACUUM": true,
}

// runsAnything says why the statement may run code that touches any table.
func (s *schema) runsAnything(st *rewrite.Statement) string {
	if len(s.catalog.UserCasts) > 0 {
		return fmt.Sprintf("the database has a %s, which any statement may use", s.catalog.UserCasts[0])
	}
	for _, f := range st.Functions {
		if f.Schema != "" && f.Schema != "pg_catalog" {
			if _, relation := s.catalog.Relations[catalog.Name(f)]; relation {
				continue // INSERT INTO schema.table (column, …)
			}
			return fmt.Sprintf("the function %s.%s is not built in", f.Schema, f.Name)
		}
		_, user := s.catalog.UserFunctions[f.Name]
		_, builtin := s.catalog.Builtins[f.Name]
		switch {
		case user:
			return fmt.Sprintf("the function %s is not built in", f.Name)
		case f.Name == "set_config": // it is a SET, and touches no table
		case catalog.RunsText(f.Name):
			return fmt.Sprintf("the function %s runs what it is given", f.Name)
		case locksOrNotifies[f.Name]:
			return fmt.Sprintf("the function %s has effects outside of tables", f.Name)
		case !builtin && len(s.catalog.Named(f.Name)) == 0 && !grammar[f.Name]:
			return fmt.Sprintf("%s is no function that is built in", f.Name)
		}
	}
	for _, id := range st.Identifiers {
		// t.f is f(t) where t has no column of that name, and a cast names a type.
		if _, user := s.catalog.UserFunctions[id.Name]; user {
			return fmt.Sprintf("%s may be a function that is not built in", id.Name)
		}
	}
	for _, op := range st.Operators {
		if _, user := s.catalog.UserOperators[op]; user {
			return fmt.Sprintf("the operator %s is not built in", op)
		}
	}
	return ""
}

// locksOrNotifies are built-in functions whose order against all writes
// matters.
var locksOrNotifies = map[string]bool{
	"pg_notify":          true,
	"setval":             true, // a block fetched ahead is worth nothing after it
	"pg_advisory_unlock": true, "pg_advisory_unlock_all": true, "pg_advisory_unlock_shared": true,
}

// grammar are words that PostgreSQL's grammar follows with a parenthesis and
// that are no functions in pg_catalog.
var grammar = map[string]bool{
	"coalesce": true, "greatest": true, "least": true, "nullif": true, "grouping": true, "row": true,
	"extract": true, "normalize": true, "treat": true, "decimal": true, "dec": true, "character": true,
	"int": true, "string": true, "double": true, "real": true, "float": true, "nchar": true, "national": true,
}

// touched returns the relations that the names in the statement can mean, with
// all that these touch.
func (s *schema) touched(st *rewrite.Statement) (relations []*catalog.Relation, why string) {
	seen := make(map[*catalog.Relation]bool)
	add := func(rel *catalog.Relation) {
		if rel != nil && !seen[rel] {
			seen[rel] = true
			relations = append(relations, rel)
		}
	}
	for _, id := range st.Identifiers {
		for _, rel := range s.named(id) {
			opaque := rel.Opaque
			if st.Effect == rewrite.Reads {
				opaque = rel.OpaqueRead
			}
			if opaque != "" {
				return nil, fmt.Sprintf("it names %s, and %s", rel.Name, opaque)
			}
			add(rel)
			for _, name := range rel.Touches {
				add(s.catalog.Relations[name])
			}
		}
	}
	for _, id := range st.Relations {
		if !s.exists(id) {
			return nil, fmt.Sprintf("the catalog has no relation %q", id.Name)
		}
	}
	return relations, ""
}

// named returns the relations that an identifier can mean under any search path.
func (s *schema) named(id rewrite.Ident) []*catalog.Relation {
	if id.Schema == "" {
		return s.catalog.Named(id.Name)
	}
	if rel, ok := s.catalog.Relations[catalog.Name(id)]; ok {
		return []*catalog.Relation{rel}
	}
	return nil
}

// exists tells whether a name in relation position is one that we know, or one
// of the system's.
func (s *schema) exists(id rewrite.Ident) bool {
	if len(s.named(id)) > 0 || id.Schema == "pg_catalog" || id.Schema == "information_schema" {
		return true
	}
	if id.Schema != "" {
		return false
	}
	_, system := s.catalog.SystemRelations[id.Name]
	_, function := s.catalog.Builtins[id.Name]
	return system || function
}

// optedIn returns the opted-in ones of the relations, once each, by name.
func (s *schema) optedIn(relations []*catalog.Relation) []*table {
	var tables []*table
	for _, rel := range relations {
		if t := s.tables[rel.Name]; t != nil && !slices.Contains(tables, t) {
			tables = append(tables, t)
		}
	}
	slices.SortFunc(tables, func(a, b *table) int { return compareNames(a.rel.Name, b.rel.Name) })
	return tables
}

// cascadesNot tells whether it is certain that the statement, a write, changes no
// column of rel that a foreign key refers to, and deletes no row of it.
func (s *schema) cascadesNot(st *rewrite.Statement, rel *catalog.Relation) bool {
	set := st.Set
	switch st.Form {
	case rewrite.Insert:
		if st.Conflict == nil || st.Conflict.Nothing {
			return true
		}
		set = st.Conflict.Set
	case rewrite.Update:
	default:
		return false
	}
	// Through a view or a partition the columns may have other names.
	target, ok := s.catalog.Resolve(st.Table.Schema, st.Table.Name)
	return ok && target == rel && !setsReferenced(rel, set)
}

// setsReferenced tells whether a write sets a column that a foreign key of
// some table refers to.
func setsReferenced(rel *catalog.Relation, set []rewrite.Assignment) bool {
	for _, fk := range rel.ReferencedBy {
		for _, a := range set {
			if slices.Contains(fk.ParentCols, a.Column) {
				return true
			}
		}
	}
	return false
}

func compareNames(a, b catalog.Name) int {
	if c := strings.Compare(a.Schema, b.Schema); c != 0 {
		return c
	}
	return strings.Compare(a.Name, b.Name)
}

// displayName is a name as a user would write it.
func displayName(n catalog.Name) string {
	if n.Schema == "" {
		return n.Name
	}
	return n.String()
}
