package pgvalue_test

import (
	"bytes"
	"database/sql/driver"
	"math"
	"regexp"
	"testing"
	"time"

	"github.com/lib/pq"
	"github.com/stretchr/testify/require"

	"github.com/writebehind/writebehind/internal/pgtest"
)

// server is the database that a fuzz target asks, with the number of rows that its
// tables have by now.
type server struct {
	sessions []session
	columns  []column
	rows     map[string]int
}

func newServer(f *testing.F) *server {
	f.Helper()
	pgtest.SharedByWorkers(f)
	sessions, columns := newDatabase(f)
	return &server{sessions: sessions, columns: columns, rows: make(map[string]int)}
}

func (v *server) session(n uint8) session { return v.sessions[int(n)%len(v.sessions)] }

func (v *server) column(n uint8) column { return v.columns[int(n)%len(v.columns)] }

// number returns one of the columns that can be added to.
func (v *server) number(n uint8) column {
	var numbers []column
	for _, c := range v.columns {
		if c.typ.Adds() {
			numbers = append(numbers, c)
		}
	}
	return numbers[int(n)%len(numbers)]
}

// stores requires that a statement, which inserts into the column's table, returns
// what was said.
func (v *server) stores(t *testing.T, s session, c column, want driver.Value, what, query string, args ...any) {
	t.Helper()
	const most = 2000
	if v.rows[c.table]++; v.rows[c.table] > most {
		exec(t, v.sessions[0].db, "TRUNCATE "+c.table)
		v.rows[c.table] = 0
	}
	got, err := s.one(query, args...)
	if err != nil {
		t.Fatalf("%s: %s: %s is said to become %s, PostgreSQL says %v", s.name, c.sqlType, what, show(want), err)
	}
	if !identical(want, got) {
		t.Fatalf("%s: %s: %s is said to become %s and becomes %s", s.name, c.sqlType, what, show(want), show(got))
	}
}

// The outcomes of comparisons, as the query that comparisons begins returns them.
const (
	isEqual = 1 << iota
	isLess
	isGreater
)

func comparisons(with string) string {
	return "SELECT CASE WHEN c = " + with + " THEN 1 ELSE 0 END + CASE WHEN c < " + with + " THEN 2 ELSE 0 END + CASE WHEN c > " + with + " THEN 4 ELSE 0 END"
}

// compares requires that what is known of the comparison of a cell with a value is
// what a query of comparisons returns.
func (v *server) compares(t *testing.T, s session, c column, cell, with driver.Value, what, query string, args ...any) {
	t.Helper()
	got, err := s.one(query, args...)
	if err != nil {
		t.Fatalf("%s: %s: %s: PostgreSQL says %v", s.name, c.sqlType, what, err)
	}
	said := got.(int64)
	equal, known := c.typ.Equal(cell, with)
	if !known || equal != (said == isEqual) {
		t.Fatalf("%s: %s: %s: %v (known: %v) = %v, PostgreSQL says %d", s.name, c.sqlType, what, equal, known, show(with), said)
	}
	if order, known := c.typ.Order(cell, with); known {
		want := int64(isEqual)
		if order < 0 {
			want = isLess
		} else if order > 0 {
			want = isGreater
		}
		if want != said {
			t.Fatalf("%s: %s: %s: the order is said to be %d, PostgreSQL says %d", s.name, c.sqlType, what, order, said)
		}
	}
	if c.typ.KeyType() {
		a, ok := c.typ.AppendKey(nil, cell)
		b, ok2 := c.typ.AppendKey(nil, with)
		if !ok || !ok2 || bytes.Equal(a, b) != (said == isEqual) {
			t.Fatalf("%s: %s: %s: keys %x and %x, PostgreSQL says %d", s.name, c.sqlType, what, a, b, said)
		}
	}
}

// argument makes a value of each Go type that lib/pq sends.
func argument(kind uint8, n int64, text string) driver.Value {
	switch kind % 9 {
	case 0:
		return n
	case 1:
		return math.Float64frombits(uint64(n))
	case 2:
		return float64(math.Float32frombits(uint32(n)))
	case 3:
		return float64(n) / math.Pow10(len(text)%20)
	case 4:
		return n%2 == 0
	case 5:
		return text
	case 6:
		return []byte(text)
	case 7:
		return moment(n, text)
	default:
		return nil
	}
}

// moment makes a time of the years -100 to 10100; text decides on its fraction and
// its zone.
func moment(n int64, text string) time.Time {
	const century = 100 * 365 * 24 * 3600
	first := time.Date(-100, 1, 1, 0, 0, 0, 0, time.UTC).Unix()
	at := time.Unix(first+int64(uint64(n)%(102*century)), 0)
	fraction, offset := 0, 0
	for i, b := range []byte(text) {
		if i < 2 {
			offset = offset<<8 | int(b)
		} else {
			fraction = (fraction<<8 | int(b)) % 1e9
		}
	}
	at = at.Add(time.Duration(fraction))
	if offset == 0 {
		return at.UTC()
	}
	return at.In(time.FixedZone("", 2*(offset-1<<15)))
}

// FuzzArgument checks that an argument that is known is stored by PostgreSQL as it
// is said to be, and read back from the text that is written for it.
func FuzzArgument(f *testing.F) {
	v := newServer(f)
	for i, text := range texts {
		f.Add(uint8(i), uint8(i/7), uint8(5+i%2), int64(0), text)
	}
	for i, n := range integers {
		for kind := range uint8(5) {
			f.Add(uint8(i), uint8(i/7), kind, n, "ab")
		}
	}
	for i, n := range floats {
		f.Add(uint8(i), uint8(i/7), uint8(1), int64(math.Float64bits(n)), "")
	}
	f.Fuzz(func(t *testing.T, column, session, kind uint8, n int64, text string) {
		s, c, arg := v.session(session), v.column(column), argument(kind, n, text)
		want, ok := c.typ.Argument(s.known, arg)
		if !ok {
			return
		}
		v.stores(t, s, c, want, show(arg), "INSERT INTO "+c.table+" (c) VALUES ($1) RETURNING c", arg)
		if want == nil {
			return
		}
		written, ok := c.typ.AppendText(nil, want)
		if !ok {
			t.Fatalf("%s: no text for %s", c.sqlType, show(want))
		}
		v.stores(t, s, c, want, string(written), "INSERT INTO "+c.table+" (c) SELECT u FROM unnest($1::"+c.element+"[]) AS u RETURNING c", pq.StringArray{string(written)})
	})
}

// FuzzCompare checks that what is known of the comparison of a column with an
// argument is what PostgreSQL says, and that keys are equal if the values are.
func FuzzCompare(f *testing.F) {
	v := newServer(f)
	for i, text := range texts {
		f.Add(uint8(i), uint8(i/7), uint8(5), int64(0), text, uint8(6), int64(0), text)
		f.Add(uint8(i), uint8(i/7), uint8(5), int64(0), text, uint8(5), int64(0), texts[(i+1)%len(texts)])
	}
	for i, n := range integers {
		f.Add(uint8(i), uint8(i/7), uint8(0), n, "", uint8(3), n, "a")
	}
	f.Fuzz(func(t *testing.T, column, session, kind1 uint8, n1 int64, text1 string, kind2 uint8, n2 int64, text2 string) {
		s, c := v.session(session), v.column(column)
		stored, arg := argument(kind1, n1, text1), argument(kind2, n2, text2)
		cell, ok := c.typ.Argument(s.known, stored)
		with, ok2 := c.typ.Compare(s.known, arg)
		if !ok || !ok2 || cell == nil || with == nil {
			return
		}
		v.compares(t, s, c, cell, with, show(stored)+" and "+show(arg), comparisons("$2")+" FROM (SELECT $1::"+c.sqlType+" AS c) AS v", stored, arg)
	})
}

var signedDigits, signedNumber = regexp.MustCompile(`^[-+]?[0-9]+$`), regexp.MustCompile(`^[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?$`)

// FuzzArray checks that the elements of an array are those that PostgreSQL finds in
// it.
func FuzzArray(f *testing.F) {
	v := newServer(f)
	for i, text := range []string{
		`{}`, `{1,-2}`, `{a,"b"}`, `{NULL,"NULL",nUlL}`, `{"a\"b","c\\d"}`, `{t,f}`, `{"\\x00ff"}`, `{6ba7b810-9dad-11d1-80b4-00c04fd430c8}`,
		`{2024-02-29}`, `{"2024-02-29 12:34:56.5Z"}`, `{1.50,NaN}`, `{a,}`, `{{a}}`, `[2:2]={a}`, `{ a}`, `{a"b"}`,
	} {
		for column := range knownTypes {
			f.Add(uint8(column), uint8(i), text)
		}
	}
	f.Fuzz(func(t *testing.T, column, session uint8, text string) {
		s, c := v.session(session), v.column(column)
		got, ok := c.typ.Array(s.known, text, 20)
		if !ok {
			return
		}
		want := s.list(t, "SELECT e FROM unnest($1::"+c.element+"[]) WITH ORDINALITY AS u(e, n) ORDER BY n", text)
		require.Len(t, got, len(want))
		for i := range want {
			if want[i] == nil || got[i] == nil {
				require.Equal(t, want[i], got[i])
				continue
			}
			if equal, known := c.typ.Equal(got[i], want[i]); !known || !equal {
				t.Fatalf("%s: %s is said to hold %s, PostgreSQL says %s", c.sqlType, text, show(got[i]), show(want[i]))
			}
			_, isTime := want[i].(time.Time)
			if !isTime && !identical(want[i], got[i]) {
				t.Fatalf("%s: %s is said to hold %s, PostgreSQL says %s", c.sqlType, text, show(got[i]), show(want[i]))
			}
		}
	})
}
