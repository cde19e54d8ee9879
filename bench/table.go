package main

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// spreadOf is the median of some figures and how far they reach.
type spreadOf struct{ low, median, high float64 }

func newSpread(figures []float64) spreadOf {
	f := slices.Sorted(slices.Values(figures))
	n := len(f)
	return spreadOf{f[0], (f[(n-1)/2] + f[n/2]) / 2, f[n-1]}
}

// table shows one block per operation: a line per subject, a column per number
// of goroutines.
func table(cases []benchCase, r results) string {
	var b strings.Builder
	for len(cases) > 0 {
		o := cases[0].operation
		n := 0
		for n < len(cases) && cases[n].operation.Name() == o.Name() {
			n++
		}
		b.WriteString("\n" + o.Name() + ": " + o.Title() + "\n" + align(block(o, cases[:n], r)))
		cases = cases[n:]
	}
	return b.String()
}

// block is the lines of one operation.
func block(o Operation, cases []benchCase, r results) [][]string {
	head := []string{"  subject"}
	for _, g := range o.Goroutines() {
		if g == 1 {
			head = append(head, "1 goroutine")
		} else {
			head = append(head, strconv.Itoa(g)+" goroutines")
		}
	}
	lines := [][]string{head}
	seen := map[string]bool{}
	for _, c := range cases {
		name := c.subject.Name()
		if seen[name] {
			continue
		}
		seen[name] = true
		line := []string{"  " + name}
		for _, g := range o.Goroutines() {
			line = append(line, cell(o, r[caseName(o.Name(), name, g)]))
		}
		lines = append(lines, line)
	}
	return lines
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
			cells[i] = fmt.Sprintf("%-*s", widths[i], c)
		}
		b.WriteString(strings.TrimRight(strings.Join(cells, "   "), " ") + "\n")
	}
	return b.String()
}

func cell(o Operation, samples []sample) string {
	if len(samples) == 0 {
		return "-"
	}
	figures := make([]float64, len(samples))
	for i, s := range samples {
		if o.Rate() {
			figures[i] = s.perSecond()
		} else {
			figures[i] = s.nanoseconds()
		}
	}
	f := newSpread(figures)
	if o.Rate() {
		return fmt.Sprintf("%.0f/s (%.0f..%.0f)", f.median, f.low, f.high)
	}
	return fmt.Sprintf("%s µs (%s..%s)", micro(f.median), micro(f.low), micro(f.high))
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
