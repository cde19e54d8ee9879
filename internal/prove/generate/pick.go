package generate

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/writebehind/writebehind/internal/prove/history"
)

// pick chooses a value for a column. A daring statement may get one that
// PostgreSQL refuses.
func (g *generator) pick(c *column, daring bool) value {
	n := g.values.IntN(100)
	switch {
	case daring && n < 25 && len(c.kind.wrong) > 0:
		return c.kind.wrong[g.values.IntN(len(c.kind.wrong))]
	case daring && n < 35:
		return null
	case daring && n < 40:
		return refused[g.values.IntN(len(refused))]
	case n == 79 && !g.plain && g.values.IntN(4) == 0 && len(c.kind.huge()) > 0:
		huge := c.kind.huge()
		return huge[g.values.IntN(len(huge))]
	case !c.notNull && !c.minted && n >= 92:
		return null
	case len(c.parents) > 0:
		return c.parents[g.values.IntN(len(c.parents))]
	case n >= 80 && len(c.kind.edge) > 0 && !(g.plain && n < 90):
		return c.kind.edge[g.values.IntN(len(c.kind.edge))]
	}
	return c.kind.plain[g.values.IntN(len(c.kind.plain))]
}

// increment chooses what is added to or taken from a column.
func (g *generator) increment(c *column, daring bool) value {
	if daring {
		return g.pick(c, true)
	}
	if c.kind.sums == "int" {
		return integer(int64(g.values.IntN(4)))
	}
	return c.kind.plain[g.values.IntN(len(c.kind.plain))]
}

// key chooses a value for each column of a table's key.
func (g *generator) key(t *table, daring bool) []value {
	if t.hasMinted && g.values.IntN(8) > 0 {
		return []value{{args: []any{history.Minted{From: t.minted, N: g.values.IntN(6)}}}}
	}
	if len(t.last) > 0 && g.plain && g.values.IntN(100) < 35 {
		return slices.Clone(t.last)
	}
	key := make([]value, len(t.key))
	for i, k := range t.key {
		kind := t.cols[k].kind
		switch {
		case daring && g.values.IntN(4) == 0 && len(kind.wrong) > 0:
			key[i] = kind.wrong[g.values.IntN(len(kind.wrong))]
		case daring && g.values.IntN(10) == 0:
			key[i] = null
		case g.plain && g.values.IntN(4) > 0: // a hot one
			key[i] = t.keys[i][g.values.IntN(min(3, len(t.keys[i])))]
		default:
			key[i] = t.keys[i][g.values.IntN(len(t.keys[i]))]
		}
	}
	if !daring {
		t.last = slices.Clone(key)
	}
	return key
}

// newKey chooses the key of a row to insert: often one that was never there,
// which later statements then come back to.
func (g *generator) newKey(t *table, daring bool) []value {
	key := g.key(t, daring)
	old := 2
	if g.plain {
		old = 6
	}
	if g.repeats {
		old = 1
	}
	if len(t.key) == 0 || t.hasMinted || daring || g.values.IntN(old) == 0 {
		return key
	}
	g.fresh++
	n := 20 + g.fresh
	last := len(t.key) - 1
	var v value
	switch t.cols[t.key[last]].kind.name {
	case "int2", "int4", "int8":
		v = integer(n)
	case "text", "varchar(8)", `text COLLATE "C"`:
		v = text(fmt.Sprintf("n%d", n))
	case "uuid":
		id := fmt.Sprintf("00000000-0000-0000-0000-%012d", n)
		v = val(literal(id), id, []byte(id))
	case "date", "timestamp", "timestamptz":
		v = moment("", time.Date(1990, 1, int(n), 0, 0, 0, 0, time.UTC))
	default:
		return key
	}
	key[last] = v
	t.recall(last, v)
	t.last = slices.Clone(key)
	return key
}

// recall makes a key value one that statements use, in the place of an older
// one of its kind.
func (t *table) recall(i int, v value) {
	const most = 10
	if values := t.keys[i]; len(values) < most {
		t.keys[i] = append(values[:len(values):len(values)], v)
	} else {
		t.keys[i] = append(values[:most-3:most-3], values[most-2], values[most-1], v)
	}
}

// eligible chooses a table that can be opted in, by weight and shape.
func (g *generator) eligible() *table {
	if g.plain && g.shape.IntN(4) > 0 {
		return g.world.tables[g.focus]
	}
	if g.tame && g.shape.IntN(3) > 0 {
		return g.world.tables[0]
	}
	total := 0
	for _, t := range g.world.tables {
		total += t.weight
	}
	n := g.shape.IntN(total)
	for _, t := range g.world.tables {
		if n -= t.weight; n < 0 {
			return t
		}
	}
	return g.world.tables[0]
}

// any chooses a table, the odd ones included.
func (g *generator) anyTable() *table {
	if odd := g.world.oddities; g.shape.IntN(4) == 0 {
		return odd[g.shape.IntN(len(odd))]
	}
	return g.eligible()
}

// some chooses up to most columns, in any order.
func (g *generator) some(cols []*column, most int) []*column {
	if len(cols) == 0 {
		return nil
	}
	out := append([]*column{}, cols...)
	if g.plain {
		// Nothing is known of the values of arrays.
		out = slices.DeleteFunc(out, func(c *column) bool { return len(cols) > 1 && (c.kind.name == "int4[]" || c.kind.rest || c.unique) })
		if len(out) == 0 {
			out = append(out, cols[0])
		}
		if g.tame {
			if free := slices.DeleteFunc(slices.Clone(out), func(c *column) bool { return strings.Contains(c.rest, "CHECK") || c.clock }); len(free) > 0 {
				out = free
			}
		}
		most = min(most, 3)
	}
	g.shape.Shuffle(len(out), func(i, j int) { out[i], out[j] = out[j], out[i] })
	return out[:1+g.shape.IntN(min(most, len(out)))]
}
