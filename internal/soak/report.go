package main

import (
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"
)

// report is what came of a run.
type report struct {
	length       time.Duration
	acknowledged int64
	doubtful     int64    // writes whose outcome the load was not told
	lost         []string // differences between PostgreSQL and what was acknowledged
	wrong        int      // wrong answers
	unexplained  int      // errors that no fault explains
	problems     []string // what else is not as it must be
	stuck        []string // faults after which the load did not come back
	first, last  [figureCount]summary
}

func newReport(o options, samples []sample) *report {
	r := &report{length: o.length}
	first, last := quarters(samples, o.warmUp(), o.length)
	for f := range figures {
		r.first[f], r.last[f] = summarize(first, f), summarize(last, f)
	}
	return r
}

// with returns the figures with a verdict.
func (r *report) with(verdict string) (names []string) {
	for i, f := range figures {
		if f.verdict(r.first[i], r.last[i]) == verdict {
			names = append(names, f.name)
		}
	}
	return names
}

func (r *report) fine() bool {
	return len(r.lost) == 0 && r.wrong == 0 && r.unexplained == 0 && len(r.stuck) == 0 && len(r.problems) == 0 &&
		len(r.with("grows")) == 0 && len(r.with("falls")) == 0
}

func (r *report) print(out io.Writer) {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "quarter\tfirst: median\tmax\tlast: median\tmax\tverdict\t")
	for i, f := range figures {
		first, last := r.first[i], r.last[i]
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t\n", f.name,
			f.shown(first, first.median), f.shown(first, first.greatest),
			f.shown(last, last.median), f.shown(last, last.greatest), f.verdict(first, last))
	}
	_ = w.Flush() // out is a terminal, or a buffer
	fmt.Fprintf(out, "\nin doubt, and so allowed either way: %d writes\n", r.doubtful)
	const most = 10
	for _, l := range r.lost[:min(most, len(r.lost))] {
		fmt.Fprintln(out, "lost:", l)
	}
}

func (f figure) shown(s summary, v float64) string {
	if s.n == 0 {
		return "-"
	}
	return f.show(v)
}

// minutes shows a duration in minutes, with two decimals where it needs them.
func minutes(d time.Duration) string {
	return strconv.FormatFloat(math.Round(100*d.Minutes())/100, 'f', -1, 64)
}

// line is the last line, which scripts look for.
func (r *report) line() string {
	parts := []string{fmt.Sprintf("soak: minutes %s acknowledged %d lost %d", minutes(r.length), r.acknowledged, len(r.lost))}
	list := func(what string, names []string) {
		if len(names) > 0 {
			parts = append(parts, what+": "+strings.Join(names, ", "))
		}
	}
	count := func(what string, n int) {
		if n > 0 {
			parts = append(parts, fmt.Sprintf("%s: %d", what, n))
		}
	}
	list("grows", r.with("grows"))
	list("falls", r.with("falls"))
	if len(parts) == 1 {
		parts = append(parts, "flat")
	}
	list("did not come back after", r.stuck)
	list("and", r.problems)
	count("wrong answers", r.wrong)
	count("errors that no fault explains", r.unexplained)
	return strings.Join(parts, " ")
}
