package rewrite

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// A text that made Parse go back over it again and again would take minutes.
func TestLongTextsAreParsedInReasonableTime(t *testing.T) {
	const n = 30000
	repeat := strings.Repeat
	distinct := func(prefix, separator string) string {
		var b strings.Builder
		for i := range n {
			b.WriteString(prefix + strconv.Itoa(i) + separator)
		}
		return b.String()
	}
	for name, sql := range map[string]string{
		"parentheses":         "SELECT * FROM t WHERE " + repeat("(", n),
		"balanced":            "SELECT * FROM t WHERE " + repeat("(", n) + "id = 1" + repeat(")", n),
		"rows":                "DELETE FROM t WHERE " + repeat("(a, ", n),
		"deep list":           "DELETE FROM t WHERE " + repeat("(", maxDepth) + repeat("a, ", n),
		"deep row comparison": "DELETE FROM t WHERE " + repeat("(", maxDepth) + repeat("1, ", n) + "1" + repeat(")", maxDepth) + " = 1",
		"conditions":          "DELETE FROM t WHERE id = 1" + repeat(" AND a IS NULL", n),
		"in":                  "SELECT * FROM t WHERE id IN (1" + repeat(", 2", n) + ")",
		"insert":              "INSERT INTO t (a, b) VALUES (1, f(x))" + repeat(", ($1, 'b')", n),
		"columns":             "INSERT INTO t (" + distinct("c", ", ") + "z) VALUES (1)",
		"names":               "SELECT " + distinct("c", ", ") + "z FROM t",
		"functions":           "WITH x AS (TABLE y) SELECT " + distinct("f", "(a), ") + "z FROM t",
		"tables":              "SELECT 1 FROM " + distinct("t", ", ") + "z",
		"ctes":                "WITH " + distinct("c", " AS (SELECT 1), ") + "z AS (SELECT 1) TABLE z",
		"comments":            repeat("/*", n) + repeat("*/", n),
		"open comments":       repeat("/* */ /*", n),
		"quotes":              repeat("'a' ", n) + "'",
		"continued":           repeat("'a'\n", n),
		"dollars":             repeat("$a$ ", n) + repeat("$b", n),
		"open dollars":        distinct("$a", "$ "),
		"operators":           "SELECT a " + repeat("+-", n) + " b",
		"semicolons":          repeat(";", n) + "SELECT 1" + repeat("; SELECT 1", n),
		"dots":                "SELECT a" + repeat(".a", n),
		"casts":               "SELECT * FROM t WHERE id = $1" + repeat("::text", n),
		"assignments":         "UPDATE t SET " + distinct("c", " = 1, ") + "z = 1 WHERE id = 1",
	} {
		start := time.Now()
		require.NotNil(t, Parse(sql), name)
		require.Less(t, time.Since(start), 10*time.Second, name)
		t.Log(name, time.Since(start))
	}
}
