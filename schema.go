package writebehind

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"sync/atomic"
	"time"

	"github.com/writebehind/writebehind/internal/catalog"
	"github.com/writebehind/writebehind/internal/pgvalue"
	"github.com/writebehind/writebehind/internal/wbschema"
)

// schema is a catalog with what the settings make of it. It is immutable; a
// newer one replaces it, and plans made under it are made anew.
type schema struct {
	version uint64
	catalog *catalog.Catalog
	tables  map[catalog.Name]*table // opted in and eligible
	refused map[catalog.Name]string // named in the DSN and not opted in, with the reason
}

// table is an opted-in table under one schema.
type table struct {
	rel    *catalog.Relation
	state  *tableState
	insert insertMode
	unique uniqueMode
	ttl    time.Duration
	guest  bool // it is not opted in: it is known that a row was there, not what is in it
	// hazards says, per column, why a write that changes it cannot be certain
	// to succeed; "" if nothing stands against it.
	hazards []string
	// insertHazard is the same for any INSERT.
	insertHazard string
	// checks are the CHECK constraints that are evaluated on the new row. The
	// others are hazards.
	checks []rowCheck
	// parents are the foreign keys that are checked, and others, by column, what is
	// said of the rest.
	parents []parent
	others  map[int]string
	// uniques are the UNIQUE constraints that are checked on an INSERT.
	uniques []unique
	// sequences are those, by column, whose values are fetched ahead.
	sequences map[int]*sequence
}

// tableState is what outlives a change of the schema.
type tableState struct {
	name catalog.Name
	// epoch is part of every cache entry; moving it forgets all rows.
	epoch atomic.Uint64
	// direct counts the direct writers that hold the table: while there is one,
	// nothing is deferred or cached.
	direct  atomic.Int64
	lookups lookups
	// buffers are the open transactions that have written the table or locked rows
	// of it; guarded by the queue's commit lock.
	buffers map[*buffer]struct{}
	// users are those that have used it at all, guarded by the same.
	users map[*buffer]struct{}
}

// loadSchema reads the catalog and opts the tables in. If nothing has changed
// since old, it returns old itself.
func (e *engine) loadSchema(ctx context.Context, old *schema) (*schema, error) {
	var previous *catalog.Catalog
	var version uint64
	if old != nil {
		previous, version = old.catalog, old.version
	}
	cat, err := catalog.Load(ctx, e.db, previous)
	if err != nil {
		return nil, fmt.Errorf("loading the catalog: %w", err)
	}
	if cat == previous && old != nil {
		return old, nil
	}
	s := &schema{
		version: version + 1,
		catalog: cat,
		tables:  make(map[catalog.Name]*table),
		refused: make(map[catalog.Name]string),
	}
	for _, name := range e.settings.tables {
		rel, ok := cat.Resolve(name.Schema, name.Name)
		switch {
		case !ok:
			s.refused[name] = "does not exist (yet): opted in as soon as it does"
		case rel.Ineligible != "":
			s.refused[rel.Name] = rel.Ineligible
		default:
			if err := e.optIn(ctx, s, old, rel); err != nil {
				return nil, err
			}
		}
	}
	if e.settings.allTables {
		for _, rel := range cat.Relations {
			if rel.Name.Schema == wbschema.Name {
				continue // the shim's own
			}
			if rel.Ineligible == "" {
				if err := e.optIn(ctx, s, old, rel); err != nil {
					return nil, err
				}
			} else if rel.Kind == 'r' || rel.Kind == 'p' {
				s.refused[rel.Name] = rel.Ineligible
			}
		}
	}
	for _, t := range s.tables {
		t.findParents(s)
		t.findSequences(e, s)
		t.findHazards(e.values)
	}
	return s, nil
}

func (e *engine) optIn(ctx context.Context, s, old *schema, rel *catalog.Relation) error {
	if s.tables[rel.Name] != nil {
		return nil
	}
	described, err := s.catalog.Describe(ctx, e.db, rel)
	if err != nil {
		return fmt.Errorf("describing %s: %w", rel.Name, err)
	}
	if err := e.formed(ctx, described); err != nil {
		return fmt.Errorf("describing %s: %w", rel.Name, err)
	}
	if old != nil {
		// The same pointer keeps what is queued for the table mergeable.
		if before := old.tables[rel.Name]; before != nil && reflect.DeepEqual(before.rel, described) {
			described = before.rel
		}
	}
	visible, ok := s.catalog.Resolve("", rel.Name.Name)
	bare := ok && visible.Name == rel.Name
	t := &table{
		rel:    described,
		state:  e.tableState(rel.Name),
		insert: e.settings.insertFor(rel.Name, bare),
		unique: e.settings.uniqueFor(rel.Name, bare),
		ttl:    e.settings.cacheTTLFor(rel.Name, bare),
	}
	s.tables[rel.Name] = t
	return nil
}

// findHazards works out what stands against a certain write.
func (t *table) findHazards(session pgvalue.Session) {
	rel := t.rel
	var unknown []catalog.Check
	t.checks, unknown = parseChecks(rel, session)
	t.hazards = make([]string, len(rel.Columns))
	mark := func(columns []int, reason string) {
		for _, c := range columns {
			if t.hazards[c] == "" {
				t.hazards[c] = reason
			}
		}
	}
	byName := func(names []string) (columns []int) {
		for _, name := range names {
			if c := rel.Column(name); c >= 0 {
				columns = append(columns, c)
			}
		}
		return columns
	}
	mark(rel.Key, "it changes the primary key")
	for _, u := range rel.Uniques {
		mark(u.Columns, fmt.Sprintf("it changes a column of the unique constraint %q", u.Name))
	}
	for _, c := range unknown {
		columns := c.Columns
		if len(columns) == 0 { // a constraint on the whole row
			columns = allColumns(rel)
		}
		mark(columns, fmt.Sprintf("it changes a column of the CHECK constraint %q, which this version does not evaluate", c.Name))
	}
	for column, why := range t.others {
		mark([]int{column}, "it changes a column of "+why)
	}
	for _, fk := range rel.ReferencedBy {
		mark(byName(fk.ParentCols), fmt.Sprintf("it changes a column that the foreign key %q of %s refers to", fk.Name, fk.Child))
	}
	for i, c := range rel.Columns {
		if c.Unsettable != "" {
			mark([]int{i}, c.Unsettable)
		}
	}
	switch {
	case rel.InsertUncertain != "":
		t.insertHazard = rel.InsertUncertain
	case len(unknown) > 0:
		t.insertHazard = fmt.Sprintf("the table has the CHECK constraint %q, which this version does not evaluate", unknown[0].Name)
	default:
		t.insertHazard = t.findUniques(t.unique)
	}
}

func allColumns(rel *catalog.Relation) []int {
	columns := make([]int, len(rel.Columns))
	for i := range columns {
		columns[i] = i
	}
	return columns
}

// sorted returns the opted-in tables by name.
func (s *schema) sorted() []*table {
	all := make([]*table, 0, len(s.tables))
	for _, t := range s.tables {
		all = append(all, t)
	}
	slices.SortFunc(all, func(a, b *table) int { return compareNames(a.rel.Name, b.rel.Name) })
	return all
}
