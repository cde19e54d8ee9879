package check

import (
	"slices"

	"github.com/writebehind/writebehind/internal/crash/ledger"
	"github.com/writebehind/writebehind/internal/crash/record"
)

// Complete checks that PostgreSQL holds the result of all that was acknowledged.
// Nothing may be under way any more: neither in the child, nor in a server
// process whose client is gone.
func Complete(l *ledger.Ledger, seen Observed) Report {
	var r Report
	for _, k := range l.Keys() {
		completeRow(l, k, seen[k], &r)
	}
	for _, k := range hotKeys(l) {
		h := l.Hot[k]
		least, most := h.Base, h.Base
		for _, c := range h.Changes {
			switch c.Op.Outcome {
			case ledger.Acked:
				least, most = least+c.Add, most+c.Add
			case ledger.Open:
				most += c.Add
			}
		}
		switch n := seen[k].N; {
		case n < least:
			r.counter(l, Lost, k, "%d of the increments that were acknowledged are not there: %d instead of %d", least-n, n, least)
		case n > most:
			r.counter(l, Duplicated, k, "%d increments too many: %d, and only %d can have happened", n-most, n, most)
		}
	}
	torn(l, seen, &r)
	twins(l, seen, &r)
	strangers(l, seen, &r)
	return r
}

func hotKeys(l *ledger.Ledger) []record.Key {
	var keys []record.Key
	for k := range l.Hot {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, ledger.Compare)
	return keys
}

func completeRow(l *ledger.Ledger, k record.Key, got record.State, r *Report) {
	row := l.Rows[k]
	want := row.Last()
	if got == want {
		return
	}
	if row.Open() {
		if got == row.Changes[len(row.Changes)-1].To {
			return
		}
	}
	before := got == row.Base
	for _, c := range row.Changes {
		before = before || c.Op.Outcome == ledger.Acked && got == c.To
	}
	kind := Lost
	if !before {
		kind = blame(row, got)
	}
	r.add(l, kind, k, "PostgreSQL has %s; acknowledged was %s", got, want)
	r.Findings[len(r.Findings)-1].Counter = got.Present && want.Present && got.N != want.N
}

// torn finds operations on several rows of which some rows show the effect and
// others show that it did not come.
func torn(l *ledger.Ledger, seen Observed, r *Report) {
	for _, ops := range l.Workers {
		for i, op := range ops {
			if len(op.Effects) < 2 || op.Outcome == ledger.Refused {
				continue
			}
			var there, missing *record.Key
			for _, e := range op.Effects {
				row := l.Rows[e.Key]
				if row == nil {
					continue
				}
				k := e.Key
				switch applied(row, i+1, seen[k]) {
				case yes:
					there = &k
				case no:
					missing = &k
				}
			}
			if there != nil && missing != nil {
				r.Findings = append(r.Findings, Finding{
					Kind: Torn, Text: op.String() + ": its effect on " + there.String() + " is there, that on " + missing.String() + " is not",
					History: append(append(l.History(*there), "and "+missing.String()+":"), l.History(*missing)...),
				})
			}
		}
	}
}

type verdict int

const (
	unclear verdict = iota
	yes
	no
)

// applied tells whether the row shows that the worker's index-th operation has,
// or has not, had its effect on it.
func applied(row *ledger.Row, index int, got record.State) verdict {
	var before, after bool
	if got == row.Base {
		before = true
	}
	for _, c := range row.Changes {
		if c.Op.Outcome == ledger.Refused || got != c.To {
			continue
		}
		if c.Index < index {
			before = true
		} else {
			after = true
		}
	}
	switch {
	case before && !after:
		return no
	case after && !before:
		return yes
	}
	return unclear
}
