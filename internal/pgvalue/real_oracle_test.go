package pgvalue_test

import (
	"math"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
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
