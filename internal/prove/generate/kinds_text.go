package generate

import (
	"database/sql"
	"encoding/json"
	"strings"

	"github.com/lib/pq"

	"github.com/writebehind/writebehind/internal/prove/history"
)

// text is a string in the Go types that applications use.
func text(s string) value {
	return val(literal(s), s, []byte(s), history.Named(s), sql.NullString{String: s, Valid: true}, history.Valued{V: s}, &s, history.Blob(s), sql.Null[string]{V: s, Valid: true})
}

// literal quotes a string as SQL.
func literal(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }

// unsendable are strings that no UTF-8 database takes. They must not be
// inlined: a zero byte would end the message.
func unsendable() []value {
	return []value{val("", "a\x00b"), val("", "\xff\xfe"), val("", []byte{0xc3, 0x28}), val("", "\xed\xa0\x80")}
}

func textKinds() []*kind {
	plain := []value{text("a"), text("b"), text("A"), text("ab"), text("x y")}
	odd := []value{
		text(""), text(" a "), text("ä"), text("日本"), text("a'b"), text(`a"b`), text(`a\b`), text("a\nb\t"), text("NULL"), text("a "),
		text("$1"), text("%s"), text("a\u0308"), text("\u200d"), val("'5'", int64(5), "5"), val("'t'", true, "true"), val("'1.5'", 1.5, "1.5"),
	}
	return []*kind{
		{
			name: "text", key: true, plain: plain,
			edge:  append([]value{text(strings.Repeat("k", 2500)), val("'now'", "now")}, odd...),
			wrong: append([]value{val("ARRAY['a']", []string{"a"}), val("b", "b")}, unsendable()...),
		},
		{
			name: "varchar(8)", key: true, plain: plain,
			edge:  append([]value{text("12345678"), text("12345678   "), text("日本日本日本日本")}, odd...),
			wrong: append([]value{text("123456789"), text("日本日本日本日本日"), text(strings.Repeat("w", 300))}, unsendable()...),
		},
		{
			name: `text COLLATE "C"`, key: true, plain: plain, edge: odd, wrong: unsendable(),
		},
		{
			name: "char(4)", plain: []value{text("a"), text("ab"), text("abcd")},
			edge:  []value{text(""), text("ab  "), text("abcd   "), text(" a"), text("日本"), val("'12'", int64(12))},
			wrong: append([]value{text("abcde"), text("日本日本日")}, unsendable()...),
		},
	}
}

func otherKinds() []*kind {
	blob := func(lit string, b []byte) value {
		return val(lit, b, history.Valued{V: b}, history.Blob(b))
	}
	doc := func(s string) value {
		return val(literal(s), s, []byte(s), json.RawMessage(s), history.Valued{V: s})
	}
	id := func(canonical string, others ...any) value {
		return val(literal(canonical), append([]any{canonical, []byte(canonical)}, others...)...)
	}
	docs := []value{doc(`{"a":1}`), doc(`[]`), doc(`null`)}
	oddDocs := []value{
		doc(`{"a": 1, "a":2 }`), doc(`"x"`), doc(` 1.50 `), doc(`{"b":1,"a":{"c":[1,2,null]}}`), doc(`{"é":"ü\n"}`), doc(`1e5`), doc(`true`),
	}
	badDocs := []value{doc(`{`), doc(``), doc(`{'a':1}`), doc(`nul`), val("", "{\"a\":\"\\u0000\"}"), val("1", int64(1)), val("", "\"\xff\"")}
	no := false
	return []*kind{
		{
			name: "bool", key: true,
			plain: []value{
				val("true", true, "true", "t", history.Valued{V: true}, sql.NullBool{Bool: true, Valid: true}),
				val("false", false, "false", "f", &no, &history.Valued{V: false}),
			},
			edge:  []value{val("'yes'", "yes", "on"), val("'0'", "0"), val("' TRUE '", " TRUE "), val("'of'", "of")},
			wrong: []value{val("1", int64(1)), val("'maybe'", "maybe"), val("''", ""), val("2", int64(2)), val("'o'", "o")},
		},
		{
			name: "bytea", key: true,
			plain: []value{blob(`'\x61'`, []byte("a")), blob(`'\x00ff'`, []byte{0, 255}), val(`'abc'`, "abc", []byte("abc"))},
			edge: []value{
				blob(`''`, []byte{}), val(`'\x6162'`, `\x6162`), val(`'\x 61 62'`, `\x 61 62`), blob(`'\x5c'`, []byte(`\`)), val(`'a\\b'`, `a\\b`),
				val(`'\001'`, `\001`), blob("", []byte(strings.Repeat("\x01", 2000))), val("'1'", int64(1)), val("'日'", "日"), blob("NULL", []byte(nil)),
			},
			wrong: []value{val(`'\x6'`, `\x6`), val(`'\xzz'`, `\xzz`), val(`'a\b'`, `a\b`), val("", pq.ByteaArray{[]byte("a")})},
		},
		{
			name: "uuid", key: true,
			plain: []value{
				id("00000000-0000-0000-0000-000000000001"), id("00000000-0000-0000-0000-00000000000a", "00000000-0000-0000-0000-00000000000A"),
				id("a0eebc99-9c0b-1ef8-bb6d-6bb9bd380a11", "A0EEBC99-9C0B-1EF8-BB6D-6BB9BD380A11", "a0eebc999c0b1ef8bb6d6bb9bd380a11"),
			},
			edge: []value{
				id("ffffffff-ffff-ffff-ffff-ffffffffffff", "FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF"), id("00000000-0000-0000-0000-000000000000"),
				val("'{00000000-0000-0000-0000-000000000001}'", "{00000000-0000-0000-0000-000000000001}"),
				val("'0000-0000-0000-0000-0000-0000-0000-0002'", "0000-0000-0000-0000-0000-0000-0000-0002"),
			},
			wrong: []value{
				text("not-a-uuid"), text(""), text("00000000-0000-0000-0000-00000000000"), text(" 00000000-0000-0000-0000-000000000001"),
				val("", [16]byte{15: 1}), val("5", int64(5)), text("urn:uuid:00000000-0000-0000-0000-000000000001"),
			},
		},
		{name: "json", plain: docs, edge: oddDocs, wrong: badDocs},
		{name: "jsonb", plain: docs, edge: oddDocs, wrong: badDocs},
		{
			name:  "mood",
			plain: []value{text("sad"), text("ok"), text("happy")}, edge: []value{text("so so"), text("日")},
			wrong: []value{text("angry"), text("SAD"), text(""), text(" ok"), val("1", int64(1)), val("", "ok\x00")},
		},
		{
			name:  "int4[]",
			plain: []value{val("'{1,2}'", pq.Int64Array{1, 2}, []int64{1, 2}, "{1,2}", pq.Array([]int32{1, 2}), pq.GenericArray{A: []int64{1, 2}}), val("'{}'", pq.Int64Array{}, "{}")},
			edge:  []value{val("'{1,NULL}'", "{1,NULL}"), val("ARRAY[3]", "{3}"), val("'{{1},{2}}'", "{{1},{2}}", pq.GenericArray{A: [][]int64{{1}, {2}}}), val("' { 4 } '", " { 4 } ", "[0:0]={4}")},
			wrong: []value{val("'{1,'", "{1,"), val("'{a}'", "{a}", pq.StringArray{"a"}), val("5", int64(5)), val("''", "")},
		},
	}
}
