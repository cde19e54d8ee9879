package catalog_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/writebehind/writebehind/internal/catalog"
)

func TestIndexesThatMayRefuseAWrite(t *testing.T) {
	c := loaded(t,
		`CREATE EXTENSION btree_gist`,
		`CREATE FUNCTION shout(text) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT upper($1)'`,
		`CREATE TABLE plain (id bigint PRIMARY KEY, a text, b int, c text)`,
		`CREATE INDEX ON plain (a) INCLUDE (c)`,
		`CREATE INDEX plain_hash ON plain USING hash (b)`,
		`CREATE TABLE expression (id bigint PRIMARY KEY, a text, b int, c text, d int)`,
		`CREATE INDEX by_expression ON expression (b, lower(a || c))`,
		`CREATE TABLE partial (id bigint PRIMARY KEY, a text, b int, c text)`,
		`CREATE INDEX by_part ON partial (a) WHERE b > 0`,
		`CREATE TABLE excluding (id bigint PRIMARY KEY, a int, b int)`,
		`ALTER TABLE excluding ADD CONSTRAINT apart EXCLUDE USING gist (a WITH =)`,
		`CREATE TABLE jumbled (id bigint PRIMARY KEY, a jsonb, b text, c int, d int)`,
		`CREATE INDEX by_gin ON jumbled USING gin (a)`,
		`CREATE INDEX by_hash ON jumbled USING hash (b)`,
		`CREATE INDEX by_brin ON jumbled USING brin (c)`,
		`CREATE TABLE lowered (id bigint PRIMARY KEY, a text, b text)`,
		`CREATE INDEX by_lower ON lowered (lower(a))`,
		`CREATE TABLE whole (id bigint PRIMARY KEY, a text, b text)`,
		`CREATE INDEX by_row ON whole ((whole IS NULL))`,
		`CREATE TABLE calling (id bigint PRIMARY KEY, a text)`,
		`CREATE INDEX by_shout ON calling (shout(a))`,
	)
	unsettable := func(name string) map[string]string {
		found := map[string]string{}
		for _, col := range relation(t, c, name).Columns {
			if col.Unsettable != "" {
				found[col.Name] = col.Unsettable
			}
		}
		return found
	}
	require.Empty(t, unsettable("plain"))
	require.Empty(t, relation(t, c, "plain").InsertUncertain)
	for name, wide := range map[string]bool{"id": false, "a": true, "b": false, "c": true} {
		require.Equal(t, wide, column(t, relation(t, c, "plain"), name).IndexedWidth, name)
	}
	in := `it is in the expression index "by_expression"`
	require.Equal(t, map[string]string{"a": in, "b": in, "c": in}, unsettable("expression"))
	in = `it is in the partial index "by_part"`
	require.Equal(t, map[string]string{"a": in, "b": in}, unsettable("partial"))
	require.Equal(t, map[string]string{"a": `it is in the exclusion constraint "apart"`}, unsettable("excluding"))
	require.Equal(t, map[string]string{
		"a": `it is in the gin index "by_gin"`, "b": `it is in the hash index "by_hash"`, "c": `it is in the brin index "by_brin"`,
	}, unsettable("jumbled"))
	require.Equal(t, map[string]string{"a": `it is in the expression index "by_lower"`}, unsettable("lowered"))
	in = `it is in the expression index "by_row"`
	require.Equal(t, map[string]string{"id": in, "a": in, "b": in}, unsettable("whole"))

	for name, reason := range map[string]string{
		"expression": `it has the expression index "by_expression"`,
		"partial":    `it has the partial index "by_part"`,
		"excluding":  `it has the exclusion constraint "apart"`,
		"jumbled":    `it has the gin index "by_gin"`,
		"whole":      `it has the expression index "by_row"`,
	} {
		require.Equal(t, reason, relation(t, c, name).InsertUncertain)
		require.Empty(t, relation(t, c, name).UpdateUncertain)
		require.Empty(t, relation(t, c, name).Opaque, name)
	}
	why := `the index "by_shout" calls the function "public.shout", which is not built in`
	require.Equal(t, why, relation(t, c, "calling").OpaqueRead)
	require.Equal(t, why, relation(t, c, "calling").Opaque)
}

func TestUniqueConstraints(t *testing.T) {
	c := loaded(t,
		`CREATE COLLATION loose (provider = icu, locale = 'und', deterministic = false)`,
		`CREATE TABLE t (id bigint PRIMARY KEY, a text, b int, n numeric, l text COLLATE loose,
			CONSTRAINT u1 UNIQUE (b, a) INCLUDE (n), CONSTRAINT u2 UNIQUE NULLS NOT DISTINCT (a), CONSTRAINT u3 UNIQUE (n), CONSTRAINT u4 UNIQUE (l))`,
		`CREATE UNIQUE INDEX u5 ON t (lower(a))`,
		`CREATE UNIQUE INDEX u6 ON t (a) WHERE b > 0`,
	)
	require.Equal(t, []catalog.Unique{
		{Name: "u1", Columns: []int{2, 1}, Bytewise: true},
		{Name: "u2", Columns: []int{1}, NullsNotDistinct: true, Bytewise: true},
		{Name: "u3", Columns: []int{3}},
		{Name: "u4", Columns: []int{4}},
		{Name: "u5"},
		{Name: "u6", Columns: []int{1}, Partial: true, Bytewise: true},
	}, relation(t, c, "t").Uniques)
}

func TestGeneratedAndConstrainedColumns(t *testing.T) {
	c := loaded(t,
		`CREATE DOMAIN positive AS int CHECK (VALUE > 0)`,
		`CREATE DOMAIN small AS positive`,
		`CREATE DOMAIN free AS int`,
		`CREATE TABLE generated (id bigint PRIMARY KEY, a int, b int, total int GENERATED ALWAYS AS (a + 1) STORED)`,
		`CREATE TABLE constrained (id bigint PRIMARY KEY, a small, b free)`,
		`CREATE TABLE unconstrained (id bigint PRIMARY KEY, b free)`,
		`CREATE TABLE numbered (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, a int)`,
	)
	g := relation(t, c, "generated")
	require.True(t, column(t, g, "total").Generated)
	require.Equal(t, `it is generated by PostgreSQL`, column(t, g, "total").Unsettable)
	require.Equal(t, `the generated column "total" is computed from it`, column(t, g, "a").Unsettable)
	require.Empty(t, column(t, g, "b").Unsettable)
	require.Equal(t, `column "total" is generated by PostgreSQL`, g.InsertUncertain)
	require.Empty(t, g.UpdateUncertain)

	k := relation(t, c, "constrained")
	require.Equal(t, `its domain public.small has constraints`, column(t, k, "a").Unsettable)
	require.Empty(t, column(t, k, "b").Unsettable)
	require.Equal(t, `column "a": its domain public.small has constraints`, k.InsertUncertain)
	require.Empty(t, relation(t, c, "unconstrained").InsertUncertain)

	require.Equal(t, `it is an identity column, always generated`, column(t, relation(t, c, "numbered"), "id").Unsettable)
	require.Empty(t, relation(t, c, "numbered").InsertUncertain)
}

func TestChecksSayWhichColumnsDecideThem(t *testing.T) {
	c := loaded(t,
		`CREATE FUNCTION ok(int) RETURNS bool LANGUAGE sql IMMUTABLE AS 'SELECT $1 > 0'`,
		`CREATE TABLE t (id bigint PRIMARY KEY, gone int, a int, b int, at timestamptz,
			CONSTRAINT c1 CHECK (a > 0 AND b IN (1, 2)),
			CONSTRAINT c2 CHECK (at > now()),
			CONSTRAINT c3 CHECK (at > CURRENT_TIMESTAMP),
			CONSTRAINT c4 CHECK (t IS NOT NULL),
			CONSTRAINT c5 CHECK (a::text <> 'x'))`,
		`ALTER TABLE t DROP COLUMN gone`,
		`ALTER TABLE t ADD CONSTRAINT c6 CHECK (a <> 5) NOT VALID`,
		`CREATE TABLE called (id bigint PRIMARY KEY, a int, CONSTRAINT mine CHECK (ok(a)))`,
		`CREATE OPERATOR ==== (leftarg = int, rightarg = int, function = int4eq)`,
		`CREATE TABLE arrays (id bigint PRIMARY KEY, a int, v varchar, CONSTRAINT listed CHECK (v IN ('a', 'b')), CONSTRAINT mine CHECK (a ==== 1))`,
		`CREATE TABLE converted (id bigint PRIMARY KEY, a date[], CONSTRAINT converted CHECK ('a' <> ALL (a::text[])))`,
	)
	columns := map[string][]int{}
	for _, k := range relation(t, c, "t").Checks {
		columns[k.Name] = k.Columns
	}
	all := []int{0, 1, 2, 3}
	require.Equal(t, map[string][]int{"c1": {1, 2}, "c2": all, "c3": all, "c4": all, "c5": all, "c6": all}, columns)
	require.Equal(t, `CHECK (((a > 0) AND (b = ANY (ARRAY[1, 2]))))`, relation(t, c, "t").Checks[0].Expr)

	own := map[string]bool{}
	for _, k := range relation(t, c, "arrays").Checks {
		own[k.Name] = k.OwnOperators
	}
	require.Equal(t, map[string]bool{"listed": false, "mine": true}, own)
	require.Empty(t, relation(t, c, "arrays").UpdateUncertain)
	require.Equal(t, `the check "converted" may refuse a row that it has accepted`, relation(t, c, "converted").UpdateUncertain)

	called := relation(t, c, "called")
	require.Equal(t, `the check "mine" calls the function "public.ok"`, called.UpdateUncertain)
	require.Equal(t, called.UpdateUncertain, called.InsertUncertain)
	require.Equal(t, `the check "mine" calls the function "public.ok", which is not built in`, called.Opaque)
	require.Empty(t, called.OpaqueRead)
}

func TestPartitionedTables(t *testing.T) {
	c := loaded(t,
		`CREATE TABLE gaps (id bigint PRIMARY KEY, a int) PARTITION BY RANGE (id)`,
		`CREATE TABLE gaps_1 PARTITION OF gaps FOR VALUES FROM (0) TO (10)`,

		`CREATE TABLE caught (id bigint, region text, a int, PRIMARY KEY (id, region)) PARTITION BY LIST (region)`,
		`CREATE TABLE caught_1 PARTITION OF caught FOR VALUES IN ('eu') PARTITION BY RANGE (id)`,
		`CREATE TABLE caught_1_1 PARTITION OF caught_1 DEFAULT`,
		`CREATE TABLE caught_2 PARTITION OF caught DEFAULT`,

		`CREATE TABLE deep_gap (id bigint, region text, PRIMARY KEY (id, region)) PARTITION BY LIST (region)`,
		`CREATE TABLE deep_gap_1 PARTITION OF deep_gap DEFAULT PARTITION BY RANGE (id)`,

		`CREATE TABLE hashed (id bigint PRIMARY KEY) PARTITION BY HASH (id)`,
		`CREATE TABLE hashed_1 PARTITION OF hashed FOR VALUES WITH (modulus 2, remainder 0)`,
		`CREATE TABLE hashed_2 PARTITION OF hashed FOR VALUES WITH (modulus 4, remainder 1)`,
		`CREATE TABLE hashed_3 PARTITION OF hashed FOR VALUES WITH (modulus 4, remainder 3)`,
		`CREATE TABLE hash_gap (id bigint PRIMARY KEY) PARTITION BY HASH (id)`,
		`CREATE TABLE hash_gap_1 PARTITION OF hash_gap FOR VALUES WITH (modulus 2, remainder 0)`,

		`CREATE TABLE demanding_1 (a int NOT NULL, b text, gone int, id bigint NOT NULL, c text, d text CHECK (d <> 'x'))`,
		`ALTER TABLE demanding_1 DROP COLUMN gone`,
		`CREATE UNIQUE INDEX just_here ON demanding_1 (b)`,
		`CREATE INDEX expressive ON demanding_1 (lower(c))`,
		`CREATE TABLE demanding (id bigint PRIMARY KEY, a int, b text, c text, d text, e int CHECK (e > 0)) PARTITION BY RANGE (id)`,
		`ALTER TABLE demanding_1 ADD e int, ADD CONSTRAINT demanding_e_check CHECK (e > 0)`,
		`ALTER TABLE demanding ATTACH PARTITION demanding_1 DEFAULT`,
	)
	for name, reason := range map[string]string{
		"gaps":     `table "gaps" has no default partition`,
		"caught":   "",
		"deep_gap": `table "deep_gap_1" has no default partition`,
		"hashed":   "",
		"hash_gap": `table "hash_gap" has no default partition`,
	} {
		require.Equal(t, reason, relation(t, c, name).InsertUncertain, name)
		require.Empty(t, relation(t, c, name).Ineligible, name)
	}
	caught := relation(t, c, "caught")
	require.Equal(t, `it is in the partition key`, column(t, caught, "region").Unsettable)
	require.Equal(t, `it is in the partition key of "public.caught_1"`, column(t, caught, "id").Unsettable)
	require.Empty(t, column(t, caught, "a").Unsettable)
	touches := func(name string) (n []string) {
		for _, touched := range relation(t, c, name).Touches {
			n = append(n, touched.Name)
		}
		return n
	}
	require.Equal(t, []string{"caught_1", "caught_1_1", "caught_2"}, touches("caught"))
	require.Equal(t, []string{"caught", "caught_1_1"}, touches("caught_1"))
	require.Equal(t, []string{"caught", "caught_1"}, touches("caught_1_1"))

	demanding := relation(t, c, "demanding")
	require.Equal(t, `column "a": the partition "public.demanding_1" forbids NULL in it`, demanding.InsertUncertain)
	require.Equal(t, `the partition "public.demanding_1" forbids NULL in it`, column(t, demanding, "a").Unsettable)
	require.Equal(t, `it is in the unique index "just_here" of the partition "public.demanding_1"`, column(t, demanding, "b").Unsettable)
	require.True(t, column(t, demanding, "b").IndexedWidth)
	require.Equal(t, `it is in the expression index "expressive" of the partition "public.demanding_1"`, column(t, demanding, "c").Unsettable)
	require.Empty(t, column(t, demanding, "d").Unsettable)
	var checks []catalog.Check
	for _, k := range demanding.Checks {
		if k.Name == "demanding_1_d_check" {
			checks = append(checks, k)
		}
	}
	require.Len(t, checks, 1)
	require.Equal(t, []int{demanding.Column("d")}, checks[0].Columns)
}
