package generate

import (
	"fmt"
	"slices"
	"strings"

	"github.com/writebehind/writebehind/internal/prove/history"
)

// copyInto sends rows to an opted-in table that has writes pending: in a transaction,
// which lib/pq asks for, with rows that fail in the middle, in a failed transaction,
// or where a COPY cannot be.
func (g *generator) copyInto() []history.Statement {
	plain, focus := g.plain, g.focus
	defer func() { g.plain, g.focus, g.inside, g.tame = plain, focus, false, false }()
	g.plain = true
	g.focus = g.values.IntN(len(g.world.tables))
	t := g.world.tables[g.focus]
	out := g.pending(1 + g.values.IntN(3)) // known before, and pending
	if g.values.IntN(8) == 0 {
		return append(append(out, g.misplacedCopy(t)), g.pending(2)...)
	}
	out = append(out, history.Statement{Call: history.Begin})
	g.inside = true
	out = append(out, g.pending(g.values.IntN(3))...)
	switch g.values.IntN(5) {
	case 0: // failed before
		out = append(out, g.failing(), g.copyTo(t))
	case 1: // taken back
		out = append(out, exec("SAVEPOINT s"), g.copyTo(t), exec("ROLLBACK TO s"))
	case 2:
		out = append(out, g.copyTo(t), g.copyTo(t))
	default:
		out = append(out, g.copyTo(t))
	}
	out = append(out, g.pending(g.values.IntN(3))...)
	end := history.Statement{Call: history.Commit, Unordered: g.world.deferrable}
	if g.values.IntN(4) == 0 {
		end = history.Statement{Call: history.Rollback}
	}
	g.inside = false
	return append(append(out, end), g.pending(2+g.values.IntN(3))...)
}

// copyTo is a COPY whose rows have keys that statements come back to. Some of them
// fail, in any place.
func (g *generator) copyTo(t *table) history.Statement {
	var cols []*column
	for _, c := range t.cols {
		if !c.generated && !(c.minted && g.values.IntN(3) > 0) && (!c.kind.rest || c.notNull) && !c.clock {
			cols = append(cols, c)
		}
	}
	names := make([]string, len(cols))
	for i, c := range cols {
		names[i] = t.written(c)
	}
	text := fmt.Sprintf("%s %s (%s) %s", g.one("COPY", "COPY", "copy"), t.qualified(), strings.Join(names, ", "), g.one("FROM STDIN", "FROM STDIN", "from stdin"))
	st := history.Statement{Call: history.Copy, SQL: text, Unordered: true, Columns: len(cols)}
	rows := 1 + g.values.IntN(4)
	bad := -1 // the row that fails; the key of one before, if not a value of its own
	if g.values.IntN(4) == 0 {
		bad = g.values.IntN(rows)
	}
	for n := range rows {
		key := g.newKey(t, false)
		if bad == n && n > 0 && g.values.IntN(2) == 0 {
			st.Args = append(st.Args, st.Args[:len(cols)]...)
			continue
		}
		for _, c := range cols {
			v := g.pick(c, bad == n)
			if i := slices.IndexFunc(t.key, func(k int) bool { return t.cols[k] == c }); i >= 0 {
				v = key[i]
			}
			st.Args = append(st.Args, v.args[0])
		}
	}
	return st
}

// misplacedCopy is a COPY that lib/pq refuses.
func (g *generator) misplacedCopy(t *table) history.Statement {
	in := g.copyTo(t)
	switch g.values.IntN(4) {
	case 0: // outside of a transaction
		return in
	case 1: // by Exec
		return history.Statement{SQL: in.SQL}
	case 2:
		return history.Statement{Call: history.Query, SQL: "COPY " + t.qualified() + " TO STDOUT"}
	default:
		return history.Statement{SQL: fmt.Sprintf("COPY (SELECT count(*) FROM %s) TO STDOUT", t.qualified()), Prepared: history.Once}
	}
}
