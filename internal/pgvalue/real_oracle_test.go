package pgvalue_test

import (
	"database/sql/driver"
	"math"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/writebehind/writebehind/internal/pgvalue"
)

// randomReal favours numbers on which shortest decimals can differ: powers of
// two, and numbers with few binary digits.
func randomReal(r *rand.Rand) float32 {
	switch r.IntN(4) {
	case 0:
		return float32(math.Ldexp(1, r.IntN(250)-125))
	case 1:
		return float32(math.Ldexp(float64(r.IntN(1<<24)), r.IntN(60)-40))
	case 2:
		return float32(r.Int64N(1 << 40))
	default:
		return math.Float32frombits(r.Uint32())
	}
}

// The shortest decimals of PostgreSQL and of Go are not always the same, and
// lib/pq returns what the decimal says.
func TestRealComesBackAsSaid(t *testing.T) {
	sessions, columns := newDatabase(t)
	s, c := sessions[0], columnOf(t, columns, "float4")
	r := newRandom(t)
	var sent []float32
	var elements []string
	for range 50_000 {
		f := randomReal(r)
		if wide := float64(f); !math.IsNaN(wide) && !math.IsInf(wide, 0) {
			sent = append(sent, f)
			elements = append(elements, strconv.FormatFloat(wide, 'e', 12, 64))
		}
	}
	got := s.list(t, "SELECT u FROM unnest($1::float4[]) WITH ORDINALITY AS e(u, i) ORDER BY i", "{"+strings.Join(elements, ",")+"}")
	require.Len(t, got, len(sent))
	known := 0
	for i, f := range sent {
		want, ok := c.typ.Argument(s.known, float64(f))
		if !ok {
			continue
		}
		known++
		if !identical(want, got[i]) {
			t.Errorf("%s comes back as %s, not as %s", elements[i], show(got[i]), show(want))
		}
	}
	require.Greater(t, known, len(sent)*9/10)
}

// TestNumberInRealColumnComesBackAsSaid: to PostgreSQL a number in a statement is an
// integer or numeric, which it turns into a real itself.
func TestNumberInRealColumnComesBackAsSaid(t *testing.T) {
	sessions, columns := newDatabase(t)
	s, c := sessions[0], columnOf(t, columns, "float4")
	r := newRandom(t)
	literals := []string{
		"0", "-0", "-0.0", "16777217", "-16777219", "9223372036854775807", "9007199791611905", "99999999999999999999", "0.1", ".5", "5.", "1.1e1",
		"3.4028235e38", "1.17549435e-38", "0.000000000000000000000000000000000000012", "16777217.0000000000000000000000000001", "1e-30",
	}
	for range 3000 {
		wide := float64(randomReal(r))
		switch {
		case math.IsNaN(wide) || math.IsInf(wide, 0):
		case r.IntN(3) == 0:
			literals = append(literals, strconv.FormatInt(int64(r.Uint64())>>r.IntN(63), 10))
		case r.IntN(2) == 0: // between two numbers of the column, or close to that
			next := float64(math.Nextafter32(float32(wide), float32(math.Inf(1))))
			literals = append(literals, strconv.FormatFloat((wide+next)/2, 'f', -1, 64))
		default:
			literals = append(literals, strconv.FormatFloat(wide, 'e', r.IntN(12), 64))
		}
	}
	var sent []string
	var said []driver.Value
	for _, literal := range literals {
		kind := pgvalue.LiteralInteger
		if strings.ContainsAny(literal, ".e") {
			kind = pgvalue.LiteralDecimal
		}
		_, ok := c.typ.Literal(s.known, kind, literal, false)
		require.False(t, ok, "a comparison with %s is one of double precision", literal)
		if want, ok := c.typ.Literal(s.known, kind, literal, true); ok {
			sent, said = append(sent, "("+literal+")"), append(said, want)
		}
	}
	require.Greater(t, len(sent), len(literals)*8/10)
	got := s.list(t, "INSERT INTO "+c.table+" (c) VALUES "+strings.Join(sent, ", ")+" RETURNING c")
	require.Len(t, got, len(said))
	for i := range got {
		if !identical(said[i], got[i]) {
			t.Errorf("%s comes back as %s, not as %s", sent[i], show(got[i]), show(said[i]))
		}
	}
}
