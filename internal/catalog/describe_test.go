package catalog_test

import (
	"fmt"
	"reflect"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/writebehind/writebehind/internal/catalog"
	"github.com/writebehind/writebehind/internal/pgvalue"
)

func TestDescribeTellsWhatTheDriverTells(t *testing.T) {
	db := database(t,
		`CREATE SCHEMA "My Schema"`,
		`CREATE TABLE "My Schema"."a ""quoted"" table" (id bigint PRIMARY KEY, "na""me" varchar(20), price numeric(8,3), at timestamptz DEFAULT now(), data bytea)`,
	)
	c := load(t, db)
	plain, found := c.Resolve("My Schema", `a "quoted" table`)
	require.True(t, found)
	r, err := c.Describe(t.Context(), db, plain)
	require.NoError(t, err)

	rows, err := db.QueryContext(t.Context(), `SELECT * FROM "My Schema"."a ""quoted"" table"`)
	require.NoError(t, err)
	defer func() { require.NoError(t, rows.Close()) }()
	types, err := rows.ColumnTypes()
	require.NoError(t, err)
	require.NoError(t, rows.Err())
	require.Len(t, r.Columns, len(types))
	for i, want := range types {
		got := r.Columns[i].Meta
		require.Equal(t, want.Name(), r.Columns[i].Name)
		require.Equal(t, want.DatabaseTypeName(), got.DatabaseType)
		require.Equal(t, want.ScanType(), got.ScanType)
		length, hasLength := want.Length()
		require.Equal(t, []any{length, hasLength}, []any{got.Length, got.HasLength})
		precision, scale, hasPrecision := want.DecimalSize()
		require.Equal(t, []any{precision, scale, hasPrecision}, []any{got.Precision, got.Scale, got.HasPrecision})
	}
	require.Equal(t, int64(20), column(t, r, `na"me`).Meta.Length)
	require.Equal(t, int64(3), column(t, r, "price").Meta.Scale)
	require.Equal(t, reflect.TypeFor[int64](), column(t, r, "id").Meta.ScanType)
	require.Zero(t, plain.Columns[0].Meta, "the original stays as it is")
}

func TestSQLTypeCastsWithoutModifiers(t *testing.T) {
	db := database(t,
		`CREATE SCHEMA "other one"`,
		`CREATE TYPE "other one"."Mood" AS ENUM ('sad', 'glad')`,
		`CREATE DOMAIN "other one".handle AS varchar(3)`,
	)
	value := map[string]string{`"other one"."Mood"`: "glad", `"other one"."Mood"[]`: "{glad,sad}", `"char"`: "x", "bit(5)": "10101", "bit varying(5)": "101", "bit(3)[]": "{101}"}
	for definition, want := range map[string]string{
		`varchar(3)`:           `character varying`,
		`char(3)`:              `bpchar`,
		`char(3)[]`:            `bpchar[]`,
		`"char"`:               `"char"`,
		`bit(5)`:               `"bit"`,
		`bit varying(5)`:       `bit varying`,
		`bit(3)[]`:             `"bit"[]`,
		`"other one"."Mood"`:   `"other one"."Mood"`,
		`"other one"."Mood"[]`: `"other one"."Mood"[]`,
		`"other one".handle`:   `"other one".handle`,
	} {
		run(t, db, fmt.Sprintf(`CREATE TABLE t (c %s)`, definition))
		c := column(t, relation(t, load(t, db), "t"), "c")
		require.Equal(t, want, c.SQLType)
		text, found := value[definition]
		if !found {
			text = "{abcdefgh}"
		}
		if definition != `"other one".handle` {
			var back string
			require.NoError(t, db.QueryRowContext(t.Context(), fmt.Sprintf(`SELECT ($1::%s)::text`, c.SQLType), text).Scan(&back), definition)
			require.Equal(t, text, back, "a cast to %s cuts nothing off", c.SQLType)
		}
		run(t, db, `DROP TABLE t`)
	}
}

func TestColumnTypes(t *testing.T) {
	c := loaded(t,
		`CREATE TYPE mood AS ENUM ('sad', 'glad')`,
		`ALTER TYPE mood ADD VALUE 'so so' BEFORE 'glad'`,
		`CREATE DOMAIN handle AS text`,
		`CREATE EXTENSION citext`,
		`CREATE TABLE t (a int, gone int, b varchar(7), c mood, d mood[], e handle, f int[], g citext, h numeric(5,2))`,
		`ALTER TABLE t DROP COLUMN gone`,
	)
	r := relation(t, c, "t")
	require.Equal(t, pgvalue.Type{OID: 23, Mod: -1, Kind: pgvalue.Base}, column(t, r, "a").Type)
	require.Equal(t, pgvalue.Type{OID: 1043, Mod: 11, Kind: pgvalue.Base}, column(t, r, "b").Type)
	require.Equal(t, []string{"sad", "so so", "glad"}, column(t, r, "c").Type.Labels)
	require.Equal(t, pgvalue.Enum, column(t, r, "c").Type.Kind)
	for _, other := range []string{"d", "e", "f", "g"} {
		require.Equal(t, pgvalue.Other, column(t, r, other).Type.Kind, other)
	}
	require.Equal(t, -1, r.Column("gone"))
	require.Len(t, r.Columns, 8)
}

func TestDescribeReportsAMissingTable(t *testing.T) {
	db := database(t, `CREATE TABLE t (a int)`)
	c := load(t, db)
	run(t, db, `DROP TABLE t`)
	_, err := c.Describe(t.Context(), db, relation(t, c, "t"))
	require.ErrorContains(t, err, "describe the columns of public.t: ")
	var described *catalog.Relation
	described, err = c.Describe(t.Context(), db, &catalog.Relation{Name: catalog.Name{Schema: "public", Name: "none"}})
	require.NoError(t, err, "a table without columns has nothing to describe")
	require.Empty(t, described.Columns)
}
