package generate

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

// stock puts rows into most tables that are there before the application
// comes, so that the driver under test meets rows it did not write.
func (w *world) stock(r *rand.Rand) {
	for _, t := range w.tables {
		if t.hasMinted || t.refuses() || t.references || t.unstocked || r.IntN(4) == 0 {
			continue
		}
		var names, rows []string
		for i, c := range t.cols {
			if t.isKey(i) || stocked(c) {
				name := c.name
				if !t.plainName {
					name = quote(name)
				}
				names = append(names, name)
			}
		}
		for n := range t.keys[0] {
			row, complete := t.row(r, n)
			if complete {
				rows = append(rows, "("+strings.Join(row, ", ")+")")
			}
		}
		if len(rows) > 0 {
			w.schema = append(w.schema, fmt.Sprintf("INSERT INTO %s (%s) VALUES\n  %s\n  ON CONFLICT DO NOTHING",
				t.qualified(), strings.Join(names, ", "), strings.Join(rows, ",\n  ")))
		}
	}
}

// refuses reports whether a row with a default may violate a CHECK.
func (t *table) refuses() bool {
	for _, c := range t.cols {
		if c.unique && c.def && strings.Contains(c.rest, "CHECK") {
			return true
		}
	}
	return false
}

// stocked reports whether a column outside of the key gets a value.
func stocked(c *column) bool { return !c.clock && !c.unique && !c.generated && len(c.parents) == 0 }

// row makes a row with the nth value of the first key column. It is not
// complete if a key value cannot be written in SQL.
func (t *table) row(r *rand.Rand, n int) (row []string, complete bool) {
	for i, c := range t.cols {
		v := c.kind.plain[0] // satisfies every CHECK
		switch {
		case i == t.key[0]:
			v = t.keys[0][n]
		case t.isKey(i):
			values := t.keys[i]
			v = values[r.IntN(len(values))]
		case !stocked(c):
			if c.unique && c.notNull && !c.def && !c.generated {
				return nil, false
			}
			continue
		case !c.notNull && r.IntN(3) == 0:
			v = null
		}
		if v.lit == "" || v.lit == null.lit && t.isKey(i) {
			return nil, false
		}
		row = append(row, v.lit)
	}
	return row, true
}
