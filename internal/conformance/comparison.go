package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
)

// comparison collects what the modes gave.
type comparison struct {
	rows []row
}

// row compares one mode with plain lib/pq.
type row struct {
	mode           string
	plain, through results
	differing      []string // names of tests, sorted
}

func (c *comparison) add(mode string, plain, through results) {
	c.rows = append(c.rows, row{mode, plain, through, differences(plain, through)})
}

// differences returns the tests that ended otherwise in one than in the other.
func differences(a, b results) []string {
	names := maps.Clone(a)
	maps.Copy(names, b)
	var differing []string
	for _, name := range slices.Sorted(maps.Keys(names)) {
		if a[name].outcome != b[name].outcome {
			differing = append(differing, name)
		}
	}
	return differing
}

// print writes the differences, a table and the line that sums up, and reports
// whether there is no difference.
func (c *comparison) print(w io.Writer) (same bool, err error) {
	same = true
	for _, r := range c.rows {
		for _, name := range r.differing {
			same = false
			fmt.Fprintf(w, "%s: %s: plain lib/pq %s, through the shim %s\n",
				r.mode, name, ended(r.plain[name]), ended(r.through[name]))
			fmt.Fprintln(w, tail(r.through[name].output))
		}
	}
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "mode\tplain lib/pq\tthrough the shim\tdifferences\tpassed only when repeated (plain, shim)")
	sums := make([]string, 0, len(c.rows))
	for _, r := range c.rows {
		fmt.Fprintf(table, "%s\t%d\t%d\t%d\t%d, %d\n", r.mode, r.plain.passed(), r.through.passed(),
			len(r.differing), r.plain.again(), r.through.again())
		sums = append(sums, fmt.Sprintf("%d/%d", r.through.passed(), r.plain.passed()))
	}
	if err := table.Flush(); err != nil {
		return false, err
	}
	_, err = fmt.Fprintln(w, "conformance:", strings.Join(sums, " "))
	return same, err
}

// ended puts an outcome into words.
func ended(r result) string {
	switch r.outcome {
	case "pass":
		return "passes"
	case "fail":
		return "fails"
	case "skip":
		return "skips"
	case "none":
		return "does not end"
	}
	return "does not run it"
}

// tail returns the last lines of a text, indented.
func tail(text string) string {
	const most = 40
	lines := strings.Split(strings.TrimSpace(text), "\n")
	lines = lines[max(0, len(lines)-most):]
	return "    " + strings.Join(lines, "\n    ")
}
