package pgvalue_test

import (
	"database/sql/driver"
	"testing"

	"github.com/stretchr/testify/require"
)

// columnsOfMatrix are the columns that docs/types.md speaks of, of the types that the
// server has for them.
func columnsOfMatrix(t *testing.T, columns []column) []column {
	t.Helper()
	var of []column
	for _, r := range rowsOfTypes {
		c := columnOf(t, columns, r.name)
		if r.typ.OID == 0 { // a type of the database's own
			r.typ.OID = c.typ.OID
		}
		require.Equal(t, c.typ, r.typ, r.name)
		of = append(of, c)
	}
	return of
}

// TestMatrixIsWhatPostgresStores: each value that docs/types.md says is certain is
// stored as the rules say, in every mode of lib/pq.
func TestMatrixIsWhatPostgresStores(t *testing.T) {
	sessions, columns := newDatabase(t)
	for _, s := range sessions {
		for _, c := range columnsOfMatrix(t, columns) {
			o := newOracle(t, s, c)
			for _, f := range argumentFamilies() {
				for _, g := range f.givens {
					if want, ok := c.typ.Argument(s.known, g.value); ok {
						o.check(t, f.name+" "+g.name, want, "INSERT INTO "+c.table+" (c) VALUES ($1) RETURNING c", g.value)
					}
				}
			}
			for _, f := range literalFamilies() {
				for _, g := range f.givens {
					if want, ok := c.typ.Literal(s.known, g.literal.kind, g.literal.text, true); ok {
						o.check(t, f.name+" "+g.name, want, "INSERT INTO "+c.table+" (c) VALUES ("+g.literal.sql+") RETURNING c")
					}
				}
			}
			o.finish(t)
		}
	}
}

// TestMatrixIsWhatPostgresTakesForKeys: each value that docs/types.md says is certain
// as a key is, to PostgreSQL, equal to those whose keys are the same, and to no other.
func TestMatrixIsWhatPostgresTakesForKeys(t *testing.T) {
	sessions, columns := newDatabase(t)
	for _, s := range sessions {
		for _, c := range columnsOfMatrix(t, columns) {
			if c.typ.KeyType() {
				compareKeys(t, s, c)
			}
		}
	}
}

func compareKeys(t *testing.T, s session, c column) {
	t.Helper()
	var arguments []given
	for _, f := range argumentFamilies() {
		arguments = append(arguments, f.givens...)
	}
	sent := make([]driver.Value, len(arguments))
	for i, g := range arguments {
		sent[i] = g.value
	}
	cells := fill(t, s, c, sent)
	compared := 0
	compare := func(name string, with any, query string, args ...any) {
		if with == nil {
			return // equal to nothing
		}
		compareAll(t, c, cells, with, s.list(t, query, args...), name)
		compared++
	}
	for _, g := range arguments {
		if asKey(s.known, c.typ, g) {
			with, _ := c.typ.Compare(s.known, g.value)
			compare(g.name, with, "SELECT c = $1 FROM "+c.table+" ORDER BY id", g.value)
		}
	}
	for _, f := range literalFamilies() {
		for _, g := range f.givens {
			if asKey(s.known, c.typ, g) {
				with, _ := c.typ.Literal(s.known, g.literal.kind, g.literal.text, false)
				compare(g.name, with, "SELECT c = "+g.literal.sql+" FROM "+c.table+" ORDER BY id")
			}
		}
	}
	require.NotZero(t, compared, "%s: %s", s.name, c.sqlType)
}
