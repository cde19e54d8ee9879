package main

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/writebehind/writebehind/examples/storefront/shop"
	"github.com/writebehind/writebehind/internal/histogram"
)

// result is what was measured on one side.
type result struct {
	name    string
	elapsed time.Duration // of the run, without the drain
	drain   time.Duration // from the end of the run until PostgreSQL had everything
	commits int64         // transactions that PostgreSQL committed for the run and the drain
	// Transactions that were committed from memory, and that came to need PostgreSQL.
	buffered, madeReal uint64

	latency [shop.Kinds]histogram.Histogram
}

func (r *result) operations() int64 {
	var n int64
	for k := range r.latency {
		n += r.latency[k].Count()
	}
	return n
}

// report shows ours next to the plain side, in a table for each, and then all of them
// as a whole. All kinds of operation share one closed loop, so their rates rise and
// fall together; what tells them apart is the latency, and so the ratio of a kind
// is that of its mean latencies.
func report(plain *result, ours ...*result) string {
	var b strings.Builder
	for _, r := range ours {
		b.WriteString(perKind(plain, r) + "\n")
	}
	b.WriteString(overall(plain, ours))
	return b.String() + `
Commits are those of pg_stat_database, reads included. lib/pq makes two of each
statement with parameters: one to parse it, one to run it.
`
}

func perKind(a, b *result) string {
	lines := [][]string{
		{"", a.name, "", "", b.name, "", "", "ratio of"},
		{"operation", "ops/s", "p50", "p99", "ops/s", "p50", "p99", "mean latency"},
	}
	for k := range shop.Kinds {
		x, y := &a.latency[k], &b.latency[k]
		lines = append(lines, []string{
			k.String(),
			rate(x.Count(), a.elapsed), short(x.Quantile(0.5)), short(x.Quantile(0.99)),
			rate(y.Count(), b.elapsed), short(y.Quantile(0.5)), short(y.Quantile(0.99)),
			times(float64(x.Mean()), float64(y.Mean())),
		})
	}
	return align(lines)
}

// overall has one column for each side, and beside each of ours its ratio.
func overall(plain *result, ours []*result) string {
	lines := [][]string{{""}}
	add := func(label string, cell func(*result) string, ratio func(r *result) string) {
		line := []string{label, cell(plain)}
		for _, r := range ours {
			line = append(line, cell(r), ratio(r))
		}
		lines = append(lines, line)
	}
	noRatio := func(*result) string { return "" }
	add("", func(r *result) string { return r.name }, func(*result) string { return "ratio" })
	lines = lines[1:]
	add("operations per second",
		func(r *result) string { return rate(r.operations(), r.elapsed) },
		func(r *result) string {
			return times(perSecond(r.operations(), r.elapsed), perSecond(plain.operations(), plain.elapsed))
		})
	add("the same, drain included",
		func(r *result) string { return rate(r.operations(), r.elapsed+r.drain) },
		func(r *result) string {
			return times(perSecond(r.operations(), r.elapsed+r.drain), perSecond(plain.operations(), plain.elapsed+plain.drain))
		})
	add("drain and close", func(r *result) string { return short(r.drain) }, noRatio)
	add("operations", func(r *result) string { return grouped(r.operations()) }, noRatio)
	add("PostgreSQL commits", func(r *result) string { return grouped(r.commits) }, noRatio)
	commits := func(r *result) float64 { return perThousand(r.commits, r.operations()) }
	add("commits per 1,000 operations",
		func(r *result) string { return strconv.FormatFloat(commits(r), 'f', 1, 64) },
		func(r *result) string { return times(commits(plain), commits(r)) })
	add("transactions", func(r *result) string { return grouped(r.latency[shop.CheckOut].Count()) }, noRatio)
	add("of these begun in memory and made real", func(r *result) string {
		if r == plain {
			return ""
		}
		return grouped(int64(r.madeReal)) //nolint:gosec // a count
	}, noRatio)
	return align(lines)
}

// align makes a table: labels to the left, all other cells to the right.
func align(lines [][]string) string {
	var widths []int
	for _, line := range lines {
		for i, cell := range line {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	var b strings.Builder
	for _, line := range lines {
		cells := []string{fmt.Sprintf("%-*s", widths[0], line[0])}
		for i, cell := range line[1:] {
			cells = append(cells, fmt.Sprintf("%*s", widths[i+1], cell))
		}
		b.WriteString(strings.TrimRight(strings.Join(cells, "  "), " ") + "\n")
	}
	return b.String()
}

func perSecond(n int64, d time.Duration) float64 { return float64(n) / d.Seconds() }

func perThousand(part, whole int64) float64 { return 1000 * float64(part) / float64(max(whole, 1)) }

func rate(n int64, d time.Duration) string { return grouped(int64(perSecond(n, d))) }

// times shows a ratio; "-" when there is nothing to compare with.
func times(a, b float64) string {
	switch {
	case b == 0:
		return "-"
	case a/b >= 99.5:
		return grouped(int64(a/b+0.5)) + " x"
	}
	return strconv.FormatFloat(a/b, 'g', 2, 64) + " x"
}

// short shows a duration with three digits.
func short(d time.Duration) string {
	for _, unit := range []struct {
		size time.Duration
		name string
	}{{time.Second, "s"}, {time.Millisecond, "ms"}, {time.Microsecond, "µs"}} {
		if d >= unit.size {
			v := float64(d) / float64(unit.size)
			decimals := 2
			for limit := 9.995; v >= limit && decimals > 0; limit *= 10 {
				decimals--
			}
			return strconv.FormatFloat(v, 'f', decimals, 64) + " " + unit.name
		}
	}
	return strconv.FormatInt(int64(d), 10) + " ns"
}

// grouped shows a number with a comma between thousands.
func grouped(n int64) string {
	if n < 0 {
		return "-" + grouped(-n)
	}
	if n < 1000 {
		return strconv.FormatInt(n, 10)
	}
	return grouped(n/1000) + fmt.Sprintf(",%03d", n%1000)
}
