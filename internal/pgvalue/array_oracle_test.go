package pgvalue_test

import (
	"database/sql/driver"
	"testing"

	"github.com/lib/pq"
	"github.com/lib/pq/oid"
	"github.com/stretchr/testify/require"

	"github.com/writebehind/writebehind/internal/pgvalue"
)

func TestArraysAreReadAsPostgresReadsThem(t *testing.T) {
	sessions, _ := newDatabase(t)
	r := newRandom(t)
	text := pgvalue.Type{OID: uint32(oid.T_text), Mod: -1}
	texts := []string{
		`{}`, `{a}`, `{a,b}`, `{"a","b"}`, `{"a\"b","c\\d"}`, `{NULL,"NULL",null,nUlL}`, `{"",a}`, `{a b}`, `{ a}`, `{a,}`, `{,}`, `{"a"b}`, `{"a`, `{a`,
		`{a}x`, `{{a}}`, `[2:2]={a}`, `{a\,b}`, `{é,"ü,"}`, ` {a}`, `{a} `, `{"a" ,b}`, ``, `{`, `}`, `{"\a"}`, `{"\`, `{a"b"}`, `{a{b}`, `{';--}`,
	}
	const alphabet = "{},\"\\ aN\tul;é"
	letters := []rune(alphabet)
	for range 3000 {
		inner := make([]rune, r.IntN(7))
		for i := range inner {
			inner[i] = letters[r.IntN(len(letters))]
		}
		texts = append(texts, "{"+string(inner)+"}")
	}
	known := 0
	for i, array := range texts {
		s := sessions[i%len(sessions)]
		got, ok := text.Array(s.known, array, 100)
		if !ok {
			continue
		}
		known++
		want := s.list(t, "SELECT e FROM unnest($1::text[]) WITH ORDINALITY AS u(e, n) ORDER BY n", array)
		require.Len(t, got, len(want), array)
		for i := range want {
			require.Equal(t, want[i], got[i], array)
		}
	}
	require.Greater(t, known, 300)
}

func TestArraysOfLibPQAreKnown(t *testing.T) {
	whole := pgvalue.Session{UTF8: true}
	for _, c := range []struct {
		typ  oid.Oid
		from driver.Valuer
		want []driver.Value
	}{
		{oid.T_int8, pq.Array([]int64{1, -2}), []driver.Value{int64(1), int64(-2)}},
		{oid.T_int2, pq.Array([]int32{}), nil},
		{oid.T_bool, pq.Array([]bool{true, false}), []driver.Value{true, false}},
		{oid.T_text, pq.Array([]string{`a"\`, "", "NULL", "{}, "}), []driver.Value{`a"\`, "", "NULL", "{}, "}},
		{oid.T_bytea, pq.Array([][]byte{{0, 255}, []byte(`\`)}), []driver.Value{[]byte{0, 255}, []byte(`\`)}},
		{oid.T_uuid, pq.Array([]string{"ABCDEF00-0000-4000-8000-000000000001"}), []driver.Value{[]byte("abcdef00-0000-4000-8000-000000000001")}},
	} {
		v, err := c.from.Value()
		require.NoError(t, err)
		typ := pgvalue.Type{OID: uint32(c.typ), Mod: -1}
		got, ok := typ.Array(whole, v, 4)
		require.True(t, ok, "%v", v)
		require.Equal(t, c.want, got)
		if len(c.want) > 0 {
			_, ok = typ.Array(whole, v, len(c.want)-1)
			require.False(t, ok, "there are more than the limit")
		}
	}
	for _, nothing := range []driver.Value{nil, []byte(nil)} {
		got, ok := pgvalue.Type{OID: uint32(oid.T_int8), Mod: -1}.Array(whole, nothing, 4)
		require.True(t, ok)
		require.Empty(t, got)
	}
	_, ok := pgvalue.Type{OID: uint32(oid.T_int8), Mod: -1}.Array(pgvalue.Session{UTF8: true, BinaryParameters: true}, []byte("{1}"), 4)
	require.False(t, ok, "an array in binary format")
}
