// Package check compares what PostgreSQL holds with the ledger.
//
// Complete asks for everything that was acknowledged. Prefix asks whether what is
// there is a state that the application passed through, and may be used at any
// moment: for each worker it looks for a number of its first operations whose
// result is what its rows hold, and what one worker's operations show to be there
// obliges those of all others that were acknowledged before them.
package check

import (
	"fmt"
	"slices"
	"strings"

	"github.com/writebehind/writebehind/internal/crash/ledger"
	"github.com/writebehind/writebehind/internal/crash/record"
)

// Observed is what PostgreSQL holds, by row; hot rows are under their own keys.
type Observed map[record.Key]record.State

// Kind is what is wrong.
type Kind int

// The kinds.
const (
	Lost       Kind = iota // acknowledged and not there
	Duplicated             // counted more often than it can have happened
	Reordered              // there without what was acknowledged before it
	Torn                   // a part of what was acknowledged together
	Wrong                  // a value that nobody wrote, a statement answered wrongly
	kinds
)

func (k Kind) String() string {
	return [...]string{"lost", "duplicated", "reordered", "torn", "wrong"}[k]
}

// Finding is one thing that is wrong.
type Finding struct {
	Kind    Kind
	Counter bool // a counter holds the wrong number
	Text    string
	History []string
}

func (f Finding) String() string {
	return fmt.Sprintf("%s: %s\n    %s", f.Kind, f.Text, strings.Join(f.History, "\n    "))
}

// Report is what is wrong, all of it.
type Report struct {
	Findings []Finding
	// Gone counts acknowledged operations behind the prefix that PostgreSQL holds.
	// Only where losing them is allowed does Prefix count them.
	Gone int
}

// Count is the number of findings of a kind.
func (r Report) Count(k Kind) int {
	n := 0
	for _, f := range r.Findings {
		if f.Kind == k {
			n++
		}
	}
	return n
}

// Counts are numbers of findings.
type Counts struct {
	ByKind   [kinds]int
	Counters int // findings of any kind that are about a wrong number in a counter
}

// Add counts the findings of a report.
func (c *Counts) Add(r Report) {
	for _, f := range r.Findings {
		c.ByKind[f.Kind]++
		if f.Counter {
			c.Counters++
		}
	}
}

// Sum is the number of all findings.
func (c Counts) Sum() int {
	sum := 0
	for _, n := range c.ByKind {
		sum += n
	}
	return sum
}

func (r *Report) counter(l *ledger.Ledger, kind Kind, k record.Key, format string, args ...any) {
	r.add(l, kind, k, format, args...)
	r.Findings[len(r.Findings)-1].Counter = true
}

func (r *Report) add(l *ledger.Ledger, kind Kind, k record.Key, format string, args ...any) {
	r.Findings = append(r.Findings, Finding{
		Kind: kind, Text: k.String() + ": " + fmt.Sprintf(format, args...), History: l.History(k),
	})
}

// strangers are rows that no operation has made.
func strangers(l *ledger.Ledger, seen Observed, r *Report) {
	var keys []record.Key
	for k := range seen {
		if l.Rows[k] == nil && l.Hot[k] == nil {
			keys = append(keys, k)
		}
	}
	slices.SortFunc(keys, ledger.Compare)
	for _, k := range keys {
		r.add(l, Wrong, k, "PostgreSQL has the row (%s), and nobody made it", seen[k])
	}
}

// blame says what it means that a row holds what it never held in this order.
func blame(row *ledger.Row, got record.State) Kind {
	most := row.Base.N
	for _, c := range row.Changes {
		most = max(most, c.To.N)
	}
	switch {
	case !got.Present:
		return Lost // it was never absent, else it would be a state of its own
	case got.N > most:
		return Duplicated
	}
	states := []record.State{row.Base}
	for _, c := range row.Changes {
		if c.Op.Outcome == ledger.Refused {
			if c.To == got {
				return Wrong // it was said not to have happened
			}
			continue
		}
		states = append(states, c.To)
	}
	// Each part is one that the row had, but not all at the same time: something
	// between them was left out.
	known := func(same func(record.State) bool) bool { return slices.ContainsFunc(states, same) }
	if known(func(s record.State) bool { return s.N == got.N }) && known(func(s record.State) bool { return s.Stamp == got.Stamp }) &&
		known(func(s record.State) bool { return s.Ref == got.Ref }) {
		return Reordered
	}
	return Wrong
}
