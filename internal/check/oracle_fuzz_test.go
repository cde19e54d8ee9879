package check_test

import (
	"database/sql"
	"database/sql/driver"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/writebehind/writebehind/internal/check"
	"github.com/writebehind/writebehind/internal/pgtest"
)

// choices are random numbers of which the first are bytes that fuzzing chose.
type choices struct {
	bytes []byte
	then  rand.Source
}

// Uint64 repeats a byte, as some of rand's functions look at the high bits and some
// at the low ones.
func (c *choices) Uint64() uint64 {
	if len(c.bytes) == 0 {
		return c.then.Uint64()
	}
	b := c.bytes[0]
	c.bytes = c.bytes[1:]
	return uint64(b) * 0x0101010101010101
}

// FuzzConstraint checks that a constraint that is parsed says of each row what
// PostgreSQL says of it, also if only some of its cells are known.
func FuzzConstraint(f *testing.F) {
	pgtest.SharedByWorkers(f)
	o := newOracle(f)
	o.r = rand.New(rand.NewPCG(1, 1)) // the same rows in each process
	o.fill(60)
	o.exec(`CREATE TABLE shape (LIKE cells)`)
	for i := range byte(100) {
		f.Add([]byte{i * 5, i * 29, i * 53, i * 91, i * 101})
	}
	f.Fuzz(func(t *testing.T, bytes []byte) {
		o.TB, o.r = t, rand.New(&choices{bytes, rand.NewPCG(1, 1)})
		definition, ok := o.print(o.condition(3))
		if !ok {
			return
		}
		c, ok := check.Parse(definition, o.columns, o.session)
		if !ok {
			return
		}
		said := o.judge(definition)
		for i, row := range o.rows {
			cells := make([]driver.Value, len(c.Columns))
			for k, column := range c.Columns {
				cells[k] = row[column]
			}
			require.Contains(t, []check.Verdict{said[i], check.Unknown}, c.Eval(cells), "%s: %v", definition, cells)
			for k := range cells {
				if o.r.IntN(2) == 0 {
					cells[k] = struct{}{}
				}
			}
			require.Contains(t, []check.Verdict{said[i], check.Unknown}, c.Eval(cells), "%s: %v of %v", definition, cells, row)
		}
	})
}

// print returns the condition as PostgreSQL prints it in a constraint, without leaving
// one. ok is false for a condition that PostgreSQL refuses.
func (o *oracle) print(condition string) (definition string, ok bool) {
	rows, err := o.db.Query(`BEGIN; ALTER TABLE shape ADD CONSTRAINT k CHECK (` + condition + `);
		SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = 'shape'::regclass AND conname = 'k'; ROLLBACK`)
	if err != nil {
		o.exec(`ROLLBACK`)
		return "", false
	}
	defer rows.Close()
	for {
		for rows.Next() {
			require.NoError(o, rows.Scan(&definition))
		}
		if !rows.NextResultSet() {
			require.NoError(o, rows.Err())
			return definition, true
		}
	}
}

// judge returns what PostgreSQL says of each row.
func (o *oracle) judge(definition string) (verdicts []check.Verdict) {
	rows, err := o.db.Query(`SELECT (` + strings.TrimPrefix(definition, "CHECK ") + `) IS NOT FALSE FROM cells ORDER BY id`)
	require.NoError(o, err, definition)
	defer func() { require.NoError(o, rows.Close()) }()
	for rows.Next() {
		var holds sql.NullBool
		require.NoError(o, rows.Scan(&holds))
		if holds.Bool {
			verdicts = append(verdicts, check.Holds)
		} else {
			verdicts = append(verdicts, check.Fails)
		}
	}
	require.NoError(o, rows.Err(), definition)
	require.Len(o, verdicts, len(o.rows), definition)
	return verdicts
}
