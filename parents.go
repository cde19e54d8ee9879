package writebehind

import (
	"context"
	"database/sql/driver"
	"fmt"
	"slices"

	"github.com/writebehind/writebehind/internal/catalog"
	"github.com/writebehind/writebehind/internal/rowimage"
)

// parent is a foreign key that is checked here: a row that refers to another one is
// deferred if that is certain to be there. Whoever could take it away (DELETE, TRUNCATE,
// a change of the key) is direct, and holds the table of the rows that refer to it.
type parent struct {
	name      string
	table     *table
	columns   []int // of the table that refers, in the order of the other's primary key
	validated bool  // there are no rows from before it that refer to none
}

// leaning is a table whose row a write relies on, as it was when that was looked for.
type leaning struct {
	state *tableState
	epoch uint64
}

func (l leaning) stands() bool { return l.state.epoch.Load() == l.epoch }

// findParents sorts the foreign keys of the table into those that are checked here
// and the others.
func (t *table) findParents(s *schema) {
	t.others = make(map[int]string)
	for i := range t.rel.References {
		fk := &t.rel.References[i]
		p, why := s.parent(t, fk)
		if why == "" {
			t.parents = append(t.parents, p)
			continue
		}
		for _, name := range fk.ChildCols {
			t.others[t.rel.Column(name)] = fmt.Sprintf("the foreign key %q: %s", fk.Name, why)
		}
	}
}

// other says what stands against a value for one of the foreign keys that are not
// checked here.
func (t *table) other() string {
	for i := range t.rel.Columns {
		if why := t.others[i]; why != "" {
			return why
		}
	}
	return ""
}

// parent returns the reason if a foreign key is not checked here.
func (s *schema) parent(t *table, fk *catalog.ForeignKey) (p parent, why string) {
	p = parent{name: fk.Name, table: s.tables[fk.Parent], validated: fk.Validated}
	if p.table == nil {
		p.table = s.guest(t, fk.Parent)
	}
	switch {
	case p.table == nil:
		return p, fmt.Sprintf("the rows of %s cannot be looked up", fk.Parent)
	case fk.Match != 's':
		return p, "it is not MATCH SIMPLE"
	case len(fk.ParentCols) != len(p.table.rel.Key):
		return p, "it does not refer to the primary key"
	}
	for _, k := range p.table.rel.Key {
		to := &p.table.rel.Columns[k]
		i := slices.Index(fk.ParentCols, to.Name)
		if i < 0 {
			return p, "it does not refer to the primary key"
		}
		c := t.rel.Column(fk.ChildCols[i])
		if from := &t.rel.Columns[c]; from.SQLType != to.SQLType && !(isInteger(from) && isInteger(to)) {
			return p, "its columns are of other types"
		}
		p.columns = append(p.columns, c)
	}
	return p, ""
}

// guest makes of a table that is not opted in one whose rows can be looked for on behalf
// of t, which refers to them. They are cached in the epoch of t: whoever takes one away
// moves that. It returns nil if the role may not read the table.
func (s *schema) guest(t *table, name catalog.Name) *table {
	rel := s.catalog.Relations[name]
	if rel == nil || !rel.May("SELECT") || !rel.May("USAGE") {
		return nil
	}
	return &table{rel: rel, state: t.state, ttl: t.ttl, guest: true}
}

func isInteger(c *catalog.Column) bool {
	return slices.Contains([]string{"smallint", "integer", "bigint"}, c.SQLType)
}

// refersCertainly makes sure that the rows are there that a new row refers to: it
// returns errUncertain if one is not, or that is not certain. cell returns the cells of
// the new row; those in columns are new.
func (c *Conn) refersCertainly(ctx context.Context, columns []int, cell func(column int) driver.Value) error {
	for i := range c.attempt.table.parents {
		p := &c.attempt.table.parents[i]
		if !slices.ContainsFunc(p.columns, func(c int) bool { return slices.Contains(columns, c) }) {
			continue
		}
		if slices.ContainsFunc(p.columns, func(column int) bool { return cell(column) == nil }) {
			continue // then it refers to none
		}
		if !c.aim(p, cell) {
			return errUncertain
		}
		if err := c.findParent(ctx); err != nil {
			return err
		}
	}
	return nil
}

// aim makes the connection's second attempt one at the row that the cells of another
// one refer to. ok is false if they refer to none, or that is not certain.
func (c *Conn) aim(p *parent, cell func(column int) driver.Value) (ok bool) {
	a, of := &c.parent, &c.attempt
	a.accompany(of, p.table, true)
	a.values = a.values[:0]
	for _, column := range p.columns {
		v := cell(column)
		if _, unknown := v.(rowimage.Unknown); unknown {
			return false
		}
		a.values = append(a.values, v)
	}
	return a.locate()
}

// findParent makes sure that the row of the second attempt is there.
func (c *Conn) findParent(ctx context.Context) error {
	a, of := &c.parent, &c.attempt
	a.stamp()
	if a.blocked() {
		return errUncertain
	}
	known, stale := a.look()
	if stale {
		return errUncertain
	}
	if !known && !c.ahead.tells(a) {
		if err := a.readThrough(ctx); err != nil {
			return err
		}
		of.asked = true
	}
	if !a.found || a.lost != of.lost || !a.stands() {
		return errUncertain
	}
	of.leans = append(of.leans, leaning{a.table.state, a.lease.Epoch})
	if b := of.buffer; b != nil {
		b.leanOn(leaning{a.table.state, a.lease.Epoch}, a.engine.queue.NewestOfRow(a.key, a.hash))
	}
	return nil
}
