package check_test

import (
	"database/sql/driver"
	"strings"
	"testing"

	"github.com/lib/pq/oid"
	"github.com/stretchr/testify/require"

	"github.com/writebehind/writebehind/internal/check"
	"github.com/writebehind/writebehind/internal/pgvalue"
)

var utf8 = pgvalue.Session{UTF8: true}

var stock = []check.Column{
	{Name: "stock", Type: pgvalue.Type{OID: uint32(oid.T_int4), Mod: -1}},
	{Name: "low", Type: pgvalue.Type{OID: uint32(oid.T_int8), Mod: -1}},
	{Name: "name", Type: pgvalue.Type{OID: uint32(oid.T_text), Mod: -1}, Bytewise: true},
	{Name: "Mixed", Type: pgvalue.Type{OID: uint32(oid.T_text), Mod: -1}},
	{Name: "many", Type: pgvalue.Type{OID: uint32(oid.T__int4), Mod: -1, Kind: pgvalue.Other}},
	{Name: "mood", Type: pgvalue.Type{OID: 20000, Mod: -1, Kind: pgvalue.Enum, Labels: []string{"ok"}}},
	{Name: "born", Type: pgvalue.Type{OID: uint32(oid.T_date), Mod: -1}},
}

func TestACellThatIsNotKnown(t *testing.T) {
	type notKnown struct{}
	for _, tt := range []struct {
		definition string
		cells      []driver.Value
		want       check.Verdict
	}{
		{`CHECK ((stock >= 0))`, []driver.Value{notKnown{}}, check.Unknown},
		{`CHECK (((stock >= 0) OR (low < 5)))`, []driver.Value{notKnown{}, int64(4)}, check.Holds},
		{`CHECK (((stock >= 0) OR (low < 5)))`, []driver.Value{notKnown{}, int64(5)}, check.Unknown},
		{`CHECK (((stock >= 0) AND (low < 5)))`, []driver.Value{notKnown{}, int64(5)}, check.Fails},
		{`CHECK (((stock >= 0) AND (low < 5)))`, []driver.Value{notKnown{}, int64(4)}, check.Unknown},
		{`CHECK (((stock >= 0) AND (low < 5)))`, []driver.Value{notKnown{}, nil}, check.Unknown},
		{`CHECK ((NOT (stock >= 0)))`, []driver.Value{notKnown{}}, check.Unknown},
		{`CHECK ((stock >= low))`, []driver.Value{notKnown{}, nil}, check.Holds},
		{`CHECK ((stock IS NOT NULL))`, []driver.Value{notKnown{}}, check.Unknown},
		{`CHECK ((stock IS NULL))`, []driver.Value{nil}, check.Holds},
		{`CHECK (((stock >= 0) IS NULL))`, []driver.Value{nil}, check.Holds},
		{`CHECK (((stock >= 0) IS NULL))`, []driver.Value{notKnown{}}, check.Unknown},
		{`CHECK ((stock >= 0))`, []driver.Value{"not an integer"}, check.Unknown},
		{`CHECK ((name = 'a'::text))`, []driver.Value{int64(1)}, check.Unknown},
		{`CHECK ((stock IS DISTINCT FROM 1))`, []driver.Value{notKnown{}}, check.Unknown},
	} {
		c, ok := check.Parse(tt.definition, stock, utf8)
		require.True(t, ok, tt.definition)
		require.Equal(t, tt.want, c.Eval(tt.cells), "%s %v", tt.definition, tt.cells)
	}
}

func TestColumnsAreThoseMentioned(t *testing.T) {
	c, ok := check.Parse(`CHECK (((name = 'a'::text) AND ((stock >= low) OR (stock = 1)))) NO INHERIT`, stock, utf8)
	require.True(t, ok)
	require.Equal(t, []int{2, 0, 1}, c.Columns)
	c, ok = check.Parse(`CHECK (false)`, stock, utf8)
	require.True(t, ok)
	require.Empty(t, c.Columns)
	require.Equal(t, check.Fails, c.Eval(nil))
}

func TestWhatIsNotKnownInFullIsNotParsed(t *testing.T) {
	for _, definition := range []string{
		``, `CHECK`, `CHECK ()`, `CHECK ((stock >= 0)`, `CHECK ((stock >= 0)))`, `stock >= 0`,
		`CHECK ((stock >= 0)) NOT VALID`,
		`CHECK ((stock >= 0)) NO INHERIT NOT VALID`,
		`CHECK ((stock >= 0)) NOT ENFORCED`,
		`CHECK (((stock >= 0) OR (abs(stock) > 1)))`,
		`CHECK (((stock + 1) >= 0))`,
		`CHECK ((stock >= (- 5)))`,
		`CHECK ((stock % 2 = 0))`,
		`CHECK ((stock OPERATOR(public.=) 0))`,
		`CHECK ((stock @@ 0))`,
		`CHECK ((other >= 0))`,
		`CHECK ((Stock >= 0))`,
		`CHECK ((stock >= 0.5))`, // of two types
		`CHECK ((stock >= '5'::text))`,
		`CHECK ((stock >= '5'))`,
		`CHECK ((stock >= NULL))`,
		`CHECK (stock)`,
		`CHECK ((stock AND true))`,
		`CHECK (((low)::integer >= 0))`,
		`CHECK (((stock)::smallint >= 0))`,
		`CHECK (((stock)::numeric(10,2) >= 0.5))`,
		`CHECK ((low >= '9223372036854775808'::bigint))`,
		`CHECK ((stock >= 5000000000))`,
		`CHECK ((name >= 'a'::text))`,
		`CHECK ((name = name))`,
		`CHECK (((name COLLATE "C") = 'a'::text))`,
		`CHECK (("Mixed" = 'a'::text))`, // not deterministic
		`CHECK ((name ~~ 'a%'::text))`,
		`CHECK ((name = 'a\\b'::text))`,
		`CHECK ((name = E'a'::text))`,
		`CHECK ((name = ANY ('{a,b}'::text[])))`,
		`CHECK ((stock = ANY (many)))`,
		`CHECK ((stock = ANY (ARRAY[]::integer[])))`,
		`CHECK ((stock = ARRAY[1]))`,
		`CHECK ((ARRAY[1] IS NULL))`,
		`CHECK ((many IS NULL))`,
		`CHECK ((ROW(stock, low) IS NULL))`,
		`CHECK ((items.* IS NOT NULL))`,
		`CHECK ((mood = 'sad'::mood))`,
		`CHECK ((mood > 'ok'::mood))`,
		`CHECK ((mood = 'ok'::text))`,
		`CHECK (('ok'::mood = 'ok'::mood))`,
		`CHECK ((born > CURRENT_DATE))`,
		`CHECK ((born > '0044-03-15 BC'::date))`,
		`CHECK ((born > '2020-01-01 00:00:00'::timestamp without time zone))`,
		`CHECK (` + strings.Repeat("(", 200) + `true` + strings.Repeat(")", 200) + `)`,
		`CHECK (` + strings.Repeat("NOT ", 200) + `true)`,
	} {
		_, ok := check.Parse(definition, stock, utf8)
		require.False(t, ok, definition)
	}
}

func TestTheSessionDecidesWhatAConstantIs(t *testing.T) {
	_, ok := check.Parse(`CHECK ((name = 'Grüße'::text))`, stock, utf8)
	require.True(t, ok)
	_, ok = check.Parse(`CHECK ((name = 'Grüße'::text))`, stock, pgvalue.Session{})
	require.False(t, ok)
	_, ok = check.Parse(`CHECK ((born > '2020-01-01'::date))`, stock, utf8)
	require.True(t, ok)
	_, ok = check.Parse(`CHECK ((born > '2020-01-01'::date))`, stock, pgvalue.Session{UTF8: true, InfinityTimes: true})
	require.False(t, ok)
}

// FuzzParse checks that whatever is parsed can be evaluated.
func FuzzParse(f *testing.F) {
	for _, d := range decided {
		f.Add("CHECK (" + d + ")")
	}
	f.Add(`CHECK ((((status)::text = ANY ((ARRAY['a'::character varying, 'b'::character varying])::text[])) AND (NOT (stock IS DISTINCT FROM 5))))`)
	f.Add(`CHECK (((low >= '-5'::bigint) OR ((stock)::numeric > 0.5) OR (mood <> 'ok'::public."mood"))) NO INHERIT`)
	f.Add(`CHECK (((born = '2020-01-01'::date) IS NOT UNKNOWN))`)
	f.Fuzz(func(t *testing.T, definition string) {
		c, ok := check.Parse(definition, stock, utf8)
		if !ok {
			return
		}
		cells := make([]driver.Value, len(c.Columns))
		if v := c.Eval(cells); v > check.Fails {
			t.Fatal(v)
		}
		for i := range cells {
			cells[i] = int64(i)
		}
		c.Eval(cells)
	})
}
