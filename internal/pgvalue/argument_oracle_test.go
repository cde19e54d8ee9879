package pgvalue_test

import (
	"context"
	"database/sql/driver"
	"testing"
	"time"

	"github.com/lib/pq"
	"github.com/stretchr/testify/require"

	"github.com/writebehind/writebehind/internal/pgtest"
	"github.com/writebehind/writebehind/internal/pgvalue"
)

// oracle stores values in a column and compares what comes back with what was
// said to come back, at once and again when all have been stored.
type oracle struct {
	session session
	column  column
	want    []any
}

func newOracle(t *testing.T, s session, c column) *oracle {
	t.Helper()
	exec(t, s.db, "BEGIN")
	return &oracle{session: s, column: c}
}

func (o *oracle) check(t *testing.T, what string, want driver.Value, query string, args ...any) {
	t.Helper()
	got, err := o.session.one(query, args...)
	require.NoError(t, err, "%s: %s refuses %s", o.session.name, o.column.sqlType, what)
	if !identical(want, got) {
		t.Errorf("%s: %s: %s comes back as %s, not as %s", o.session.name, o.column.sqlType, what, show(got), show(want))
	}
	o.want = append(o.want, want)
}

// finish reads all rows again and undoes what was stored.
func (o *oracle) finish(t *testing.T) {
	t.Helper()
	got := o.session.cells(t, o.column)
	require.Len(t, got, len(o.want), "%s: %s", o.session.name, o.column.sqlType)
	for i := range got {
		if !identical(o.want[i], got[i]) {
			t.Errorf("%s: %s: read back as %s, not as %s", o.session.name, o.column.sqlType, show(got[i]), show(o.want[i]))
		}
	}
	exec(t, o.session.db, "ROLLBACK")
}

func TestKnownArgumentComesBackAsSaid(t *testing.T) {
	sessions, columns := newDatabase(t)
	values := arguments(newRandom(t), 15)
	for _, s := range sessions {
		for _, c := range columns {
			o := newOracle(t, s, c)
			for _, v := range values {
				if want, ok := c.typ.Argument(s.known, v); ok {
					o.check(t, show(v), want, "INSERT INTO "+c.table+" (c) VALUES ($1) RETURNING c", v)
				}
			}
			o.finish(t)
		}
	}
}

// In a database of another encoding only ASCII is known.
func TestKnownArgumentComesBackAsSaidInLatin1(t *testing.T) {
	server := pgtest.Shared(t)
	name := server.CreateDatabase(t) + "_latin1"
	admin := openDB(t, server.DSN("postgres"))
	exec(t, admin, "CREATE DATABASE "+name+" ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0")
	t.Cleanup(func() { require.NoError(t, server.DropDatabase(context.Background(), name)) })
	s := session{name: "latin1", db: openDB(t, server.DSN(name, "timezone=UTC")), known: pgvalue.Session{Location: time.UTC}}
	for _, c := range newColumns(t, s.db)[:len(knownTypes)] {
		o := newOracle(t, s, c)
		for _, text := range texts {
			if want, ok := c.typ.Argument(s.known, text); ok {
				o.check(t, show(text), want, "INSERT INTO "+c.table+" (c) VALUES ($1) RETURNING c", text)
			}
		}
		o.finish(t)
	}
}

func TestKnownLiteralComesBackAsSaid(t *testing.T) {
	sessions, columns := newDatabase(t)
	r := newRandom(t)
	literals := []literal{{pgvalue.LiteralBool, "true", "TRUE"}, {pgvalue.LiteralBool, "false", "false"}}
	for _, text := range texts {
		literals = append(literals, literal{pgvalue.LiteralString, text, pq.QuoteLiteral(text)})
	}
	for _, text := range integerLiterals {
		literals = append(literals, literal{pgvalue.LiteralInteger, text, text})
	}
	for _, text := range decimalLiterals {
		literals = append(literals, literal{pgvalue.LiteralDecimal, text, text})
	}
	for range 100 {
		text := randomDecimal(r)
		literals = append(literals, literal{pgvalue.LiteralString, text, pq.QuoteLiteral(text)})
		if _, ok := (pgvalue.Type{OID: 1700, Mod: -1}).Literal(pgvalue.Session{}, pgvalue.LiteralDecimal, text, true); ok {
			literals = append(literals, literal{pgvalue.LiteralDecimal, text, text})
		}
	}
	for _, s := range sessions[:2] {
		for _, c := range columns {
			o := newOracle(t, s, c)
			for _, l := range literals {
				if want, ok := c.typ.Literal(s.known, l.kind, l.text, true); ok {
					o.check(t, l.sql, want, "INSERT INTO "+c.table+" (c) VALUES ("+l.sql+") RETURNING c")
				}
			}
			o.finish(t)
		}
	}
}

// Nothing is known of a type that is not listed but that NULL may be stored,
// and of a domain not even that.
func TestOtherTypesAreNotKnown(t *testing.T) {
	sessions, columns := newDatabase(t)
	values := arguments(newRandom(t), 5)
	for _, sqlType := range otherTypes {
		c := columnOf(t, columns, sqlType)
		for _, s := range sessions {
			for _, v := range values {
				stored, ok := c.typ.Argument(s.known, v)
				require.Nil(t, stored, "%s: %s", sqlType, show(v))
				b, isBytes := v.([]byte)
				null := v == nil || isBytes && b == nil
				require.Equal(t, null && c.typ.Kind == pgvalue.Base, ok, "%s: %s", sqlType, show(v))
				_, ok = c.typ.Compare(s.known, v)
				require.False(t, ok, "%s: %s", sqlType, show(v))
			}
		}
		_, ok := c.typ.Literal(sessions[0].known, pgvalue.LiteralString, "1", true)
		require.False(t, ok)
		_, known := c.typ.Equal(int64(1), int64(1))
		require.False(t, known)
		_, ok = c.typ.AppendText(nil, []byte("1"))
		require.False(t, ok)
		require.False(t, c.typ.KeyType())
	}
}
