package writebehind

import (
	"database/sql/driver"
	"io"
	"reflect"
	"slices"

	"github.com/writebehind/writebehind/internal/catalog"
	"github.com/writebehind/writebehind/internal/pgvalue"
)

// Every result of ours serves the interfaces that lib/pq's rows serve.
type allRows interface {
	driver.RowsNextResultSet
	driver.RowsColumnTypeScanType
	driver.RowsColumnTypeDatabaseTypeName
	driver.RowsColumnTypeLength
	driver.RowsColumnTypePrecisionScale
}

var (
	_ allRows = (*cachedRows)(nil)
	_ allRows = (*heldRows)(nil)
	_ allRows = (*textRows)(nil)
)

// resultColumns is what a plan's result says of its columns; shared by all its
// results.
type resultColumns struct {
	names []string
	metas []*catalog.Meta
	forms []pgvalue.Form // of the real driver's values; nil if they are canonical
}

func newResultColumns(f *forms, rel *catalog.Relation, columns []int, names []string) *resultColumns {
	r := &resultColumns{names: names}
	for _, c := range columns {
		r.metas = append(r.metas, &rel.Columns[c].Meta)
		if f != nil {
			of, _ := f.of(rel.Columns[c].Type)
			r.forms = append(r.forms, of.Form)
		}
	}
	return r
}

// cachedRows are rows from overlay and cache.
type cachedRows struct {
	columns *resultColumns
	row     []driver.Value   // the next one; nil when there is none
	more    [][]driver.Value // those after it

	conn *Conn          // that uses them again; nil if it does not
	only []driver.Value // room for the only row
}

// oneRow returns rows of which there is one at most, which lies in only. Those of the
// connection's last statement are used again once they are closed.
func (c *Conn) oneRow(columns *resultColumns) *cachedRows {
	r := c.spare
	if c.spare = nil; r == nil {
		r = &cachedRows{conn: c}
	}
	r.columns = columns
	r.only = slices.Grow(r.only[:0], len(columns.names))[:len(columns.names)]
	return r
}

// newCachedRows returns rows in their order.
func newCachedRows(columns *resultColumns, rows [][]driver.Value) *cachedRows {
	r := &cachedRows{columns: columns, more: rows}
	r.advance()
	return r
}

func (r *cachedRows) advance() {
	r.row = nil
	if len(r.more) > 0 {
		r.row, r.more = r.more[0], r.more[1:]
	}
}

func (r *cachedRows) Columns() []string { return r.columns.names }

// Close is called once.
func (r *cachedRows) Close() error {
	r.row, r.more = nil, nil
	if r.conn != nil {
		clear(r.only)
		r.conn.spare = r
	}
	return nil
}

func (r *cachedRows) Next(dest []driver.Value) error {
	if r.row == nil {
		return io.EOF
	}
	copy(dest, r.row)
	for i, form := range r.columns.forms {
		dest[i] = form.Returned(dest[i])
	}
	r.advance()
	return nil
}

func (r *cachedRows) HasNextResultSet() bool { return false }
func (r *cachedRows) NextResultSet() error   { return io.EOF }

func (r *cachedRows) ColumnTypeScanType(i int) reflect.Type {
	if t := r.columns.metas[i].ScanType; t != nil {
		return t
	}
	return reflect.TypeFor[any]()
}

func (r *cachedRows) ColumnTypeDatabaseTypeName(i int) string { return r.columns.metas[i].DatabaseType }

func (r *cachedRows) ColumnTypeLength(i int) (int64, bool) {
	return r.columns.metas[i].Length, r.columns.metas[i].HasLength
}

func (r *cachedRows) ColumnTypePrecisionScale(i int) (int64, int64, bool) {
	m := r.columns.metas[i]
	return m.Precision, m.Scale, m.HasPrecision
}

// realRows forwards to the real driver's rows what they serve, and answers what
// they do not as database/sql would.
type realRows struct{ driver.Rows }

func (r realRows) HasNextResultSet() bool {
	n, ok := r.Rows.(driver.RowsNextResultSet)
	return ok && n.HasNextResultSet()
}

func (r realRows) NextResultSet() error {
	if n, ok := r.Rows.(driver.RowsNextResultSet); ok {
		return n.NextResultSet()
	}
	return io.EOF
}

func (r realRows) ColumnTypeScanType(i int) reflect.Type {
	if t, ok := r.Rows.(driver.RowsColumnTypeScanType); ok {
		return t.ColumnTypeScanType(i)
	}
	return reflect.TypeFor[any]()
}

func (r realRows) ColumnTypeDatabaseTypeName(i int) string {
	if t, ok := r.Rows.(driver.RowsColumnTypeDatabaseTypeName); ok {
		return t.ColumnTypeDatabaseTypeName(i)
	}
	return ""
}

func (r realRows) ColumnTypeLength(i int) (int64, bool) {
	if t, ok := r.Rows.(driver.RowsColumnTypeLength); ok {
		return t.ColumnTypeLength(i)
	}
	return 0, false
}

func (r realRows) ColumnTypePrecisionScale(i int) (int64, int64, bool) {
	if t, ok := r.Rows.(driver.RowsColumnTypePrecisionScale); ok {
		return t.ColumnTypePrecisionScale(i)
	}
	return 0, 0, false
}

// heldRows are the rows of a direct write, which goes on until they are closed.
type heldRows struct {
	realRows
	finish func(error) // called once
}

func (r *heldRows) Close() error {
	err := r.realRows.Close()
	if r.finish != nil {
		r.finish(err)
		r.finish = nil
	}
	return err
}

// textRows are the answer to a statement to the shim itself.
type textRows struct {
	names []string
	rows  [][]string
	next  int
}

func (r *textRows) Columns() []string { return r.names }
func (r *textRows) Close() error      { r.next = len(r.rows); return nil }

func (r *textRows) Next(dest []driver.Value) error {
	if r.next >= len(r.rows) {
		return io.EOF
	}
	for i, v := range r.rows[r.next] {
		dest[i] = v
	}
	r.next++
	return nil
}

func (r *textRows) HasNextResultSet() bool                            { return false }
func (r *textRows) NextResultSet() error                              { return io.EOF }
func (r *textRows) ColumnTypeScanType(int) reflect.Type               { return reflect.TypeFor[string]() }
func (r *textRows) ColumnTypeDatabaseTypeName(int) string             { return "TEXT" }
func (r *textRows) ColumnTypeLength(int) (int64, bool)                { return 0, false }
func (r *textRows) ColumnTypePrecisionScale(int) (int64, int64, bool) { return 0, 0, false }
