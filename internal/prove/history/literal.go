package history

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/lib/pq"
)

// goLiteral writes an argument as a Go expression of the same type and value.
// The names of this package are written as names of package prove.
func goLiteral(arg any) string {
	switch v := arg.(type) {
	case nil:
		return "nil"
	case bool:
		return strconv.FormatBool(v)
	case string:
		return goString(v)
	case int:
		return strconv.Itoa(v)
	case int8, int16, int32, int64, uint, uint8, uint16, uint32, uint64:
		return fmt.Sprintf("%T(%d)", v, v)
	case float64:
		return goFloat(v, 64)
	case float32:
		return "float32(" + goFloat(float64(v), 32) + ")"
	case []byte:
		return goBytes("[]byte", v)
	case json.RawMessage:
		return goBytes("json.RawMessage", v)
	case [16]byte:
		return fmt.Sprintf("%#v", v)
	case time.Time:
		return goTime(v)
	case []int64:
		return fmt.Sprintf("%#v", v)
	case []string:
		return fmt.Sprintf("%#v", v)
	case pq.Int64Array:
		return fmt.Sprintf("%#v", v)
	case pq.StringArray:
		return fmt.Sprintf("%#v", v)
	case pq.ByteaArray:
		return fmt.Sprintf("%#v", v)
	case pq.Float64Array:
		return fmt.Sprintf("%#v", v)
	case pq.BoolArray:
		return fmt.Sprintf("%#v", v)
	case *pq.Int32Array:
		return fmt.Sprintf("pq.Array(%#v)", []int32(*v))
	case pq.GenericArray:
		return fmt.Sprintf("pq.Array(%#v)", v.A)
	case struct{}:
		return "struct{}{}"
	case *int64:
		return goPointer("*int64", v)
	case *string:
		return goPointer("*string", v)
	case *bool:
		return goPointer("*bool", v)
	case *time.Time:
		return goPointer("*time.Time", v)
	case *Valued:
		return goPointer("*prove.Valued", v)
	case sql.NullString:
		return fmt.Sprintf("sql.NullString{String: %s, Valid: %t}", goString(v.String), v.Valid)
	case sql.NullInt64:
		return fmt.Sprintf("sql.NullInt64{Int64: %d, Valid: %t}", v.Int64, v.Valid)
	case sql.NullInt32:
		return fmt.Sprintf("sql.NullInt32{Int32: %d, Valid: %t}", v.Int32, v.Valid)
	case sql.NullBool:
		return fmt.Sprintf("sql.NullBool{Bool: %t, Valid: %t}", v.Bool, v.Valid)
	case sql.NullFloat64:
		return fmt.Sprintf("sql.NullFloat64{Float64: %s, Valid: %t}", goFloat(v.Float64, 64), v.Valid)
	case sql.NullTime:
		return fmt.Sprintf("sql.NullTime{Time: %s, Valid: %t}", goTime(v.Time), v.Valid)
	case sql.Null[string]:
		return fmt.Sprintf("sql.Null[string]{V: %s, Valid: %t}", goString(v.V), v.Valid)
	case json.Number:
		return "json.Number(" + goString(string(v)) + ")"
	case Minted:
		return fmt.Sprintf("prove.Minted{From: %d, N: %d}", v.From, v.N)
	case Failing:
		return "prove.Failing{Text: " + goString(v.Text) + "}"
	case Number:
		return fmt.Sprintf("prove.Number(%d)", v)
	case Blob:
		return goBytes("prove.Blob", v)
	case Named:
		return "prove.Named(" + goString(string(v)) + ")"
	case Valued:
		return "prove.Valued{V: " + goLiteral(v.V) + "}"
	default:
		panic(fmt.Sprintf("history: no Go literal for an argument of type %T", arg))
	}
}

// goPointer writes a pointer to what goLiteral can write.
func goPointer[T any](typ string, p *T) string {
	if p == nil {
		return "(" + typ + ")(nil)"
	}
	return "prove.To(" + goLiteral(*p) + ")"
}

// goString prefers the form that is easiest to read; a long run of one
// character at the beginning is written as such.
func goString(s string) string {
	if len(s) > 200 {
		_, size := utf8.DecodeRuneInString(s)
		rest := s
		for strings.HasPrefix(rest, s[:size]) {
			rest = rest[size:]
		}
		if run := len(s) - len(rest); run > 200 {
			text := fmt.Sprintf("strings.Repeat(%s, %d)", strconv.Quote(s[:size]), run/size)
			if rest != "" {
				text += "+" + goString(rest)
			}
			return text
		}
	}
	if strings.ContainsAny(s, "\"\\\n\t") && strconv.CanBackquote(strings.ReplaceAll(s, "\n", "")) {
		return "`" + s + "`"
	}
	return strconv.Quote(s)
}

func goBytes(typ string, b []byte) string {
	if b == nil {
		return typ + "(nil)"
	}
	return typ + "(" + goString(string(b)) + ")"
}

func goFloat(f float64, bits int) string {
	switch {
	case math.IsNaN(f):
		return "math.NaN()"
	case math.IsInf(f, 1):
		return "math.Inf(1)"
	case math.IsInf(f, -1):
		return "math.Inf(-1)"
	case f == 0 && math.Signbit(f):
		return "math.Copysign(0, -1)"
	}
	s := strconv.FormatFloat(f, 'g', -1, bits)
	if !strings.ContainsAny(s, ".e") {
		s += ".0"
	}
	return s
}

func goTime(t time.Time) string {
	zone := "time.UTC"
	if loc := t.Location(); loc != time.UTC {
		name, offset := t.Zone()
		if loc.String() == name {
			zone = fmt.Sprintf("time.FixedZone(%q, %d)", name, offset)
		} else {
			zone = fmt.Sprintf("prove.Zone(%q)", loc.String())
		}
	}
	return fmt.Sprintf("time.Date(%d, %d, %d, %d, %d, %d, %d, %s)",
		t.Year(), t.Month(), t.Day(), t.Hour(), t.Minute(), t.Second(), t.Nanosecond(), zone)
}
