package pgvalue_test

import (
	"testing"
	"time"

	"github.com/lib/pq"
	"github.com/stretchr/testify/require"
)

// beyond are stored values, in SQL, that no argument is known to give: the
// shim meets them in rows that somebody else wrote.
var beyond = map[string][]string{
	"float8":      {"5e-324", "-5e-324", "2.2250738585072009e-308", "'Infinity'", "'NaN'", "'-0'"},
	"float4":      {"1e-45", "1.1754942e-38", "'-Infinity'", "'NaN'", "'-0'", "33554432", "9.007199e15"},
	"numeric":     {"'NaN'", "'1e2000'", "'1e-2000'"},
	"date":        {"'infinity'", "'-infinity'", "'4713-01-01 BC'", "'0001-12-31 BC'", "'10000-01-01'", "'5874897-12-31'"},
	"timestamp":   {"'infinity'", "'-infinity'", "'4713-01-01 00:00:01 BC'", "'0001-12-31 23:59:59.999999 BC'", "'10000-01-01 00:00:00.5'", "'294276-12-31 23:59:59.999999'"},
	"timestamptz": {"'infinity'", "'-infinity'", "'4713-01-01 00:00:01 BC'", "'0044-03-15 12:00:00.1 BC'", "'10000-01-01 00:00:00.000001'", "'294276-12-31 12:59:59.999999'", "'1890-06-01 12:00'", "'2024-10-27 02:30:00+02'", "'2024-10-27 02:30:00+01'"},
	"json":        {`'"\u0000\ud83d"'`, `' [1] '`},
	"char(4)":     {"''", "'é'"},
	"text":        {"''", `'\"{},'`},
	"bytea":       {"''", `'\x00ff'`},
}

// Values sent as elements of an array, as the flush sends them, are the values
// that were read, whatever the TimeZone of either side.
func TestAppendTextIsReadBackAsTheValue(t *testing.T) {
	sessions, columns := newDatabase(t)
	values := arguments(newRandom(t), 10)
	for i, s := range sessions[:2] { // one in UTC, one not
		writer := sessions[1-i]
		for _, c := range columns[:len(knownTypes)] {
			fill(t, s, c, values)
			for _, literal := range beyond[c.sqlType] {
				exec(t, s.db, "INSERT INTO "+c.table+" (c) VALUES ("+literal+")")
			}
			cells := s.cells(t, c)
			var elements []string
			for _, cell := range cells {
				text, ok := c.typ.AppendText([]byte("x"), cell)
				require.True(t, ok, "%s: %s", c.sqlType, show(cell))
				require.Equal(t, byte('x'), text[0])
				elements = append(elements, string(text[1:]))
			}
			exec(t, writer.db, "TRUNCATE "+c.table)
			exec(t, writer.db, "INSERT INTO "+c.table+" (c) SELECT u FROM unnest($1::"+c.element+"[]) WITH ORDINALITY AS e(u, i) ORDER BY i", pq.StringArray(elements))
			for i, got := range s.cells(t, c) {
				if !identical(cells[i], got) {
					t.Errorf("%s: %s, sent as %q, is read back as %s", c.sqlType, show(cells[i]), elements[i], show(got))
				}
			}
		}
	}
}

func TestAppendTextOfWrongValue(t *testing.T) {
	_, columns := newDatabase(t)
	for _, c := range columns[:len(knownTypes)] {
		dst, ok := c.typ.AppendText([]byte("x"), nil)
		require.False(t, ok, c.sqlType)
		require.Equal(t, "x", string(dst))
		dst, ok = c.typ.AppendText([]byte("x"), struct{}{})
		require.False(t, ok, c.sqlType)
		require.Equal(t, "x", string(dst))
	}
	at := time.Date(2024, 1, 1, 0, 0, 0, 1, time.UTC)
	_, ok := columnOf(t, columns, "timestamptz").typ.AppendText(nil, at)
	require.False(t, ok, "PostgreSQL has no nanoseconds")
}
