package rewrite

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/writebehind/writebehind/internal/catalog"
)

// wide has a column of every kind that the text of a batch depends on.
func wide() *catalog.Relation {
	return &catalog.Relation{
		Name: catalog.Name{Schema: "public", Name: `Wi"de`},
		Columns: []catalog.Column{
			{Name: "note", SQLType: "text"},
			{Name: "b", SQLType: "integer", Identity: 'a'},
			{Name: "Id", SQLType: "bigint"},
			{Name: "n", SQLType: "numeric"},
			{Name: "tags", SQLType: "text[]"},
			{Name: "code", SQLType: "character"},
			{Name: "bits", SQLType: "bit"},
		},
		Key: []int{2, 1},
	}
}

func narrow() *catalog.Relation {
	return &catalog.Relation{
		Name:    catalog.Name{Schema: "s", Name: "t"},
		Columns: []catalog.Column{{Name: "id", SQLType: "bigint"}, {Name: "name", SQLType: "text"}, {Name: "hits", SQLType: "integer"}},
		Key:     []int{0},
	}
}

func TestBatchText(t *testing.T) {
	for _, c := range []struct {
		batch  Batch
		want   string
		params []int
	}{
		{
			Batch{Table: narrow(), Kind: BatchInsert, Columns: []int{0, 1}},
			`INSERT INTO "s"."t" ("id", "name") SELECT * FROM unnest($1::bigint[], $2::text[])`,
			[]int{0, 1},
		},
		{
			Batch{Table: wide(), Kind: BatchInsert, Columns: []int{2, 1, 4}},
			`INSERT INTO "public"."Wi""de" ("Id", "b", "tags") OVERRIDING SYSTEM VALUE` +
				` SELECT u.c0, u.c1, u.c2::text[] FROM unnest($1::bigint[], $2::integer[], $3::text[]) AS u(c0, c1, c2)`,
			[]int{2, 1, 4},
		},
		{
			Batch{Table: narrow(), Kind: BatchUpsert, Columns: []int{1, 0, 2}, Set: []int{1}, Add: []int{2}},
			`INSERT INTO "s"."t" AS t ("name", "id", "hits") SELECT * FROM unnest($1::text[], $2::bigint[], $3::integer[])` +
				` ON CONFLICT ("id") DO UPDATE SET "name" = EXCLUDED."name", "hits" = t."hits" + EXCLUDED."hits"`,
			[]int{1, 0, 2},
		},
		{
			Batch{Table: narrow(), Kind: BatchUpsert, Columns: []int{0}},
			`INSERT INTO "s"."t" AS t ("id") SELECT * FROM unnest($1::bigint[]) ON CONFLICT ("id") DO NOTHING`,
			[]int{0},
		},
		{
			Batch{Table: narrow(), Kind: BatchUpdate, Set: []int{1}, Add: []int{2}},
			`WITH w AS (UPDATE "s"."t" AS t SET "name" = u.c1, "hits" = t."hits" + u.c2` +
				` FROM unnest($1::bigint[], $2::text[], $3::bigint[], $4::integer[]) WITH ORDINALITY AS u(c0, c1, c2, c3, n) WHERE t."id" = u.c0` +
				` RETURNING u.n, t."hits" IS DISTINCT FROM u.c3 AS off)` +
				` SELECT count(*), string_agg(n::text, ',') FILTER (WHERE off) FROM w`,
			[]int{0, 1, 2, 2},
		},
		{
			Batch{Table: wide(), Kind: BatchUpdate, Set: []int{4, 5, 6}},
			`UPDATE "public"."Wi""de" AS t SET "tags" = u.c2::text[], "code" = u.c3, "bits" = u.c4` +
				` FROM unnest($1::bigint[], $2::integer[], $3::text[], $4::bpchar[], $5::"bit"[]) AS u(c0, c1, c2, c3, c4)` +
				` WHERE t."Id" = u.c0 AND t."b" = u.c1`,
			[]int{2, 1, 4, 5, 6},
		},
		{
			Batch{Table: wide(), Kind: BatchDelete},
			`DELETE FROM "public"."Wi""de" AS t USING unnest($1::bigint[], $2::integer[]) AS u(c0, c1)` +
				` WHERE t."Id" = u.c0 AND t."b" = u.c1`,
			[]int{2, 1},
		},
	} {
		require.Equal(t, c.want, c.batch.SQL())
		require.Equal(t, c.params, c.batch.Params())
	}
}

func TestLookupText(t *testing.T) {
	require.Equal(t, `SELECT "id", "name", "hits" FROM "s"."t" WHERE "id" = ANY($1::bigint[])`, Lookup(narrow()))
	require.Equal(t, `SELECT "note", "b", "Id", "n", "tags", "code", "bits" FROM "public"."Wi""de"`+
		` WHERE ("Id", "b") IN (SELECT * FROM unnest($1::bigint[], $2::integer[]))`, Lookup(wide()))
}
