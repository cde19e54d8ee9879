package pgvalue_test

import (
	"testing"

	"github.com/lib/pq"

	"github.com/writebehind/writebehind/internal/pgvalue"
)

// FuzzLiteral checks that a literal that is known is stored, compared and added by
// PostgreSQL as it is said to be.
func FuzzLiteral(f *testing.F) {
	v := newServer(f)
	for i, text := range texts {
		f.Add(uint8(i), uint8(0), text, texts[(i+1)%len(texts)])
	}
	for i, text := range integerLiterals {
		f.Add(uint8(1+i%4), uint8(1), text, "1")
	}
	for i, text := range decimalLiterals {
		f.Add(uint8(5+i%6), uint8(2), text, "1.5")
	}
	f.Fuzz(func(t *testing.T, column, kind uint8, text, stored string) {
		s, c := v.sessions[0], v.column(column)
		k, sql := pgvalue.LiteralKind(kind%4), text
		switch k {
		case pgvalue.LiteralString:
			sql = pq.QuoteLiteral(text)
		case pgvalue.LiteralInteger:
			if !signedDigits.MatchString(text) {
				return
			}
		case pgvalue.LiteralDecimal:
			if !signedNumber.MatchString(text) || signedDigits.MatchString(text) {
				return
			}
		}
		if want, ok := c.typ.Literal(s.known, k, text, true); ok {
			v.stores(t, s, c, want, sql, "INSERT INTO "+c.table+" (c) VALUES ("+sql+") RETURNING c")
		}
		with, ok := c.typ.Literal(s.known, k, text, false)
		if !ok {
			return
		}
		cell, ok := c.typ.Argument(s.known, stored)
		if !ok {
			return
		}
		v.compares(t, s, c, cell, with, show(stored)+" and "+sql, comparisons(sql)+" FROM (SELECT $1::"+c.sqlType+" AS c) AS v", stored)
		for _, operator := range []string{"+", "-"} {
			if sum, ok := c.typ.Add(cell, with, operator == "-"); ok {
				v.stores(t, s, c, sum, show(stored)+operator+sql,
					"INSERT INTO "+c.table+" (c) SELECT c "+operator+" ("+sql+") FROM (SELECT $1::"+c.sqlType+" AS c) AS v RETURNING c", stored)
			}
		}
	})
}

// FuzzAdd checks that a sum that is known is what PostgreSQL stores.
func FuzzAdd(f *testing.F) {
	v := newServer(f)
	for i, n := range integers {
		for column := range uint8(8) {
			f.Add(column, uint8(i), uint8(0), n, "", uint8(0), integers[(i+int(column))%len(integers)], "", i%2 == 0)
		}
	}
	for i, text := range texts {
		f.Add(uint8(i), uint8(i/7), uint8(5), int64(0), text, uint8(5), int64(0), texts[(i+1)%len(texts)], i%2 == 0)
	}
	f.Fuzz(func(t *testing.T, column, session, kind1 uint8, n1 int64, text1 string, kind2 uint8, n2 int64, text2 string, subtract bool) {
		s, c := v.session(session), v.number(column)
		stored, arg := argument(kind1, n1, text1), argument(kind2, n2, text2)
		cell, ok := c.typ.Argument(s.known, stored)
		with, ok2 := c.typ.Compare(s.known, arg)
		if !ok || !ok2 {
			return
		}
		operator := "+"
		if subtract {
			operator = "-"
		}
		sum, ok := c.typ.Add(cell, with, subtract)
		if !ok {
			return
		}
		v.stores(t, s, c, sum, show(stored)+operator+show(arg),
			"INSERT INTO "+c.table+" (c) SELECT c "+operator+" $2 FROM (SELECT $1::"+c.sqlType+" AS c) AS v RETURNING c", stored, arg)
	})
}

// FuzzIncrement checks that adding the sum of two increments is what adding one
// after the other comes to.
func FuzzIncrement(f *testing.F) {
	v := newServer(f)
	for i, n := range integers {
		f.Add(uint8(i), uint8(0), int64(0), "", n, "", integers[(i+1)%len(integers)], "", i%2 == 0, i%3 == 0)
	}
	for i, text := range decimalLiterals {
		f.Add(uint8(4+i), uint8(5), int64(0), "1.5", int64(0), text, int64(0), decimalLiterals[(i+1)%len(decimalLiterals)], i%2 == 0, i%3 == 0)
	}
	f.Fuzz(func(t *testing.T, column, kind uint8, n int64, text string, n1 int64, text1 string, n2 int64, text2 string, subtract1, subtract2 bool) {
		s, c := v.sessions[1], v.number(column)
		sums, ok := c.typ.IncrementType()
		if !ok {
			return
		}
		stored, first, second := argument(kind, n, text), argument(kind, n1, text1), argument(kind, n2, text2)
		cell, ok := c.typ.Argument(s.known, stored)
		a, ok2 := c.typ.Compare(s.known, first)
		b, ok3 := c.typ.Compare(s.known, second)
		if !ok || !ok2 || !ok3 {
			return
		}
		one, ok := c.typ.Add(cell, a, subtract1)
		if !ok {
			return
		}
		want, ok := c.typ.Add(one, b, subtract2)
		if !ok {
			return
		}
		x, ok := c.typ.Increment(a, subtract1)
		y, ok2 := c.typ.Increment(b, subtract2)
		if !ok || !ok2 {
			return
		}
		sum, ok := sums.Add(x, y, false)
		if !ok {
			return
		}
		delta, ok := sums.AppendText(nil, sum)
		if !ok {
			t.Fatalf("no text for %s", show(sum))
		}
		sumType := "numeric"
		if _, integer := sum.(int64); integer {
			sumType = "int8"
		}
		v.stores(t, s, c, want, show(stored)+" and "+string(delta),
			"INSERT INTO "+c.table+" (c) SELECT c + $2::"+sumType+" FROM (SELECT $1::"+c.sqlType+" AS c) AS v RETURNING c", stored, string(delta))
	})
}
