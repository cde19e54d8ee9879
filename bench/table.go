package main

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/writebehind/writebehind/internal/histogram"
)

// spreadOf is the median of some figures and how far they reach.
type spreadOf struct{ low, median, high float64 }

func newSpread(figures []float64) spreadOf {
	f := slices.Sorted(slices.Values(figures))
	n := len(f)
	return spreadOf{f[0], (f[(n-1)/2] + f[n/2]) / 2, f[n-1]}
}

// column is one figure of a case, taken from its samples.
type column struct {
	head string
	cell func(o about, samples []sample) string // "" if there is none
}

var columns = []column{
	{"median (lowest..highest)", func(o about, s []sample) string {
		return figureCell(o.unit, spreadBy(s, func(x sample) float64 { return x.figure(o.unit) }))
	}},
	{"p50", quantileCell(0.5)},
	{"p99", quantileCell(0.99)},
	{"p99.9", quantileCell(0.999)},
	{"allocs/op", func(_ about, s []sample) string {
		m := spreadBy(s, func(x sample) float64 { return x.allocs }).median
		if m == 0 {
			return ""
		}
		return strconv.FormatFloat(m, 'f', 1, 64)
	}},
	{"lag", func(_ about, s []sample) string {
		m := spreadBy(s, func(x sample) float64 { return float64(x.lag) }).high
		if m == 0 {
			return ""
		}
		return time.Duration(m).Round(time.Millisecond).String()
	}},
	{"transactions/1000", costCell(func(c serverCost) float64 { return float64(c.transactions) }, 1)},
	{"WAL kB/1000", costCell(func(c serverCost) float64 { return float64(c.wal) / 1000 }, 0)},
	{"CPU ms/1000", func(o about, s []sample) string {
		if len(s) > 0 && s[0].cost != nil && !s[0].cost.cpuKnown {
			return ""
		}
		return costCell(func(c serverCost) float64 { return float64(c.cpu) / float64(time.Millisecond) }, 1)(o, s)
	}},
}

func spreadBy(samples []sample, figure func(sample) float64) spreadOf {
	figures := make([]float64, len(samples))
	for i, s := range samples {
		figures[i] = figure(s)
	}
	return newSpread(figures)
}

// quantileCell is of all rounds together.
func quantileCell(q float64) func(about, []sample) string {
	return func(_ about, samples []sample) string {
		h := merged(samples)
		if h.Count() == 0 {
			return ""
		}
		return micro(float64(h.Quantile(q))) + " µs"
	}
}

func merged(samples []sample) (h histogram.Histogram) {
	for i := range samples {
		h.Merge(&samples[i].latency)
	}
	return h
}

// costCell is what PostgreSQL spent per thousand operations.
func costCell(of func(serverCost) float64, decimals int) func(about, []sample) string {
	return func(_ about, samples []sample) string {
		if len(samples) == 0 || samples[0].cost == nil {
			return ""
		}
		m := spreadBy(samples, func(s sample) float64 { return 1000 * of(*s.cost) / float64(max(s.n, 1)) }).median
		return strconv.FormatFloat(m, 'f', decimals, 64)
	}
}

func figureCell(u unit, f spreadOf) string {
	if u == perSecond {
		return fmt.Sprintf("%s/s (%s..%s)", number(f.median), number(f.low), number(f.high))
	}
	return fmt.Sprintf("%s µs (%s..%s)", micro(f.median), micro(f.low), micro(f.high))
}

// block is the table of one operation: a line per case, and only columns that have
// figures.
func block(cases []benchCase, r results) [][]string {
	lines := [][]string{{"subject", "goroutines"}}
	for _, c := range cases {
		lines = append(lines, []string{c.subject.Name, strconv.Itoa(c.goroutines)})
	}
	add := func(head string, cell func(c benchCase) string) {
		cells, found := make([]string, len(cases)), false
		for i, c := range cases {
			if cells[i] = cell(c); cells[i] != "" {
				found = true
			} else {
				cells[i] = "-"
			}
		}
		if !found {
			return
		}
		lines[0] = append(lines[0], head)
		for i := range cases {
			lines[i+1] = append(lines[i+1], cells[i])
		}
	}
	for _, col := range columns {
		add(col.head, func(c benchCase) string { return col.cell(c.operation.About(), r[c.name()]) })
	}
	for _, name := range extraNames(cases, r) {
		add(name, func(c benchCase) string {
			samples := r[c.name()]
			if !slices.ContainsFunc(samples[0].extra, func(e extra) bool { return e.name == name }) {
				return ""
			}
			return number(spreadBy(samples, func(s sample) float64 { return s.named(name) }).median)
		})
	}
	return lines
}

func extraNames(cases []benchCase, r results) (names []string) {
	for _, c := range cases {
		for _, e := range r[c.name()][0].extra {
			if !slices.Contains(names, e.name) {
				names = append(names, e.name)
			}
		}
	}
	return names
}

// byOperation splits cases where the operation changes.
func byOperation(cases []benchCase) (split [][]benchCase) {
	for len(cases) > 0 {
		n := 0
		for n < len(cases) && cases[n].operation.About().name == cases[0].operation.About().name {
			n++
		}
		split, cases = append(split, cases[:n]), cases[n:]
	}
	return split
}

// align pads the columns to equal width.
func align(lines [][]string) string {
	var widths []int
	for _, line := range lines {
		for i, c := range line {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], utf8.RuneCountInString(c))
		}
	}
	var b strings.Builder
	for _, line := range lines {
		cells := make([]string, len(line))
		for i, c := range line {
			cells[i] = c + strings.Repeat(" ", widths[i]-utf8.RuneCountInString(c))
		}
		b.WriteString(strings.TrimRight("  "+strings.Join(cells, "   "), " ") + "\n")
	}
	return b.String()
}

// markdown makes a table of the lines, the first of which is the head.
func markdown(lines [][]string) string {
	var b strings.Builder
	for i, line := range lines {
		b.WriteString("| " + strings.Join(line, " | ") + " |\n")
		if i == 0 {
			b.WriteString(strings.Repeat("|---", len(line)) + "|\n")
		}
	}
	return b.String()
}

// micro shows nanoseconds as microseconds, with three digits or, from a
// millisecond on, without decimals.
func micro(ns float64) string {
	decimals := 0
	for limit := 99_950.0; decimals < 3 && ns < limit; limit /= 10 {
		decimals++
	}
	return strconv.FormatFloat(ns/1000, 'f', decimals, 64)
}

// plainNumber shows three digits at least, without separators.
func plainNumber(v float64) string {
	decimals := 2
	if v >= 99.995 {
		decimals = 0
	}
	return strconv.FormatFloat(v, 'f', decimals, 64)
}

// number is plainNumber for people: thousands apart, no idle decimals.
func number(v float64) string {
	s := plainNumber(v)
	if strings.Contains(s, ".") {
		return strings.TrimSuffix(strings.TrimRight(s, "0"), ".")
	}
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
