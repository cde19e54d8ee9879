package generate

import (
	"fmt"
	"math/rand/v2"
)

// constrain gives a table constraints and indexes that go beyond one column.
func (w *world) constrain(r *rand.Rand, t *table) {
	cols := t.others()
	if len(cols) < 2 || t.hasMinted && r.IntN(2) == 0 {
		return
	}
	one := cols[r.IntN(len(cols))]
	two := cols[r.IntN(len(cols))]
	a, b := t.written(one), t.written(two)
	after := func(text string) { w.later = append(w.later, text) }
	name := t.qualified()
	may := func(c *column) bool { return c.kind.key && !c.clock && c != t.cols[1] } // the counter is for adding
	if may(one) && t.name != "parted" {
		switch r.IntN(9) {
		case 0:
			one.unique = true
			after(fmt.Sprintf("ALTER TABLE %s ADD UNIQUE NULLS NOT DISTINCT (%s)", name, a))
		case 1:
			one.unique = true
			after(fmt.Sprintf("CREATE UNIQUE INDEX ON %s (%s) WHERE %s IS NOT NULL", name, a, a))
		case 2:
			one.unique = true
			after(fmt.Sprintf("CREATE UNIQUE INDEX ON %s (%s) INCLUDE (%s)", name, a, b))
		case 3:
			one.unique = true
			t.unstocked, w.deferrable = true, true
			after(fmt.Sprintf("ALTER TABLE %s ADD UNIQUE (%s) DEFERRABLE INITIALLY DEFERRED", name, a))
		case 4:
			if two != one && may(two) {
				one.unique, two.unique = true, true
				after(fmt.Sprintf("ALTER TABLE %s ADD UNIQUE (%s, %s)", name, a, b))
			}
		case 5:
			if one.kind.name == "text" || one.kind.name == "varchar(8)" {
				one.unique = true
				after(fmt.Sprintf("CREATE UNIQUE INDEX ON %s (lower(%s))", name, a))
			}
		case 6:
			after(fmt.Sprintf("CREATE INDEX ON %s (%s) INCLUDE (%s)", name, a, b))
		}
	}
	w.check(r, t, one, two)
	if r.IntN(6) == 0 && one.kind.sums == "int" {
		t.cols = append(t.cols, &column{name: "made", kind: w.byName["int8"], generated: true, def: true})
		after(fmt.Sprintf("ALTER TABLE %s ADD COLUMN made int8 GENERATED ALWAYS AS (%s::int8 * 2) STORED", name, a))
	}
}

// check adds a CHECK, which rows that are there already satisfy.
func (w *world) check(r *rand.Rand, t *table, one, two *column) {
	if r.IntN(3) > 0 {
		return
	}
	a, b := t.written(one), t.written(two)
	var text string
	switch {
	case one.kind.sums == "int":
		text = []string{
			a + " IN (0, 1, 2, 3, 7, 8, 9)", a + " % 2 = 0 OR " + a + " < 100", a + " IS NOT NULL OR " + b + " IS NOT NULL OR true",
			"(" + a + " > -10) IS NOT FALSE", "NOT (" + a + " = 5 AND " + b + " IS NULL)", "CASE WHEN " + a + " > 2 THEN " + a + " < 50 ELSE true END",
			"coalesce(" + a + ", 0) <> 4", a + " = ANY (ARRAY[0, 1, 2, 3, 7])", "abs(" + a + ") < 1000",
		}[r.IntN(9)]
	case one.kind.name == "text":
		text = []string{
			a + " ~ '^[^z]*$'", a + " IN ('a', 'b', 'A', 'ab', 'x y') OR length(" + a + ") > 1", a + " NOT LIKE '%q'", a + " <> ''", "octet_length(" + a + ") < 2000",
			a + " > ' '", a + " = lower(" + a + ") OR " + a + " = 'A'",
		}[r.IntN(7)]
	default:
		text = []string{a + " IS NOT NULL OR " + b + " IS NULL OR true", "num_nulls(" + a + ", " + b + ") < 3"}[r.IntN(2)]
	}
	w.later = append(w.later, fmt.Sprintf("ALTER TABLE %s ADD CHECK (%s)%s", t.qualified(), text, []string{"", "", " NOT VALID"}[r.IntN(3)]))
}

// written is the name of a column in the schema.
func (t *table) written(c *column) string {
	if t.plainName {
		return c.name
	}
	return quote(c.name)
}
