package writebehind

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"reflect"
	"strings"
	"sync"
	"time"

	"github.com/lib/pq/oid"

	"github.com/writebehind/writebehind/internal/catalog"
	"github.com/writebehind/writebehind/internal/pgvalue"
	"github.com/writebehind/writebehind/internal/rowimage"
	"github.com/writebehind/writebehind/rewrite"
)

// forms are how a real driver other than lib/pq returns values. Row images hold them in
// canonical form: what a look-up reads is made canonical, and what a result gives is made
// what the driver would have returned. The driver is asked at the engine's start, with
// statements that are prepared and with others: pgx can be told to have those return the
// same instant in another zone. nil stands for lib/pq, whose form is the canonical one.
type forms struct {
	base  map[uint32]form
	enums sync.Map // oid -> form
}

// form is that of one type.
type form struct {
	pgvalue.Form
	computed bool // its values are known; else they are returned as they were read
}

// of returns the form of a type. Where it is not known, no cell of the type is: what
// returns one is direct.
func (f *forms) of(t pgvalue.Type) (of form, known bool) {
	if f == nil {
		return form{computed: true}, true
	}
	if t.Kind == pgvalue.Enum {
		v, known := f.enums.Load(t.OID)
		of, _ = v.(form)
		return of, known
	}
	of, known = f.base[t.OID]
	return of, known
}

// canonical makes of the values of a row that the driver returned their canonical ones.
func (f *forms) canonical(rel *catalog.Relation, row []driver.Value) (ok bool) {
	if f == nil {
		return true
	}
	for i := range row {
		of, known := f.of(rel.Columns[i].Type)
		if !known {
			row[i] = rowimage.Unknown{}
		} else if row[i], ok = of.Canonical(row[i]); !ok {
			return false
		}
	}
	return true
}

// returnable says why columns cannot be returned from memory; "" if they can.
func (f *forms) returnable(rel *catalog.Relation, columns []int) string {
	for _, c := range columns {
		if _, known := f.of(rel.Columns[c].Type); !known {
			return fmt.Sprintf("it is not certain in which form the real driver returns column %q", rel.Columns[c].Name)
		}
	}
	return ""
}

// findForms asks the driver for the forms of the base types.
func (e *engine) findForms(ctx context.Context) error {
	if e.backend.isPQ() {
		return nil
	}
	e.forms = &forms{base: make(map[uint32]form)}
	samples := pgvalue.Samples()
	var literals, params []string
	var args []any
	for _, s := range samples {
		literals = append(literals, s.Literal)
		if s.Value != nil {
			args = append(args, s.Argument)
			params = append(params, fmt.Sprintf("$%d::%s", len(args), s.SQLType))
		}
	}
	told, err := e.ask(ctx, "SELECT "+strings.Join(literals, ", "))
	if err != nil {
		return fmt.Errorf("how the real driver returns values: %w", err)
	}
	sent, err := e.ask(ctx, "SELECT "+strings.Join(params, ", "), args...)
	if err != nil {
		return fmt.Errorf("what the real driver makes of arguments: %w", err)
	}
	if e.values.CutsTimes, err = e.cutsTimes(ctx); err != nil {
		return fmt.Errorf("what the real driver makes of nanoseconds: %w", err)
	}
	for i, s := range samples {
		v, one := told.only(0, i)
		if !one {
			continue
		}
		of, ok := s.Type.FormOf(e.values, s.Value, v)
		if ok {
			back, one := sent.only(0, i)
			ok = one && reflect.DeepEqual(v, back)
		}
		if _, isTime := v.(time.Time); ok || !isTime {
			e.forms.base[s.Type.OID] = form{Form: of, computed: ok}
		}
	}
	return e.findInstants(ctx)
}

// cutsTimes asks the driver whether it cuts nanoseconds off, of times before 1970 too.
func (e *engine) cutsTimes(ctx context.Context) (bool, error) {
	var (
		params []string
		args   []any
		want   []time.Time
	)
	for _, at := range []time.Time{
		time.Date(2024, 7, 31, 23, 59, 59, 999999999, time.UTC), time.Date(2024, 2, 29, 12, 34, 56, 123456501, time.UTC),
		time.Date(1969, 12, 31, 23, 59, 59, 999999999, time.UTC), time.Date(1903, 5, 6, 7, 8, 9, 1999, time.UTC), time.Date(1, 1, 2, 0, 0, 0, 999, time.UTC),
	} {
		for _, name := range []string{"timestamptz", "timestamp", "date"} {
			args = append(args, at)
			params = append(params, fmt.Sprintf("$%d::pg_catalog.%s", len(args), name))
			unit := time.Microsecond
			if name == "date" {
				unit = 24 * time.Hour
			}
			want = append(want, at.Truncate(unit))
		}
	}
	got, err := e.ask(ctx, "SELECT "+strings.Join(params, ", "), args...)
	if err != nil {
		return false, err
	}
	for i := range want {
		v, one := got.only(0, i)
		if at, ok := v.(time.Time); !one || !ok || !at.Equal(want[i]) {
			return false, nil
		}
	}
	return true, nil
}

// findInstants asks the driver for the form of timestamptz, which is known only if it is
// the same at every season that the zones have.
func (e *engine) findInstants(ctx context.Context) error {
	instants := append(pgvalue.ZoneProbes(e.values.Location), pgvalue.ZoneProbes(time.Local)...)
	instants = append(instants, time.Unix(0, 0), time.Unix(1, 1000))
	var list rewrite.Array
	for _, at := range instants {
		list.Append([]byte(at.UTC().Format("2006-01-02 15:04:05.999999Z07:00")))
	}
	told, err := e.ask(ctx, `SELECT p FROM unnest($1::timestamptz[]) WITH ORDINALITY AS u(p, i) ORDER BY i`, string(list.Bytes()))
	if err != nil {
		return fmt.Errorf("how the real driver returns times: %w", err)
	}
	t := pgvalue.Type{OID: uint32(oid.T_timestamptz), Mod: -1}
	var all pgvalue.Form
	for i, at := range instants {
		v, one := told.only(i, 0)
		of, ok := t.FormOf(e.values, at, v)
		if !one || !ok || i > 0 && of != all {
			return nil
		}
		all = of
	}
	e.forms.base[t.OID] = form{Form: all, computed: true}
	return nil
}

// formed makes a relation that was described for a driver with forms of its own one in
// canonical form.
func (e *engine) formed(ctx context.Context, rel *catalog.Relation) error {
	if e.forms == nil {
		return nil
	}
	for i := range rel.Columns {
		c := &rel.Columns[i]
		if c.Type.Kind == pgvalue.Enum {
			if err := e.findEnum(ctx, c); err != nil {
				return err
			}
		}
		of, known := e.forms.of(c.Type)
		if c.Default.Kind == catalog.DefaultConstant {
			var ok bool
			if c.Default.Value, ok = of.Canonical(c.Default.Value); !of.computed || !ok {
				c.Default.Kind, c.Default.Value = catalog.DefaultOther, nil
			}
		}
		if !known || !of.computed {
			c.Type.Kind = pgvalue.Other
		}
	}
	return nil
}

// findEnum asks the driver for the form of an enum.
func (e *engine) findEnum(ctx context.Context, c *catalog.Column) error {
	if _, known := e.forms.of(c.Type); known || len(c.Type.Labels) == 0 {
		return nil
	}
	label := c.Type.Labels[0]
	told, err := e.ask(ctx, "SELECT '"+strings.ReplaceAll(label, "'", "''")+"'::"+c.SQLType)
	if err != nil {
		return fmt.Errorf("how the real driver returns a %s: %w", c.SQLType, err)
	}
	v, one := told.only(0, 0)
	if of, ok := c.Type.FormOf(e.values, []byte(label), v); one && ok {
		e.forms.enums.Store(c.Type.OID, form{Form: of, computed: true})
	}
	return nil
}

// answers are the rows of a query: of the statement as it is, and prepared.
type answers [2][][]any

// only returns a value if both have it.
func (a *answers) only(row, column int) (v any, one bool) {
	if row >= len(a[0]) || row >= len(a[1]) {
		return nil, false
	}
	v = a[0][row][column]
	return v, reflect.DeepEqual(v, a[1][row][column])
}

// ask queries the driver both ways, in a transaction: a pooler may give its parts to
// several servers otherwise.
func (e *engine) ask(ctx context.Context, query string, args ...any) (a answers, err error) {
	tx, err := e.db.BeginTx(ctx, nil)
	if err != nil {
		return a, err
	}
	defer func() { _ = tx.Rollback() }() // it has changed nothing
	rows, err := tx.QueryContext(ctx, query, args...)
	if err != nil {
		return a, err
	}
	if a[0], err = allValues(rows); err != nil {
		return a, err
	}
	stmt, err := tx.PrepareContext(ctx, query) //nolint:sqlclosecheck // closed with the transaction
	if err != nil {
		return a, err
	}
	if rows, err = stmt.QueryContext(ctx, args...); err != nil {
		return a, err
	}
	a[1], err = allValues(rows)
	return a, err
}

func allValues(rows *sql.Rows) (all [][]any, err error) {
	defer closeQuietly(rows)
	columns, err := rows.Columns()
	if err != nil {
		return nil, err
	}
	for rows.Next() {
		row, into := make([]any, len(columns)), make([]any, len(columns))
		for i := range row {
			into[i] = &row[i]
		}
		if err := rows.Scan(into...); err != nil {
			return nil, err
		}
		all = append(all, row)
	}
	return all, rows.Err()
}
