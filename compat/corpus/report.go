package main

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strings"
	"text/tabwriter"
)

// counts are those of one library, or of all. A statement whose label leaves open
// what it may be taken for is in statements only.
type counts struct {
	statements int
	keyed      int // labelled as keyed
	recognised int // of these: taken for keyed
	missed     int // of these: not taken for keyed
	served     int // of these: deferred or cached
	wrong      int // taken for keyed, and not labelled so
}

func (c *counts) add(s *statement, a *answer) {
	c.statements++
	switch {
	case s.either():
	case s.Keyed && a.keyed:
		c.keyed++
		c.recognised++
		if a.decision != "direct" {
			c.served++
		}
	case s.Keyed:
		c.keyed++
		c.missed++
	case a.keyed:
		c.wrong++
	}
}

func (c *counts) percent(n int) string {
	if c.keyed == 0 {
		return "-"
	}
	return fmt.Sprintf("%.1f %%", 100*float64(n)/float64(c.keyed))
}

// report compares the answers with the labels.
type report struct {
	libs      []string // in the order of the file
	byLib     map[string]*counts
	total     counts
	differing []string       // statements on which label and answer disagree
	direct    map[string]int // recognised statements that are direct, by reason
}

func newReport(statements []statement, answers []answer) *report {
	r := &report{byLib: make(map[string]*counts), direct: make(map[string]int)}
	for i := range statements {
		s, a := &statements[i], &answers[i]
		c := r.byLib[s.Lib]
		if c == nil {
			c = &counts{}
			r.byLib[s.Lib] = c
			r.libs = append(r.libs, s.Lib)
		}
		c.add(s, a)
		r.total.add(s, a)
		switch {
		case s.either():
		case s.Keyed != a.keyed:
			r.differing = append(r.differing, difference(s, a))
		case a.keyed && a.decision == "direct":
			r.direct[general(a.reason)]++
		}
	}
	return r
}

func difference(s *statement, a *answer) string {
	what := "wrong"
	if s.Keyed {
		what = "missed"
	}
	return fmt.Sprintf("%s (%s) %s: %s\n    %s", what, s.Lib, a.decision, a.reason, strings.ReplaceAll(s.SQL, "\n", "\n    "))
}

// quoted is a name in a reason.
var quoted = regexp.MustCompile(`"[^"]*"`)

// general is a reason without names, and without what the statement waits for.
func general(reason string) string {
	reason, _, _ = strings.Cut(reason, ";")
	return quoted.ReplaceAllString(reason, "…")
}

func (r *report) write(w io.Writer) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(table, "library\tstatements\tkeyed\trecognised\t\tmissed\twrong\tdeferred or cached\t\t")
	line := func(name string, c *counts) {
		fmt.Fprintf(table, "%s\t%d\t%d\t%d\t%s\t%d\t%d\t%d\t%s\t\n", name,
			c.statements, c.keyed, c.recognised, c.percent(c.recognised), c.missed, c.wrong, c.served, c.percent(c.served))
	}
	for _, lib := range r.libs {
		line(lib, r.byLib[lib])
	}
	line("all", &r.total)
	if err := table.Flush(); err != nil {
		return err
	}
	for _, d := range r.differing {
		fmt.Fprintf(w, "\n%s\n", d)
	}
	if len(r.direct) > 0 {
		fmt.Fprintln(w, "\nrecognised, and direct because:")
	}
	reasons := slices.SortedFunc(maps.Keys(r.direct), func(a, b string) int {
		return cmp.Or(cmp.Compare(r.direct[b], r.direct[a]), strings.Compare(a, b))
	})
	for _, reason := range reasons {
		fmt.Fprintf(w, "%6d  %s\n", r.direct[reason], reason)
	}
	_, err := fmt.Fprintf(w, "\ncorpus: keyed %d recognised %d missed %d wrong %d\n",
		r.total.keyed, r.total.recognised, r.total.missed, r.total.wrong)
	return err
}
