package catalog_test

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestOpaqueNamesWhatMayRun(t *testing.T) {
	c := loaded(t,
		`CREATE FUNCTION stamp() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'`,
		`CREATE FUNCTION mine(int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT $1'`,
		`CREATE FUNCTION same(int, int) RETURNS bool LANGUAGE sql IMMUTABLE AS 'SELECT $1 = $2'`,
		`CREATE OPERATOR === (FUNCTION = same, LEFTARG = int, RIGHTARG = int)`,
		`CREATE OPERATOR ==== (FUNCTION = int4eq, LEFTARG = int, RIGHTARG = int)`,
		`CREATE AGGREGATE total (int) (sfunc = int4pl, stype = int)`,
		`CREATE DOMAIN checked AS int CHECK (mine(VALUE) > 0)`,
		`CREATE TYPE pair AS (a int, b checked[])`,
		`CREATE DOMAIN defaulted AS int DEFAULT mine(1)`,

		`CREATE TABLE base (id int PRIMARY KEY, n int)`,
		`CREATE TABLE built_in (id int PRIMARY KEY, n int DEFAULT length('x'), CHECK (abs(n) >= 0))`,
		`CREATE TABLE triggered (id int PRIMARY KEY)`,
		`CREATE TRIGGER stamping BEFORE INSERT ON triggered FOR EACH ROW EXECUTE FUNCTION stamp()`,
		`CREATE TABLE quiet (id int PRIMARY KEY)`,
		`CREATE TRIGGER quiet_one BEFORE UPDATE ON quiet FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()`,
		`CREATE TABLE ruled (id int PRIMARY KEY)`,
		`CREATE RULE also AS ON INSERT TO ruled DO ALSO INSERT INTO base VALUES (1)`,
		`CREATE TABLE guarded (id int PRIMARY KEY)`,
		`ALTER TABLE guarded ENABLE ROW LEVEL SECURITY`,
		`CREATE POLICY fair ON guarded USING (mine(id) > 0)`,
		`CREATE TABLE guarded_by_table (id int PRIMARY KEY)`,
		`ALTER TABLE guarded_by_table ENABLE ROW LEVEL SECURITY`,
		`CREATE POLICY listed ON guarded_by_table USING (id IN (SELECT n FROM base))`,
		`CREATE TABLE unguarded (id int PRIMARY KEY)`,
		`CREATE POLICY unused ON unguarded USING (mine(id) > 0)`,
		`CREATE TABLE computed (id int PRIMARY KEY, n int GENERATED ALWAYS AS (mine(id)) STORED)`,
		`CREATE TABLE typed (id int PRIMARY KEY, p pair[])`,
		`CREATE TABLE domained (id int PRIMARY KEY, d defaulted)`,
		`CREATE TABLE spread (id int) PARTITION BY RANGE (mine(id))`,

		`CREATE VIEW plain_view AS SELECT id, abs(n) FROM base WHERE n ==== 1`,
		`CREATE VIEW calling_view AS SELECT mine(id) FROM base`,
		`CREATE VIEW operator_view AS SELECT id FROM base WHERE n === 1`,
		`CREATE VIEW aggregate_view AS SELECT total(n) FROM base`,
		`CREATE VIEW function_view AS SELECT * FROM mine(1)`,
		`CREATE VIEW cast_view AS SELECT n::checked FROM base`,
		`CREATE VIEW upper_view AS SELECT * FROM calling_view`,
		`CREATE VIEW triggered_view AS SELECT * FROM triggered`,
		`CREATE VIEW xml_view AS SELECT query_to_xml('SELECT 1', true, true, '')`,
		`CREATE VIEW stat_view AS SELECT * FROM ts_stat('SELECT vector FROM apod')`,
		`CREATE MATERIALIZED VIEW stored_view AS SELECT mine(id) FROM base`,
	)
	notBuiltIn := func(what, function string) string {
		return what + ` calls the function "` + function + `", which is not built in`
	}
	reaches := func(what, function string) string {
		return what + ` calls the function "` + function + `", which reaches beyond its arguments`
	}
	for name, why := range map[string]struct{ read, write string }{
		"base": {}, "built_in": {}, "quiet": {}, "plain_view": {}, "unguarded": {}, "guarded_by_table": {},

		"triggered":      {write: notBuiltIn(`the trigger "stamping"`, "public.stamp")},
		"ruled":          {write: `it has the rule "also"`},
		"guarded":        {read: notBuiltIn(`the policy "fair"`, "public.mine")},
		"computed":       {write: notBuiltIn(`the default of column "n"`, "public.mine")},
		"typed":          {write: notBuiltIn(`the type of column "p"`, "public.mine")},
		"domained":       {write: notBuiltIn(`the default of column "d"`, "public.mine")},
		"spread":         {read: notBuiltIn(`the partition key`, "public.mine")},
		"calling_view":   {read: notBuiltIn(`its definition`, "public.mine")},
		"operator_view":  {read: notBuiltIn(`its definition`, "public.same")},
		"aggregate_view": {read: notBuiltIn(`its definition`, "public.total")},
		"function_view":  {read: notBuiltIn(`its definition`, "public.mine")},
		"cast_view":      {read: notBuiltIn(`its definition`, "public.mine")},
		"stored_view":    {read: notBuiltIn(`its definition`, "public.mine")},
		"upper_view":     {read: `it reaches "public.calling_view": ` + notBuiltIn(`its definition`, "public.mine")},
		"triggered_view": {write: `it reaches "public.triggered": ` + notBuiltIn(`the trigger "stamping"`, "public.stamp")},
		"xml_view":       {read: reaches(`its definition`, "query_to_xml")},
		"stat_view":      {read: reaches(`its definition`, "ts_stat")},
	} {
		r := relation(t, c, name)
		require.Equal(t, why.read, r.OpaqueRead, name)
		if why.write == "" {
			why.write = why.read
		}
		require.Equal(t, why.write, r.Opaque, name)
	}
	require.Equal(t, `column "p": its type public.pair[] calls the function "public.mine"`, relation(t, c, "typed").InsertUncertain)
}

func TestUserDefinedNames(t *testing.T) {
	c := loaded(t,
		`CREATE SCHEMA extra`,
		`CREATE FUNCTION extra.lower(int) RETURNS int LANGUAGE sql AS 'SELECT 1'`,
		`CREATE FUNCTION "Odd Name"() RETURNS int LANGUAGE sql AS 'SELECT 1'`,
		`CREATE OPERATOR === (FUNCTION = int4eq, LEFTARG = int, RIGHTARG = int)`,
		`CREATE TYPE box_of AS (n int)`,
		`CREATE FUNCTION to_box(int) RETURNS box_of LANGUAGE sql AS 'SELECT ROW($1)::box_of'`,
		`CREATE CAST (int AS box_of) WITH FUNCTION to_box(int) AS ASSIGNMENT`,
		`CREATE EXTENSION citext`,
	)
	require.Contains(t, c.UserFunctions, "lower")
	require.Contains(t, c.UserFunctions, "Odd Name")
	require.Contains(t, c.UserFunctions, "citext_eq")
	require.NotContains(t, c.UserFunctions, "upper")
	require.Contains(t, c.UserOperators, "===")
	require.NotContains(t, c.UserOperators, "+")
	require.Equal(t, []string{"integer AS box_of"}, c.UserCasts, "casts in C cannot reach a table")
	for _, name := range []string{"lower", "upper", "count", "now", "query_to_xml", "int4eq"} {
		require.Contains(t, c.Builtins, name)
	}
	require.NotContains(t, c.Builtins, "Odd Name")
	require.Contains(t, c.SystemRelations, "pg_class")
	require.NotContains(t, c.SystemRelations, "tables", "information_schema is not searched unless it is named")
}

func TestViewsTouchWhatTheyReadInTheEnd(t *testing.T) {
	c := loaded(t,
		`CREATE TABLE a (id int PRIMARY KEY)`, `CREATE TABLE b (id int PRIMARY KEY)`, `CREATE TABLE c (id int PRIMARY KEY)`,
		`CREATE TABLE child () INHERITS (a)`,
		`CREATE TABLE grandchild () INHERITS (child)`,
		`CREATE TABLE aunt () INHERITS (a)`,
		`CREATE VIEW v1 AS SELECT id FROM a WHERE EXISTS (SELECT FROM b)`,
		`CREATE VIEW v2 AS WITH x AS (SELECT * FROM v1) SELECT * FROM x`,
		`CREATE MATERIALIZED VIEW v3 AS SELECT v2.id FROM v2 JOIN c USING (id)`,
		`CREATE VIEW lonely AS SELECT 1 AS one`,
		`CREATE TABLE guarded (id int)`,
		`ALTER TABLE guarded ENABLE ROW LEVEL SECURITY`,
		`CREATE POLICY listed ON guarded USING (id IN (SELECT id FROM v2))`,
		`CREATE TABLE loop_1 (id int)`, `CREATE TABLE loop_2 (id int)`,
		`ALTER TABLE loop_1 ENABLE ROW LEVEL SECURITY`, `ALTER TABLE loop_2 ENABLE ROW LEVEL SECURITY`,
		`CREATE POLICY p ON loop_1 USING (EXISTS (SELECT FROM loop_2))`,
		`CREATE POLICY p ON loop_2 USING (EXISTS (SELECT FROM loop_1))`,
	)
	for name, want := range map[string][]string{
		"a":          {"aunt", "child", "grandchild"},
		"child":      {"a", "grandchild"},
		"grandchild": {"a", "child"},
		"b":          nil,
		"v1":         {"a", "aunt", "b", "child", "grandchild"},
		"v2":         {"a", "aunt", "b", "child", "grandchild", "v1"},
		"v3":         {"a", "aunt", "b", "c", "child", "grandchild", "v1", "v2"},
		"lonely":     nil,
		"guarded":    {"a", "aunt", "b", "child", "grandchild", "v1", "v2"},
		"loop_1":     {"loop_2"},
	} {
		var touched []string
		for _, n := range relation(t, c, name).Touches {
			require.Equal(t, "public", n.Schema)
			touched = append(touched, n.Name)
		}
		require.Equal(t, want, touched, name)
	}
}
