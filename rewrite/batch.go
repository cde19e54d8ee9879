package rewrite

import (
	"slices"
	"strconv"
	"strings"

	"github.com/writebehind/writebehind/internal/catalog"
)

// BatchKind is what a Batch does.
type BatchKind uint8

// The kinds of batches.
const (
	BatchInsert BatchKind = iota
	BatchUpsert
	BatchUpdate
	BatchDelete
)

// Batch describes one statement that makes the same kind of change to many
// rows of a table with a primary key. The rows are its parameters, one array
// per column, all of one length; so the text depends on the batch's fields
// alone and a prepared statement serves every batch size.
//
// All columns are indexes into Table.Columns. A batch must not hold the same
// key twice.
type Batch struct {
	Table *catalog.Relation
	Kind  BatchKind

	// Columns of a BatchInsert or BatchUpsert: those whose values are given, the
	// key among them.
	Columns []int
	// Set and Add of a BatchUpdate or BatchUpsert: columns that take the value
	// given, and columns to which it is added. A BatchUpsert with neither leaves
	// existing rows alone; one with either takes them from Columns. A BatchUpdate
	// with Add is a query, see SQL.
	Set []int
	Add []int
}

// Params returns the column of each parameter $1, $2, … of SQL.
func (b Batch) Params() []int {
	switch b.Kind {
	case BatchInsert, BatchUpsert:
		return slices.Clone(b.Columns)
	case BatchUpdate:
		return slices.Concat(b.Table.Key, b.Set, b.Add, b.Add)
	default:
		return slices.Clone(b.Table.Key)
	}
}

// SQL returns the text of the statement. Each parameter is an array in text
// form (see Array) of the text forms of the values, or NULL.
//
// A BatchUpdate that adds is told twice about each column of Add: what is added
// (an integer as a bigint, which the sum of many may need), and what that is
// expected to come to. It returns one row: how many rows it wrote, and the
// numbers, from 1 and separated by commas, of those that came to something else,
// or NULL.
func (b Batch) SQL() string {
	var w batchWriter
	w.table = b.Table
	switch b.Kind {
	case BatchInsert, BatchUpsert:
		b.insert(&w)
	case BatchUpdate:
		adds := len(b.Add) > 0
		if adds {
			w.write("WITH w AS (")
		}
		w.write("UPDATE ", w.relation(), " AS t SET ")
		w.join(", ", len(b.Set)+len(b.Add), func(i int) {
			// The parameters after the key.
			value := w.element(len(b.Table.Key)+i, slices.Concat(b.Set, b.Add)[i])
			if i < len(b.Set) {
				w.write(w.column(b.Set[i]), " = ", value)
				return
			}
			c := w.column(b.Add[i-len(b.Set)])
			w.write(c, " = t.", c, " + ", value)
		})
		w.write(" FROM ")
		params := b.Params()
		w.write("unnest(")
		w.join(", ", len(params), func(i int) {
			if d := i - len(b.Table.Key) - len(b.Set); 0 <= d && d < len(b.Add) {
				w.write(w.increment(i, params[i]))
				return
			}
			w.write(w.parameter(i, params[i]))
		})
		w.write(")")
		if adds {
			w.write(" WITH ORDINALITY")
		}
		w.write(" AS u")
		if adds {
			w.names(len(params), "n")
		} else {
			w.names(len(params))
		}
		w.matchKey()
		if adds {
			w.write(" RETURNING u.n, ")
			w.join(" OR ", len(b.Add), func(i int) {
				w.write("t.", w.column(b.Add[i]), " IS DISTINCT FROM u.c", strconv.Itoa(len(params)-len(b.Add)+i))
			})
			w.write(" AS off) SELECT count(*), string_agg(n::text, ',') FILTER (WHERE off) FROM w")
		}
	case BatchDelete:
		w.write("DELETE FROM ", w.relation(), " AS t USING ")
		w.unnest(b.Table.Key)
		w.write(" AS u")
		w.names(len(b.Table.Key))
		w.matchKey()
	}
	return w.String()
}

func (b Batch) insert(w *batchWriter) {
	w.write("INSERT INTO ", w.relation())
	if b.Kind == BatchUpsert {
		w.write(" AS t")
	}
	w.write(" (")
	w.join(", ", len(b.Columns), func(i int) { w.write(w.column(b.Columns[i])) })
	w.write(")")
	if slices.ContainsFunc(b.Columns, func(c int) bool { return b.Table.Columns[c].Identity == 'a' }) {
		w.write(" OVERRIDING SYSTEM VALUE")
	}
	w.write(" SELECT ")
	if slices.ContainsFunc(b.Columns, func(c int) bool { return isOpaqueElement(&b.Table.Columns[c]) }) {
		w.join(", ", len(b.Columns), func(i int) { w.write(w.element(i, b.Columns[i])) })
		w.write(" FROM ")
		w.unnest(b.Columns)
		w.write(" AS u")
		w.names(len(b.Columns))
	} else {
		w.write("* FROM ")
		w.unnest(b.Columns)
	}
	if b.Kind != BatchUpsert {
		return
	}
	w.write(" ON CONFLICT (")
	w.join(", ", len(b.Table.Key), func(i int) { w.write(w.column(b.Table.Key[i])) })
	if len(b.Set)+len(b.Add) == 0 {
		w.write(") DO NOTHING")
		return
	}
	w.write(") DO UPDATE SET ")
	w.join(", ", len(b.Set)+len(b.Add), func(i int) {
		if i < len(b.Set) {
			c := w.column(b.Set[i])
			w.write(c, " = EXCLUDED.", c)
			return
		}
		c := w.column(b.Add[i-len(b.Set)])
		w.write(c, " = t.", c, " + EXCLUDED.", c)
	})
}

// Lookup returns the query that reads all columns, in order, of the rows with
// the given keys. It has one array parameter per key column (see Array), all
// of one length. Keys that no row has, and repeated ones, bring nothing more;
// the rows come in no order.
func Lookup(table *catalog.Relation) string {
	var w batchWriter
	w.table = table
	w.write("SELECT ")
	w.join(", ", len(table.Columns), func(i int) { w.write(w.column(i)) })
	w.write(" FROM ", w.relation(), " WHERE ")
	if len(table.Key) == 1 {
		w.write(w.column(table.Key[0]), " = ANY(", w.parameter(0, table.Key[0]), ")")
		return w.String()
	}
	w.write("(")
	w.join(", ", len(table.Key), func(i int) { w.write(w.column(table.Key[i])) })
	w.write(") IN (SELECT * FROM ")
	w.unnest(table.Key)
	w.write(")")
	return w.String()
}

// batchWriter writes the parts that the statements have in common. The rows
// are u(c0, c1, …), one name per parameter.
type batchWriter struct {
	strings.Builder
	table *catalog.Relation
}

func (w *batchWriter) write(parts ...string) {
	for _, part := range parts {
		w.WriteString(part)
	}
}

func (w *batchWriter) join(separator string, n int, write func(i int)) {
	for i := range n {
		if i > 0 {
			w.write(separator)
		}
		write(i)
	}
}

func (w *batchWriter) relation() string {
	return Quote(w.table.Name.Schema) + "." + Quote(w.table.Name.Name)
}

func (w *batchWriter) column(c int) string { return Quote(w.table.Columns[c].Name) }

// parameter returns the i-th parameter, which holds values of column c.
func (w *batchWriter) parameter(i, c int) string {
	return "$" + strconv.Itoa(i+1) + "::" + elementType(&w.table.Columns[c]) + "[]"
}

// increment is parameter for what is added to column c.
func (w *batchWriter) increment(i, c int) string {
	switch w.table.Columns[c].SQLType {
	case "smallint", "integer":
		return "$" + strconv.Itoa(i+1) + "::bigint[]"
	}
	return w.parameter(i, c)
}

// element returns what stands for one value of the i-th parameter.
func (w *batchWriter) element(i, c int) string {
	name := "u.c" + strconv.Itoa(i)
	if column := &w.table.Columns[c]; isOpaqueElement(column) {
		return name + "::" + column.SQLType
	}
	return name
}

func (w *batchWriter) unnest(columns []int) {
	w.write("unnest(")
	w.join(", ", len(columns), func(i int) { w.write(w.parameter(i, columns[i])) })
	w.write(")")
}

func (w *batchWriter) names(n int, more ...string) {
	w.write("(")
	w.join(", ", n, func(i int) { w.write("c", strconv.Itoa(i)) })
	for _, name := range more {
		w.write(", ", name)
	}
	w.write(")")
}

func (w *batchWriter) matchKey() {
	w.write(" WHERE ")
	w.join(" AND ", len(w.table.Key), func(i int) {
		w.write("t.", w.column(w.table.Key[i]), " = u.c", strconv.Itoa(i))
	})
}

// isOpaqueElement tells whether values of a type travel as text inside the
// array and are cast one by one: unnest would flatten an array of arrays, and
// makes several columns of a composite type; box has a delimiter of its own.
func isOpaqueElement(c *catalog.Column) bool {
	return strings.HasSuffix(c.SQLType, "[]") || c.SQLType == "box" || c.Composite
}

// elementType returns the type of the elements of a parameter. Without a
// length character and bit mean character(1) and bit(1), and a cast would cut
// the values short.
func elementType(c *catalog.Column) string {
	sqlType := c.SQLType
	switch {
	case isOpaqueElement(c):
		return "text"
	case sqlType == "character":
		return "bpchar"
	case sqlType == "bit":
		return `"bit"`
	}
	return sqlType
}
