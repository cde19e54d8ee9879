package generate

import (
	"fmt"
	"math/rand/v2"
	"strings"

	"github.com/writebehind/writebehind/internal/prove/history"
)

// table is a table as the generated application knows it.
type table struct {
	schema string // "" for one on the search path
	name   string
	cols   []*column
	key    []int // indexes into cols
	// keys are the few values that each key column takes.
	keys [][]value
	// last is the key of the statement before, which applications come back to.
	last []value
	// minted says where keys come from that the application leaves to the
	// database: the number of a sequence, or history.UUIDs.
	minted    int
	hasMinted bool
	// plainName says that the names need no quotes.
	plainName bool
	weight    int
	// unstocked says that there are no rows before the application comes, as there are
	// none that reference others.
	unstocked, references bool
}

type column struct {
	name    string
	kind    *kind
	notNull bool
	unique  bool
	minted  bool // a key made by the database
	clock   bool // DEFAULT now(), seldom written
	// generated columns are computed from others.
	generated bool
	rest      string // defaults and constraints, in SQL
	def       bool   // there is a default
	// parents are the key values of the table that the column references.
	parents []value
}

// qualified is the name for the settings and for the schema.
func (t *table) qualified() string {
	name := t.name
	if !t.plainName {
		name = quote(name)
	}
	if t.schema != "" {
		return t.schema + "." + name
	}
	return name
}

func quote(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }

// create is the CREATE TABLE statement, one column in a line.
func (t *table) create() string {
	var b strings.Builder
	fmt.Fprintf(&b, "CREATE TABLE %s (\n", t.qualified())
	for i, c := range t.cols {
		name := c.name
		if !t.plainName {
			name = quote(name)
		}
		fmt.Fprintf(&b, "  %s %s%s", name, c.kind.name, c.rest)
		if c.notNull && !c.generated {
			b.WriteString(" NOT NULL")
		}
		if i+1 < len(t.cols) || len(t.key) > 0 {
			b.WriteByte(',')
		}
		b.WriteByte('\n')
	}
	if len(t.key) > 0 {
		names := make([]string, len(t.key))
		for i, k := range t.key {
			names[i] = t.cols[k].name
			if !t.plainName {
				names[i] = quote(names[i])
			}
		}
		fmt.Fprintf(&b, "  PRIMARY KEY (%s)\n", strings.Join(names, ", "))
	}
	b.WriteString(")")
	return b.String()
}

// isKey reports whether the column is in the primary key.
func (t *table) isKey(i int) bool {
	for _, k := range t.key {
		if k == i {
			return true
		}
	}
	return false
}

// sortable reports whether there is a key, and one whose order is the same in
// two databases.
func (t *table) sortable() bool {
	return len(t.key) > 0 && !(t.hasMinted && t.minted == history.UUIDs)
}

// others are the columns outside of the key.
func (t *table) others() []*column {
	var out []*column
	for i, c := range t.cols {
		if !t.isKey(i) {
			out = append(out, c)
		}
	}
	return out
}

// settable are the columns that an update of many rows may write: whether it
// meets a conflict on a unique one can depend on the order of the rows.
func (t *table) settable() []*column {
	var out []*column
	for _, c := range t.others() {
		if !c.unique {
			out = append(out, c)
		}
	}
	return out
}

func (t *table) hasSum(sums string) []*column {
	var out []*column
	for _, c := range t.others() {
		if c.kind.sums == sums && !c.unique && !c.minted && !c.generated {
			out = append(out, c)
		}
	}
	return out
}

// addKey makes key columns of the kinds and chooses the values they take.
func (t *table) addKey(r *rand.Rand, kinds ...*kind) {
	each := 7
	if len(kinds) > 1 {
		each = 3
	}
	for i, k := range kinds {
		name := "id"
		if len(kinds) > 1 {
			name = fmt.Sprintf("k%d", i+1)
		}
		if !t.plainName {
			name = strings.ToUpper(name[:1]) + name[1:]
		}
		t.key = append(t.key, len(t.cols))
		t.cols = append(t.cols, &column{name: name, kind: k})
		values := append([]value{}, k.plain...)
		edge := append([]value{}, k.edge...)
		r.Shuffle(len(edge), func(i, j int) { edge[i], edge[j] = edge[j], edge[i] })
		values = append(values, edge[:min(len(edge), max(1, each-len(values)))]...)
		t.keys = append(t.keys, values[:min(len(values), each)])
	}
}

// mint makes a key column that the database fills in.
func (t *table) mint(r *rand.Rand, number int, kinds map[string]*kind) {
	c := &column{name: "id", minted: true, def: true}
	t.hasMinted, t.minted = true, number
	if number == history.UUIDs {
		c.kind, c.rest = kinds["uuid"], " DEFAULT gen_random_uuid()"
	} else {
		c.kind = kinds["int8"]
		if number%2 == 1 {
			c.kind = kinds["int4"]
		}
		c.rest = fmt.Sprintf(" GENERATED %s AS IDENTITY (START WITH %d%s)", []string{"BY DEFAULT", "BY DEFAULT", "ALWAYS"}[r.IntN(3)],
			history.SequenceStart(number), []string{"", "", " INCREMENT BY 7", " CACHE 5", " MINVALUE 3 INCREMENT BY 2"}[r.IntN(5)])
		if number%3 == 0 {
			c.rest = fmt.Sprintf(" DEFAULT nextval('%s')", t.sequence())
		}
	}
	t.key = append(t.key, len(t.cols))
	t.cols = append(t.cols, c)
	t.keys = append(t.keys, c.kind.plain[:2])
}

// sequence is the name of the sequence behind the key, as SQL shows it.
func (t *table) sequence() string { return t.name + "_id_seq" }

// addColumn makes one further column, with the constraints that the dice give it.
func (t *table) addColumn(r *rand.Rand, k *kind, constrain bool) *column {
	name := fmt.Sprintf("c%d", len(t.cols))
	if !t.plainName {
		name = fmt.Sprintf("Col %d", len(t.cols))
	}
	c := &column{name: name, kind: k}
	t.cols = append(t.cols, c)
	if r.IntN(3) == 0 {
		c.def = true
		c.rest += " DEFAULT " + k.plain[r.IntN(len(k.plain))].lit
	}
	c.notNull = r.IntN(4) == 0 && (!k.rest || c.def)
	if !constrain {
		return c
	}
	written := name
	if !t.plainName {
		written = quote(name)
	}
	switch {
	case k.sums == "int" && r.IntN(5) == 0:
		c.rest += fmt.Sprintf(" CHECK (%s >= -5)", written)
	case k.sums == "int" && r.IntN(8) == 0:
		c.rest += fmt.Sprintf(" CHECK (%s BETWEEN -10 AND 1000 OR %s IS NULL)", written, written)
	case k.name == "text" && r.IntN(5) == 0:
		c.rest += fmt.Sprintf(" CHECK (%s <> 'b')", written)
	case k.name == "varchar(8)" && r.IntN(5) == 0:
		c.rest += fmt.Sprintf(" CHECK (length(%s) < 7)", written)
	case k.key && k.name != "bool" && r.IntN(14) == 0:
		c.unique = true
		c.rest += " UNIQUE"
	}
	return c
}
