package generate

import (
	"database/sql/driver"
	"strings"

	"github.com/lib/pq"

	"github.com/writebehind/writebehind/internal/prove/history"
)

// where writes WHERE and a condition that fixes the key.
func (g *generator) where(w *writer, daring bool) {
	w.word("WHERE")
	t := w.table
	key := g.key(t, daring)
	form := g.shape.IntN(12)
	switch {
	case form == 0 && len(t.key) > 1: // as rows
		w.word("(")
		list(w, t.key, func(i int) { w.column(t.cols[i]) })
		w.word(") = (")
		for i, k := range t.key {
			if i > 0 {
				w.raw(",")
			}
			w.value(t.cols[k].kind, key[i])
		}
		w.word(")")
	default:
		parens := form == 1
		if parens {
			w.word("(")
		}
		for i, k := range t.key {
			if i > 0 {
				w.word("AND")
			}
			g.equal(w, t.cols[k], key[i])
		}
		if parens {
			w.word(")")
		}
	}
	if g.rarely(25) { // the key once more
		w.word("AND")
		g.equal(w, t.cols[t.key[0]], g.key(t, false)[0])
	}
	for g.shape.IntN(5) == 0 && !(g.plain && g.shape.IntN(2) == 0) {
		w.word("AND")
		g.conjunct(w, daring)
	}
}

// equal writes column = value, on either side.
func (g *generator) equal(w *writer, c *column, v value) {
	if g.shape.IntN(12) == 0 {
		w.value(c.kind, v)
		w.word("=")
		w.column(c)
		return
	}
	w.column(c)
	w.word("=")
	w.value(c.kind, v)
}

// conjunct writes a condition on a column outside of the key.
func (g *generator) conjunct(w *writer, daring bool) {
	cols := w.table.others()
	if len(cols) == 0 {
		w.word("TRUE")
		return
	}
	c := cols[g.shape.IntN(len(cols))]
	n := g.shape.IntN(14)
	if g.plain && n >= 6 && n <= 8 {
		n = 0
	}
	switch {
	case c.clock && n > 6 && !g.inside: // in a transaction now() may have two moments, see package compare
		w.column(c)
		w.word([]string{"< now()", "> now()", "<= CURRENT_TIMESTAMP + '1 hour'", "> now() - interval '1 day'", "IS NULL"}[g.shape.IntN(5)])
	case n < 3:
		w.column(c)
		w.word("IS NULL")
	case n < 6:
		w.column(c)
		w.word("IS NOT NULL")
	case n == 6:
		w.column(c)
		w.word("IS DISTINCT FROM")
		w.value(c.kind, g.pick(c, daring))
	case n == 7:
		w.column(c)
		w.word([]string{">", "<>", "<="}[g.shape.IntN(3)])
		w.value(c.kind, g.pick(c, daring))
	case n == 8:
		w.word("(")
		g.equal(w, c, g.pick(c, daring))
		w.word("OR")
		w.column(c)
		w.word("IS NULL )")
	default:
		g.equal(w, c, g.pick(c, daring))
	}
}

// columns writes a select list or what RETURNING gives.
func (g *generator) columns(w *writer) {
	t := w.table
	switch n := g.shape.IntN(10); {
	case n < 3:
		w.word("*")
	case n == 3:
		name := w.alias
		if name == "" {
			name = w.ident(t.name)
		}
		w.raw(name + ".*")
	default:
		list(w, g.some(t.cols, 6), func(c *column) {
			w.column(c)
			switch g.shape.IntN(12) {
			case 0:
				w.word("AS")
				w.raw(w.ident("out"))
			case 1:
				w.raw(`"Out put"`)
			}
		})
	}
}

func (g *generator) returning(w *writer, of int) bool {
	if g.shape.IntN(of) != 0 || g.plain && g.shape.IntN(2) == 0 || g.tame {
		return false
	}
	w.word("RETURNING")
	if g.rarely(20) {
		w.word("1 + 1 AS two")
		return true
	}
	g.columns(w)
	return true
}

// selectByKey reads one row.
func (g *generator) selectByKey() history.Statement {
	w := g.writer(g.eligible())
	w.word("SELECT")
	g.columns(w)
	w.word("FROM")
	w.name(true)
	g.where(w, g.daring())
	n := g.shape.IntN(40)
	if g.plain && (n == 5 || n > 8) {
		n = 20
	}
	if g.inside && g.values.IntN(5) == 0 {
		w.word(g.rowLock())
		return g.query(w, true)
	}
	switch n {
	case 0, 1, 2, 3, 4:
		w.word("LIMIT 1")
	case 5:
		w.word("LIMIT")
		w.raw(w.param([]any{int64(1), int64(0), "1", nil, int64(-1)}[g.values.IntN(5)]))
	case 6, 7, 8:
		w.word("ORDER BY")
		w.column(w.table.cols[w.table.key[0]])
		w.word("LIMIT 1")
	case 9:
		w.word("FOR UPDATE")
	case 10:
		w.word("OFFSET 0")
	case 11:
		w.word("FETCH FIRST 1 ROW ONLY")
	}
	return g.query(w, true)
}

// selectByKeys reads the rows of a list of keys, or asks whether they are there.
func (g *generator) selectByKeys() history.Statement {
	t := g.eligible()
	w := g.writer(t)
	w.word("SELECT")
	form := g.shape.IntN(16)
	switch form {
	case 0:
		w.word("count ( * )")
	case 1:
		w.word("1 AS one")
	case 2:
		w.word("EXISTS ( SELECT 1")
	default:
		g.columns(w)
	}
	w.word("FROM")
	w.name(true)
	w.word("WHERE")
	daring := g.daring()
	array, ok := g.keyArray(t)
	switch {
	case len(t.key) > 1 && g.shape.IntN(4) == 0: // a list of the last column only
		last := len(t.key) - 1
		for i, v := range g.key(t, daring)[:last] {
			g.equal(w, t.cols[t.key[i]], v)
			w.word("AND")
		}
		g.keyList(w, t.key[last:], func() []value { return g.key(t, daring)[last:] })
	case len(t.key) == 1 && ok && g.shape.IntN(2) == 0:
		w.column(t.cols[t.key[0]])
		w.word("= ANY (")
		g.array(w, array)
		w.word(")")
	default:
		g.keyList(w, t.key, func() []value { return g.key(t, daring) })
	}
	if g.shape.IntN(6) == 0 {
		w.word("AND")
		g.conjunct(w, daring)
	}
	switch form {
	case 0, 1:
		return g.query(w, true)
	case 2:
		w.word(")")
		return g.query(w, true)
	}
	return g.ordered(w)
}

// keyList writes (columns) IN (lists of their values).
func (g *generator) keyList(w *writer, columns []int, key func() []value) {
	t := w.table
	count := 1 + g.shape.IntN(5)
	if len(columns) == 1 {
		c := t.cols[columns[0]]
		w.column(c)
		w.word("IN (")
		for n := range count {
			if n > 0 {
				w.raw(",")
			}
			w.value(c.kind, key()[0])
		}
		w.word(")")
		return
	}
	w.word("(")
	list(w, columns, func(i int) { w.column(t.cols[i]) })
	w.word(") IN (")
	for n := range count {
		if n > 0 {
			w.raw(",")
		}
		w.word("(")
		for i, v := range key() {
			if i > 0 {
				w.raw(",")
			}
			w.value(t.cols[columns[i]].kind, v)
		}
		w.word(")")
	}
	w.word(")")
}

// array writes an array, as a parameter or as a literal.
func (g *generator) array(w *writer, array any) {
	valuer, ok := array.(driver.Valuer)
	if !ok || g.shape.IntN(4) > 0 {
		w.raw(w.param(array))
		return
	}
	text, _ := valuer.Value() // of texts and integers there always is one
	literal, _ := text.(string)
	switch g.values.IntN(8) {
	case 0: // white space between the elements
		literal = strings.ReplaceAll(literal, ",", " , ")
	case 1:
		literal = strings.Replace(literal, "}", ",NULL}", 1)
	}
	if g.shape.IntN(2) == 0 {
		w.raw(w.param(literal))
		return
	}
	w.raw("'" + strings.ReplaceAll(literal, "'", "''") + "'")
}

// keyArray is an array argument of keys, for the types that have one.
func (g *generator) keyArray(t *table) (any, bool) {
	if t.hasMinted || len(t.key) > 1 {
		return nil, false
	}
	var ints pq.Int64Array
	var texts pq.StringArray
	for range g.values.IntN(4) {
		switch v := t.keys[0][g.values.IntN(len(t.keys[0]))].args[0].(type) {
		case int64:
			ints = append(ints, v)
		case string:
			texts = append(texts, v)
		default:
			return nil, false
		}
	}
	switch {
	case len(ints) > 0 && g.values.IntN(2) == 0:
		return []int64(ints), true
	case len(ints) > 0:
		return ints, true
	case len(texts) > 0:
		return texts, true
	}
	return "{}", true
}

// ordered ends a query of several rows: in key order, perhaps limited, or in
// no order.
func (g *generator) ordered(w *writer) history.Statement {
	if g.shape.IntN(2) == 0 || !w.table.sortable() {
		return g.query(w, false)
	}
	w.word("ORDER BY")
	list(w, w.table.key, func(i int) {
		w.column(w.table.cols[i])
		if g.shape.IntN(6) == 0 {
			w.word("DESC")
		}
	})
	switch g.shape.IntN(6) {
	case 0:
		w.word("LIMIT 2")
	case 1:
		w.word("LIMIT 1 OFFSET 1")
	case 2:
		w.word("LIMIT")
		w.raw(w.param([]any{int64(1), int64(2), int64(3), "2", nil}[g.values.IntN(5)]))
	}
	st := g.query(w, true)
	if g.shape.IntN(10) == 0 {
		st.Read = 1
	}
	return st
}

// exists asks whether a row is there.
func (g *generator) exists() history.Statement {
	w := g.writer(g.eligible())
	form := g.shape.IntN(6)
	w.word([]string{
		"SELECT 1 FROM", "SELECT count ( * ) FROM", "SELECT EXISTS ( SELECT 1 FROM", "SELECT COUNT(*) AS n FROM",
		"SELECT EXISTS ( SELECT * FROM", "SELECT 1 AS one FROM",
	}[form])
	w.name(true)
	g.where(w, g.daring())
	if form == 5 {
		w.word("LIMIT 1")
	}
	if form == 2 || form == 4 {
		w.word(")")
	}
	return g.query(w, true)
}
