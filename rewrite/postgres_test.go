package rewrite

import (
	"database/sql"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/lib/pq"
	"github.com/stretchr/testify/require"

	"github.com/writebehind/writebehind/internal/catalog"
	"github.com/writebehind/writebehind/internal/pgtest"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

// connect returns a connection to a new database that ran script.
func connect(t *testing.T, script string) *sql.Conn {
	t.Helper()
	server := pgtest.Shared(t)
	connector, err := pq.NewConnector(server.DSN(server.CreateDatabase(t)))
	require.NoError(t, err)
	db := sql.OpenDB(connector)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	conn, err := db.Conn(t.Context())
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, conn.Close()) })
	_, err = conn.ExecContext(t.Context(), script)
	require.NoError(t, err)
	return conn
}

// rows returns the result of a query, one text per row.
func rows(t *testing.T, conn *sql.Conn, query string, args ...any) []string {
	t.Helper()
	result, err := conn.QueryContext(t.Context(), query, args...)
	require.NoError(t, err)
	defer func() { require.NoError(t, result.Close()) }()
	columns, err := result.Columns()
	require.NoError(t, err)
	var list []string
	for result.Next() {
		cells := make([]sql.NullString, len(columns))
		targets := make([]any, len(columns))
		for i := range cells {
			targets[i] = &cells[i]
		}
		require.NoError(t, result.Scan(targets...))
		words := make([]string, len(columns))
		for i, cell := range cells {
			words[i] = cell.String
			if !cell.Valid {
				words[i] = "NULL"
			}
		}
		list = append(list, strings.Join(words, "|"))
	}
	require.NoError(t, result.Err())
	return list
}

func TestLiteralsMeanWhatTheyMeanToPostgreSQL(t *testing.T) {
	conn := connect(t, "")
	for _, literal := range []string{
		`''`, `'it''s'`, `'a\nb'`, "'a'\n'b''c'", "'a' -- x\n  'b'", `E'\b\f\n\r\t\\\'\q'''`, `E'\101\1012\x41\x4g\x'`,
		`E'\u00e9\U0001F600'`, `E'\ud83d\ude00'`, `E'\303\251'`, "E'a\\\\'\n'b\\n'", `$$it's $1$$`, `$t$a $$ \n$t$`, `$é$ü$é$`,
	} {
		l := lex(literal)
		require.Len(t, l.tokens, 2, literal)
		got, ok := decodeString(literal, l.tokens[0].continued)
		require.True(t, ok, literal)
		require.Equal(t, []string{got}, rows(t, conn, "SELECT "+literal), literal)
	}
}

func TestNamesAreFoldedAsPostgreSQLFoldsThem(t *testing.T) {
	conn := connect(t, "")
	for _, name := range []string{"ABC", "aÉ", `"aB"`, `"a""b"`, `"a b"`, "a$1", "_a", "\u00c5", "a\u00a0B"} {
		want := rows(t, conn, "SELECT json_object_keys(row_to_json(x)) FROM (SELECT 1 AS "+name+") x")
		s := Parse("SELECT 1 AS " + name + " FROM t WHERE id = 1")
		require.Equal(t, want, []string{s.Items[0].As}, name)
	}
}

func TestKeywordsAreThoseOfPostgreSQL(t *testing.T) {
	conn := connect(t, "")
	categories := map[category]string{unreserved: "U", colName: "C", typeFuncName: "T", reserved: "R"}
	version := rows(t, conn, "SELECT current_setting('server_version_num')::int / 10000")[0]
	if version != "15" {
		t.Skip("the table is that of PostgreSQL 15")
	}
	want := map[string]string{}
	for _, row := range rows(t, conn, "SELECT word, catcode, barelabel FROM pg_get_keywords()") {
		word, rest, _ := strings.Cut(row, "|")
		want[word] = rest
	}
	got := map[string]string{}
	for word, k := range keywords {
		got[word] = categories[k.category] + "|" + map[bool]string{true: "true", false: "false"}[k.bare]
		require.LessOrEqual(t, len(word), maxKeyword)
	}
	require.Equal(t, want, got)
}

func TestRecognisedStatementsMeanTheSameToPostgreSQL(t *testing.T) {
	schema, err := os.ReadFile("testdata/schema.sql")
	require.NoError(t, err)
	conn := connect(t, string(schema))
	checked := 0
	for _, line := range corpus(t) {
		s := Parse(line.SQL)
		if s.Form == Other || strings.Contains(line.Tags, "[table-not-in-schema]") {
			continue
		}
		checked++
		require.Equal(t, plan(t, conn, line.SQL, s.Params), plan(t, conn, s.render(), s.Params), line.SQL)
	}
	require.Greater(t, checked, 500)
}

// plan returns what PostgreSQL would do for a statement. The order of the
// operands of = and + is left out of account.
func plan(t *testing.T, conn *sql.Conn, query string, params int) []string {
	t.Helper()
	ctx := t.Context()
	_, err := conn.ExecContext(ctx, "PREPARE p AS "+query)
	require.NoError(t, err, query)
	execute := "EXECUTE p"
	if params > 0 {
		execute += "(NULL" + strings.Repeat(", NULL", params-1) + ")"
	}
	_, err = conn.ExecContext(ctx, "SET plan_cache_mode = force_generic_plan")
	require.NoError(t, err)
	lines := rows(t, conn, "EXPLAIN (VERBOSE, COSTS OFF) "+execute)
	_, err = conn.ExecContext(ctx, "DEALLOCATE p")
	require.NoError(t, err)
	var words []string
	for _, line := range lines {
		line = strings.NewReplacer("CURRENT_TIMESTAMP", "now", "integer[]", "bigint[]", "count(1)", "count(*)",
			"(", " ", ")", " ", ",", " ").Replace(line)
		fields := strings.Fields(line)
		slices.Sort(fields)
		words = append(words, strings.Join(fields, " "))
	}
	return words
}

// allTypes makes a table whose columns need care in a batch.
const allTypes = `
	CREATE TYPE mood AS ENUM ('sad', 'ok');
	CREATE TABLE "All" (
		id bigint GENERATED ALWAYS AS IDENTITY, "Key" text COLLATE "C", n numeric(12,2), i integer, tags text[], mood mood,
		code char(4), bits bit(3), area box, doc jsonb, raw bytea, at timestamptz, PRIMARY KEY ("Key", id));
	CREATE TABLE one (id bigint PRIMARY KEY, name varchar(10), hits int DEFAULT 7);
	SET timezone = 'UTC'`

func allRelation() *catalog.Relation {
	r := &catalog.Relation{Name: catalog.Name{Schema: "public", Name: "All"}, Key: []int{1, 0}}
	for _, c := range [][2]string{
		{"id", "bigint"}, {"Key", "text"}, {"n", "numeric"}, {"i", "integer"}, {"tags", "text[]"}, {"mood", "public.mood"},
		{"code", "character"}, {"bits", "bit"}, {"area", "box"}, {"doc", "jsonb"}, {"raw", "bytea"}, {"at", "timestamp with time zone"},
	} {
		r.Columns = append(r.Columns, catalog.Column{Name: c[0], SQLType: c[1]})
	}
	r.Columns[0].Identity = 'a'
	return r
}

// arrays writes rows, given as texts, as one array parameter per column.
func arrays(columns ...[]any) []any {
	params := make([]any, len(columns))
	for i, column := range columns {
		var a Array
		for _, v := range column {
			if v == nil {
				a.AppendNull()
			} else {
				a.AppendString(v.(string))
			}
		}
		params[i] = string(a.Bytes())
	}
	return params
}

func TestBatchesDoWhatTheySay(t *testing.T) {
	conn := connect(t, allTypes)
	all := allRelation()
	read := `SELECT * FROM "All" ORDER BY id`
	run := func(b Batch, want int64, columns ...[]any) {
		t.Helper()
		result, err := conn.ExecContext(t.Context(), b.SQL(), arrays(columns...)...)
		require.NoError(t, err, b.SQL())
		n, err := result.RowsAffected()
		require.NoError(t, err)
		require.Equal(t, want, n)
	}

	run(Batch{Table: all, Kind: BatchInsert, Columns: []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}}, 2,
		[]any{"1", "2"}, []any{`a"b\`, "NULL"}, []any{"1.5", nil}, []any{"1", nil}, []any{`{"x,y",NULL}`, nil}, []any{"ok", nil},
		[]any{"ab", nil}, []any{"101", nil}, []any{"(1,1),(0,0)", nil}, []any{`{"a": [1, "b"]}`, nil}, []any{`\x00ff`, nil},
		[]any{"2024-01-01 00:00:00+00", nil})
	require.Equal(t, []string{
		`1|a"b\|1.50|1|{"x,y",NULL}|ok|ab  |101|(1,1),(0,0)|{"a": [1, "b"]}|` + "\x00\xff" + `|2024-01-01T00:00:00Z`,
		`2|NULL|NULL|NULL|NULL|NULL|NULL|NULL|NULL|NULL|NULL|NULL`,
	}, rows(t, conn, read))

	run(Batch{Table: all, Kind: BatchUpsert, Columns: []int{1, 0, 2, 6}, Set: []int{6}, Add: []int{2}}, 2,
		[]any{`a"b\`, ""}, []any{"1", "3"}, []any{"0.25", "3"}, []any{"wxyz", "q"})
	run(Batch{Table: all, Kind: BatchUpsert, Columns: []int{0, 1}}, 1, []any{"2", "4"}, []any{"NULL", "four"})
	short := `SELECT id, "Key", n, i, tags, code, bits FROM "All" ORDER BY id`
	require.Equal(t, []string{
		`1|a"b\|1.75|1|{"x,y",NULL}|wxyz|101`, "2|NULL|NULL|NULL|NULL|NULL|NULL", "3||3.00|NULL|NULL|q   |NULL", "4|four|NULL|NULL|NULL|NULL|NULL",
	}, rows(t, conn, short))

	adds := Batch{Table: all, Kind: BatchUpdate, Set: []int{4, 7}, Add: []int{3, 2}}
	require.Equal(t, []string{"2|2"}, rows(t, conn, adds.SQL(), arrays(
		[]any{`a"b\`, "", "absent"}, []any{"1", "3", "9"}, []any{"{}", "{{1,2},{3,4}}", nil}, []any{"011", nil, nil},
		[]any{"5", "5", "5"}, []any{"-2", "0.1", "1"}, []any{"6", nil, "5"}, []any{"-0.25", "3.2", "1"})...))
	run(Batch{Table: all, Kind: BatchDelete}, 2, []any{"NULL", "four", "four"}, []any{"2", "4", "5"})
	require.Equal(t, []string{`1|a"b\|-0.25|6|{}|wxyz|011`, "3||3.10|NULL|{{1,2},{3,4}}|q   |NULL"}, rows(t, conn, short))

	args := arrays([]any{"", `a"b\`, "", "x"}, []any{"3", "1", "3", "1"})
	require.ElementsMatch(t, rows(t, conn, read), rows(t, conn, Lookup(all), args...))
}

func TestLookupByOneColumn(t *testing.T) {
	conn := connect(t, allTypes)
	one := &catalog.Relation{
		Name:    catalog.Name{Schema: "public", Name: "one"},
		Columns: []catalog.Column{{Name: "id", SQLType: "bigint"}, {Name: "name", SQLType: "character varying"}, {Name: "hits", SQLType: "integer"}},
		Key:     []int{0},
	}
	insert := Batch{Table: one, Kind: BatchInsert, Columns: []int{0, 1}}
	_, err := conn.ExecContext(t.Context(), insert.SQL(), arrays([]any{"1", "2", "3"}, []any{"a", nil, "c"})...)
	require.NoError(t, err)
	require.ElementsMatch(t, []string{"1|a|7", "2|NULL|7"}, rows(t, conn, Lookup(one), arrays([]any{"2", "1", "2", "9"})...))

	// A value that is too long is refused, not cut short by a cast.
	_, err = conn.ExecContext(t.Context(), insert.SQL(), arrays([]any{"4"}, []any{"longer than ten"})...)
	require.ErrorContains(t, err, "too long")
}
