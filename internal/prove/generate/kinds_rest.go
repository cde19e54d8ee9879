package generate

import (
	"database/sql"
	"strings"

	"github.com/lib/pq"

	"github.com/writebehind/writebehind/internal/prove/history"
)

// types makes the types that restKinds name and PostgreSQL does not have.
var types = []string{
	"CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy', 'so so', '日')",
	"CREATE DOMAIN short AS varchar(5) CHECK (VALUE <> 'bad')",
	"CREATE DOMAIN positive AS int4 DEFAULT 7 CHECK (VALUE > 0)",
	"CREATE TYPE pair AS (a int4, b text)",
}

// texts are values that are sent as strings and written alike.
func texts(list ...string) []value {
	var out []value
	for _, s := range list {
		out = append(out, val(literal(s), s, []byte(s), history.Valued{V: s}, sql.NullString{String: s, Valid: true}))
	}
	return out
}

// restKinds are the types that nobody uses for keys and few for columns.
func restKinds() []*kind {
	kinds := []*kind{
		{name: "interval", plain: texts("1 day", "02:03:04"), edge: texts("1 year 2 mons -3 days", "P1Y2M", "0", "-00:00:01.5", "24:00:00", "30 days"), wrong: texts("x", "1 parsec", "")},
		{name: "time", plain: texts("04:05:06", "12:00"), edge: texts("24:00:00", "23:59:59.9999999", "4:05 PM", "00:00:00.000001"), wrong: texts("25:00", "noonish")},
		{name: "timetz", plain: texts("04:05:06+00", "12:00:00+05:45"), edge: texts("24:00:00-08", "04:05:06.789-00:30", "04:05 PST"), wrong: texts("25:00", "")},
		{name: "timestamptz(0)", plain: texts("2001-02-03 04:05:06+00", "1999-12-31 12:00:00+00"), edge: texts("2001-02-03 04:05:06.5+00", "infinity"), wrong: texts("2001-13-01")},
		{name: "money", plain: texts("1.50", "12"), edge: texts("$1,000.00", "-3.005", "92233720368547758.07", "(1)"), wrong: texts("1e30", "x")},
		{name: "bit(4)", plain: texts("1010", "0000"), edge: texts("xf"), wrong: texts("101", "10101", "12", "")},
		{name: "varbit(6)", plain: texts("101", "0"), edge: texts("", "111111", "x3"), wrong: texts("1111111", "2")},
		{name: "inet", plain: texts("10.0.0.1", "::1"), edge: texts("10.1.2.3/8", "2001:db8::/32", "10.0.0.1/32"), wrong: texts("10.0.0", "300.1.1.1", "")},
		{name: "cidr", plain: texts("10.0.0.0/8", "192.168.1.0/24"), edge: texts("10", "::/0"), wrong: texts("10.1.2.3/8", "x")},
		{name: "macaddr", plain: texts("08:00:2b:01:02:03", "00:00:00:00:00:00"), edge: texts("08002b010203", "08-00-2B-01-02-03"), wrong: texts("08:00", "x")},
		{name: "macaddr8", plain: texts("08:00:2b:01:02:03:04:05"), edge: texts("08:00:2b:01:02:03"), wrong: texts("x")},
		{name: "point", plain: texts("(1,2)", "(0,0)"), edge: texts("1,2", "(1e300,-0)", "(NaN,Infinity)"), wrong: texts("(1)", "")},
		{name: "box", plain: texts("(1,1),(0,0)"), edge: texts("0,0,1,1", "((2,3),(1,5))"), wrong: texts("(1,1)")},
		{name: "circle", plain: texts("<(0,0),1>"), edge: texts("0,0,2"), wrong: texts("<(0,0),-1>")},
		{name: "path", plain: texts("((0,0),(1,1))", "[(0,0),(1,1)]"), edge: texts("0,0,1,1"), wrong: texts("[(0,0),(1,1))")},
		{name: "int4range", plain: texts("[1,5)", "empty"), edge: texts("[1,5]", "(,3)", "(1,2)"), wrong: texts("[5,1)", "x")},
		{name: "numrange", plain: texts("[1.5,2)"), edge: texts("[1.50,2.00]", "(,)"), wrong: texts("[2,1]")},
		{name: "tstzrange", plain: texts("[2001-02-03 00:00+00,2002-01-01 00:00+00)"), edge: texts("(,infinity]"), wrong: texts("[x,y]")},
		{name: "datemultirange", plain: texts("{[2001-01-01,2001-02-01)}"), edge: texts("{}", "{[2001-01-01,2001-01-05],[2001-01-03,2001-02-01]}"), wrong: texts("[2001-01-01,)")},
		{name: "xml", plain: texts("<a/>", "<a>b</a>"), edge: texts("text", "<?xml version=\"1.0\"?><a/>", " <a /> "), wrong: texts("<a>", "<a></b>")},
		{name: "tsvector", plain: texts("'a' 'b'"), edge: texts("b a a", "a:1,3B", ""), wrong: texts("'a", "a:x")},
		{name: "tsquery", plain: texts("'a'"), edge: texts("a & !b", "a <-> b"), wrong: texts("a &", "a b")},
		{name: "jsonpath", plain: texts("$.a"), edge: texts("strict $[*] ? (@ > 1)"), wrong: texts("a.b")},
		{name: "oid", plain: texts("1", "0"), edge: []value{val("4294967295", int64(4294967295), "4294967295"), val("-1", int64(-1))}, wrong: texts("4294967296", "x")},
		{name: "name", plain: texts("a", "b"), edge: texts("", strings.Repeat("n", 70), "A b"), wrong: unsendable()},
		{name: `"char"`, plain: texts("a", "b"), edge: texts("", "ab", `\200`, "é"), wrong: unsendable()},
		{name: "regclass", plain: texts("pg_class"), edge: texts("pg_catalog.pg_class", "-"), wrong: texts("nothing", "")},
		{name: "pg_lsn", plain: texts("0/0"), edge: texts("16/B374D848"), wrong: texts("x")},
		{name: "short", plain: texts("a", "b"), edge: texts("", "12345", "日本"), wrong: texts("bad", "123456")},
		{name: "positive", plain: []value{integer(1), integer(2)}, edge: []value{big("2147483647")}, wrong: []value{integer(0), integer(-1), val("'x'", "x")}},
		{name: "pair", plain: texts("(1,a)"), edge: texts("(,)", `(1,"a b")`, "( 1,)"), wrong: texts("(1)", "(x,a)")},
		{name: "text[]", plain: []value{val("'{a,b}'", pq.StringArray{"a", "b"}, "{a,b}"), val("'{}'", pq.StringArray{})}, edge: texts(`{"a b",NULL,"NULL",""}`, "{{a},{b}}"), wrong: texts("{", "a")},
		{name: "float8[]", plain: []value{val("'{1.5,2}'", pq.Float64Array{1.5, 2}, "{1.5,2}")}, edge: texts("{NaN,Infinity}"), wrong: texts("{x}")},
		{name: "bool[]", plain: []value{val("'{t,f}'", pq.BoolArray{true, false}, "{t,f}")}, edge: texts("{NULL}"), wrong: texts("{2}")},
		{name: "bytea[]", plain: []value{val(`'{"\\x61"}'`, pq.ByteaArray{[]byte("a")})}, edge: texts(`{"\\x00ff",NULL}`), wrong: texts(`{"\\x6"}`)},
		{name: "timestamptz[]", plain: texts(`{"2001-02-03 04:05:06+00"}`), edge: texts("{infinity}"), wrong: texts("{x}")},
		{name: "mood[]", plain: texts("{sad,ok}"), edge: texts(`{"so so"}`), wrong: texts("{angry}")},
		{name: "varchar(3)[]", plain: texts("{a}"), edge: texts(`{"abc  "}`), wrong: texts("{abcd}")},
	}
	for _, k := range kinds {
		k.rest = true
	}
	return kinds
}
