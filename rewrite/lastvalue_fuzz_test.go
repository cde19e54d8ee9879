package rewrite

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// FuzzWithLastValues: whatever the text, all of it but the calls that are replaced
// stays as it is, byte for byte, and what replaces them are tokens of its own.
func FuzzWithLastValues(f *testing.F) {
	for _, sql := range []string{
		"SELECT lastval()", "SELECT a, currval('s'), lastval() AS b FROM t", "SELECT * FROM lastval()", "SELECT x FROM lastval ( ) AS x, currval('t_id_seq'::regclass) y(z)",
		"SELECT pg_catalog.lastval(), other.lastval(), lastval", "INSERT INTO t VALUES (currval(pg_get_serial_sequence('t', 'id')))", "SELECT 'lastval()', \"lastval\"(), /* lastval() */ lastval() -- lastval()",
		"SELECT currval($1), currval('a' 'b')", "SELECT 1 FROM (lastval()) JOIN LATERAL currval('s') ON true", "SELECT substring('a' FROM lastval())", "SELECT lastval()lastval()",
	} {
		f.Add(sql)
	}
	f.Fuzz(func(t *testing.T, sql string) {
		require.Equal(t, sql, WithLastValues(sql, func(LastValue) (int64, bool) { return 0, false }))
		const first = 7_000_000_000_000_000_001
		n := int64(first - 1)
		out := WithLastValues(sql, func(LastValue) (int64, bool) { n++; return n, true })
		if strings.Contains(sql, "70000000000000000") {
			return
		}
		calls, rest := sql, out
		for v := int64(first); v <= n; v++ {
			kept, replaced, ok := strings.Cut(rest, fmt.Sprintf("(SELECT %d::pg_catalog.int8 AS ", v))
			require.True(t, ok, "%q", out)
			left, ok := strings.CutPrefix(calls, kept)
			require.True(t, ok, "%q begins with %q", calls, kept)
			name, replaced, ok := strings.Cut(replaced, ")")
			require.True(t, ok, "%q", out)
			call := callIn(left)
			require.NotEmpty(t, call, "%q", left)
			calls = left[len(call):]
			// An alias is added if there is none.
			rest = replaced
			if !strings.HasPrefix(calls, rest) || v < n {
				if added, ok := strings.CutPrefix(replaced, " AS "+name); ok && (name == "lastval" || name == "currval") {
					if left, _, more := strings.Cut(added, fmt.Sprintf("(SELECT %d:", v+1)); v == n && added == calls || more && strings.HasPrefix(calls, left) {
						rest = added
					}
				}
			}
		}
		require.Equal(t, calls, rest, "%q", out)
		if n >= first && !lex(sql).bad {
			require.False(t, lex(out).bad, "%q", out)
		}
	})
}

// callIn returns the call that a text begins with, up to its last parenthesis.
func callIn(sql string) string {
	l := lex(sql)
	depth := 0
	for _, token := range l.tokens {
		switch token.punct {
		case '(':
			depth++
		case ')':
			if depth--; depth == 0 {
				return sql[:token.end]
			}
		}
	}
	return ""
}
