package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// report is everything that was measured.
type report struct {
	settings settings
	machine  []string
	suites   []measured
	results  results
	took     time.Duration
}

// text is for the terminal; it ends in the ratio lines.
func (p report) text() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n%.0f s\n", strings.Join(p.machine, "\n"), p.took.Seconds())
	for _, m := range p.suites {
		fmt.Fprintf(&b, "\n%s (%s)\n%s\n", m.title, p.rounds(m), m.conditions)
		for _, cases := range byOperation(m.cases) {
			fmt.Fprintf(&b, "\n%s: %s\n%s", cases[0].operation.About().name, cases[0].operation.About().title, align(block(cases, p.results)))
		}
	}
	if all := p.results.outcomes(); len(all) > 0 {
		b.WriteString("\n" + align(ratioTable(all)) + "\n")
		for _, o := range all {
			if o.lag > lagBound {
				fmt.Fprintf(&b, "%s: writes were away from PostgreSQL for %s, more than %s\n", o.name, o.lag.Round(time.Millisecond), lagBound)
			}
		}
		b.WriteString(ratioLines(all))
	}
	return b.String()
}

// rounds says how often the cases of a suite were measured.
func (p report) rounds(m measured) string {
	return counted(len(p.results[m.cases[0].name()]), "round")
}

func counted(n int, what string) string {
	if n != 1 {
		what += "s"
	}
	return fmt.Sprintf("%d %s", n, what)
}

// ratioTable shows ratios beside what is aimed at.
func ratioTable(all []outcome) [][]string {
	lines := [][]string{{"ratio", "median (lowest..highest)", "target", "", "of", "to"}}
	for _, o := range all {
		lines = append(lines, []string{o.name, fmt.Sprintf("%s (%s..%s)", number(o.value.median), number(o.value.low), number(o.value.high)), o.aim(), o.met(), o.a, o.b})
	}
	return lines
}

// write writes RESULTS.md and the plots.
func (p report) write(dir string) error {
	plots, err := p.plot(filepath.Join(dir, "plots"))
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "RESULTS.md"), []byte(p.markdown(plots)), 0o644) //nolint:gosec // for everybody to read
}

// markdown is the contents of RESULTS.md.
func (p report) markdown(plots []string) string {
	var b strings.Builder
	b.WriteString("# Results\n\nWritten by `make bench`; every figure is from one run.\n\n")
	for _, line := range p.machine {
		b.WriteString("- " + line + "\n")
	}
	fmt.Fprintf(&b, "- all cases of a suite in turn, in several rounds; %s for single statements, %s for mixes, %s for sustained UPDATEs, per case and round; %.0f minutes in all\n",
		p.settings.slice, p.settings.mix, p.settings.sustained, p.took.Minutes())
	b.WriteString(`
Application, benchmark and server share the processors: take the ratios, not the rates. Of the figures in a cell the first is the median
of the rounds, those in parentheses are the lowest and the highest; quantiles are of all rounds together. Allocations are those of the
whole process, flushes included. What PostgreSQL spent, drain included, is per thousand acknowledged operations: transactions that wrote,
WAL, and processor time of all its processes. What was acknowledged was looked for in PostgreSQL after every measurement.

Again: ` + "`make bench`" + `, or ` + "`cd bench && go run . -only '^read/'`" + ` for some; ` + "`make bench SCALE=3`" + ` measures three times as long.
`)
	if all := p.results.outcomes(); len(all) > 0 {
		b.WriteString("\n## Ratios\n\n" + markdown(ratioTable(all)) + "\n`a/b/n` is operation, subject, goroutines.\n")
	}
	b.WriteString("\n## Subjects\n\n" + markdown(p.subjects()))
	for _, name := range plots {
		fmt.Fprintf(&b, "\n![%s](plots/%s)\n", strings.TrimSuffix(name, ".svg"), name)
	}
	for _, m := range p.suites {
		fmt.Fprintf(&b, "\n## %s\n\n%s. %s\n", m.title, p.rounds(m), m.conditions)
		for _, cases := range byOperation(m.cases) {
			fmt.Fprintf(&b, "\n### %s\n\n%s\n\n%s", cases[0].operation.About().name, cases[0].operation.About().title, markdown(block(cases, p.results)))
		}
	}
	return b.String()
}

// subjects lists what subjects promise, suite by suite where it differs.
func (p report) subjects() [][]string {
	lines := [][]string{{"subject", "suite", "an acknowledged write is"}}
	seen := map[string]bool{}
	for _, m := range p.suites {
		for _, c := range m.cases {
			if key := c.subject.Name + "\x00" + c.subject.Promise; !seen[key] {
				seen[key] = true
				lines = append(lines, []string{c.subject.Name, m.name, c.subject.Promise})
			}
		}
	}
	return lines
}
