package rewrite

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// The tests of this file hold what the comparison with PostgreSQL's parser
// (proof/parser) has found.

func TestTypedStringsWithoutALengthAreNotCasts(t *testing.T) {
	// char 'abc' is abc, and 'abc'::char is a.
	for _, name := range []string{"char", "character", "nchar", "bit"} {
		require.Equal(t, Other, Parse("SELECT * FROM t WHERE id = "+name+" '1'").Form, name)
		require.Equal(t, Select, Parse("SELECT * FROM t WHERE id = "+name+"(1) '1'").Form, name)
		require.Equal(t, Select, Parse("SELECT * FROM t WHERE id = '1'::"+name).Form, name)
	}
}

func TestTypesThatPostgreSQLRefuses(t *testing.T) {
	for name, want := range map[string]Form{
		"float(0)": Other, "float(1)": Select, "float(53)": Select, "float(54)": Other, "float(1,2)": Other, "float": Select,
		"text array[]": Other, "text array": Select, "text array[3]": Select, "text array[3][]": Other, "text[][3]": Select,
	} {
		require.Equal(t, want, Parse("SELECT * FROM t WHERE id = $1::"+name).Form, name)
	}
}

func TestBodiesOfRoutinesAreOneStatement(t *testing.T) {
	for _, sql := range []string{
		"CREATE FUNCTION f() RETURNS int BEGIN ATOMIC; SELECT 1; END",
		"create or replace procedure f() begin atomic delete from t; update t set a = case when b then 1 else 2 end; end;",
		"CREATE PROCEDURE f() BEGIN ATOMIC SELECT 1 AS end; SELECT t.case FROM t; SELECT a case FROM t; END",
		"CREATE RULE r AS ON INSERT TO t DO ALSO (DELETE FROM a; DELETE FROM b)",
	} {
		s := Parse(sql)
		require.False(t, s.Several, sql)
		require.Equal(t, NoTransaction, s.Transaction, sql)
		require.Equal(t, Unknown, s.Effect, sql)
		require.True(t, s.DDL, sql)
	}
	for sql, open := range map[string]bool{
		"CREATE PROCEDURE f() BEGIN ATOMIC SELECT 1; END; COMMIT; BEGIN": true,
		// Where the body ends is not certain, so neither is that a transaction has ended.
		"CREATE PROCEDURE f() BEGIN ATOMIC SELECT CASE WHEN a THEN b END end; SELECT 1; END": true,
		"CREATE TABLE begin (atomic int); BEGIN; COMMIT":                                     false,
		"BEGIN; SELECT begin atomic FROM t; END":                                             false,
	} {
		s := Parse(sql)
		require.True(t, s.Several, sql)
		require.Equal(t, MixedTransaction, s.Transaction, sql)
		require.Equal(t, open, s.LeavesOpen, sql)
	}
	s := Parse("CREATE PROCEDURE f() BEGIN ATOMIC SELECT 1; END; SELECT 2")
	require.True(t, s.Several)
	require.Equal(t, NoTransaction, s.Transaction)
	// What is not understood may have begun a transaction.
	require.True(t, Parse("COMMIT x").LeavesOpen)
}

func TestTablesNamedLikeKeywords(t *testing.T) {
	for sql, want := range map[string]string{
		"UPDATE update b SET a = 1": "update", "SELECT 1 FROM update": "update", "UPDATE set SET a = 1": "set",
		"INSERT INTO temp VALUES (1)": "temp", "SELECT 1 INTO temp FROM t": "temp", "SELECT 1 FROM exists": "exists",
		"SELECT 1 INTO UNLOGGED t": "t", "SELECT 1 INTO UNLOGGED TABLE t": "t", "SELECT 1 INTO unlogged FROM t": "unlogged",
		"SELECT 1 FROM t JOIN u ON a IS DISTINCT FROM b, v":               "v",
		"SELECT 1 FROM t JOIN u ON f(1) WITHIN GROUP (ORDER BY a), v":     "v",
		"MERGE INTO temporary t USING t ON true WHEN MATCHED THEN DELETE": "temporary",
		"MERGE INTO t USING u ON true WHEN MATCHED THEN UPDATE SET a = 1": "u",
		"INSERT INTO t VALUES (1) ON CONFLICT (id) DO UPDATE SET a = 1":   "t",
		"DROP TABLE IF EXISTS t": "t",
	} {
		require.Contains(t, Parse(sql).Relations, Ident{Name: want}, sql)
	}
	require.Equal(t, []Ident{{Name: "t"}, {Name: "u"}},
		Parse("MERGE INTO t USING u ON true WHEN MATCHED THEN UPDATE SET a = 1").Relations)
}

func TestOutputColumnsNamedLikeKeywords(t *testing.T) {
	for _, sql := range []string{
		"SELECT a DISTINCT FROM t", "SELECT DISTINCT FROM t", "SELECT a, t AS not FROM t", "SELECT a, t AS materialized FROM t",
		"INSERT INTO t VALUES (1) RETURNING a, t AS materialized",
	} {
		require.Equal(t, []Ident{{Name: "t"}}, Parse(sql).Relations, sql)
	}
	require.Equal(t, []Ident{{Name: "t"}}, Parse("SELECT 1 FROM t WHERE a IS NOT DISTINCT FROM b").Relations)
	for sql, want := range map[string]bool{
		"SELECT 1 insert INTO t": true, "WITH a AS (SELECT 1) SELECT (1) insert INTO t": true, "SELECT 1 merge INTO t": true,
		"WITH a AS (SELECT 1) INSERT INTO t TABLE a": false, "WITH a AS (INSERT INTO t VALUES (1) RETURNING 1) SELECT 1 FROM a": false,
		"WITH a AS (SELECT 1) MERGE INTO t USING a ON true WHEN MATCHED THEN DELETE": false,
	} {
		require.Equal(t, want, Parse(sql).DDL, sql)
	}
}

func TestTemporaryTablesAfterColumnsNamedLikeVerbs(t *testing.T) {
	for _, sql := range []string{
		"SELECT insert INTO TEMP a", "SELECT 1 merge INTO TEMPORARY a FROM t", "SELECT t.insert INTO UNLOGGED TABLE a FROM t",
	} {
		require.Contains(t, Parse(sql).Relations, Ident{Name: "a"}, sql)
	}
	for _, sql := range []string{"INSERT INTO temp VALUES (1)", "INSERT INTO temp TABLE a", "MERGE INTO temp a USING b ON true WHEN MATCHED THEN DELETE"} {
		require.Contains(t, Parse(sql).Relations, Ident{Name: "temp"}, sql)
	}
}

func TestRelationsAroundUsing(t *testing.T) {
	for sql, want := range map[string][]string{
		"SELECT 1 FROM a JOIN b USING (id), c":                                        {"a", "b", "c"},
		"SELECT 1 FROM a JOIN b USING (id) JOIN c ON id, d":                           {"a", "b", "c", "d"},
		"DELETE FROM a USING (b CROSS JOIN c), d":                                     {"a", "b", "c", "d"},
		"DELETE FROM ONLY (s.a) AS x USING ((b JOIN c USING (id)))":                   {"a", "b", "c"},
		"DELETE FROM a USING b JOIN c USING (id), d":                                  {"a", "b", "c", "d"},
		"MERGE INTO a USING (b JOIN c USING (id)) ON true WHEN MATCHED THEN DELETE":   {"a", "b", "c"},
		"MERGE INTO a USING (SELECT 1 FROM b) c ON true WHEN MATCHED THEN DO NOTHING": {"a", "b"},
	} {
		var names []string
		for _, id := range Parse(sql).Relations {
			names = append(names, id.Name)
		}
		require.Equal(t, want, names, sql)
	}
}

func TestNamesThatOnlyTypesCanHave(t *testing.T) {
	for _, sql := range []string{"SELECT a::left FROM t", "SELECT CAST(a AS left) FROM t", "SELECT left '1'"} {
		require.Contains(t, Parse(sql).Identifiers, Ident{Name: "left"}, sql)
	}
	require.NotContains(t, Parse("SELECT 1 FROM t LEFT JOIN u ON true").Identifiers, Ident{Name: "left"})
}

func TestFunctionsThatAreAlsoSyntax(t *testing.T) {
	require.Equal(t, []Ident{{Name: "substring"}, {Name: "overlay"}},
		Parse("SELECT substring(a, 1), overlay(a, b, 1), position(a IN b), coalesce(a, b) FROM t").Functions)
}

func TestSettingsNamedLikeScopes(t *testing.T) {
	for _, sql := range []string{"SET local.a = 1", "SET transaction.a TO 1", "SET LOCAL TO 1", "SET local = 1"} {
		s := Parse(sql)
		require.True(t, s.Session, sql)
		require.False(t, s.Local, sql)
	}
}

func TestUnicodeNameOfAPreparedTransaction(t *testing.T) {
	require.Equal(t, EndTransaction, Parse(`PREPARE TRANSACTION U&'\0061'`).Transaction)
}

func TestNamesThatLaterVersionsReserve(t *testing.T) {
	require.Equal(t, NoStep, Parse("SAVEPOINT system_user").Step)
	require.Equal(t, Savepoint, Parse(`SAVEPOINT "system_user"`).Step)
}

func TestKeywordsThatAreReadTogether(t *testing.T) {
	for _, sql := range []string{
		"SELECT nulls first FROM t WHERE id = 1", "SELECT without time FROM t WHERE id = 1", "SELECT t.with time FROM t WHERE id = 1",
		"DELETE FROM t WHERE t.not IN (5)", "SELECT * FROM t WHERE id = 1 ORDER BY nulls last", "SELECT format json FROM t WHERE id = 1",
	} {
		require.Equal(t, Other, Parse(sql).Form, sql)
	}
	for _, sql := range []string{
		"SELECT nulls AS first FROM t WHERE id = 1", "SELECT without FROM t WHERE id = 1", "SELECT * FROM t WHERE id = 1 ORDER BY a NULLS LAST",
		`SELECT "nulls" first FROM t WHERE id = 1`, "SELECT * FROM t WHERE id = $1::timestamp with time zone", "SELECT format, json FROM t WHERE id = 1",
	} {
		require.Equal(t, Select, Parse(sql).Form, sql)
	}
}

func TestOnlyAQueryIsInParentheses(t *testing.T) {
	for _, sql := range []string{"(SAVEPOINT a", "(SAVEPOINT a)", "(COMMIT)", "(BEGIN", "((ROLLBACK))"} {
		s := Parse(sql)
		require.Equal(t, NoTransaction, s.Transaction, sql)
		require.Equal(t, NoStep, s.Step, sql)
		require.Equal(t, Unknown, s.Effect, sql)
	}
	require.Equal(t, Reads, Parse("((SELECT 1))").Effect)
}

func TestOptionsOfExplainNamedLikeAQuery(t *testing.T) {
	s := Parse("EXPLAIN (VALUES off, ANALYZE) SELECT 1 INTO x")
	require.Equal(t, Writes, s.Effect)
	require.True(t, s.DDL)
	require.Equal(t, Reads, Parse("EXPLAIN (VALUES (1), (2))").Effect)
	require.Equal(t, Reads, Parse("EXPLAIN (VALUES) INSERT INTO t VALUES (1)").Effect)
}

func TestNationalStringsOfASchema(t *testing.T) {
	require.NotEmpty(t, Parse("SELECT a.N'b' FROM t").Opaque)
	require.Empty(t, Parse("SELECT N'b' FROM t").Opaque)
}

func TestTypesNamedLikeLaterKeywords(t *testing.T) {
	require.Equal(t, Expression, Parse("INSERT INTO t VALUES ($1::json_object)").Rows[0][0].Kind)
	require.Equal(t, Param, Parse(`INSERT INTO t VALUES ($1::"json_object")`).Rows[0][0].Kind)
	require.Equal(t, Expression, Parse("INSERT INTO t VALUES (json_object 'a')").Rows[0][0].Kind)
	for cast, want := range map[string]Form{
		"json": Select, "json[]": Select, "json array": Select, "a.json": Select, `"json".a`: Select, "json.a": Other, "json(1)": Other,
	} {
		require.Equal(t, want, Parse("SELECT * FROM t WHERE id = $1::"+cast).Form, cast)
	}
	require.Equal(t, String, Parse("INSERT INTO t VALUES (json '{}')").Rows[0][0].Kind)
	require.Equal(t, String, Parse("INSERT INTO t VALUES (jsonb '{}')").Rows[0][0].Kind)
}

func TestBoundsOfArrayTypes(t *testing.T) {
	for sql, kind := range map[string]ValueKind{
		"INSERT INTO t VALUES ($1::int4[2147483647])":       Param,
		"INSERT INTO t VALUES ($1::int4[2147483648])":       Expression,
		"INSERT INTO t VALUES ($1::int4 ARRAY[3])":          Param,
		"INSERT INTO t VALUES ($1::int4 ARRAY[3000000000])": Expression,
		"INSERT INTO t VALUES ($1::int4[][007])":            Param,
	} {
		require.Equal(t, kind, Parse(sql).Rows[0][0].Kind, sql)
	}
}
