package generate

import (
	"fmt"
	"slices"
	"strings"
)

// alteration chooses a change of a table.
func (g *generator) alteration(t *table) alteration {
	list := []func(*table) (alteration, bool){
		g.dropColumn, g.dropColumn, g.addColumn, g.addColumn, g.renameColumn, g.renameColumn, g.renameTable, g.retype, g.retype,
		g.nullness, g.defaults, g.constraint, g.constraint, g.newIndex, g.recreate, g.truncate, g.dropKey,
	}
	for {
		if a, ok := list[g.values.IntN(len(list))](t); ok {
			return a
		}
	}
}

// alter is an ALTER TABLE.
func alter(t *table, layout string, args ...any) string {
	return "ALTER TABLE " + t.qualified() + " " + fmt.Sprintf(layout, args...)
}

// spare chooses a column that nothing else in the generator relies on; nil if there
// is none.
func (g *generator) spare(t *table) *column {
	var cols []*column
	for i, c := range t.cols {
		if i > 1 && !t.isKey(i) && !c.generated && !c.clock && len(c.parents) == 0 {
			cols = append(cols, c)
		}
	}
	if len(cols) == 0 {
		return nil
	}
	return cols[g.values.IntN(len(cols))]
}

// dropColumn drops a column for good, or until the transaction is rolled back. The
// generator does not name it again, so rows must do without.
func (g *generator) dropColumn(t *table) (alteration, bool) {
	c := g.spare(t)
	if c == nil || c.notNull && !c.def || len(t.others()) < 4 {
		return alteration{}, false
	}
	return alteration{
		do:     []string{alter(t, "DROP COLUMN %s%s", t.written(c), g.one("", "", " CASCADE", " RESTRICT"))},
		change: func() { t.forget(c) },
	}, true
}

// addColumn adds a column, most of the time to drop it again.
func (g *generator) addColumn(t *table) (alteration, bool) {
	g.world.columns++
	c := &column{name: fmt.Sprintf("n%d", g.world.columns), kind: g.world.kind(g.values, 6), def: true}
	text := alter(t, "ADD COLUMN %s %s", c.name, c.kind.name)
	switch g.values.IntN(5) {
	case 0, 1:
		text += " DEFAULT " + c.kind.plain[0].lit
	case 2:
		text += " DEFAULT " + c.kind.plain[0].lit + " NOT NULL"
		c.notNull = true
	case 3: // a default that is not the same for all rows
		c.kind, c.clock = g.world.byName["timestamptz"], true
		text = alter(t, "ADD COLUMN %s timestamptz DEFAULT now()", c.name)
	}
	a := alteration{do: []string{text}, change: func() { t.cols = append(t.cols, c) }, restore: func() { t.forget(c) }}
	if g.values.IntN(4) > 0 {
		a.undo = []string{alter(t, "DROP COLUMN IF EXISTS %s", c.name)}
	}
	return a, true
}

// renameColumn renames any column, those of the key included.
func (g *generator) renameColumn(t *table) (alteration, bool) {
	c := t.cols[g.values.IntN(len(t.cols))]
	before, after := t.written(c), "renamed"
	name := c.name
	return alteration{
		do:      []string{alter(t, "RENAME %s TO %s", before, after)},
		undo:    []string{alter(t, "RENAME COLUMN %s TO %s", after, before)},
		change:  func() { c.name = after },
		restore: func() { c.name = name },
	}, true
}

// renameTable gives the table another name. Now and then the old one is given to
// another table meanwhile.
func (g *generator) renameTable(t *table) (alteration, bool) {
	before, name, plain := t.qualified(), t.name, t.plainName
	place := strings.TrimSuffix(before, quote(name))
	if t.plainName {
		place = strings.TrimSuffix(before, name)
	}
	a := alteration{
		do:     []string{"ALTER TABLE " + before + " RENAME TO moved"},
		undo:   []string{"ALTER TABLE " + place + "moved RENAME TO " + strings.TrimPrefix(before, place)},
		change: func() { t.name = "moved" }, restore: func() { t.name, t.plainName = name, plain },
	}
	if g.values.IntN(3) == 0 {
		a.do = append(a.do, "CREATE TABLE "+before+" (LIKE "+place+"moved INCLUDING ALL EXCLUDING IDENTITY)")
		a.undo = append([]string{"DROP TABLE " + before}, a.undo...)
		if g.values.IntN(2) == 0 { // the statements are about the new one
			a.change = nil
		}
	}
	return a, true
}

// casts are the types that a column can be given in the place of another one, some of
// them only if the values fit.
var casts = map[string][]string{
	"int2": {"int4", "int8"}, "int4": {"int8", "int2", "text"}, "int8": {"int4", "numeric", "text"}, "numeric(8,2)": {"numeric", "int4"}, "float4": {"float8"},
	"float8": {"float4", "text"}, "text": {"varchar(8)", `text COLLATE "C"`, "bytea"}, "varchar(8)": {"text", "char(4)"}, "char(4)": {"text"},
	"timestamp": {"timestamptz", "date"}, "timestamptz": {"timestamp", "text"}, "date": {"timestamp"}, "json": {"jsonb", "text"}, "jsonb": {"json"},
	"uuid": {"text"}, "bool": {"text", "int4"}, "interval": {"text"}, "inet": {"cidr", "text"}, "mood": {"text"}, "int4[]": {"text"},
}

// retype changes the type of a column, and changes it back.
func (g *generator) retype(t *table) (alteration, bool) {
	c := g.spare(t)
	if g.values.IntN(4) == 0 {
		c = t.cols[g.values.IntN(len(t.cols))]
	}
	if c == nil || len(casts[c.kind.name]) == 0 || c.minted {
		return alteration{}, false
	}
	before := c.kind
	after := g.world.byName[g.one(casts[before.name]...)]
	name := t.written(c)
	to := func(k *kind) string {
		text := alter(t, "ALTER COLUMN %s %sTYPE %s", name, g.one("", "SET DATA "), k.name)
		if g.values.IntN(4) > 0 {
			text += " USING " + name + "::" + strings.TrimSuffix(k.name, ` COLLATE "C"`)
		}
		return text
	}
	a := alteration{do: []string{to(after)}, undo: []string{to(before)}, change: func() { c.kind = after }, restore: func() { c.kind = before }}
	if c.def && g.values.IntN(2) == 0 { // which often has no cast
		a.do = append([]string{alter(t, "ALTER %s DROP DEFAULT", name)}, a.do...)
	}
	return a, true
}

func (g *generator) nullness(t *table) (alteration, bool) {
	c := g.spare(t)
	if c == nil {
		return alteration{}, false
	}
	before, name := c.notNull, t.written(c)
	set, drop := []string{alter(t, "ALTER COLUMN %s SET NOT NULL", name)}, []string{alter(t, "ALTER %s DROP NOT NULL", name)}
	a := alteration{do: drop, undo: set, change: func() { c.notNull = false }, restore: func() { c.notNull = before }}
	if !before {
		a.do, a.undo, a.change = set, drop, nil // what follows tries NULL
	}
	return a, true
}

func (g *generator) defaults(t *table) (alteration, bool) {
	c := g.spare(t)
	if c == nil {
		return alteration{}, false
	}
	before, name := c.def, t.written(c)
	set := []string{alter(t, "ALTER %s SET DEFAULT %s", name, c.kind.plain[g.values.IntN(len(c.kind.plain))].lit)}
	drop := []string{alter(t, "ALTER COLUMN %s DROP DEFAULT", name)}
	if before {
		return alteration{do: drop, undo: set, change: func() { c.def = false }, restore: func() { c.def = before }}, true
	}
	return alteration{do: set, undo: drop, change: func() { c.def = true }, restore: func() { c.def = before }}, true
}

// constraint adds a constraint by name and drops it.
func (g *generator) constraint(t *table) (alteration, bool) {
	c := g.spare(t)
	if c == nil {
		return alteration{}, false
	}
	name, unique := t.written(c), c.unique
	a := alteration{undo: []string{alter(t, "DROP CONSTRAINT %sextra%s", g.one("", "IF EXISTS "), g.one("", "", " CASCADE"))}}
	add := func(layout string, args ...any) {
		a.do = append(a.do, alter(t, "ADD CONSTRAINT extra "+layout, args...))
	}
	switch g.values.IntN(5) {
	case 0:
		add("CHECK (%s IS NOT NULL)%s", name, g.one("", " NOT VALID"))
	case 1:
		add("CHECK (%s <> %s)", name, c.kind.plain[0].lit)
	case 2, 3:
		a.change, a.restore = func() { c.unique = true }, func() { c.unique = unique }
		add("UNIQUE (%s)%s", name, g.one("", "", " DEFERRABLE"))
	default:
		to := g.world.tables[g.values.IntN(len(g.world.tables))]
		if len(to.key) > 1 || len(t.key) > 1 || len(t.cols) < 3 || to == t {
			return alteration{}, false
		}
		key := to.cols[to.key[0]]
		from := c
		for _, o := range t.others() {
			if o.kind == key.kind {
				from = o
			}
		}
		add("FOREIGN KEY (%s) REFERENCES %s (%s)%s%s", t.written(from), to.qualified(), to.written(key), g.one("", " ON DELETE CASCADE", " ON DELETE SET NULL"), g.one("", " NOT VALID"))
		swept := g.world.swept
		a.change, a.restore = func() { g.world.swept = append(slices.Clone(swept), to) }, func() { g.world.swept = swept }
	}
	return a, true
}

func (g *generator) newIndex(t *table) (alteration, bool) {
	c := g.spare(t)
	if c == nil {
		return alteration{}, false
	}
	name, unique := t.written(c), c.unique
	in := ""
	if t.schema != "" {
		in = t.schema + "."
	}
	a := alteration{undo: []string{"DROP INDEX " + g.one("", "IF EXISTS ") + in + "extra"}}
	switch g.values.IntN(4) {
	case 0:
		a.do = []string{fmt.Sprintf("CREATE INDEX extra ON %s (%s)", t.qualified(), name)}
		return a, true
	case 1:
		a.do = []string{fmt.Sprintf("CREATE UNIQUE INDEX extra ON %s (%s) WHERE %s", t.qualified(), name, name+g.one(" IS NOT NULL", " IS NULL"))}
	default:
		a.do = []string{fmt.Sprintf("CREATE UNIQUE INDEX extra ON %s (%s)", t.qualified(), name)}
	}
	a.change, a.restore = func() { c.unique = true }, func() { c.unique = unique }
	return a, true
}

// recreate drops the table and creates one like it. A sequence would begin anew with
// it, and rows of before not be told from those of after.
func (g *generator) recreate(t *table) (alteration, bool) {
	if t.hasMinted || t.name == "parted" || t == g.world.parent || t == g.world.viewed {
		return alteration{}, false
	}
	create := t.create()
	if i := slices.IndexFunc(t.cols, func(c *column) bool { return c.generated }); i >= 0 {
		return alteration{}, false // its expression is not known
	}
	return alteration{do: []string{"DROP TABLE " + g.one("", "IF EXISTS ") + t.qualified(), create}}, true
}

// truncate empties the table. See recreate for sequences.
func (g *generator) truncate(t *table) (alteration, bool) {
	identity := g.one("", " CONTINUE IDENTITY", " RESTART IDENTITY")
	if t.hasMinted {
		identity = ""
	}
	return alteration{do: []string{g.one("TRUNCATE ", "TRUNCATE TABLE ", "truncate only ") + t.qualified() + identity + g.one("", " CASCADE", " RESTRICT")}}, true
}

// dropKey leaves the table without a key until the transaction is rolled back.
func (g *generator) dropKey(t *table) (alteration, bool) {
	return alteration{do: []string{alter(t, "DROP CONSTRAINT %s%s", quote(t.name+"_pkey"), g.one("", " CASCADE"))}, loose: true}, true
}

// forget takes a column out of what the generator knows of a table.
func (t *table) forget(c *column) {
	if i := t.index(c); i >= 0 {
		t.cols = slices.Delete(slices.Clone(t.cols), i, i+1)
		for n, k := range t.key {
			if k > i {
				t.key[n]--
			}
		}
	}
}
