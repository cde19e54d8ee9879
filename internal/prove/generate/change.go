package generate

import (
	"slices"

	"github.com/writebehind/writebehind/internal/prove/history"
)

// alteration is a change of the schema and how it is taken back. What the generator
// knows of the schema follows: change and restore are called when the statements
// were made.
type alteration struct {
	do, undo        []string
	change, restore func() // nil: there is nothing to know
	// rows are not what the key says meanwhile: only what holds for any number
	// of rows is sent.
	loose bool
}

// schemaChange makes a change of the schema of a table that has writes pending, what
// the application does with the changed table, and mostly the way back. It may stand
// in a transaction, which may be rolled back.
func (g *generator) schemaChange() []history.Statement {
	plain, focus := g.plain, g.focus
	defer func() { g.plain, g.focus, g.inside, g.tame = plain, focus, false, false }()
	g.plain = true
	g.focus = g.values.IntN(len(g.world.tables))
	t := g.world.tables[g.focus]
	a := g.alteration(t)

	form := g.values.IntN(8)
	if a.loose {
		form = g.values.IntN(2)
	}
	g.inside = form < 4
	out := g.pending(1 + g.values.IntN(4))
	changed := func() (during []history.Statement) {
		for _, text := range a.do {
			during = append(during, change(text))
		}
		if a.change != nil {
			a.change()
		}
		defer func() {
			if a.restore != nil {
				a.restore()
			}
		}()
		for range 1 + g.values.IntN(5) {
			if a.loose {
				during = append(during, g.loosely(t))
			} else {
				during = append(during, g.statement())
			}
		}
		return during
	}
	undo := func() {
		g.inside = false
		for _, text := range a.undo {
			out = append(out, change(text))
		}
	}
	switch form {
	case 0: // rolled back
		out = slices.Concat(g.beginning(), out, changed(), []history.Statement{g.rollback()})
	case 1: // rolled back in part
		out = slices.Concat(g.beginning(), out, []history.Statement{exec("SAVEPOINT s")}, changed(), []history.Statement{exec("ROLLBACK TO s")})
		out = append(append(out, g.pending(2)...), exec("COMMIT"))
	case 2, 3: // committed
		out = slices.Concat(g.beginning(), out, changed(), []history.Statement{exec("COMMIT")})
		undo()
	default: // on its own
		out = append(out, changed()...)
		undo()
	}
	g.inside = false
	return append(closed(out), g.pending(1+g.values.IntN(3))...)
}

// change is a statement that changes the schema. Several rows may make it fail.
func change(text string) history.Statement {
	return history.Statement{SQL: text, DDL: true, Unordered: true}
}

// pending makes a few ordinary statements about the table that a phase is about.
func (g *generator) pending(n int) (out []history.Statement) {
	for range n {
		g.tame = g.values.IntN(3) > 0
		out = append(out, g.statement())
	}
	g.tame = false
	return out
}

// loosely makes a statement that means the same whether a key is one row's or not.
func (g *generator) loosely(t *table) history.Statement {
	g.newShape()
	w := g.writer(t)
	if g.values.IntN(2) == 0 {
		w.word("SELECT count(*) FROM")
		w.name(true)
		g.where(w, false)
		return g.query(w, true)
	}
	w.word("DELETE FROM")
	w.name(true)
	g.where(w, false)
	return g.write(w, false, true)
}

func (g *generator) rollback() history.Statement {
	return exec(g.one("ROLLBACK", "rollback", "ABORT"))
}

// closed lets a transaction that was begun by a call end by a call.
func closed(statements []history.Statement) []history.Statement {
	called := false
	for i, st := range statements {
		switch begins, ends, undoes := st.Limits(); {
		case begins:
			called = st.Call == history.Begin
		case called && ends && undoes:
			statements[i] = history.Statement{Call: history.Rollback}
		case called && ends:
			statements[i] = history.Statement{Call: history.Commit}
		}
		if _, ends, _ := st.Limits(); ends {
			called = false
		}
	}
	return statements
}
