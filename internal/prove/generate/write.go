package generate

import (
	"github.com/writebehind/writebehind/internal/prove/history"
)

// update changes one row.
func (g *generator) update() history.Statement {
	w := g.writer(g.eligible())
	daring := g.daring()
	w.word("UPDATE")
	w.name(true)
	w.word("SET")
	cols := g.some(w.table.others(), 4)
	if g.rarely(30) { // as an ORM's Save does, or a change of the key
		cols = append(cols, w.table.cols[w.table.key[0]])
	}
	if len(cols) > 1 && g.rarely(30) {
		w.word("(")
		list(w, cols, w.target)
		w.word(") = (")
		list(w, cols, func(c *column) { w.value(c.kind, g.pick(c, daring)) })
		w.word(")")
	} else {
		list(w, cols, func(c *column) { g.assign(w, c, daring) })
	}
	g.where(w, daring)
	return g.write(w, g.returning(w, 4), true)
}

// assign writes column = something.
func (g *generator) assign(w *writer, c *column, daring bool) {
	w.target(c)
	w.word("=")
	if c.generated {
		w.word("DEFAULT")
		return
	}
	n := g.shape.IntN(20)
	if g.plain && (n < 9 && c.kind.sums == "float" || n == 9 || n == 11 && c.notNull || n == 12) {
		n = 19
	}
	if g.tame && (n >= 8 && n <= 12 || c.clock || c.kind.sums == "float") {
		w.value(c.kind, g.pick(c, daring))
		return
	}
	switch {
	case c.kind.sums != "" && n < 2:
		w.word("COALESCE (")
		w.column(c)
		w.word(", 0) +")
		w.value(c.kind, g.increment(c, daring))
	case c.kind.sums != "" && n < 8:
		w.column(c)
		w.word([]string{"+", "+", "-"}[g.shape.IntN(3)])
		w.value(c.kind, g.increment(c, daring))
	case c.kind.sums == "int" && n == 8:
		w.value(c.kind, g.increment(c, daring))
		w.word("+")
		w.column(c)
	case c.kind.sums == "int" && n == 9:
		w.column(c)
		w.word("% 7 * 2")
	case n == 10:
		w.word("DEFAULT")
	case n == 11:
		w.word("NULL")
	case n == 12 && c.kind.name == "text":
		w.word("upper (")
		w.column(c)
		w.word(")")
	case c.clock && n > 12:
		w.word([]string{"now()", "CURRENT_TIMESTAMP"}[g.shape.IntN(2)])
	default:
		w.value(c.kind, g.pick(c, daring))
	}
}

// del deletes one row.
func (g *generator) del() history.Statement {
	w := g.writer(g.eligible())
	w.word("DELETE FROM")
	w.name(true)
	g.where(w, g.daring())
	return g.write(w, g.returning(w, 4), true)
}

// insert adds a row or a few.
func (g *generator) insert() history.Statement {
	w, _ := g.insertInto(g.eligible(), g.daring())
	return g.write(w, g.returning(w, 3), true)
}

// upsert adds a row or a few that may be there.
func (g *generator) upsert() history.Statement {
	daring := g.daring()
	w, cols := g.insertInto(g.eligible(), daring)
	t := w.table
	w.word("ON CONFLICT")
	switch n := g.shape.IntN(20); {
	case n == 0 && t.plainName && t.name != g.world.view:
		w.word("ON CONSTRAINT ")
		w.raw(t.name + "_pkey")
	case n == 1 && len(t.others()) > 0: // mostly not UNIQUE
		w.word("(")
		w.target(t.others()[0])
		w.word(")")
	case n > 3:
		w.word("(")
		list(w, t.key, func(i int) { w.target(t.cols[i]) })
		w.word(")")
	default:
		w.word("DO NOTHING")
		return g.write(w, g.returning(w, 3), true)
	}
	var set []*column
	for _, c := range cols {
		if !t.isKey(t.index(c)) {
			set = append(set, c)
		}
	}
	if len(set) == 0 || g.shape.IntN(4) == 0 {
		w.word("DO NOTHING")
		return g.write(w, g.returning(w, 3), true)
	}
	w.word("DO UPDATE SET")
	list(w, g.some(set, 4), func(c *column) {
		w.target(c)
		w.word("=")
		switch n := g.shape.IntN(10); {
		case n < 3 && c.kind.sums != "":
			w.raw(w.ident(t.name) + "." + w.ident(c.name))
			w.word("+")
			if n == 0 {
				w.value(c.kind, g.increment(c, daring))
			} else {
				w.raw("EXCLUDED." + w.ident(c.name))
			}
		case n == 3:
			w.value(c.kind, g.pick(c, daring))
		default:
			if w.lower {
				w.raw("excluded." + w.ident(c.name))
			} else {
				w.raw("EXCLUDED." + w.ident(c.name))
			}
		}
	})
	if g.rarely(20) {
		w.word("WHERE")
		w.raw(w.ident(t.name) + "." + w.ident(set[0].name))
		w.word("IS NOT NULL")
	}
	return g.write(w, g.returning(w, 3), true)
}

func (t *table) index(c *column) int {
	for i := range t.cols {
		if t.cols[i] == c {
			return i
		}
	}
	return -1
}

// insertInto writes INSERT as far as the values, and returns the columns named.
func (g *generator) insertInto(t *table, daring bool) (*writer, []*column) {
	w := g.writer(t)
	w.word("INSERT INTO")
	w.name(false)
	cols := g.insertColumns(t)
	if len(cols) == 0 {
		w.word("DEFAULT VALUES")
		return w, nil
	}
	if !(len(cols) == len(t.cols) && g.shape.IntN(4) == 0 && inOrder(t, cols)) {
		w.word("(")
		list(w, cols, w.target)
		w.word(")")
	}
	w.word("VALUES")
	rows := 1
	if g.shape.IntN(6) == 0 && !(g.plain && g.shape.IntN(2) == 0) && !g.tame {
		rows = 2 + g.shape.IntN(2)
	}
	for n := range rows {
		if n > 0 {
			w.raw(",")
		}
		w.word("(")
		key := g.newKey(t, daring)
		list(w, cols, func(c *column) {
			for i, k := range t.key {
				if t.cols[k] == c {
					w.value(c.kind, key[i])
					return
				}
			}
			switch {
			case c.generated:
				w.word("DEFAULT")
			case g.tame:
				w.value(c.kind, g.pick(c, daring))
			case c.def && g.shape.IntN(6) == 0:
				w.word("DEFAULT")
			case c.clock && g.shape.IntN(4) == 0:
				w.word("now()")
			default:
				w.value(c.kind, g.pick(c, daring))
			}
		})
		w.word(")")
	}
	return w, cols
}

// insertColumns chooses the columns that an INSERT names: the key, unless the
// database makes it; those that must not be NULL; and some of the rest.
func (g *generator) insertColumns(t *table) []*column {
	var cols []*column
	few := g.shape.IntN(3) == 0
	for i, c := range t.cols {
		switch {
		case g.tame && !c.minted && !c.generated:
			cols = append(cols, c)
		case c.minted:
			if g.shape.IntN(12) == 0 {
				cols = append(cols, c)
			}
		case t.isKey(i), c.notNull && !c.def:
			if !g.rarely(150) {
				cols = append(cols, c)
			}
		case c.generated:
			if g.rarely(20) {
				cols = append(cols, c)
			}
		case c.kind.rest && g.plain:
		case c.clock, few:
			if g.shape.IntN(4) == 0 {
				cols = append(cols, c)
			}
		default:
			cols = append(cols, c)
		}
	}
	if g.shape.IntN(8) == 0 {
		g.shape.Shuffle(len(cols), func(i, j int) { cols[i], cols[j] = cols[j], cols[i] })
	}
	return cols
}

func inOrder(t *table, cols []*column) bool {
	for i := range cols {
		if cols[i] != t.cols[i] {
			return false
		}
	}
	return true
}
