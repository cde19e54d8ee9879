package catalog

import "slices"

// forbid makes a column unsettable. The first reason stays.
func (t *table) forbid(i int, why string) {
	if c := &t.Relation.Columns[i]; c.Unsettable == "" {
		c.Unsettable = why
	}
}

// affected returns the indexes into Columns of the columns of an index, those
// of its expressions and predicate included.
func (t *table) affected(x indexRow) []int {
	if x.WholeRow {
		return t.allColumns()
	}
	var cols []int
	for _, num := range slices.Concat(x.Columns, x.Mentions) {
		if i := t.index(num); i >= 0 {
			cols = append(cols, i)
		}
	}
	return cols
}

// addIndexes sets key, unique constraints and what the indexes mean for the
// columns.
func (t *table) addIndexes() {
	for _, x := range t.indexes {
		// Those not valid yet, or any more, count too: they are enforced as
		// soon as they are ready.
		if x.Primary {
			t.Key, _ = t.indexesOf(x.Columns[:x.Keys])
		} else if x.Unique {
			t.addUnique(x)
		}
		if x.Method == "btree" {
			for _, num := range x.Columns {
				if i := t.index(num); i >= 0 && t.columns[i].Width < 0 {
					t.Relation.Columns[i].IndexedWidth = true
				}
			}
		}
		if why := t.hazard(x); why != "" {
			for _, i := range t.affected(x) {
				t.forbid(i, "it is in "+why)
			}
		}
	}
}

func (t *table) addUnique(x indexRow) {
	u := Unique{Name: x.Name, NullsNotDistinct: x.NullsNotDistinct, Partial: x.Partial, Deferrable: !x.Immediate}
	if cols, plain := t.indexesOf(x.Columns[:x.Keys]); plain {
		u.Columns = cols
		u.Bytewise = !slices.ContainsFunc(cols, func(i int) bool { return !t.bytewise(i) })
	}
	t.Uniques = append(t.Uniques, u)
}

// hazard names an index that may refuse a value that its column accepts, or
// run code that is not built in; "" for a plain btree index, which refuses only
// duplicates and what is too wide.
func (t *table) hazard(x indexRow) string {
	name := quote(x.Name)
	switch {
	case x.Exclusion:
		return "the exclusion constraint " + name
	case x.Expressions:
		return "the expression index " + name
	case x.Partial:
		return "the partial index " + name
	case x.Compares != "":
		return "the index " + name + " with its own operator class"
	case x.Method == "btree", x.Method == "hash" && !t.variable(x):
		return ""
	}
	return "the " + x.Method + " index " + name
}

// variable says whether an index has a column of variable width.
func (t *table) variable(x indexRow) bool {
	return slices.ContainsFunc(x.Columns, func(num int) bool { return t.columns[t.index(num)].Width < 0 })
}

// bytewise says whether two values of a column are equal exactly when their
// canonical forms are.
func (t *table) bytewise(i int) bool {
	switch c := t.columns[i]; c.Type {
	case 25, 1043: // text, varchar
		return c.Deterministic
	case 16, 17, 20, 21, 23, 1082, 1114, 1184, 2950: // bool, bytea, int8, int2, int4, date, timestamp, timestamptz, uuid
		return true
	}
	return false
}

// addChecks sets the CHECK constraints. Those of partitions are given to the
// partitioned table by judgePartition.
func (t *table) addChecks() {
	for _, row := range t.checks {
		k := Check{Name: row.Name, Expr: row.Expr, OwnOperators: row.OwnOperators}
		cols, plain := t.indexesOf(row.Columns)
		if row.Unstable || !plain || len(cols) == 0 {
			cols = t.allColumns()
		}
		k.Columns = cols
		t.Checks = append(t.Checks, k)
	}
}

func (t *table) allColumns() []int {
	all := make([]int, len(t.columns))
	for i := range all {
		all[i] = i
	}
	return all
}
