package generate

import (
	"fmt"
	"math/rand/v2"
)

// addOddity makes something that cannot be opted in, or that reaches tables
// which are.
func (w *world) addOddity(r *rand.Rand) {
	plain := w.tables[0]
	counter := plain.hasSum("int")[0].name
	// Behind the application's back this adds to all rows of an opted-in table.
	bump := fmt.Sprintf("UPDATE %s SET %s = %s %% 1000 + 1", plain.qualified(), counter, counter)

	t := &table{name: "odd", plainName: true}
	kinds := []*kind{w.byName["int4"]}
	var after []string
	switch r.IntN(8) {
	case 0: // no primary key
		t.addColumn(r, w.byName["int4"], true)
	case 1: // a key whose equal values differ
		kinds = []*kind{w.byName[[]string{"numeric", "numeric(8,2)", "float8", "char(4)"}[r.IntN(4)]]}
		t.addKey(r, kinds...)
	case 2: // a trigger that changes the row and writes another table
		t.addKey(r, kinds...)
		after = []string{
			"CREATE TABLE audit (what text, n int4)",
			"CREATE FUNCTION watch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN\n" +
				"INSERT INTO audit VALUES (TG_OP, 1);\n" + bump + ";\n" +
				"RETURN NEW;\nEND $$",
			"CREATE TRIGGER watch AFTER INSERT OR UPDATE ON odd FOR EACH ROW EXECUTE FUNCTION watch()",
		}
	case 3: // a function that writes
		t.addKey(r, kinds...)
		w.function = "bump"
		after = []string{"CREATE FUNCTION bump() RETURNS int4 LANGUAGE sql AS $$ " + bump + "; SELECT 1 $$"}
	case 4: // a rule
		t.addKey(r, kinds...)
		after = []string{"CREATE RULE also AS ON UPDATE TO odd DO ALSO " + bump}
	case 5: // inheritance
		t.addKey(r, kinds...)
		after = []string{"CREATE TABLE heir () INHERITS (odd)"}
	case 6: // partitions
		t.addKey(r, kinds...)
		t.addColumn(r, w.byName["text"], false)
		w.oddities = append(w.oddities, t)
		w.schema = append(w.schema, t.create()+" PARTITION BY HASH (id)",
			"CREATE TABLE odd_0 PARTITION OF odd FOR VALUES WITH (MODULUS 2, REMAINDER 0)",
			"CREATE TABLE odd_1 PARTITION OF odd FOR VALUES WITH (MODULUS 2, REMAINDER 1)")
		return
	case 7: // expression and partial indexes, a generated column
		t.addKey(r, kinds...)
		after = []string{
			"CREATE UNIQUE INDEX ON odd (lower(name))",
			"CREATE INDEX ON odd (name) WHERE name > 'a'",
			"ALTER TABLE odd ADD COLUMN twice int8 GENERATED ALWAYS AS (num * 2) STORED",
		}
		num := t.addColumn(r, w.byName["int4"], false)
		num.name = "num"
		name := t.addColumn(r, w.byName["text"], false)
		name.name = "name"
	}
	t.addColumn(r, w.byName["int4"], true)
	t.addColumn(r, w.kind(r, 4), false)
	w.oddities = append(w.oddities, t)
	w.schema = append(w.schema, t.create())
	w.schema = append(w.schema, after...)
}
