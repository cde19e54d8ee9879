package compare

import (
	"bytes"
	"fmt"
	"math"
	"reflect"
	"strings"
	"time"
)

// identical reports whether an application could not tell the two values
// apart: same Go type, same bytes, same time in the same zone.
func identical(a, b any) bool {
	switch a := a.(type) {
	case float64:
		b, ok := b.(float64)
		return ok && math.Float64bits(a) == math.Float64bits(b)
	case []byte:
		b, ok := b.([]byte)
		return ok && bytes.Equal(a, b) && (a == nil) == (b == nil)
	case time.Time:
		b, ok := b.(time.Time)
		return ok && a.Equal(b) && sameZone(a, b)
	default:
		return reflect.DeepEqual(a, b)
	}
}

// sameZone compares what an application sees of the zone of a time: the name
// of the location, and name and offset of the zone at that time.
func sameZone(a, b time.Time) bool {
	an, ao := a.Zone()
	bn, bo := b.Zone()
	return an == bn && ao == bo && a.Location().String() == b.Location().String() &&
		(a.Location() == time.UTC) == (b.Location() == time.UTC) &&
		(a.Location() == time.Local) == (b.Location() == time.Local)
}

// describe shows a value with its type, shortened for a reader.
func describe(v any) string {
	const longest = 200
	s := describeWhole(v)
	if len(s) > longest {
		s = fmt.Sprintf("%s… (%d bytes)", s[:longest], len(s))
	}
	return s
}

// describeWhole shows a value with its type, so that two different ones never
// look alike.
func describeWhole(v any) string {
	switch v := v.(type) {
	case nil:
		return "NULL"
	case time.Time:
		name, offset := v.Zone()
		return fmt.Sprintf("time.Time %s (location %q, zone %q, offset %d, UTC %t)",
			v.Format("2006-01-02T15:04:05.999999999"), v.Location(), name, offset, v.Location() == time.UTC)
	case []byte:
		if v == nil {
			return "[]byte(nil)"
		}
		return fmt.Sprintf("[]byte %q", v)
	case string:
		return fmt.Sprintf("string %q", v)
	case float64:
		return fmt.Sprintf("float64 %v (bits %x)", v, math.Float64bits(v))
	default:
		return fmt.Sprintf("%T %v", v, v)
	}
}

func describeRow(row []any) string {
	cells := make([]string, len(row))
	for i, v := range row {
		cells[i] = describe(v)
	}
	return "(" + strings.Join(cells, ", ") + ")"
}

func describeRows(rows [][]any) string {
	const most = 20
	var b strings.Builder
	fmt.Fprintf(&b, "%d rows", len(rows))
	for i, row := range rows {
		if i == most {
			b.WriteString("\n    …")
			break
		}
		b.WriteString("\n    " + describeRow(row))
	}
	return b.String()
}

func show(v any) string {
	if s, ok := v.(string); ok {
		return s
	}
	return fmt.Sprintf("%+v", v)
}
