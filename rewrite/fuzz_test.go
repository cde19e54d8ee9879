package rewrite

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func FuzzParse(f *testing.F) {
	for _, line := range corpus(f) {
		f.Add(line.SQL)
	}
	for _, sql := range []string{
		"", "'", `"`, "$", "$$", "$a$", "/*", "--", "E'\\", `U&"`, "((((", "))))", "SELECT 'a'\n'b' || E'\\x41'",
		"1e", "0x", "a.b.c.*", "INSERT INTO t VALUES (1, (2), ((3)))", "UPDATE t SET (a,b)=ROW(1,2) WHERE (a,b)=(1,2)",
		"EXPLAIN (", "EXPLAIN (ANALYZE", "WITH x(a) AS (", "SELECT EXISTS(", "SELECT \x00", "SELECT é FROM ñ WHERE ü = $1",
	} {
		f.Add(sql)
	}
	f.Fuzz(func(t *testing.T, sql string) {
		s := Parse(sql)
		require.NotNil(t, s)
		l := lex(sql)
		// The tokens lie in order, and only blanks and comments between them.
		var spaced strings.Builder
		end := int32(0)
		for _, token := range l.tokens {
			require.LessOrEqual(t, end, token.start)
			require.LessOrEqual(t, token.start, token.end)
			if end = token.end; token.kind == tokEnd {
				break
			}
			require.Less(t, token.start, token.end)
			spaced.WriteString(sql[token.start:token.end])
			spaced.WriteString(" ")
		}
		if s.Form == Other {
			return
		}
		require.Empty(t, s.Opaque)
		require.False(t, s.Several)
		// Blanks and comments mean nothing: without them the text says the same.
		require.Equal(t, tokens(l), tokens(lex(spaced.String())))
		again := Parse(spaced.String())
		require.Equal(t, s.Summary, again.Summary)
		require.Equal(t, s.Form, again.Form)
		require.Equal(t, s.Table, again.Table)
		require.Equal(t, s.Where, again.Where)
		require.Equal(t, s.Items, again.Items)
		require.Equal(t, s.Columns, again.Columns)
	})
}
