package main

import (
	"fmt"
	"strings"
)

// ratio is a figure made of two cases. It is computed within each round, where
// both were measured shortly after each other; the median over the rounds is
// reported.
type ratio struct {
	name    string
	a, b    string // names of cases
	compute func(a, b sample) float64
}

// ratios lists what is reported. The first ones are promises: goals are set
// for them.
func ratios() []ratio {
	return []ratio{
		// A cached SELECT, in multiples of what database/sql costs anyway.
		{"read_vs_noop", caseName("read", "writebehind", 1), caseName("read", "noop", 1), timeQuotient},
		// A deferred UPDATE without journal, in the same multiples.
		{"update_none_vs_noop", caseName("update", "writebehind", 1), caseName("update", "noop", 1), timeQuotient},
		// How many times faster than lib/pq a cached SELECT is.
		{"read_vs_pq", caseName("read", "pq", 1), caseName("read", "writebehind", 1), timeQuotient},
		// How many times more updated rows reach PostgreSQL in a second than
		// through lib/pq, with 16 goroutines: more than one favours lib/pq.
		{"sustained_vs_pq", caseName("sustained", "writebehind", 16), caseName("sustained", "pq", 16), rateQuotient},
		// The same against the fastest rival that gives up as little.
		{"sustained_vs_pgx_async", caseName("sustained", "writebehind", 16), caseName("sustained", "pgx-async", 16), rateQuotient},
	}
}

func timeQuotient(a, b sample) float64 { return a.nanoseconds() / b.nanoseconds() }
func rateQuotient(a, b sample) float64 { return a.perSecond() / b.perSecond() }

// passthrough lists what the shim adds to a statement on a table that is not
// opted in, in nanoseconds. Over the network the noise of a round trip is many
// times that, so the inner driver answers in the process: for passthrough_ns a
// Shortcut in front of lib/pq, because tables opted in need a server to be
// looked up on; for passthrough_no_tables_ns the no-op driver itself. What else
// runs on the machine can only add to such a figure, so the lowest ones of all
// rounds are compared; of SELECT and UPDATE the worse one is reported.
var passthrough = []struct{ name, shim, inner string }{
	{"passthrough_ns", "shim-shortcut", "shortcut"},
	{"passthrough_no_tables_ns", "shim-noop", "noop"},
}

// ratioLines shows a line "ratio <name> <value>" for each ratio whose cases were
// measured.
func ratioLines(r results) string {
	var b strings.Builder
	for _, x := range ratios() {
		if v, ok := x.median(r); ok {
			fmt.Fprintf(&b, "ratio %s %.2f\n", x.name, v)
		}
	}
	for _, p := range passthrough {
		read, ok := r.added("shim-read", p.shim, p.inner)
		update, ok2 := r.added("shim-update", p.shim, p.inner)
		if ok && ok2 {
			fmt.Fprintf(&b, "ratio %s %.0f\n", p.name, max(read, update))
		}
	}
	return b.String()
}

// added returns by how many nanoseconds one subject is slower than another,
// with one goroutine, at the best of each.
func (r results) added(operation, shim, inner string) (ns float64, ok bool) {
	a, b := r[caseName(operation, shim, 1)], r[caseName(operation, inner, 1)]
	if len(a) == 0 || len(b) == 0 {
		return 0, false
	}
	return lowest(a) - lowest(b), true
}

func lowest(samples []sample) float64 {
	low := samples[0].nanoseconds()
	for _, s := range samples {
		low = min(low, s.nanoseconds())
	}
	return low
}

func (x ratio) median(r results) (v float64, ok bool) {
	a, b := r[x.a], r[x.b]
	if len(a) == 0 || len(a) != len(b) {
		return 0, false
	}
	figures := make([]float64, len(a))
	for i := range a {
		figures[i] = x.compute(a[i], b[i])
	}
	return newSpread(figures).median, true
}
