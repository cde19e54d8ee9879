package rewrite

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// recognised returns what Parse says of sql without the summary.
func recognised(sql string) Statement {
	s := *Parse(sql)
	s.Summary = Summary{}
	return s
}

func param(n int) Value { return Value{Kind: Param, Index: n} }

func equals(column string, v Value) Condition {
	return Condition{Columns: []string{column}, Rows: [][]Value{{v}}}
}

var (
	t1        = Ident{Name: "t"}
	one       = Value{Kind: Integer, Text: "1"}
	idIsParam = []Condition{equals("id", param(1))}
)

func TestInsertIsRecognised(t *testing.T) {
	for sql, want := range map[string]Statement{
		`INSERT INTO t DEFAULT VALUES`: {Form: Insert, Table: t1, Rows: [][]Value{{}}},
		`insert into S."T" as x (A, "B") values ($1, 'b'), (DEFAULT, now()) returning x.a, *, b as "C" ;`: {
			Form: Insert, Table: Ident{Schema: "s", Name: "T"}, Alias: "x", Columns: []string{"a", "B"},
			Rows: [][]Value{
				{param(1), {Kind: String, Text: "b"}},
				{{Kind: DefaultKey}, {Kind: Now}},
			},
			Items: []Item{{Column: "a"}, {Star: true}, {Column: "b", As: "C"}},
		},
		`INSERT INTO t (a, b, c, d) VALUES (-1, 1.50, f($1, 2) || 'x', ARRAY[1, 2]) ON CONFLICT DO NOTHING`: {
			Form: Insert, Table: t1, Columns: []string{"a", "b", "c", "d"},
			Rows: [][]Value{{
				{Kind: Integer, Text: "-1"}, {Kind: Decimal, Text: "1.50"},
				{Kind: Expression, Text: "f($1, 2) || 'x'"}, {Kind: Expression, Text: "ARRAY[1, 2]"},
			}},
			Conflict: &Conflict{Nothing: true},
		},
		`INSERT INTO t (id) VALUES ($1) ON CONFLICT (id, "B") DO NOTHING`: {
			Form: Insert, Table: t1, Columns: []string{"id"}, Rows: [][]Value{{param(1)}},
			Conflict: &Conflict{Columns: []string{"id", "B"}, Nothing: true},
		},
		`INSERT INTO t (id) VALUES ($1) ON CONFLICT (id) DO UPDATE SET a = EXCLUDED.a, b = 1, c = t.c + excluded.c,
			d = "excluded".d + t.d, e = t.e - $2, f = f + 1, g = excluded.a - t.g, (h, i) = (EXCLUDED.h, now()) RETURNING id`: {
			Form: Insert, Table: t1, Columns: []string{"id"}, Rows: [][]Value{{param(1)}},
			Conflict: &Conflict{Columns: []string{"id"}, Set: []Assignment{
				{Column: "a", Value: Value{Kind: Excluded, Text: "a"}},
				{Column: "b", Value: one},
				{Column: "c", Op: Add, Value: Value{Kind: Excluded, Text: "c"}},
				{Column: "d", Op: Add, Value: Value{Kind: Excluded, Text: "d"}},
				{Column: "e", Op: Subtract, Value: param(2)},
				// Ambiguous to PostgreSQL: t.f or excluded.f.
				{Column: "f", Value: Value{Kind: Expression, Text: "f + 1"}},
				{Column: "g", Value: Value{Kind: Expression, Text: "excluded.a - t.g"}},
				{Column: "h", Value: Value{Kind: Excluded, Text: "h"}},
				{Column: "i", Value: Value{Kind: Now}},
			}},
			Items: []Item{{Column: "id"}},
		},
	} {
		require.Equal(t, want, recognised(sql), sql)
	}
}

func TestUpdateIsRecognised(t *testing.T) {
	for sql, set := range map[string][]Assignment{
		`UPDATE t SET a = $2 WHERE id = $1`:   {{Column: "a", Value: param(2)}},
		`UPDATE t SET "A" = 1 WHERE id = $1;`: {{Column: "A", Value: one}},
		`update t set a = a + 1, b = $2 + b, c = t.c - $3::int, d = d - -1 where id = $1`: {
			{Column: "a", Op: Add, Value: one},
			{Column: "b", Op: Add, Value: param(2)},
			{Column: "c", Op: Subtract, Value: Value{Kind: Param, Index: 3, Cast: "int"}},
			{Column: "d", Op: Subtract, Value: Value{Kind: Integer, Text: "-1"}},
		},
		`UPDATE t SET a = COALESCE(a, 0) + $2, b = coalesce ( t.b , 0 ) - 1, c = COALESCE(c, 1) + 1, d = COALESCE(a, 0) + 1 WHERE id = $1`: {
			{Column: "a", Op: Add, OrZero: true, Value: param(2)},
			{Column: "b", Op: Subtract, OrZero: true, Value: one},
			{Column: "c", Value: Value{Kind: Expression, Text: "COALESCE(c, 1) + 1"}},
			{Column: "d", Value: Value{Kind: Expression, Text: "COALESCE(a, 0) + 1"}},
		},
		`UPDATE t SET a = b + 1, b = a * 2 + 1, c = c + 1 * 2, d = - d, e = excluded.e WHERE id = $1`: {
			{Column: "a", Value: Value{Kind: Expression, Text: "b + 1"}},
			{Column: "b", Value: Value{Kind: Expression, Text: "a * 2 + 1"}},
			{Column: "c", Value: Value{Kind: Expression, Text: "c + 1 * 2"}},
			{Column: "d", Value: Value{Kind: Expression, Text: "- d"}},
			{Column: "e", Value: Value{Kind: Expression, Text: "excluded.e"}},
		},
		`UPDATE t SET (a, b) = ($2, DEFAULT), (c, d) = ROW(now(), c || 'x'), (e) = ROW(1) WHERE id = $1`: {
			{Column: "a", Value: param(2)},
			{Column: "b", Value: Value{Kind: DefaultKey}},
			{Column: "c", Value: Value{Kind: Now}},
			{Column: "d", Value: Value{Kind: Expression, Text: "c || 'x'"}},
			{Column: "e", Value: one},
		},
		`UPDATE t SET a = CURRENT_TIMESTAMP, b = CURRENT_TIMESTAMP(3), c = now() + '1 d', d = NULL WHERE id = $1`: {
			{Column: "a", Value: Value{Kind: Now}},
			{Column: "b", Value: Value{Kind: Expression, Text: "CURRENT_TIMESTAMP(3)"}},
			{Column: "c", Value: Value{Kind: Expression, Text: "now() + '1 d'"}},
			{Column: "d", Value: Value{Kind: Null}},
		},
	} {
		want := Statement{Form: Update, Table: t1, Set: set, Where: idIsParam}
		require.Equal(t, want, recognised(sql), sql)
	}
	require.Equal(t, Statement{
		Form: Update, Table: t1, Alias: "x", Set: []Assignment{{Column: "a", Op: Add, Value: one}},
		Where: idIsParam, Items: []Item{{Column: "a", As: "n"}},
	}, recognised("UPDATE t x SET a = x.a + 1 WHERE x.id = $1 RETURNING x.a n"))
}

func TestDeleteIsRecognised(t *testing.T) {
	require.Equal(t, Statement{Form: Delete, Table: t1, Where: idIsParam}, recognised("DELETE FROM t WHERE id = $1"))
	require.Equal(t, Statement{
		Form: Delete, Table: Ident{Schema: "user", Name: "order"}, Alias: "key", Where: idIsParam, Items: []Item{{Star: true}},
	}, recognised(`delete from "user".order as key where key.id=$1 returning key.*`))
}

func TestConditionsAreRecognised(t *testing.T) {
	in := func(columns []string, rows ...[]Value) Condition {
		return Condition{Columns: columns, Op: In, Rows: rows}
	}
	cast := func(v Value, to string) Value { v.Cast = to; return v }
	two := Value{Kind: Integer, Text: "2"}
	id, both := []string{"id"}, []string{"a", "b"}
	for where, want := range map[string][]Condition{
		"id = $1":            idIsParam,
		"$1 = id":            idIsParam,
		"((id) = (($1)))":    idIsParam,
		`"t"."id"=$1`:        idIsParam,
		"id = $1 AND id = 1": {equals("id", param(1)), equals("id", one)},
		"(id = $1 AND (a IS NULL)) AND b NOTNULL":          {idIsParam[0], {Columns: []string{"a"}, Op: IsNull}, {Columns: []string{"b"}, Op: IsNotNull}},
		"id = $1 AND current_timestamp < a AND b <= now()": {idIsParam[0], {Columns: []string{"a"}, Op: AfterNow}, {Columns: []string{"b"}, Op: NotAfterNow}},
		"id = $1 AND (a > now() AND now() > b)":            {idIsParam[0], {Columns: []string{"a"}, Op: AfterNow}, {Columns: []string{"b"}, Op: BeforeNow}},
		"id ISNULL AND (id) IS NOT NULL":                   {{Columns: id, Op: IsNull}, {Columns: id, Op: IsNotNull}},
		"id = $1::bigint":                                  {equals("id", cast(param(1), "bigint"))},
		"id = CAST($1 AS Pg_Catalog.INT8)":                 {equals("id", cast(param(1), "pg_catalog.int8"))},
		"id = ($1)::character  varying ( 10 )":             {equals("id", cast(param(1), "character varying(10)"))},
		"id = $1::timestamp (3) with time zone":            {equals("id", cast(param(1), "timestamp(3) with time zone"))},
		`id = $1::"Mood"`:                                  {equals("id", cast(param(1), `"Mood"`))},
		"id = bigint '1'":                                  {equals("id", Value{Kind: String, Text: "1", Cast: "bigint"})},
		"id = (-1)::int":                                   {equals("id", Value{Kind: Integer, Text: "-1", Cast: "int"})},
		"id=-1":                                            {equals("id", Value{Kind: Integer, Text: "-1"})},
		"id = 9223372036854775808":                         {equals("id", Value{Kind: Decimal, Text: "9223372036854775808"})},
		"id = -9223372036854775808":                        {equals("id", Value{Kind: Integer, Text: "-9223372036854775808"})},
		"id = 1.0 AND a = TRUE AND b = NULL":               {equals("id", Value{Kind: Decimal, Text: "1.0"}), equals("a", Value{Kind: Bool, Text: "true"}), equals("b", Value{Kind: Null})},
		"id IN ($1)":                                       {in(id, []Value{param(1)})},
		"(id) IN (1, ($1), 2)":                             {in(id, []Value{one}, []Value{param(1)}, []Value{two})},
		"(a, b) = (1, $1)":                                 {equals("a", one), equals("b", param(1))},
		"ROW(1, b) = ROW(t.a, $1)":                         {equals("a", one), equals("b", param(1))},
		"(a, b) IN ((1, 2), ROW($1, $2))":                  {in(both, []Value{one, two}, []Value{param(1), param(2)})},
		"id = ANY($1)":                                     {{Columns: id, Op: Any, Rows: [][]Value{{param(1)}}}},
		"id = some ($1::int8[])":                           {{Columns: id, Op: Any, Rows: [][]Value{{cast(param(1), "int8[]")}}}},
		"id = ANY('{1,2}')":                                {{Columns: id, Op: Any, Rows: [][]Value{{{Kind: String, Text: "{1,2}"}}}}},
		"id = ANY(ARRAY[1, 2])":                            {in(id, []Value{one}, []Value{two})},
		"id = ANY(ARRAY[$1, '2']::bigint[])":               {in(id, []Value{cast(param(1), "bigint")}, []Value{{Kind: String, Text: "2", Cast: "bigint"}})},
		`key = 'a' AND value = 'b'`:                        {equals("key", Value{Kind: String, Text: "a"}), equals("value", Value{Kind: String, Text: "b"})},
	} {
		want := Statement{Form: Delete, Table: t1, Where: want}
		require.Equal(t, want, recognised("DELETE FROM t WHERE "+where), where)
	}
}

func TestSelectIsRecognised(t *testing.T) {
	for sql, want := range map[string]Statement{
		`SELECT * FROM t WHERE id = $1`: {Items: []Item{{Star: true}}},
		`SELECT t.*, a, t.b AS x, c "Y", d name FROM t WHERE id = $1`: {
			Items: []Item{{Star: true}, {Column: "a"}, {Column: "b", As: "x"}, {Column: "c", As: "Y"}, {Column: "d", As: "name"}},
		},
		`SELECT a FROM t WHERE id = $1 ORDER BY id, t.b DESC, c NULLS FIRST, d DESC NULLS LAST LIMIT $2 FOR UPDATE OF t SKIP LOCKED`: {
			Items: []Item{{Column: "a"}},
			OrderBy: []Order{
				{Column: "id"}, {Column: "b", Descending: true, NullsFirst: true},
				{Column: "c", NullsFirst: true}, {Column: "d", Descending: true},
			},
			Limit: &Value{Kind: Param, Index: 2}, Lock: "FOR UPDATE SKIP LOCKED",
		},
		`SELECT a FROM t WHERE id = $1 for no key update nowait limit 1`: {
			Items: []Item{{Column: "a"}}, Limit: &one, Lock: "FOR NO KEY UPDATE NOWAIT",
		},
		`SELECT id AS x FROM t WHERE id = $1 ORDER BY id`: {Items: []Item{{Column: "id", As: "x"}}, OrderBy: []Order{{Column: "id"}}},
		`SELECT 1 FROM t WHERE id = $1 LIMIT 1`:           {Existence: ConstantRow, Items: []Item{{As: "?column?", Value: one}}, Limit: &one},
		`SELECT true ok FROM t WHERE id = $1`:             {Existence: ConstantRow, Items: []Item{{As: "ok", Value: Value{Kind: Bool, Text: "true"}}}},
		`SELECT COUNT(*) FROM t WHERE id = $1`:            {Existence: CountRows, Items: []Item{{As: "count"}}},
		`SELECT count(1) AS "N" FROM t WHERE id = $1`:     {Existence: CountRows, Items: []Item{{As: "N"}}},
		`SELECT EXISTS(SELECT 1 FROM t WHERE id = $1)`:    {Existence: ExistsRow, Items: []Item{{As: "exists"}}},
		`SELECT EXISTS(SELECT * FROM t WHERE id = $1 LIMIT 1) AS "found"`: {
			Existence: ExistsRow, Items: []Item{{As: "found"}}, Limit: &one,
		},
	} {
		want.Form, want.Table, want.Where = Select, t1, idIsParam
		require.Equal(t, want, recognised(sql), sql)
	}
}
