package writebehind

import (
	"fmt"
	"slices"

	"github.com/writebehind/writebehind/internal/catalog"
	"github.com/writebehind/writebehind/queue"
	"github.com/writebehind/writebehind/rewrite"
)

func (b *binding) insert() (*writePlan, string) {
	st, rel := b.plan.stmt, b.table.rel
	b.session = b.engine.values
	given, why := b.given()
	if why != "" {
		return nil, why
	}
	if why := b.fixesKey(given); why != "" {
		return nil, why
	}
	if why := b.conflictOnKey(); why != "" {
		return nil, why
	}
	b.keyed = true
	w := &writePlan{kind: rewrite.Insert}
	reason := ""
	for _, row := range st.Rows {
		values, why := b.values(given, row)
		w.rows, reason = append(w.rows, values), firstReason(reason, why)
	}
	if len(st.Rows) > maxInsertRows {
		reason = firstReason(reason, fmt.Sprintf("it has more than %d rows", maxInsertRows))
	}
	if len(st.Rows) == 1 {
		b.row = b.keyOf(w.rows[0])
	}
	privileges := []string{"SELECT", "INSERT"}
	if st.Conflict != nil {
		w.upsert, w.nothing = true, st.Conflict.Nothing
		if !w.nothing {
			reason = firstReason(reason, b.assignments(w, st.Conflict.Set), rel.UpdateUncertain)
			privileges = append(privileges, "UPDATE")
		}
	}
	reason = firstReason(reason, b.arbiters(), b.table.insertHazard, b.returning(w), b.lacks(privileges...), b.unused(st.Params))
	if reason != "" {
		return nil, reason
	}
	kind := queue.Insert
	if w.upsert && !w.nothing {
		kind = queue.Upsert
		w.changeShape, w.addShape = b.shape(queue.Update, w.setColumns), b.addShape(queue.Update, w)
		w.insertAddShape = b.addShape(queue.Upsert, w)
	}
	w.insertShape = b.shape(kind, w.setColumns)
	return w, ""
}

// maxInsertRows is how many rows one statement may have: their places in the text are
// kept with its plan.
const maxInsertRows = 1000

// values binds one row of an INSERT: a source for each column of the table.
func (b *binding) values(given []int, row []rewrite.Value) (values []source, reason string) {
	rel := b.table.rel
	values = make([]source, len(rel.Columns))
	for i := range rel.Columns {
		c := &rel.Columns[i]
		var why string
		at := slices.Index(given, i)
		if at < 0 || row[at].Kind == rewrite.DefaultKey {
			values[i], why = b.defaultSource(i)
		} else if why = unwritable(c); why == "" {
			values[i], why = b.bind(&row[at], c, true)
		} else {
			values[i] = source{column: c, param: -1, draw: unbound}
		}
		if why != "" {
			values[i].draw = unbound
		}
		reason = firstReason(reason, why)
	}
	return values, reason
}

// keyOf returns the sources of a row's key; nil if what it will be only its execution
// tells.
func (b *binding) keyOf(values []source) (key []source) {
	for _, k := range b.table.rel.Key {
		if values[k].draw != noDraw {
			return nil
		}
		key = append(key, values[k])
	}
	return key
}

// given returns the columns that the statement gives, in the order of its
// values.
func (b *binding) given() (columns []int, reason string) {
	st, rel := b.plan.stmt, b.table.rel
	if st.Columns == nil {
		n := 0
		for _, row := range st.Rows {
			n = max(n, len(row))
		}
		if n > len(rel.Columns) {
			return nil, "it has more values than the table has columns"
		}
		columns = allColumns(rel)[:n]
	}
	for _, name := range st.Columns {
		c, why := b.column(name)
		if why != "" {
			return nil, why
		}
		if slices.Contains(columns, c) {
			return nil, fmt.Sprintf("column %q is given twice", name)
		}
		columns = append(columns, c)
	}
	for _, row := range st.Rows {
		if len(row) != len(columns) {
			return nil, "its rows have different numbers of values"
		}
	}
	return columns, ""
}

// fixesKey says why the statement does not fix the key of every row.
func (b *binding) fixesKey(given []int) string {
	for _, k := range b.table.rel.Key {
		at := slices.Index(given, k)
		_, left := b.defaultSource(k)
		if left == "" && b.table.rel.Columns[k].Default.Kind == catalog.DefaultNone {
			left = "it has no default" // so that the key would be NULL
		}
		if at < 0 && left != "" {
			return fmt.Sprintf("it leaves the key column %q to PostgreSQL: %s", b.table.rel.Columns[k].Name, left)
		}
		if at < 0 {
			continue
		}
		for _, row := range b.plan.stmt.Rows {
			switch row[at].Kind {
			case rewrite.DefaultKey:
				if left == "" {
					continue
				}
				fallthrough
			case rewrite.Now, rewrite.Null, rewrite.Expression:
				return fmt.Sprintf("it does not give the key column %q as a constant", b.table.rel.Columns[k].Name)
			}
		}
	}
	return ""
}

// conflictOnKey says why ON CONFLICT is about something else than the key.
func (b *binding) conflictOnKey() string {
	c := b.plan.stmt.Conflict
	if c == nil || c.Columns == nil && c.Nothing {
		return ""
	}
	rel := b.table.rel
	for _, name := range c.Columns {
		if i := rel.Column(name); i < 0 || !slices.Contains(rel.Key, i) {
			return "ON CONFLICT names other columns than the primary key"
		}
	}
	for _, k := range rel.Key {
		if !slices.Contains(c.Columns, rel.Columns[k].Name) {
			return "ON CONFLICT does not name the whole primary key"
		}
	}
	return ""
}

// arbiters says why ON CONFLICT without a target, which is about all unique constraints,
// is refused.
func (b *binding) arbiters() string {
	if c := b.plan.stmt.Conflict; c == nil || c.Columns != nil {
		return ""
	}
	for _, u := range b.table.rel.Uniques {
		if u.Deferrable {
			return fmt.Sprintf("ON CONFLICT is about the unique constraint %q, which is deferrable", u.Name)
		}
	}
	return ""
}

// defaultSource is the value of a column that an INSERT leaves out.
func (b *binding) defaultSource(column int) (source, string) {
	c := &b.table.rel.Columns[column]
	s := source{column: c, param: -1, stored: true}
	switch {
	case c.Generated:
		return s, fmt.Sprintf("PostgreSQL generates column %q", c.Name)
	case (c.Identity != 0 || c.Default.Kind == catalog.DefaultSequence) && b.table.sequences[column] == nil:
		return s, fmt.Sprintf("column %q draws from a sequence that is left to PostgreSQL", c.Name)
	case c.Default.Kind == catalog.DefaultNow && b.session.Location == nil:
		return s, fmt.Sprintf("the default of column %q is of a time zone that is left to PostgreSQL", c.Name)
	case drawnDefault(c) != noDraw:
		s.draw = drawnDefault(c)
		return s, ""
	case c.Default.Kind == catalog.DefaultNone:
		return s, ""
	case c.Default.Kind == catalog.DefaultConstant:
		s.constant = c.Default.Value
		if s.constant != nil {
			if _, ok := c.Type.AppendText(nil, s.constant); !ok {
				return s, fmt.Sprintf("the default of column %q is of a type that is left to PostgreSQL", c.Name)
			}
		}
		return s, ""
	default:
		return s, fmt.Sprintf("the default of column %q is left to PostgreSQL", c.Name)
	}
}
