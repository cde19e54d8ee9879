package generate

import (
	"fmt"
	"math/rand/v2"
)

// addParted makes a partitioned table that can be opted in.
func (w *world) addParted(r *rand.Rand) {
	t := &table{name: "parted", plainName: true, weight: 3}
	t.addKey(r, w.byName[[]string{"int4", "int8"}[r.IntN(2)]])
	t.addColumn(r, w.byName["int4"], false)
	t.addColumn(r, w.byName["text"], false)
	t.addColumn(r, w.kind(r, 6), false)
	w.tables = append(w.tables, t)
	part := func(n int, values string) {
		w.schema = append(w.schema, fmt.Sprintf("CREATE TABLE parted_%d PARTITION OF parted %s", n, values))
	}
	switch r.IntN(3) {
	case 0:
		w.schema = append(w.schema, t.create()+" PARTITION BY HASH (id)")
		part(0, "FOR VALUES WITH (MODULUS 2, REMAINDER 0)")
		part(1, "FOR VALUES WITH (MODULUS 2, REMAINDER 1)")
	case 1:
		w.schema = append(w.schema, t.create()+" PARTITION BY RANGE (id)")
		part(0, "FOR VALUES FROM (MINVALUE) TO (2)")
		part(1, "FOR VALUES FROM (2) TO (24)")
		if r.IntN(2) == 0 {
			part(2, "DEFAULT")
		} else {
			part(2, "FOR VALUES FROM (24) TO (MAXVALUE)")
		}
	default:
		w.schema = append(w.schema, t.create()+" PARTITION BY LIST (id)")
		part(0, "FOR VALUES IN (0, 1, 2)")
		part(1, "FOR VALUES IN (3, 7, 21, 22)")
		if r.IntN(3) > 0 {
			part(2, "DEFAULT")
		} else {
			t.unstocked = true // some keys have no place
		}
	}
}
