package pgvalue_test

import (
	"database/sql/driver"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/writebehind/writebehind/internal/pgvalue"
)

// addends returns values whose sums reach all bounds.
func addends(r *rand.Rand, c column) []driver.Value {
	var values []driver.Value
	for _, n := range integers {
		values = append(values, n)
	}
	for _, f := range floats {
		values = append(values, f)
	}
	for _, text := range texts {
		values = append(values, text)
	}
	for range 10 {
		values = append(values, randomInteger(r))
	}
	var known []driver.Value
	seen := make(map[string]bool)
	for _, v := range values {
		if with, ok := c.typ.Compare(pgvalue.Session{UTF8: true}, v); ok && !seen[show(with)] {
			seen[show(with)] = true
			known = append(known, v)
		}
	}
	return known
}

func TestSumIsWhatPostgresStores(t *testing.T) {
	sessions, columns := newDatabase(t)
	s := sessions[1]
	r := newRandom(t)
	for _, sqlType := range []string{"int2", "int4", "int8", "float8", "numeric", "numeric(5,2)", "numeric(10,0)", "numeric(3,3)"} {
		c := columnOf(t, columns, sqlType)
		values := addends(r, c)
		cells := fill(t, s, c, values)
		require.NotEmpty(t, cells)
		sums := 0
		exec(t, s.db, "BEGIN")
		for range 300 {
			cell := r.IntN(len(cells))
			v := values[r.IntN(len(values))]
			with, ok := c.typ.Compare(s.known, v)
			require.True(t, ok)
			subtract, operator := r.IntN(2) == 0, "+"
			if subtract {
				operator = "-"
			}
			want, ok := c.typ.Add(cells[cell], with, subtract)
			if !ok {
				continue
			}
			sums++
			id := s.nth(t, c, cell)
			got, err := s.one("UPDATE "+c.table+" SET c = c "+operator+" $1 WHERE id = $2 RETURNING c", v, id)
			require.NoError(t, err, "%s: %s %s %s", sqlType, show(cells[cell]), operator, show(v))
			if !identical(want, got) {
				t.Errorf("%s: %s %s %s gives %s, not %s", sqlType, show(cells[cell]), operator, show(v), show(got), show(want))
			}
			cells[cell] = got
		}
		exec(t, s.db, "COMMIT")
		require.Greater(t, sums, 30, sqlType)
	}
}

// nth returns the id of the column's nth row.
func (s session) nth(t *testing.T, c column, n int) any {
	t.Helper()
	id, err := s.one("SELECT id FROM "+c.table+" ORDER BY id OFFSET $1 LIMIT 1", int64(n))
	require.NoError(t, err)
	return id
}

func TestSumWithLiteralIsWhatPostgresStores(t *testing.T) {
	sessions, columns := newDatabase(t)
	s := sessions[0]
	for _, sqlType := range []string{"int2", "int4", "int8", "float8", "numeric", "numeric(5,2)"} {
		c := columnOf(t, columns, sqlType)
		check := func(start int64, kind pgvalue.LiteralKind, literal string, subtract bool, operator string) {
			cell, ok := c.typ.Argument(s.known, start)
			require.True(t, ok)
			with, ok := c.typ.Literal(s.known, kind, literal, false)
			if !ok {
				return
			}
			want, ok := c.typ.Add(cell, with, subtract)
			if !ok {
				return
			}
			exec(t, s.db, "TRUNCATE "+c.table)
			exec(t, s.db, "INSERT INTO "+c.table+" (c) VALUES ($1)", start)
			got, err := s.one("UPDATE " + c.table + " SET c = c " + operator + " (" + literal + ") RETURNING c")
			require.NoError(t, err, "%s: %d %s %s", sqlType, start, operator, literal)
			if !identical(want, got) {
				t.Errorf("%s: %d %s %s gives %s, not %s", sqlType, start, operator, literal, show(got), show(want))
			}
		}
		for _, literal := range integerLiterals {
			check(3, pgvalue.LiteralInteger, literal, false, "+")
			check(-100, pgvalue.LiteralInteger, literal, true, "-")
		}
		for _, literal := range decimalLiterals {
			check(3, pgvalue.LiteralDecimal, literal, false, "+")
			check(-100, pgvalue.LiteralDecimal, literal, true, "-")
		}
	}
}

func TestSumThatOverflowsIsNotKnown(t *testing.T) {
	sessions, columns := newDatabase(t)
	s := sessions[0]
	for _, tt := range []struct {
		sqlType string
		a, b    driver.Value
	}{
		{"int2", int64(32767), int64(1)},
		{"int2", int64(-32768), int64(-1)},
		{"int4", int64(2147483647), int64(1)},
		{"int8", int64(9223372036854775807), int64(1)},
		{"int8", int64(-9223372036854775808), int64(-1)},
		{"numeric(5,2)", "999.99", "0.005"},
		{"numeric(3,3)", "0.9", "0.1"},
		{"float8", 1.7e308, 1.7e308},
	} {
		c := columnOf(t, columns, tt.sqlType)
		a, ok := c.typ.Argument(s.known, tt.a)
		require.True(t, ok)
		b, ok := c.typ.Compare(s.known, tt.b)
		require.True(t, ok)
		_, ok = c.typ.Add(a, b, false)
		require.False(t, ok, "%s: %v + %v", tt.sqlType, tt.a, tt.b)
		exec(t, s.db, "INSERT INTO "+c.table+" (c) VALUES ($1)", tt.a)
		_, err := s.one("UPDATE "+c.table+" SET c = c + $1 RETURNING c", tt.b)
		require.Error(t, err)
		exec(t, s.db, "TRUNCATE "+c.table)
	}
	for _, sqlType := range []string{"float4", "text", "bool", "date", "timestamptz", "uuid", "json"} {
		c := columnOf(t, columns, sqlType)
		for _, v := range []driver.Value{int64(1), 1.5, "1", []byte("1"), true, nil} {
			_, ok := c.typ.Add(v, v, false)
			require.False(t, ok, "%s: %s", sqlType, show(v))
		}
	}
}
