package main

import (
	"fmt"
	"math"
	"strings"
	"time"
)

// ratio is a figure made of two cases, or of one (b is ""). It is computed within each
// round, where both were measured shortly after each other; the median over the rounds
// is reported, with what is aimed at.
type ratio struct {
	name    string
	target  float64
	atMost  bool // else at least
	a, b    string
	compute func(a, b sample) float64
}

const untargeted = -1 // reported without a target

// ratios lists what is reported.
func ratios() []ratio {
	const on, off, none = "writebehind-on", "writebehind-off", "writebehind-none"
	c := caseName
	return []ratio{
		{"read_vs_noop", 1.7, true, c("read", none, 1), c("read", "noop", 1), slower},
		{"read_1m_vs_noop", 3, true, c("read-1m", none, 1), c("read-1m", "noop", 1), slower},
		{"read_vs_pq", 150, false, c("read", none, 1), c("read", "pq", 1), faster},
		{"read_vs_pgx", 70, false, c("read", none, 1), c("read", "pgx", 1), faster},

		{"update_none_vs_noop", 2.3, true, c("update", none, 1), c("update", "noop", 1), slower},
		{"update_off_vs_noop", 3, true, c("update", off, 1), c("update", "noop", 1), slower},
		{"update_off_vs_pgx_async", 100, false, c("update", off, 1), c("update", "pgx-async", 1), faster},
		{"update_on_vs_pq", 10, false, c("update", on, 64), c("update", "pq", 64), faster},
		{"update_on_vs_fsync", 0.8, false, c("update", on, 64), c("update", "disk", 64), faster},
		{"update_on_1_vs_fsync", 1.2, true, c("update", on, 1), c("update", "disk", 1), slower},

		{"sustained_off_vs_pq", 10, false, c("sustained", off, 16), c("sustained", "pq", 16), rate},
		{"sustained_off_vs_pgx_async", 3, false, c("sustained", off, 16), c("sustained", "pgx-async", 16), rate},
		{"sustained_on_vs_pq", 5, false, c("sustained", on, 16), c("sustained", "pq", 16), rate},
		{"sustained_on_vs_pgx_async", 1.5, false, c("sustained", on, 16), c("sustained", "pgx-async", 16), rate},
		{"drain_vs_unnest", 0.9, false, c("drain", off+"-backlog", 1), c("drain", "unnest", 1), rate},
		{"drain_load_vs_unnest", 0.65, false, c("sustained", off, 16), c("drain-load", "unnest", 1), rate},
		{"drain_vs_copy", 0.8, false, c("drain-insert", off+"-backlog", 1), c("drain-insert", "copy", 1), rate},
		{"insert_check_vs_pq", untargeted, false, c("sustained-insert", off, 16), c("sustained-insert", "pq", 16), rate},
		{"handmade_uniform", 0.95, false, c("sustained", off, 16), c("sustained", "batcher", 16), rate},
		{"handmade_zipf", 2, false, c("sustained-zipf", off, 16), c("sustained-zipf", "batcher", 16), rate},

		{"ycsb_a_off_vs_pq", 40, false, c("ycsb-a", off, 16), c("ycsb-a", "pq", 16), rate},
		{"ycsb_a_off_vs_pgx_async", 12, false, c("ycsb-a", off, 16), c("ycsb-a", "pgx-async", 16), rate},
		{"ycsb_a_on_vs_pq", 7, false, c("ycsb-a", on, 16), c("ycsb-a", "pq", 16), rate},
		{"ycsb_a_on_vs_pgx_async", 2, false, c("ycsb-a", on, 16), c("ycsb-a", "pgx-async", 16), rate},
		{"ycsb_a_1ms_off_vs_pq", 80, false, c("ycsb-a-1ms", off, 16), c("ycsb-a-1ms", "pq", 16), rate},
		{"ycsb_a_1ms_on_vs_pq", 12, false, c("ycsb-a-1ms", on, 16), c("ycsb-a-1ms", "pq", 16), rate},

		{"barrier_read_p99_ms", 40, true, c("barrier-read", off, 1), "", func(a, _ sample) float64 {
			return float64(a.latency.Quantile(0.99)) / float64(time.Millisecond)
		}},
		{"mixed5_off_vs_pq", 6, false, c("mixed5", off, 16), c("mixed5", "pq", 16), rate},
		{"mixed5_on_vs_pq", 3, false, c("mixed5", on, 16), c("mixed5", "pq", 16), rate},
		{"p99_under_flush", 25, true, c("update-paced", off, 1), "", func(a, _ sample) float64 {
			return float64(a.latency.Quantile(0.99)) / float64(max(a.latency.Quantile(0.5), 1))
		}},
		{"heap_per_row", 250, true, c("many-pending", none, 1), "", func(a, _ sample) float64 { return a.named("heap per pending row, bytes") }},
		{"gc_1m_ms", 5, true, c("many-pending", none, 1), "", func(a, _ sample) float64 { return a.named("full collection, ms") }},
		{"recovery_rate", 1_200_000, false, c("recovery", off, 1), "", func(a, _ sample) float64 { return a.perSecond() }},
	}
}

func slower(a, b sample) float64 { return a.nanoseconds() / b.nanoseconds() }
func faster(a, b sample) float64 { return b.nanoseconds() / a.nanoseconds() }
func rate(a, b sample) float64   { return a.perSecond() / b.perSecond() }

// passthrough is what the shim adds to a statement on a table that is not opted in, in
// nanoseconds. Over the network the noise of a round trip is many times that, so the
// inner driver answers in the process: a Shortcut in front of lib/pq, because tables
// opted in need a server to be looked up on. What else runs on the machine can only add
// to such a figure, so the lowest ones of all rounds are compared; of SELECT and UPDATE
// the worse one is reported.
var passthrough = ratio{name: "passthrough_ns", target: 150, atMost: true}

// passed are the cases of passthrough: with the shim and without.
var passed = [][2]string{
	{caseName("shim-read", "shim-shortcut", 1), caseName("shim-read", "shortcut", 1)},
	{caseName("shim-update", "shim-shortcut", 1), caseName("shim-update", "shortcut", 1)},
}

// neededByRatios are the cases that ratios are made of.
func neededByRatios() map[string]bool {
	needed := map[string]bool{}
	for _, x := range ratios() {
		needed[x.a] = true
		needed[x.b] = true
	}
	for _, p := range passed {
		needed[p[0]] = true
		needed[p[1]] = true
	}
	return needed
}

// lagBound is how long an acknowledged write of a sustained figure may be away from
// PostgreSQL.
const lagBound = time.Second

// outcome is a ratio that was measured.
type outcome struct {
	ratio
	value spreadOf
	lag   time.Duration // the longest of the cases
}

// outcomes lists the ratios whose cases were measured.
func (r results) outcomes() []outcome {
	var all []outcome
	for _, x := range ratios() {
		if v, ok := x.measured(r); ok {
			all = append(all, outcome{x, v, max(longestLag(r[x.a]), longestLag(r[x.b]))})
		}
	}
	worst, ok := math.Inf(-1), true
	for _, p := range passed {
		a, b := r[p[0]], r[p[1]]
		if ok = ok && len(a) > 0 && len(b) > 0; ok {
			worst = max(worst, lowest(a)-lowest(b))
		}
	}
	if ok {
		all = append(all, outcome{ratio: passthrough, value: spreadOf{worst, worst, worst}})
	}
	return all
}

func lowest(samples []sample) float64 {
	low := samples[0].nanoseconds()
	for _, s := range samples {
		low = min(low, s.nanoseconds())
	}
	return low
}

func (x ratio) measured(r results) (v spreadOf, ok bool) {
	a, b := r[x.a], r[x.b]
	if x.b == "" {
		b = make([]sample, len(a))
	}
	if len(a) == 0 || len(a) != len(b) {
		return v, false
	}
	figures := make([]float64, len(a))
	for i := range a {
		figures[i] = x.compute(a[i], b[i])
	}
	return newSpread(figures), true
}

// aim shows the target.
func (x ratio) aim() string {
	switch {
	case x.target == untargeted:
		return "-"
	case x.atMost:
		return "at most " + number(x.target)
	default:
		return "at least " + number(x.target)
	}
}

func longestLag(samples []sample) (longest time.Duration) {
	for _, s := range samples {
		longest = max(longest, s.lag)
	}
	return longest
}

// met tells whether the median is what is aimed at, under the bound on the lag.
func (o outcome) met() string {
	switch {
	case o.lag > lagBound:
		return "lag of " + o.lag.Round(time.Millisecond).String()
	case o.target == untargeted:
		return "-"
	case o.atMost == (o.value.median <= o.target) || o.value.median == o.target:
		return "met"
	default:
		return "not met"
	}
}

// ratioLines shows a line "ratio <name> <value>" for each.
func ratioLines(all []outcome) string {
	var b strings.Builder
	for _, o := range all {
		fmt.Fprintf(&b, "ratio %s %s\n", o.name, plainNumber(o.value.median))
	}
	return b.String()
}
