package main

import (
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"github.com/writebehind/writebehind/internal/crash/check"
)

// row is what came of one mode with one journal.
type row struct {
	kind
	cycles  int
	acked   int64
	groups  int64 // acknowledged operations that write several rows
	unknown int64
	gone    int
	counts  check.Counts
	took    time.Duration
}

type table struct{ rows []row }

func (t table) print(out io.Writer) {
	fmt.Fprintln(out)
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "mode\tsync\tcycles\tacknowledged\tgroups\tlost\tduplicated\treordered\twrong increments\ttorn\twrong answers\tunknown outcomes\tgone (expected)\ttime\t")
	for _, r := range t.rows {
		by := func(k check.Kind) int { return r.counts.ByKind[k] }
		fmt.Fprintf(w, "%s\t%s\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%s\t\n",
			r.mode.name, r.journal.word(), r.cycles, r.acked, r.groups, by(check.Lost), by(check.Duplicated), by(check.Reordered),
			r.counts.Counters, by(check.Torn), by(check.Wrong), r.unknown, r.gone, r.took.Round(100*time.Millisecond))
	}
	_ = w.Flush() // out is a terminal, or a buffer
}

// last prints what scripts look for.
func (t table) last(out io.Writer) {
	sum := t.sum()
	fmt.Fprintf(out, "crash: lost %d duplicated %d reordered %d\n",
		sum.ByKind[check.Lost], sum.ByKind[check.Duplicated], sum.ByKind[check.Reordered])
}

func (t table) sum() (sum check.Counts) {
	for _, r := range t.rows {
		for k, n := range r.counts.ByKind {
			sum.ByKind[k] += n
		}
		sum.Counters += r.counts.Counters
	}
	return sum
}

func (t table) fine() bool { return t.sum().Sum() == 0 }

// word is the journal in the column "sync".
func (j journalKind) word() string {
	if j == noJournal {
		return "(none)"
	}
	return string(j)
}
