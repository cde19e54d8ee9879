package generate

import (
	"fmt"
	"math/rand/v2"

	"github.com/writebehind/writebehind/internal/prove/history"
)

// world is the schema of one history.
type world struct {
	kinds    []*kind
	byName   map[string]*kind
	tables   []*table // with a key that makes them eligible
	oddities []*table // those that cannot be opted in
	child    *table   // references parent; nil if there is none
	parent   *table
	swept    []*table // a DELETE or UPDATE of one row of these may write others
	// deferrable says that there is a constraint that COMMIT may check.
	deferrable bool
	view       string // over viewed
	viewed     *table
	joined     string // a view over parent and child; "" if there is none
	function   string // a function that writes
	schema     []string
	later      []string // the end of the schema
	columns    int      // columns added by DDL so far
}

func newWorld(r *rand.Rand) *world {
	w := &world{kinds: newKinds(), byName: map[string]*kind{}}
	for _, k := range w.kinds {
		w.byName[k.name] = k
	}
	w.schema = append(w.schema, types...)

	w.add(w.plainTable(r))
	w.add(w.variedTable(r))
	switch r.IntN(3) {
	case 0:
		w.add(w.mintedTable(r, "minted", r.IntN(4)))
	case 1:
		w.add(w.mintedTable(r, "minted", history.UUIDs))
	}
	if r.IntN(2) == 0 {
		w.add(w.compositeTable(r))
	}
	if r.IntN(3) == 0 {
		w.add(w.elsewhere(r))
	}
	if r.IntN(5) == 0 {
		w.addParted(r)
	}
	if r.IntN(5) < 2 {
		w.addChildren(r)
	}
	for _, t := range w.tables {
		if r.IntN(3) == 0 {
			w.constrain(r, t)
		}
	}
	w.schema = append(w.schema, w.later...)
	w.stock(r)
	if r.IntN(2) == 0 {
		w.viewed = w.tables[r.IntN(2)]
		w.view = "seen"
		w.schema = append(w.schema, fmt.Sprintf("CREATE VIEW seen AS SELECT * FROM %s", w.viewed.qualified()))
	}
	if w.child != nil && r.IntN(2) == 0 {
		w.joined = "joint"
		w.schema = append(w.schema, fmt.Sprintf("CREATE VIEW joint AS SELECT p.%s AS pk, c.id, c.%s AS n FROM %s p LEFT JOIN child c ON c.%s = p.%[1]s",
			w.parent.cols[w.parent.key[0]].name, w.child.cols[2].name, w.parent.qualified(), w.child.cols[1].name))
	}
	w.addOddity(r)
	return w
}

func (w *world) add(t *table) {
	w.tables = append(w.tables, t)
	w.schema = append(w.schema, t.create())
}

// plainTable is what most applications have: an integer key, counters, texts.
func (w *world) plainTable(r *rand.Rand) *table {
	t := &table{name: "plain", plainName: true, weight: 8}
	t.addKey(r, w.byName[[]string{"int8", "int8", "int4", "int2", "text", "uuid"}[r.IntN(6)]])
	t.addColumn(r, w.byName["int8"], false)
	t.addColumn(r, w.byName["text"], false)
	for range 1 + r.IntN(4) {
		t.addColumn(r, w.kind(r, 6), false)
	}
	if r.IntN(3) == 0 {
		w.addClock(t)
	}
	return t
}

func (w *world) addClock(t *table) {
	kind := "timestamptz"
	if len(t.cols)%3 == 0 {
		kind = "timestamp"
	}
	t.cols = append(t.cols, &column{
		name: "at", kind: w.byName[kind], clock: true, def: true, rest: " DEFAULT now()",
	})
}

// variedTable has a key of any type and columns of all types.
func (w *world) variedTable(r *rand.Rand) *table {
	t := &table{name: "varied", plainName: true, weight: 6}
	t.addKey(r, w.keyKind(r))
	for range 3 + r.IntN(7) {
		t.addColumn(r, w.kind(r, 4), true)
	}
	return t
}

// kind chooses a kind of column; one time in so many it may be one of restKinds.
func (w *world) kind(r *rand.Rand, of int) *kind {
	rest := r.IntN(of) == 0
	for {
		if k := w.kinds[r.IntN(len(w.kinds))]; k.rest == rest {
			return k
		}
	}
}

func (w *world) keyKind(r *rand.Rand) *kind {
	for {
		if k := w.kinds[r.IntN(len(w.kinds))]; k.key {
			return k
		}
	}
}

// mintedTable leaves its key to the database.
func (w *world) mintedTable(r *rand.Rand, name string, number int) *table {
	t := &table{name: name, plainName: true, weight: 4}
	t.mint(r, number, w.byName)
	if number >= 0 && number%3 == 0 {
		w.schema = append(w.schema, fmt.Sprintf("CREATE SEQUENCE %s START WITH %d", t.sequence(), history.SequenceStart(number)))
	}
	t.addColumn(r, w.byName["int4"], false)
	for range 1 + r.IntN(3) {
		t.addColumn(r, w.kind(r, 4), true)
	}
	w.addClock(t)
	return t
}

// compositeTable has a key of several columns and names that need quotes.
func (w *world) compositeTable(r *rand.Rand) *table {
	t := &table{name: `Mixed "Case"`, weight: 3}
	kinds := []*kind{w.keyKind(r), w.keyKind(r)}
	if r.IntN(4) == 0 {
		kinds = append(kinds, w.byName["int4"])
	}
	t.addKey(r, kinds...)
	t.addColumn(r, w.byName["int4"], true)
	for range r.IntN(4) {
		t.addColumn(r, w.kind(r, 4), true)
	}
	return t
}

// elsewhere is a table in a schema that is not on the search path.
func (w *world) elsewhere(r *rand.Rand) *table {
	w.schema = append(w.schema, "CREATE SCHEMA other")
	t := &table{schema: "other", name: "plain", plainName: true, weight: 3}
	t.addKey(r, w.byName["int8"])
	t.addColumn(r, w.byName["int4"], true)
	t.addColumn(r, w.byName["jsonb"], false)
	return t
}
