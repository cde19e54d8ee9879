package rewrite

import (
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// idents reads names like "a b.c".
func idents(text string) []Ident {
	var list []Ident
	for _, field := range strings.Fields(text) {
		schema, name, ok := strings.Cut(field, ".")
		if !ok {
			schema, name = "", field
		}
		list = append(list, Ident{Schema: schema, Name: name})
	}
	return list
}

func TestEveryNameThatCouldBeARelationIsAnIdentifier(t *testing.T) {
	for sql, want := range map[string]string{
		"SELECT 1":                   "",
		"SELECT a FROM T":            "a t",
		"TABLE x . y":                "x x.y",
		"SELECT a.b.c.d FROM s.t":    "a a.b b.c c.d s s.t",
		`SELECT "A"."b" FROM "from"`: "A A.b from",
		"SELECT user.x, left.y FROM name, public.order": "x y name public public.order",
		"SELECT 'a', $$b$$, $1 -- c":                    "",
		"DELETE FROM t WHERE EXISTS (SELECT FROM u)":    "delete t exists u",
		"COPY t (a) FROM '/x'":                          "copy t a",
		"SELECT f(x) :: numeric FROM g(y) AS z(w)":      "f x numeric g y z w",
	} {
		got := Parse(sql).Identifiers
		want := idents(want)
		if strings.HasPrefix(sql, "DELETE") || strings.HasPrefix(sql, "COPY") {
			// Keywords that are not reserved are names too, and harmless.
			require.Subset(t, got, want, sql)
			continue
		}
		require.ElementsMatch(t, want, got, sql)
	}
	long := "SELECT a0" + strings.Repeat(", a0", 100)
	require.Len(t, Parse(long).Identifiers, 1)
	many := []string{"a"}
	for i := range 500 {
		many = append(many, "a"+strconv.Itoa(i))
	}
	list := strings.Join(many, ", ")
	require.Len(t, Parse("SELECT "+list+", "+list).Identifiers, 501)
}

func TestRelations(t *testing.T) {
	for sql, want := range map[string]string{
		"SELECT * FROM a, s.b x, (c JOIN d ON true), e AS y WHERE f = 1":       "a s.b c d e",
		"SELECT * FROM a LEFT JOIN b USING (c) CROSS JOIN d":                   "a b d",
		"SELECT (SELECT 1 FROM b), c FROM a":                                   "b a",
		"WITH x AS (SELECT * FROM a), y AS (TABLE x) SELECT * FROM y, z":       "a z",
		"WITH RECURSIVE x(n) AS (SELECT 1) SELECT * FROM x, public.x":          "public.x",
		"INSERT INTO a (b) SELECT c FROM d":                                    "a d",
		"INSERT INTO a (id) VALUES (1) ON CONFLICT (id) DO UPDATE SET b = 1":   "a",
		"UPDATE a SET b = 1 FROM c":                                            "a c",
		"DELETE FROM ONLY a USING b, c":                                        "a b c",
		"MERGE INTO a USING b ON a.x = b.x WHEN MATCHED THEN UPDATE SET c = 1": "a b",
		"TRUNCATE a, b":                                 "a b",
		"LOCK TABLE a IN SHARE MODE":                    "a",
		"DROP TABLE IF EXISTS a, s.b CASCADE":           "a s.b",
		"SELECT a INTO TEMP b FROM c":                   "b c",
		"SELECT * FROM f(1) JOIN a ON true":             "a",
		"SELECT a IS DISTINCT FROM b FROM c FOR UPDATE": "c",
		"BEGIN; TABLE a; TABLE b":                       "a b",
	} {
		require.Equal(t, idents(want), Parse(sql).Relations, sql)
	}
}

func TestFunctions(t *testing.T) {
	for sql, want := range map[string]string{
		"SELECT F(1), s.g (2), \"H\"(3), a.b.i(4)":                                              "f s.g H b.i",
		"SELECT left('a', 1), coalesce(a, b), count(*) FILTER (WHERE a) OVER (ORDER BY b)":      "left count",
		"SELECT CAST(a AS numeric(10, 2)), b::varchar(3), c::vector(3), ROW(1), ARRAY(TABLE t)": "",
		"SELECT * FROM a JOIN (SELECT 1) b ON (true) LEFT JOIN (c) USING (d), f(1) g(x)":        "f",
		"INSERT INTO users (id) VALUES (f(1)) ON CONFLICT (id) DO UPDATE SET (a, b) = (1, 2)":   "f",
		"INSERT INTO s.users AS u (id) VALUES (1) ON CONFLICT (id) DO NOTHING":                  "",
		"UPDATE t SET (a, b) = (f(1), 2) WHERE (c) IN (1) AND EXISTS (TABLE t)":                 "f",
		"SELECT a FROM t WHERE a = ANY (f(1)) AND NOT (b) OR g (c) ORDER BY (a) LIMIT (1)":      "f g",
		"WITH x(a) AS (SELECT 1) SELECT * FROM x GROUP BY (a)":                                  "",
		"WITH x AS NOT MATERIALIZED (SELECT 1) TABLE x":                                         "",
		// Where an expression may follow a parenthesis.
		"SELECT DISTINCT ON (a) filter(b) FROM t": "filter",
		"SELECT a OPERATOR(s.+) f(b) FROM t":      "f",
		"SELECT a FROM t JOIN u ON conflict(a)":   "conflict",
		"SELECT a FROM t WHERE NOT join(a)":       "join",
		"SELECT f /* x */ (1), 'g(2)', \"h(3)\"":  "f",
	} {
		require.ElementsMatch(t, idents(want), Parse(sql).Functions, sql)
	}
}

func TestOperators(t *testing.T) {
	require.ElementsMatch(t, []string{"*", "=", "<>", "@>", "~~", "!~~"},
		Parse("SELECT * FROM t WHERE a = b AND c != d AND e <> f AND g @> h AND i LIKE j -- +").Operators)
}
