package pgvalue_test

import (
	"bytes"
	"cmp"
	"database/sql/driver"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/lib/pq"
	"github.com/lib/pq/oid"
	"github.com/stretchr/testify/require"

	"github.com/writebehind/writebehind/internal/pgvalue"
)

// fill stores the distinct known values in the column and returns them as they
// came back.
func fill(t *testing.T, s session, c column, values []driver.Value) []any {
	t.Helper()
	exec(t, s.db, "TRUNCATE "+c.table)
	seen := make(map[string]bool)
	exec(t, s.db, "BEGIN")
	for _, v := range values {
		stored, ok := c.typ.Argument(s.known, v)
		if !ok || stored == nil || seen[show(stored)] {
			continue
		}
		seen[show(stored)] = true
		_, err := s.one("INSERT INTO "+c.table+" (c) VALUES ($1) RETURNING 1", v)
		require.NoError(t, err, show(v))
	}
	exec(t, s.db, "COMMIT")
	return s.cells(t, c)
}

// sample returns at most so many of the values, in random order.
func sample(r *rand.Rand, values []driver.Value, n int) []driver.Value {
	values = append([]driver.Value(nil), values...)
	r.Shuffle(len(values), func(i, j int) { values[i], values[j] = values[j], values[i] })
	return values[:min(n, len(values))]
}

// comparables returns those values that can be compared with the column, one for
// each that is sent differently.
func comparables(s session, c column, values []driver.Value) []driver.Value {
	var with []driver.Value
	seen := make(map[string]bool)
	for _, v := range values {
		if w, ok := c.typ.Compare(s.known, v); ok && w != nil && !seen[show(w)] {
			seen[show(w)] = true
			with = append(with, v)
		}
	}
	return with
}

func TestEqualIsWhatPostgresSays(t *testing.T) {
	sessions, columns := newDatabase(t)
	r := newRandom(t)
	values := arguments(r, 10)
	for i, c := range columns[:len(knownTypes)] {
		if !c.typ.HasEquality() {
			continue
		}
		s := sessions[i%len(sessions)]
		chosen := sample(r, comparables(s, c, values), 150)
		cells := fill(t, s, c, chosen)
		for _, v := range chosen {
			with, _ := c.typ.Compare(s.known, v)
			got := s.list(t, "SELECT c = $1 FROM "+c.table+" ORDER BY id", v)
			compareAll(t, c, cells, with, got, show(v))
		}
	}
}

func TestEqualToLiteralIsWhatPostgresSays(t *testing.T) {
	sessions, columns := newDatabase(t)
	r := newRandom(t)
	values := arguments(r, 4)
	s := sessions[0]
	for _, c := range columns[:len(knownTypes)] {
		cells := fill(t, s, c, sample(r, comparables(s, c, values), 100))
		check := func(kind pgvalue.LiteralKind, text, sql string) {
			if with, ok := c.typ.Literal(s.known, kind, text, false); ok {
				got := s.list(t, "SELECT c = "+sql+" FROM "+c.table+" ORDER BY id")
				compareAll(t, c, cells, with, got, sql)
			}
		}
		for _, text := range texts {
			check(pgvalue.LiteralString, text, pq.QuoteLiteral(text))
		}
		for _, text := range integerLiterals {
			check(pgvalue.LiteralInteger, text, text)
		}
		for _, text := range decimalLiterals {
			check(pgvalue.LiteralDecimal, text, text)
		}
		check(pgvalue.LiteralBool, "true", "TRUE")
		check(pgvalue.LiteralBool, "false", "FALSE")
	}
}

// compareAll compares what PostgreSQL said of "cell = with" with Equal, and for
// key types with the equality of the keys.
func compareAll(t *testing.T, c column, cells []any, with driver.Value, said []any, what string) {
	t.Helper()
	require.Len(t, said, len(cells))
	for i, cell := range cells {
		equal, known := c.typ.Equal(cell, with)
		if !known || equal != said[i] {
			t.Errorf("%s: %s = %s is said to be %v (known: %v), PostgreSQL says %v", c.sqlType, show(cell), what, equal, known, said[i])
		}
		if !c.typ.KeyType() {
			continue
		}
		a, ok := c.typ.AppendKey(nil, cell)
		require.True(t, ok, "%s: no key for %s", c.sqlType, show(cell))
		b, ok := c.typ.AppendKey(nil, with)
		require.True(t, ok, "%s: no key for %s", c.sqlType, show(with))
		if bytes.Equal(a, b) != said[i] {
			t.Errorf("%s: keys of %s and %s: %x and %x, PostgreSQL says %v", c.sqlType, show(cell), what, a, b, said[i])
		}
		if !bytes.Equal(a, b) && (bytes.HasPrefix(a, b) || bytes.HasPrefix(b, a)) {
			t.Errorf("%s: keys of %s and %s: one is a prefix of the other", c.sqlType, show(cell), what)
		}
	}
}

func TestEqualOfNull(t *testing.T) {
	sessions, columns := newDatabase(t)
	s := sessions[0]
	for _, c := range columns[:len(knownTypes)] {
		v, ok := c.typ.Compare(s.known, nil)
		require.Nil(t, v)
		_, err := s.one("SELECT c = $1 FROM "+c.table+" UNION ALL SELECT NULL", nil)
		require.Equal(t, ok, err == nil, "%s: %v", c.sqlType, err) // json = NULL is an error
		_, known := c.typ.Equal(nil, nil)
		require.False(t, known, c.sqlType)
	}
}

func TestOrderIsWhatPostgresSays(t *testing.T) {
	sessions, columns := newDatabase(t)
	r := newRandom(t)
	values := arguments(r, 10)
	for i, c := range columns[:len(knownTypes)] {
		s := sessions[i%len(sessions)]
		chosen := sample(r, comparables(s, c, values), 100)
		cells := fill(t, s, c, chosen)
		if len(cells) > 0 {
			if _, known := c.typ.Order(cells[0], cells[0]); !known {
				continue
			}
		}
		for _, v := range chosen {
			with, _ := c.typ.Compare(s.known, v)
			less := s.list(t, "SELECT c < $1 FROM "+c.table+" ORDER BY id", v)
			greater := s.list(t, "SELECT c > $1 FROM "+c.table+" ORDER BY id", v)
			for i, cell := range cells {
				order, known := c.typ.Order(cell, with)
				require.True(t, known, "%s: %s and %s", c.sqlType, show(cell), show(v))
				require.Equal(t, less[i], order < 0, "%s: %s < %s", c.sqlType, show(cell), show(v))
				require.Equal(t, greater[i], order > 0, "%s: %s > %s", c.sqlType, show(cell), show(v))
			}
		}
	}
}

func TestOrderIsKnownOfNumbersAndTimes(t *testing.T) {
	number := base(oid.T_numeric, -1)
	ascending := []string{"-Infinity", "-100", "-99.5", "-1.50", "-0.01", "0.00", "0.001", "0.01", "1", "1.05", "1.5", "9.99", "10", "100.00", "Infinity", "NaN"}
	for i, a := range ascending {
		for j, b := range ascending {
			order, known := number.Order([]byte(a), []byte(b))
			require.True(t, known)
			require.Equal(t, cmp.Compare(i, j), order, "%s and %s", a, b)
		}
	}
	order, known := number.Order([]byte("1.50"), []byte("1.5"))
	require.True(t, known)
	require.Zero(t, order)

	at := time.Date(2024, 2, 29, 0, 0, 0, 0, time.UTC)
	for _, typ := range []oid.Oid{oid.T_date, oid.T_timestamp, oid.T_timestamptz} {
		times := []driver.Value{[]byte("-infinity"), at, at.Add(time.Hour), []byte("infinity")}
		for i, a := range times {
			for j, b := range times {
				order, known := base(typ, -1).Order(a, b)
				require.True(t, known)
				require.Equal(t, cmp.Compare(i, j), order)
			}
		}
	}

	for _, tt := range []struct {
		typ  pgvalue.Type
		a, b driver.Value
	}{
		{number, []byte("1e5"), []byte("1")},
		{number, []byte("1"), []byte(".5")},
		{number, int64(1), []byte("1")},
		{base(oid.T_int4, -1), int64(1), nil},
		{base(oid.T_text, -1), "a", "b"},
		{base(oid.T_bool, -1), false, true},
		{base(oid.T_date, -1), at, at.AddDate(9000, 0, 0)},
		{pgvalue.Type{Kind: pgvalue.Enum, Labels: moods}, []byte("sad"), []byte("ok")},
	} {
		_, known := tt.typ.Order(tt.a, tt.b)
		require.False(t, known, "%v and %v", tt.a, tt.b)
	}
}
