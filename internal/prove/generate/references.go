package generate

import (
	"fmt"
	"math/rand/v2"
)

// addChildren makes tables that reference others: a child, perhaps also itself, a
// grandchild, and one that references a key of several columns.
func (w *world) addChildren(r *rand.Rand) {
	w.addChild(r)
	if r.IntN(3) == 0 {
		w.references(r, "grandchild", w.child)
	}
	for _, t := range w.tables {
		if len(t.key) == 2 && r.IntN(2) == 0 {
			w.addCousin(r, t)
			return
		}
	}
}

// addChild makes a table that references another one.
func (w *world) addChild(r *rand.Rand) {
	w.parent = w.tables[r.IntN(2)]
	w.child = w.references(r, "child", w.parent)
}

// references makes a table with a column that references the key of another one.
func (w *world) references(r *rand.Rand, name string, parent *table) *table {
	t := &table{name: name, plainName: true, weight: 3, references: true}
	t.addKey(r, w.byName["int8"])
	c := t.addColumn(r, parent.cols[parent.key[0]].kind, false)
	c.rest = " REFERENCES " + parent.qualified() + w.actions(r)
	c.def, c.notNull = false, r.IntN(6) == 0
	c.parents = parent.keys[0]
	t.addColumn(r, w.byName["int4"], true)
	if r.IntN(4) == 0 {
		up := t.addColumn(r, w.byName["int8"], false)
		up.rest, up.def, up.notNull = " REFERENCES "+name+w.actions(r), false, false
		up.parents = t.keys[0]
		w.swept = append(w.swept, t)
	}
	w.swept = append(w.swept, parent)
	w.add(t)
	return t
}

// addCousin makes a table that references a key of two columns.
func (w *world) addCousin(r *rand.Rand, parent *table) {
	t := &table{name: "cousin", plainName: true, weight: 2, references: true}
	t.addKey(r, w.byName["int4"])
	for i, k := range parent.key {
		c := t.addColumn(r, parent.cols[k].kind, false)
		c.rest, c.def, c.notNull = "", false, false
		c.parents = parent.keys[i]
	}
	t.addColumn(r, w.byName["int4"], true)
	w.add(t)
	w.swept = append(w.swept, parent)
	w.later = append(w.later, fmt.Sprintf("ALTER TABLE cousin ADD FOREIGN KEY (%s, %s) REFERENCES %s (%s, %s)%s%s", t.cols[1].name, t.cols[2].name,
		parent.qualified(), parent.written(parent.cols[parent.key[0]]), parent.written(parent.cols[parent.key[1]]), []string{"", " MATCH FULL"}[r.IntN(2)], w.actions(r)))
}

// actions are what a foreign key does when its parent changes, and when.
func (w *world) actions(r *rand.Rand) string {
	text := []string{"", "", " ON DELETE CASCADE", " ON DELETE SET NULL", " ON DELETE RESTRICT", " ON DELETE SET DEFAULT"}[r.IntN(6)] +
		[]string{"", "", " ON UPDATE CASCADE", " ON UPDATE SET NULL", " ON UPDATE RESTRICT"}[r.IntN(5)]
	switch r.IntN(6) {
	case 0:
		w.deferrable = true
		text += " DEFERRABLE INITIALLY DEFERRED"
	case 1:
		w.deferrable = true
		text += " DEFERRABLE"
	}
	return text
}
