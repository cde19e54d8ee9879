//go:build cgo

package parser

import (
	"strconv"
	"strings"
)

// simpleNames are the names that most statements are about, so that qualifiers,
// aliases and columns often agree.
var simpleNames = []string{"t", "t", "t", "id", "a", "b"}

// strangeNames need care: keywords of all categories, quotes, other letters, and
// names that mean something to PostgreSQL or to rewrite.
var strangeNames = []string{
	"T", `"T"`, `"t"`, `"a b"`, `"x""y"`, `"select"`, "order", "user", "é", `"É"`, "ñü", "日本", "excluded", "EXCLUDED", "count", "now", "key",
	"value", "values", "name", "interval", "left", "set", "ctid", "xmin", "tableoid", "system_user", "a$1", "_x", "over", "filter", "year", "all",
	"row", "exists", "coalesce", "between", "char", "precision", "double", "timestamp", "time", "zone", "array", "any", "some", "only", "temp",
	"temporary", "lateral", "natural", "cross", "join", "using", "within", "without", "with", "materialized", "not", "do", "nothing", "conflict",
	"of", "skip", "nowait", "nulls", "first", "current_user", "current_schema", "session_user", "returning", "limit", "offset", "window", "fetch",
	`U&"d\0061t\+000061"`, `"` + strings.Repeat("n", 64) + `"`, strings.Repeat("m", 63), strings.Repeat("m", 64), "pg_temp", "isnull", "notnull",
	"recursive", "table", "into", "values", "json", "json_object", "merge_action", "national", "nchar", "bit", "varchar", "setof", "grouping", "sets",
	"default", "current_timestamp", "null", "true", "e", "x", "n", "u", "savepoint", "work", "transaction", "chain", "analyze", "verbose",
}

func (g *Generator) name() string {
	name := pick(g.r, simpleNames)
	if g.one(7) {
		name = pick(g.r, strangeNames)
	}
	switch {
	case g.one(8):
		return strings.ToUpper(name)
	case g.one(8) && name[0] != '"' && name[0] != 'U':
		return `"` + name + `"`
	}
	return name
}

func (g *Generator) table() []string {
	switch g.r.IntN(12) {
	case 0, 1:
		return []string{g.name(), ".", g.name()}
	case 2:
		return []string{g.name()}
	case 3:
		return pick(g.r, [][]string{{"ONLY", "t"}, {"t", "*"}, {"ONLY", "(", "t", ")"}, {"a", ".", "b", ".", "t"}})
	}
	return []string{"t"}
}

func (g *Generator) column() []string {
	switch g.r.IntN(14) {
	case 0, 1:
		return []string{"t", ".", g.name()}
	case 2:
		return []string{g.name(), ".", g.name(), ".", g.name()}
	case 3:
		return []string{"(", g.name(), ")"}
	}
	return []string{g.name()}
}

// numbers are numeric literals at the borders of what PostgreSQL takes for one.
var numbers = []string{
	"0", "00", "007", "1.50", ".5", "5.", "1e3", "1E-3", "1.5e+10", "2147483647", "2147483648", "9223372036854775807", "9223372036854775808",
	"99999999999999999999", "0x1F", "0b11", "0o17", "1_000", "1.", "0.0", "1e", "1a", "1__0", "0x", "1.5.5", "1..2", "1e3e3", "1._5",
}

// types are type names in their tokens.
var types = []string{
	"int", "INTEGER", "bigint", "int8", "smallint", "text", "TEXT", `"text"`, "varchar", "varchar ( 10 )", "character varying ( 10 )", "char ( 4 )", "char",
	`"char"`, "numeric", "numeric ( 10 , 2 )", "decimal ( 5 )", "dec", "float", "float ( 3 )", "float ( 53 )", "double precision", "real", "timestamptz",
	"timestamp", "timestamp ( 3 ) with time zone", "timestamp without time zone", "time with time zone", "time ( 2 )", "date", "uuid", "jsonb", "bool",
	"boolean", "bytea", "bit", "bit varying ( 3 )", "national character varying ( 3 )", "nchar", "interval", "interval day to second", "int [ ]",
	"int [ 3 ] [ ]", "text array", "text ARRAY [ 3 ]", "s . typ", `s . "T"`, "pg_catalog . int4", "setof int", "t . a % type", "varbit", "name", "user",
	"left", "double", "json", "ñ", "bpchar ( 3 )", "numeric ( 3 , - 1 )", "interval ( 3 )", "xml", "geometry ( point , 4326 )", "float ( 0 )", "a . b . c",
}

func (g *Generator) typeName() []string {
	if g.one(2) {
		return strings.Fields(pick(g.r, types[:11]))
	}
	return strings.Fields(pick(g.r, types))
}

// text returns a string literal.
func (g *Generator) text() string {
	body := pick(g.r, []string{
		"", "a", "abc", "it''s", `a\b`, "$1", "--", "/*", `\\`, "é", "a\nb", "{1,2}", "WHERE id = 1", `x\'`, "\"", ";", "2024-01-01", "1",
	})
	switch g.r.IntN(14) {
	case 0:
		return "E'" + pick(g.r, escapes) + "'"
	case 1:
		return "e'" + body + pick(g.r, escapes) + "'"
	case 2:
		return "$$" + strings.ReplaceAll(body, "$", "") + "$$"
	case 3:
		tag := pick(g.r, []string{"t", "é", "T1", "_", "1", "a b"})
		return "$" + tag + "$" + body + "$" + tag + "$"
	case 4:
		return "'" + body + "'\n'" + pick(g.r, []string{"b", "''", `\`}) + "'"
	case 5:
		return "'" + body + "' -- c\n\t'c'"
	case 6:
		return pick(g.r, []string{"N", "n", "B", "X", "x", "U&", "u&"}) + "'" + pick(g.r, []string{"", "1", "01", "ff", `\0061`, "g"}) + "'"
	case 7:
		return "E'" + pick(g.r, escapes) + "'\n'" + pick(g.r, escapes) + "'"
	}
	return "'" + body + "'"
}

// escapes are the bodies of E'…' literals.
var escapes = []string{
	`\n`, `\t\b\f\r`, `\\`, `\'`, `''`, `\101`, `\x41`, `\x4`, `\x`, `\xg`, `\u00e9`, `\U0001F600`, `\ud83d\ude00`, `\ud83d`, `\ude00`, `\u00`, `\0`, `\x00`,
	`\u0000`, `\303\251`, `\303`, `\q`, `\v`, `\8`, `\1234`, `\xe9`, `a`, `\ud83dx`, `\U00110000`, `\400`, `\541`, `\`, `\u005c'`, `\x27`, `é`, `\é`,
}

// join writes tokens as a text, with blanks, comments or nothing between them.
func (g *Generator) join(tokens []string) string {
	var b strings.Builder
	plain := g.one(2)
	for i, token := range tokens {
		if i > 0 {
			b.WriteString(g.blank(plain, tokens[i-1], token))
		}
		if !plain && g.one(12) && !strings.ContainsAny(token, `'"$`) {
			token = strings.ToLower(token)
		}
		b.WriteString(token)
	}
	if g.one(10) {
		b.WriteString(pick(g.r, []string{";", " ; ", "--", "\n-- x\n;", "/* */", ";;", "; SELECT 1", " /* ; */"}))
	}
	return b.String()
}

func (g *Generator) blank(plain bool, before, after string) string {
	if plain || !g.one(4) {
		return " "
	}
	if g.one(3) {
		return pick(g.r, []string{"\n", "\t", "\r\n", "\f", "/* c */", "/**/", "/*/* n */*/", "--x\n", " -- ' \r", "\v", "  ", "\u00a0", "/*'*/", "--\n"})
	}
	if isPunctuation(before) || isPunctuation(after) || g.one(20) {
		return ""
	}
	return " "
}

func isPunctuation(token string) bool {
	return len(token) == 1 && strings.IndexByte("(),.;[]=+-*<>", token[0]) >= 0 || token == "::"
}

// param returns a parameter, most often a usual one.
func (g *Generator) param() string {
	if g.one(6) {
		return pick(g.r, []string{"$0", "$65535", "$65536", "$99999999999", "$1a", "$01", "$"})
	}
	return "$" + strconv.Itoa(1+g.r.IntN(4))
}
