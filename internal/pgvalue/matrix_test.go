package pgvalue_test

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lib/pq/oid"
	"github.com/stretchr/testify/require"

	"github.com/writebehind/writebehind/internal/pgvalue"
)

var update = flag.Bool("update", false, "write the tables of docs/types.md anew")

// matrixFile holds the tables between lines that name them.
const matrixFile = "../../docs/types.md"

// A row is a type of column that docs/types.md speaks of.
type row struct {
	name string // the SQL type, as in knownTypes
	typ  pgvalue.Type
}

var rowsOfTypes = []row{
	{"bool", base(oid.T_bool, -1)},
	{"int2", base(oid.T_int2, -1)},
	{"int4", base(oid.T_int4, -1)},
	{"int8", base(oid.T_int8, -1)},
	{"float4", base(oid.T_float4, -1)},
	{"float8", base(oid.T_float8, -1)},
	{"numeric", base(oid.T_numeric, -1)},
	{"numeric(5,2)", base(oid.T_numeric, precision(5, 2))},
	{"text", base(oid.T_text, -1)},
	{"varchar", base(oid.T_varchar, -1)},
	{"varchar(5)", base(oid.T_varchar, length(5))},
	{"char(4)", base(oid.T_bpchar, length(4))},
	{"bytea", base(oid.T_bytea, -1)},
	{"uuid", base(oid.T_uuid, -1)},
	{"date", base(oid.T_date, -1)},
	{"timestamp", base(oid.T_timestamp, -1)},
	{"timestamptz", base(oid.T_timestamptz, -1)},
	{"json", base(oid.T_json, -1)},
	{"mood", pgvalue.Type{Mod: -1, Kind: pgvalue.Enum, Labels: moods}},
	{"jsonb", base(oid.T_jsonb, -1)},
	{"interval", base(oid.T_interval, -1)},
	{"time", base(oid.T_time, -1)},
	{"inet", base(oid.T_inet, -1)},
	{"text[]", pgvalue.Type{OID: uint32(oid.T__text), Mod: -1, Kind: pgvalue.Other}},
	{"positive", pgvalue.Type{Mod: -1, Kind: pgvalue.Other}},
}

// title is how the page calls the types that only the tests have.
func (r row) title() string {
	switch r.name {
	case "mood":
		return "an enum"
	case "positive":
		return "a domain"
	}
	return "`" + r.name + "`"
}

// A question is what is asked of a type and a value: whether it is certain.
type question func(pgvalue.Session, pgvalue.Type, given) bool

func stored(s pgvalue.Session, typ pgvalue.Type, g given) bool {
	if g.literal != nil {
		_, ok := typ.Literal(s, g.literal.kind, g.literal.text, true)
		return ok
	}
	_, ok := typ.Argument(s, g.value)
	return ok
}

// asKey asks whether the row is known that has the value as its key.
func asKey(s pgvalue.Session, typ pgvalue.Type, g given) bool {
	if !typ.KeyType() {
		return false
	}
	v, ok := typ.Compare(s, g.value)
	if g.literal != nil {
		v, ok = typ.Literal(s, g.literal.kind, g.literal.text, false)
	}
	if !ok || v == nil {
		return ok
	}
	_, ok = typ.AppendKey(nil, v)
	return ok
}

// inBinary is a session with binary_parameters=yes.
func inBinary() pgvalue.Session {
	s := utc
	s.BinaryParameters = true
	return s
}

// table has a row for each type and a column for each family.
func table(s pgvalue.Session, asked question, types []row, families []family) string {
	head := []string{"column"}
	for _, f := range families {
		head = append(head, f.name)
	}
	lines := [][]string{head}
	for _, r := range types {
		line := []string{r.title()}
		for _, f := range families {
			line = append(line, symbol(s, asked, r.typ, f))
		}
		lines = append(lines, line)
	}
	return markdown(lines)
}

func symbol(s pgvalue.Session, asked question, typ pgvalue.Type, f family) string {
	certain := 0
	for _, g := range f.givens {
		if asked(s, typ, g) {
			certain++
		}
	}
	switch certain {
	case 0:
		return "–"
	case len(f.givens):
		return "●"
	}
	return "◐ " + condition(typ, f)
}

// condition is a word for what decides whether a value is certain where some are.
func condition(typ pgvalue.Type, f family) string {
	if f.name == "time.Time" {
		return "time"
	}
	if typ.Kind != pgvalue.Base {
		return "form"
	}
	switch oid.Oid(typ.OID) {
	case oid.T_text, oid.T_varchar, oid.T_bpchar:
		if typ.Mod >= 0 {
			return "length"
		}
		return "UTF-8"
	case oid.T_int2, oid.T_int4, oid.T_int8, oid.T_float4, oid.T_float8, oid.T_numeric:
		return "number"
	}
	return "form"
}

// values has a row for each value, or several of one family, or of several, that
// are certain in the same columns.
func values(s pgvalue.Session, types []row, families []family) string {
	lines := [][]string{{"given", "value", "certain in columns of type"}}
	for _, f := range families {
		var own [][]string
		for _, g := range f.givens {
			where := certainIn(s, types, g)
			if same := slices.IndexFunc(own, func(l []string) bool { return l[2] == where }); same >= 0 {
				own[same][1] += "; " + g.name
				continue
			}
			own = append(own, []string{f.name, g.name, where})
		}
		for _, line := range own {
			if same := slices.IndexFunc(lines, func(l []string) bool { return slices.Equal(l[1:], line[1:]) }); same >= 0 {
				lines[same][0] += ", " + f.name
				continue
			}
			lines = append(lines, line)
		}
	}
	return markdown(lines)
}

func certainIn(s pgvalue.Session, types []row, g given) string {
	var in []string
	for _, r := range types {
		if stored(s, r.typ, g) {
			in = append(in, r.title())
		}
	}
	if len(in) == 0 {
		return "none"
	}
	return strings.Join(in, ", ")
}

// settings has a row for each type of whose values a setting leaves less certain
// than there are in UTC, in a database in UTF8 and without binary_parameters.
func settings() string {
	berlin := time.FixedZone("Europe/Berlin", 3600) // the rules ask only whether it is UTC
	lines := [][]string{{"setting", "column", "given", "not certain"}}
	for _, setting := range []struct {
		name string
		s    pgvalue.Session
	}{
		{"`binary_parameters=yes`", inBinary()},
		{"a TimeZone other than UTC", pgvalue.Session{Location: berlin, UTF8: true}},
		{"a TimeZone in which server and program differ", pgvalue.Session{UTF8: true}},
		{"an encoding other than UTF8", pgvalue.Session{Location: time.UTC}},
		{"`pq.EnableInfinityTs` was called", pgvalue.Session{Location: time.UTC, UTF8: true, InfinityTimes: true}},
	} {
		for _, f := range append(argumentFamilies(), literalFamilies()...) {
			first := len(lines)
			for _, r := range rowsOfTypes {
				var lost []string
				for _, g := range f.givens {
					if stored(utc, r.typ, g) && !stored(setting.s, r.typ, g) {
						lost = append(lost, g.name)
					}
				}
				if lost == nil {
					continue
				}
				what := strings.Join(lost, "; ")
				if !slices.ContainsFunc(f.givens, func(g given) bool { return stored(setting.s, r.typ, g) }) {
					what = "all"
				}
				if same := slices.IndexFunc(lines[first:], func(l []string) bool { return l[3] == what }); same >= 0 {
					lines[first+same][1] += ", " + r.title()
					continue
				}
				lines = append(lines, []string{setting.name, r.title(), f.name, what})
			}
		}
	}
	return markdown(lines)
}

func markdown(lines [][]string) string {
	var b strings.Builder
	for i, line := range lines {
		for j := range line {
			line[j] = strings.ReplaceAll(line[j], "|", `\|`)
		}
		b.WriteString("| " + strings.Join(line, " | ") + " |\n")
		if i == 0 {
			b.WriteString(strings.Repeat("|---", len(line)) + "|\n")
		}
	}
	return b.String()
}

// keyTypes are the rows of types that a key can have.
func keyTypes() (types []row) {
	for _, r := range rowsOfTypes {
		if r.typ.KeyType() {
			types = append(types, r)
		}
	}
	return types
}

// typesOnPGX are the types as a table has them on pgx: nothing is known of one whose
// values are not returned in a form that can be told (see Samples).
func typesOnPGX(t *testing.T) []row {
	t.Helper()
	told := map[uint32]bool{uint32(oid.T_timestamptz): true}
	for _, sample := range pgvalue.Samples() {
		returned := sample.Value
		if sample.Type.OID == uint32(oid.T_float4) {
			returned = float64(float32(sample.Value.(float64))) // not by its shortest decimal
		}
		_, ok := sample.Type.FormOf(strict, sample.Value, returned)
		told[sample.Type.OID] = ok && sample.Value != nil
	}
	types := slices.Clone(rowsOfTypes)
	for i := range types {
		if typ := &types[i].typ; typ.Kind == pgvalue.Base && !told[typ.OID] {
			typ.Kind = pgvalue.Other
		}
	}
	return types
}

// TestMatrixIsWhatTheRulesSay: docs/types.md holds what the rules of this package
// give for the values of samples_test.go. -update writes it.
func TestMatrixIsWhatTheRulesSay(t *testing.T) {
	all := append(argumentFamilies(), literalFamilies()...)
	others := append(otherDriverFamilies(), literalFamilies()...)
	page, err := os.ReadFile(matrixFile)
	require.NoError(t, err)
	was := string(page)
	is := was
	for _, section := range []struct{ name, table string }{
		{"stored", table(utc, stored, rowsOfTypes, all)},
		{"keys", table(utc, asKey, keyTypes(), all)},
		{"values", values(utc, rowsOfTypes, all)},
		{"settings", settings()},
		{"others", table(onPGX, stored, typesOnPGX(t), others)},
		{"other values", values(onPGX, typesOnPGX(t), others)},
	} {
		is = replaced(t, is, section.name, section.table)
	}
	if *update {
		require.NoError(t, os.WriteFile(matrixFile, []byte(is), 0o644))
		return
	}
	require.Equal(t, is, was, "docs/types.md is not what the rules say: go test ./internal/pgvalue -run TestMatrixIsWhatTheRulesSay -update")
}

// replaced puts a table between the lines that begin and end it.
func replaced(t *testing.T, page, name, table string) string {
	t.Helper()
	begin, end := fmt.Sprintf("<!-- table: %s -->\n", name), fmt.Sprintf("<!-- end: %s -->\n", name)
	before, rest, found := strings.Cut(page, begin)
	require.True(t, found, begin)
	_, after, found := strings.Cut(rest, end)
	require.True(t, found, end)
	return before + begin + "\n" + table + "\n" + end + after
}
