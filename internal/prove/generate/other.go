package generate

import (
	"fmt"
	"strings"

	"github.com/writebehind/writebehind/internal/prove/history"
)

// other makes a statement that no key fixes, or that is about more than one
// table.
func (g *generator) other() history.Statement {
	w := g.world
	t := g.eligible()
	switch n := g.shape.IntN(30); {
	case n < 5:
		return g.scan(g.anyTable())
	case n < 8:
		return g.aggregate(g.anyTable())
	case n < 11:
		return g.updateMany(g.anyTable())
	case n < 12:
		return g.deleteMany(g.anyTable())
	case n < 15:
		return g.insertOdd()
	case n < 17 && w.child != nil:
		parent, child := w.parent, w.child
		return unordered(history.Query, fmt.Sprintf("SELECT p.*, c.* FROM %s p %s JOIN child c ON c.%s = p.%s",
			parent.qualified(), []string{"", "LEFT", "FULL"}[g.shape.IntN(3)], child.cols[1].name, parent.cols[parent.key[0]].name))
	case n < 20 && w.view != "":
		return g.throughView()
	case n < 22:
		return g.writingCTE(t)
	case n < 24 && w.function != "":
		return history.Statement{Call: history.Query, SQL: "SELECT " + w.function + "()"}
	case n < 25:
		return g.copyRows(t)
	case n < 26:
		return g.subquery(t)
	case n < 28 && t.hasMinted && t.minted != history.UUIDs:
		return history.Statement{Call: history.Query, SQL: fmt.Sprintf("SELECT currval('%s')", t.sequence())}
	case n < 29:
		wr := g.writer(t)
		wr.word("SELECT * FROM")
		wr.name(true)
		wr.word("ORDER BY")
		list(wr, t.key, func(i int) { wr.column(t.cols[i]) })
		wr.word([]string{"FOR UPDATE", "FOR SHARE SKIP LOCKED", "FOR KEY SHARE NOWAIT"}[g.shape.IntN(3)])
		return g.query(wr, t.sortable())
	default:
		return g.harmless()
	}
}

func unordered(call history.Call, text string, args ...any) history.Statement {
	return history.Statement{Call: call, SQL: text, Args: args, Unordered: true}
}

// scan reads a table, or a part of it that the key does not fix.
func (g *generator) scan(t *table) history.Statement {
	w := g.writer(t)
	w.word("SELECT")
	g.columns(w)
	w.word("FROM")
	w.name(true)
	if g.shape.IntN(2) == 0 {
		w.word("WHERE")
		g.conjunct(w, g.daring())
	}
	return g.ordered(w)
}

// aggregate keeps to what does not depend on the order of rows.
func (g *generator) aggregate(t *table) history.Statement {
	w := g.writer(t)
	w.word("SELECT count(*)")
	for _, c := range t.cols {
		switch {
		case c.minted || c.clock:
		case c.kind.sums == "int":
			w.raw(",")
			w.word("sum (")
			w.column(c)
			w.word(") , max (")
			w.column(c)
			w.word(")")
		case c.kind.sums == "numeric":
			w.raw(",")
			w.word("avg (")
			w.column(c)
			w.word(")")
		case c.kind.name == "date":
			w.raw(",")
			w.word("min (")
			w.column(c)
			w.word(")")
		}
	}
	w.word("FROM")
	w.name(true)
	return g.query(w, false)
}

// updateMany writes rows that the key does not fix. What it sets must not
// depend on the order in which rows are met.
func (g *generator) updateMany(t *table) history.Statement {
	cols := t.settable()
	if len(cols) == 0 {
		return g.scan(t)
	}
	w := g.writer(t)
	w.word("UPDATE")
	w.name(true)
	w.word("SET")
	daring := g.daring()
	g.assign(w, cols[g.shape.IntN(len(cols))], daring)
	if g.shape.IntN(3) > 0 {
		w.word("WHERE")
		g.conjunct(w, daring)
	}
	return g.write(w, g.returning(w, 4), false)
}

func (g *generator) deleteMany(t *table) history.Statement {
	w := g.writer(t)
	w.word("DELETE FROM")
	w.name(true)
	w.word("WHERE")
	g.conjunct(w, g.daring())
	w.word("AND")
	g.conjunct(w, false)
	return g.write(w, g.returning(w, 3), false)
}

// insertOdd writes a table that cannot be opted in.
func (g *generator) insertOdd() history.Statement {
	t := g.world.oddities[g.shape.IntN(len(g.world.oddities))]
	if len(t.key) > 0 && g.shape.IntN(2) == 0 {
		w := g.writer(t)
		w.word("UPDATE")
		w.name(true)
		w.word("SET")
		g.assign(w, t.others()[g.shape.IntN(len(t.others()))], false)
		g.where(w, false)
		return g.write(w, g.returning(w, 4), false)
	}
	w, _ := g.insertInto(t, g.daring())
	if len(t.key) > 0 && g.shape.IntN(2) == 0 {
		w.word("ON CONFLICT DO NOTHING")
	}
	return g.write(w, g.returning(w, 4), false)
}

// throughView reads or writes an opted-in table by another name.
func (g *generator) throughView() history.Statement {
	view := *g.world.viewed
	view.name, view.schema, view.plainName = g.world.view, "", true
	switch g.shape.IntN(5) {
	case 0:
		w := g.writer(&view)
		w.word("UPDATE")
		w.name(true)
		w.word("SET")
		g.assign(w, view.others()[g.shape.IntN(len(view.others()))], false)
		g.where(w, false)
		return g.write(w, g.returning(w, 4), true)
	case 1:
		w, _ := g.insertInto(&view, false)
		w.word("ON CONFLICT DO NOTHING")
		return g.write(w, g.returning(w, 4), true)
	case 2:
		return g.aggregate(&view)
	default:
		w := g.writer(&view)
		w.word("SELECT")
		g.columns(w)
		w.word("FROM")
		w.name(true)
		g.where(w, g.daring())
		return g.query(w, true)
	}
}

// writingCTE reads by its first word and writes all the same.
func (g *generator) writingCTE(t *table) history.Statement {
	w := g.writer(t)
	w.word("WITH done AS (")
	if g.shape.IntN(2) == 0 {
		w.word("UPDATE")
		w.name(true)
		w.word("SET")
		cols := t.others()
		g.assign(w, cols[g.shape.IntN(len(cols))], false)
		g.where(w, false)
	} else {
		w.word("DELETE FROM")
		w.name(true)
		g.where(w, false)
	}
	w.word("RETURNING * ) SELECT")
	w.word([]string{"* FROM done", "count(*) FROM done", "1"}[g.shape.IntN(3)])
	w.semicolon = false
	return g.query(w, true)
}

// copyRows reads one table and writes another, or the same one.
func (g *generator) copyRows(t *table) history.Statement {
	if t.hasMinted || len(t.key) > 1 {
		t = g.world.tables[0]
	}
	var names []string
	for _, c := range t.cols {
		if !c.generated {
			names = append(names, t.written(c))
		}
	}
	cols := strings.Join(names, ", ")
	return unordered(history.Exec, fmt.Sprintf("INSERT INTO %s (%s) SELECT %s FROM %s ORDER BY 1 ON CONFLICT DO NOTHING",
		t.qualified(), cols, cols, t.qualified()))
}

// subquery takes the key from elsewhere.
func (g *generator) subquery(t *table) history.Statement {
	w := g.writer(t)
	w.alias = ""
	k := t.cols[t.key[0]]
	w.word("SELECT * FROM")
	w.name(false)
	w.word("WHERE")
	w.column(k)
	forms := []string{"IN ( SELECT (", "= ( SELECT max ("}
	switch k.kind.name {
	case "uuid", "bool", "bytea": // have no max
		forms = forms[:1]
	}
	w.word(forms[g.shape.IntN(len(forms))])
	w.raw(w.ident(k.name))
	w.word(") FROM")
	w.name(false)
	w.word(")")
	return g.query(w, false)
}

// harmless touches no table.
func (g *generator) harmless() history.Statement {
	texts := []string{
		"SELECT 1", "VALUES (1, 'a'), (2, NULL)", "SHOW server_version", "SELECT current_setting('TimeZone')", ";", "", " -- nothing",
		"SELECT NULL", "SELECT 1::int2 AS a, 'x'::text AS a, now() IS NULL", "SHOW TimeZone", "SELECT $$it's$$ || E'\\'' || U&'\\0061'",
		"SELECT 'UPDATE plain SET id = 1 WHERE id = 2'", "SELECT generate_series(1, 3)", "SELECT 1; SELECT 2", "SELECT txid_current() > 0",
	}
	return history.Statement{Call: history.Query, SQL: texts[g.shape.IntN(len(texts))]}
}
