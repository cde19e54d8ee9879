package rewrite

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// tokens returns the texts of the tokens of sql.
func tokens(l lexer) []string {
	texts := []string{}
	for _, t := range l.tokens[:len(l.tokens)-1] {
		texts = append(texts, l.sql[t.start:t.end])
	}
	return texts
}

func TestLexerCutsTextAsPostgreSQLDoes(t *testing.T) {
	for sql, want := range map[string][]string{
		"":                                {},
		" \t\r\n\f":                       {},
		"-- only a comment":               {},
		"a-- b\nc":                        {"a", "c"},
		"a /* b /* c */ d */ e":           {"a", "e"},
		"a/**/b":                          {"a", "b"},
		`"a""b".c`:                        {`"a""b"`, ".", "c"},
		"a$1":                             {"a$1"},
		"a$1$2":                           {"a$1$2"},
		"$1,$23":                          {"$1", ",", "$23"},
		"'a''b'":                          {"'a''b'"},
		`'a\'`:                            {`'a\'`},
		`E'a\'b'`:                         {`E'a\'b'`},
		`e'a\\'b`:                         {`e'a\\'`, "b"},
		"'a'\n  'b'":                      {"'a'\n  'b'"},
		"'a' -- c\n 'b'":                  {"'a' -- c\n 'b'"},
		"'a' 'b'":                         {"'a'", "'b'"},
		"'a' /*\n*/ 'b'":                  {"'a'", "'b'"},
		"$$a'b$$c":                        {"$$a'b$$", "c"},
		"$t$a$$b$t$":                      {"$t$a$$b$t$"},
		"$t$a$T$ $t$":                     {"$t$a$T$ $t$"},
		"B'01'x'ff'N'a'":                  {"B'01'", "x'ff'", "N'a'"},
		`U&'\0061'`:                       {`U&'\0061'`},
		`U&"\0061" u&b`:                   {`U&"\0061"`, "u", "&", "b"},
		"1 1.5 .5 5. 1e3 1.5E-7 1e":       nil,
		"1 1.5 .5 5. 1e3 1.5E-7 2":        {"1", "1.5", ".5", "5.", "1e3", "1.5E-7", "2"},
		"1..10":                           {"1", "..", "10"},
		"0x1F 1_000 0b11 0o17":            {"0x1F", "1_000", "0b11", "0o17"},
		"a=-1":                            {"a", "=", "-", "1"},
		"a<>-1":                           {"a", "<>", "-", "1"},
		"a@-1":                            {"a", "@-", "1"},
		"a*-/*x*/b":                       {"a", "*", "-", "b"},
		"a+--b\n c":                       {"a", "+", "c"},
		"a+-b":                            {"a", "+", "-", "b"},
		"a->>'b'":                         {"a", "->>", "'b'"},
		"a::b[1:2] c:=d e=>f":             {"a", "::", "b", "[", "1", ":", "2", "]", "c", ":=", "d", "e", "=>", "f"},
		"é.ñandú":                         {"é", ".", "ñandú"},
		"a\u00a0b":                        {"a\u00a0b"},
		"f(x).y;":                         {"f", "(", "x", ")", ".", "y", ";"},
		"a>=b<=c!=d||e":                   {"a", ">=", "b", "<=", "c", "!=", "d", "||", "e"},
		"select\"id\"from\"t\"where'a'=b": {"select", `"id"`, "from", `"t"`, "where", "'a'", "=", "b"},
	} {
		l := lex(sql)
		if want == nil {
			require.True(t, l.bad, "%q", sql)
			continue
		}
		require.False(t, l.bad, "%q: %s", sql, l.opaque)
		require.Equal(t, want, tokens(l), "%q", sql)
	}
}

func TestTextWhoseNamesCannotBeToldIsOpaque(t *testing.T) {
	for _, sql := range []string{
		"select 'a", `select "a`, "select $a$ b $A$", "select /* /* */", `select ""`, "select $0",
		"select $70000", "select $1a", "select 1a", "select 0xg", "select 1_", "select $", "select \x01",
		"select \\d", "select {fn now()}", "select 'a\x00'", "select '\xff'", "select E'a\\'",
		`select U&"\0061"`, "select " + strings.Repeat("a", 64), `select "` + strings.Repeat("é", 32) + `"`,
		"select 1from users", "select a\vb",
	} {
		s := Parse(sql)
		require.NotEmpty(t, s.Opaque, "%q", sql)
		require.Equal(t, Other, s.Form, "%q", sql)
	}
	for _, sql := range []string{
		"select " + strings.Repeat("a", 63), `select "` + strings.Repeat(`""`, 63) + `"`,
		`select U&'\0061'`, "select 'a\\'", "select '\x01'", "select 0x1F",
	} {
		require.Empty(t, Parse(sql).Opaque, "%q", sql)
	}
}

func TestStringLiteralsAreDecoded(t *testing.T) {
	for literal, want := range map[string]string{
		`''`:                    ``,
		`'it''s'`:               `it's`,
		`'a\nb'`:                `a\nb`,
		"'a'\n'b''c'\n'd'":      "ab'cd",
		`E'\b\f\n\r\t\\\'\q'''`: "\b\f\n\r\t\\'q'",
		`E'\101\1012\x41\x4g'`:  "AA2A\x04g",
		`E'\u00e9\U0001F600'`:   "é😀",
		`E'\ud83d\ude00'`:       "😀",
		`E'\303\251'`:           "é",
		"E'a\\\\'\n'b\\n'":      "a\\b\n",
		`$$it's $1$$`:           `it's $1`,
		`$t$a $$ \n$t$`:         `a $$ \n`,
		`E'\x'`:                 `x`,
	} {
		l := lex(literal)
		require.Len(t, l.tokens, 2, literal)
		got, ok := decodeString(literal, l.tokens[0].continued)
		require.True(t, ok, literal)
		require.Equal(t, want, got, literal)
	}
	for _, literal := range []string{`E'\0'`, `E'\x00'`, `E'\ud83d'`, `E'\ude00\ud83d'`, `E'\u12'`, `E'\U00110000'`, `E'\377'`, `E'\v'`} {
		l := lex(literal)
		require.Len(t, l.tokens, 2, literal)
		_, ok := decodeString(literal, false)
		require.False(t, ok, literal)
	}
}

func TestQuote(t *testing.T) {
	require.Equal(t, `"a"`, Quote("a"))
	require.Equal(t, `"a ""b"""`, Quote(`a "b"`))
	require.Equal(t, `a "b"`, unquoteIdent(Quote(`a "b"`)))
}
