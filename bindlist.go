package writebehind

import (
	"database/sql/driver"
	"fmt"
	"slices"
	"strings"

	"github.com/writebehind/writebehind/internal/catalog"
	"github.com/writebehind/writebehind/internal/pgvalue"
	"github.com/writebehind/writebehind/rewrite"
)

// keyList is a list of keys: (columns…) IN (rows…), or = ANY of an array. The columns
// of the key that it does not give are fixed by equality.
type keyList struct {
	parts []int      // the positions in the key that it gives
	rows  [][]source // of IN: one value for each of parts

	param    int            // of = ANY($n): index into the arguments; -1 for a constant
	array    bool           // it is = ANY
	elements []driver.Value // of a constant array
}

// maxKeys bounds the keys of one statement that is answered from overlay and cache.
const maxKeys = maxLookup

// arrayOf stands for the type of an array of keys of a type, which no column shares.
func arrayOf(oid uint32) uint32 { return ^oid }

// bindList binds a list of keys. It returns the reason if that cannot be answered
// from overlay and cache.
func (b *binding) bindList(w *rewrite.Condition, columns []int) (l *keyList, reason string) {
	rel := b.table.rel
	l = &keyList{param: -1, array: w.Op == rewrite.Any}
	for _, c := range columns {
		l.parts = append(l.parts, slices.Index(rel.Key, c))
	}
	if l.array {
		return l, b.bindArray(l, &w.Rows[0][0])
	}
	if len(w.Rows) > maxKeys {
		return l, fmt.Sprintf("it lists more than %d keys", maxKeys)
	}
	for _, row := range w.Rows {
		values := make([]source, len(row))
		for i := range row {
			var why string
			values[i], why = b.bind(&row[i], &rel.Columns[columns[i]], false)
			reason = firstReason(reason, why)
		}
		l.rows = append(l.rows, values)
	}
	return l, reason
}

// bindArray binds the array of = ANY.
func (b *binding) bindArray(l *keyList, v *rewrite.Value) string {
	column := &b.table.rel.Columns[b.table.rel.Key[l.parts[0]]]
	if element, isArray := strings.CutSuffix(v.Cast, "[]"); v.Cast != "" && !(isArray && sameType(element, column.SQLType)) {
		return fmt.Sprintf("the array for column %q is cast to another type", column.Name)
	}
	if v.Kind != rewrite.Param {
		var ok bool
		if l.elements, ok = column.Type.Array(b.session, v.Text, maxKeys); !ok {
			return fmt.Sprintf("it is not certain what the array for column %q means", column.Name)
		}
		return ""
	}
	l.param = v.Index - 1
	return b.use(v.Index, arrayOf(column.Type.OID))
}

// orderPart is one column of an ORDER BY: a position in the key.
type orderPart struct {
	part       int
	descending bool
}

// many binds what is particular to a SELECT of a list of keys.
func (b *binding) many(r *readPlan) (reason string) {
	r.list = b.list
	st, rel := b.plan.stmt, b.table.rel
	if st.Lock != "" {
		reason = "it locks a list of keys"
	}
	for _, o := range st.OrderBy {
		part := slices.Index(rel.Key, rel.Column(o.Column))
		switch {
		case part < 0:
			reason = firstReason(reason, "a list of keys is ordered by columns that are not of the primary key")
		case !slices.Contains(r.list.parts, part), slices.ContainsFunc(r.order, func(p orderPart) bool { return p.part == part }):
			// it is the same in all rows that are left to order
		case !rel.Columns[rel.Key[part]].Type.OrderedByBytes() && !rel.Columns[rel.Key[part]].CollationC:
			reason = firstReason(reason, fmt.Sprintf("the order of column %q depends on its collation", o.Column))
		default:
			r.order = append(r.order, orderPart{part, o.Descending})
		}
	}
	r.total = len(r.order) == len(r.list.parts)
	// The rest makes the answer the same each time, as a scan of the index does.
	for part := range rel.Key {
		if !slices.ContainsFunc(r.order, func(p orderPart) bool { return p.part == part }) {
			r.order = append(r.order, orderPart{part: part})
		}
	}
	return reason
}

// keys gives the values of each key of the list, in key order; keys with a NULL are
// left out, since they equal none. ok is false if one is not certain.
func (r *readPlan) keys(p *plan, session pgvalue.Session, args []driver.NamedValue, each func([]driver.Value) bool) (ok bool) {
	l := r.list
	values := make([]driver.Value, len(r.key))
	for i := range r.key {
		if slices.Contains(l.parts, i) {
			continue
		}
		if values[i], ok = r.key[i].value(session, args); !ok {
			return false
		}
	}
	if !l.array {
		for _, row := range l.rows {
			for i := range row {
				if values[l.parts[i]], ok = row[i].value(session, args); !ok {
					return false
				}
			}
			if !slices.Contains(values, nil) && !each(values) {
				return false
			}
		}
		return true
	}
	elements, ok := l.arrayOf(p, session, args)
	if !ok {
		return false
	}
	for _, v := range elements {
		if values[l.parts[0]] = v; !slices.Contains(values, nil) && !each(values) {
			return false
		}
	}
	return true
}

// arrayOf returns the elements of the array of = ANY.
func (l *keyList) arrayOf(p *plan, session pgvalue.Session, args []driver.NamedValue) (elements []driver.Value, ok bool) {
	if l.param < 0 {
		return l.elements, true
	}
	return l.column(p).Type.Array(session, args[l.param].Value, maxKeys)
}

// column returns the first column that the list gives.
func (l *keyList) column(p *plan) *catalog.Column {
	return &p.table.rel.Columns[p.table.rel.Key[l.parts[0]]]
}

// uncertain says why PostgreSQL must judge the array of = ANY.
func (l *keyList) uncertain(p *plan, session pgvalue.Session, args []driver.NamedValue) string {
	if !l.array {
		return ""
	}
	if _, ok := l.arrayOf(p, session, args); !ok {
		return fmt.Sprintf("it is not certain what column %q makes of argument $%d, or it lists more than %d keys", l.column(p).Name, l.param+1, maxKeys)
	}
	return ""
}
