package writebehind

import (
	"context"
	"database/sql/driver"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/lib/pq/oid"

	"github.com/writebehind/writebehind/internal/catalog"
	"github.com/writebehind/writebehind/internal/pgvalue"
	"github.com/writebehind/writebehind/rewrite"
)

// forms are how a real driver other than lib/pq returns values. Row images hold them in
// canonical form: what a look-up reads is made canonical, and what a result gives is made
// what the driver would have returned. The driver is asked at the engine's start. A type
// of which it shows no form that is known is one of whose values nothing is known: a
// statement that sets or compares it is direct. nil stands for lib/pq, whose form is the
// canonical one.
type forms struct {
	base  map[uint32]pgvalue.Form
	enums sync.Map // oid -> pgvalue.Form
}

// of returns the form of a type; that of a type of whose values nothing is known is the
// canonical one: they are kept as they are.
func (f *forms) of(t pgvalue.Type) (form pgvalue.Form, known bool) {
	if f == nil {
		return form, true
	}
	if t.Kind == pgvalue.Enum {
		v, known := f.enums.Load(t.OID)
		form, _ = v.(pgvalue.Form)
		return form, known
	}
	form, known = f.base[t.OID]
	return form, known && t.Kind == pgvalue.Base
}

// canonical makes of the values of a row that the driver returned their canonical ones.
func (f *forms) canonical(rel *catalog.Relation, row []driver.Value) (ok bool) {
	if f == nil {
		return true
	}
	for i := range row {
		form, _ := f.of(rel.Columns[i].Type)
		if row[i], ok = form.Canonical(row[i]); !ok {
			return false
		}
	}
	return true
}

// findForms asks the driver for the forms of the base types.
func (e *engine) findForms(ctx context.Context) error {
	if e.backend.isPQ() {
		return nil
	}
	e.forms = &forms{base: make(map[uint32]pgvalue.Form)}
	samples := pgvalue.Samples()
	literals, params := make([]string, len(samples)), make([]string, len(samples))
	args := make([]any, len(samples))
	for i, s := range samples {
		literals[i], params[i], args[i] = s.Literal, fmt.Sprintf("$%d::%s", i+1, s.SQLType), s.Argument
	}
	told, err := e.sample(ctx, len(samples), "SELECT "+strings.Join(literals, ", "))
	if err != nil {
		return fmt.Errorf("how the real driver returns values: %w", err)
	}
	sent, err := e.sample(ctx, len(samples), "SELECT "+strings.Join(params, ", "), args...)
	if err != nil {
		return fmt.Errorf("what the real driver makes of arguments: %w", err)
	}
	for i, s := range samples {
		form, ok := s.Type.FormOf(e.values, s.Value, told[i])
		back, same := s.Type.FormOf(e.values, s.Value, sent[i])
		if ok && same && form == back {
			e.forms.base[s.Type.OID] = form
		}
	}
	return e.findInstants(ctx)
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
	rows, err := e.db.QueryContext(ctx, `SELECT p FROM unnest($1::timestamptz[]) WITH ORDINALITY AS u(p, i) ORDER BY i`, string(list.Bytes()))
	if err != nil {
		return fmt.Errorf("how the real driver returns times: %w", err)
	}
	defer rows.Close()
	t := pgvalue.Type{OID: uint32(oid.T_timestamptz), Mod: -1}
	var form pgvalue.Form
	for i := 0; rows.Next(); i++ {
		var told any
		if err := rows.Scan(&told); err != nil {
			return err
		}
		f, ok := t.FormOf(e.values, instants[i], told)
		if !ok || i > 0 && f != form {
			return rows.Close()
		}
		form = f
	}
	if err := rows.Err(); err != nil {
		return err
	}
	e.forms.base[t.OID] = form
	return nil
}

// sample returns what the driver returns for the one row of a query.
func (e *engine) sample(ctx context.Context, columns int, query string, args ...any) ([]any, error) {
	told, into := make([]any, columns), make([]any, columns)
	for i := range told {
		into[i] = &told[i]
	}
	return told, e.db.QueryRowContext(ctx, query, args...).Scan(into...)
}

// form makes a relation that was described for a driver with forms of its own one in
// canonical form.
func (e *engine) form(ctx context.Context, rel *catalog.Relation) error {
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
		form, known := e.forms.of(c.Type)
		if !known {
			c.Type.Kind = pgvalue.Other
		}
		if c.Default.Kind == catalog.DefaultConstant {
			var ok bool
			if c.Default.Value, ok = form.Canonical(c.Default.Value); !known || !ok {
				c.Default.Kind, c.Default.Value = catalog.DefaultOther, nil
			}
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
	told, err := e.sample(ctx, 1, "SELECT '"+strings.ReplaceAll(label, "'", "''")+"'::"+c.SQLType)
	if err != nil {
		return fmt.Errorf("how the real driver returns a %s: %w", c.SQLType, err)
	}
	if form, ok := c.Type.FormOf(e.values, []byte(label), told[0]); ok {
		e.forms.enums.Store(c.Type.OID, form)
	}
	return nil
}
