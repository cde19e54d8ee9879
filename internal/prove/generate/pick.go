package generate

import "github.com/writebehind/writebehind/internal/prove/history"

// pick chooses a value for a column. A daring statement may get one that
// PostgreSQL refuses.
func (g *generator) pick(c *column, daring bool) value {
	n := g.values.IntN(100)
	switch {
	case daring && n < 25 && len(c.kind.wrong) > 0:
		return c.kind.wrong[g.values.IntN(len(c.kind.wrong))]
	case daring && n < 35:
		return null
	case !c.notNull && !c.minted && n >= 92:
		return null
	case len(c.parents) > 0:
		return c.parents[g.values.IntN(len(c.parents))]
	case n >= 80 && len(c.kind.edge) > 0:
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
	key := make([]value, len(t.key))
	for i, k := range t.key {
		kind := t.cols[k].kind
		switch {
		case daring && g.values.IntN(4) == 0 && len(kind.wrong) > 0:
			key[i] = kind.wrong[g.values.IntN(len(kind.wrong))]
		case daring && g.values.IntN(10) == 0:
			key[i] = null
		default:
			key[i] = t.keys[i][g.values.IntN(len(t.keys[i]))]
		}
	}
	return key
}

// eligible chooses a table that can be opted in, by weight and shape.
func (g *generator) eligible() *table {
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
	g.shape.Shuffle(len(out), func(i, j int) { out[i], out[j] = out[j], out[i] })
	return out[:1+g.shape.IntN(min(most, len(out)))]
}
