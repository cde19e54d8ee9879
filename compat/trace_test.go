package compat

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"time"

	"github.com/lib/pq"
)

// trace is what a program sees, a line for each thing.
type trace struct {
	lines []string
	same  normaliser
	now   time.Time
}

func newTrace() *trace {
	return &trace{
		same: normaliser{began: time.Now(), ids: map[string]map[int64]int{}},
		now:  time.Date(2024, 3, 1, 12, 0, 0, 123456000, time.UTC),
	}
}

// clock is the time as the program has it, a second later at every call: it is the
// same on both drivers.
func (tr *trace) clock() time.Time {
	tr.now = tr.now.Add(time.Second)
	return tr.now
}

// step adds what came of a step of the program: an error, or values.
func (tr *trace) step(what string, err error, values ...any) {
	if err != nil {
		tr.add("%s: %s", what, tr.err(err))
	}
	for _, v := range values {
		tr.add("%s: %s", what, tr.value("", reflect.ValueOf(v)))
	}
	if err == nil && len(values) == 0 {
		tr.add("%s: done", what)
	}
}

func (tr *trace) add(format string, args ...any) {
	tr.lines = append(tr.lines, fmt.Sprintf(format, args...))
}

// err shows each error of a chain with its type, and PostgreSQL's with all fields.
func (tr *trace) err(err error) string {
	var b strings.Builder
	for e := err; e != nil; e = errors.Unwrap(e) {
		fmt.Fprintf(&b, "%T(%s) ", e, e)
		var refused *pq.Error
		if errors.As(e, &refused) {
			told := *refused
			told.Detail = tr.same.detail(told.Detail)
			b.WriteString(tr.same.refusal(fmt.Sprintf("%+v", told)) + " ")
			break
		}
	}
	return b.String()
}

// value shows a value with its Go types. name is that of the field it was found in,
// with the type before it if it says nothing by itself: "Customer.ID".
func (tr *trace) value(name string, v reflect.Value) string {
	if !v.IsValid() {
		return "nil"
	}
	if t, ok := v.Interface().(time.Time); ok {
		return tr.same.time(t)
	}
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if v.IsNil() {
			return "nil"
		}
		return "&" + tr.value(name, v.Elem())
	case reflect.Struct:
		var fields []string
		for i := range v.NumField() {
			f := v.Type().Field(i)
			if !f.IsExported() {
				continue
			}
			inner := f.Name
			if inner == "ID" {
				inner = v.Type().Name() + ".ID"
			}
			fields = append(fields, f.Name+":"+tr.value(inner, v.Field(i)))
		}
		return v.Type().Name() + "{" + strings.Join(fields, " ") + "}"
	case reflect.Slice:
		if v.Type().Elem().Kind() == reflect.Uint8 {
			return fmt.Sprintf("%s(%q)", v.Type(), v.Interface())
		}
		items := make([]string, v.Len())
		for i := range items {
			items[i] = tr.value(name, v.Index(i))
		}
		return fmt.Sprintf("%s%v", v.Type(), items)
	}
	if table := keyTables[name]; table != "" && v.CanInt() {
		return fmt.Sprintf("%s(%s)", v.Type(), tr.same.id(table, v.Int()))
	}
	return fmt.Sprintf("%s(%v)", v.Type(), v.Interface())
}
