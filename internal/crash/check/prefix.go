package check

import (
	"github.com/writebehind/writebehind/internal/crash/ledger"
	"github.com/writebehind/writebehind/internal/crash/record"
)

// Prefix checks that PostgreSQL holds a prefix of what was acknowledged, and
// counts what is behind it. The ledger must know every operation that had begun
// when PostgreSQL was looked at; it may know later ones.
func Prefix(l *ledger.Ledger, seen Observed) Report {
	var r Report
	strangers(l, seen, &r)
	ranges := make([]span, len(l.Workers))
	keys := make([][]record.Key, len(l.Workers))
	for _, k := range l.Keys() {
		keys[k.Owner()] = append(keys[k.Owner()], k)
	}
	for w := range ranges {
		ranges[w] = lengths(l, w, keys[w], seen, &r)
	}
	torn(l, seen, &r)
	twins(l, seen, &r)
	oblige(l, ranges, &r)
	counters(l, seen, ranges, &r)
	for w, ops := range l.Workers {
		for _, op := range ops[ranges[w].most():] {
			if op.Outcome == ledger.Acked {
				r.Gone++
			}
		}
	}
	return r
}

// span holds which numbers of first operations of a worker agree with its rows:
// bit k stands for the first k. It is never empty.
type span []bool

func (s span) least() int {
	for k, ok := range s {
		if ok {
			return k
		}
	}
	return 0
}

func (s span) most() int {
	for k := len(s) - 1; k > 0; k-- {
		if s[k] {
			return k
		}
	}
	return 0
}

// from drops what is below least.
func (s span) from(least int) {
	for k := range least {
		s[k] = false
	}
}

// lengths finds the prefixes of one worker that agree with all of its rows.
func lengths(l *ledger.Ledger, worker int, keys []record.Key, seen Observed, r *Report) span {
	n := len(l.Workers[worker])
	edges := make([]int, n+2) // of the ranges that rows agree with
	rows := 0
	// The rows that bear the strongest witness, for the report.
	var late, early record.Key
	lateFrom, earlyTo := -1, n+1
	for _, k := range keys {
		row, got := l.Rows[k], seen[k]
		least, most := agreeing(row, n, got, edges)
		if least < 0 {
			r.add(l, blame(row, got), k, "PostgreSQL has %s, which it never held", got)
			continue
		}
		rows++
		if least > lateFrom {
			late, lateFrom = k, least
		}
		if most < earlyTo {
			early, earlyTo = k, most
		}
	}
	s := make(span, n+1)
	found, depth := false, 0
	for k := range s {
		depth += edges[k]
		s[k] = depth == rows
		found = found || s[k]
	}
	if found {
		return s
	}
	r.Findings = append(r.Findings, Finding{
		Kind: Reordered,
		Text: late.String() + " shows a later operation of the same worker than " + early.String() + ", which lacks an earlier one",
		History: append(append(append([]string{"PostgreSQL has of the first " + seen[late].String()}, l.History(late)...),
			"and of the second "+seen[early].String()), l.History(early)...),
	})
	for k := range s { // it says nothing about the others
		s[k] = true
	}
	return s
}

// agreeing enters the ranges of numbers of operations, of n, after which the row
// holds what was seen, and returns their bounds; least is -1 without any.
func agreeing(row *ledger.Row, n int, got record.State, edges []int) (least, most int) {
	least = -1
	// Of two ranges that touch, the ends cancel out.
	enter := func(from, to int) {
		edges[from]++
		edges[to+1]--
		if least < 0 {
			least = from
		}
		most = to
	}
	state, from := row.Base, 0
	for _, c := range row.Changes {
		switch c.Op.Outcome {
		case ledger.Refused:
			continue
		case ledger.Open:
			// It may have happened or not: it does not end what was before, and
			// it is the row's last.
			if got == c.To && got != state {
				enter(c.Index, n)
			}
			continue
		}
		if got == state {
			enter(from, c.Index-1)
		}
		state, from = c.To, c.Index
	}
	if got == state {
		enter(from, n)
	}
	return least, most
}

// oblige makes what is there oblige all that was acknowledged before it began.
func oblige(l *ledger.Ledger, ranges []span, r *Report) {
	for changed := true; changed; {
		changed = false
		witness := latest(l, ranges)
		if witness == nil {
			return
		}
		for w, s := range ranges {
			need := acknowledgedBefore(l.Workers[w], witness.Began)
			if need <= s.least() {
				continue
			}
			if most := s.most(); need > most {
				r.Findings = append(r.Findings, Finding{
					Kind: Reordered,
					Text: l.Workers[w][need-1].String() + " is not there, though " + witness.String() + " is, which began later",
					History: []string{
						"of the one worker PostgreSQL shows no more than " + first(l.Workers[w], most),
						"of the other no less than " + witness.String(),
					},
				})
				need = most
			}
			if need > s.least() {
				s.from(need)
				changed = true
			}
		}
	}
}

func first(ops []*ledger.Op, n int) string {
	if n == 0 {
		return "nothing"
	}
	return ops[n-1].String()
}

// latest is, of the operations that must be there, the one that began last.
func latest(l *ledger.Ledger, ranges []span) *ledger.Op {
	var last *ledger.Op
	for w, s := range ranges {
		if k := s.least(); k > 0 && (last == nil || l.Workers[w][k-1].Began > last.Began) {
			last = l.Workers[w][k-1]
		}
	}
	return last
}

// acknowledgedBefore is the number of first operations up to the last one whose
// acknowledgement came before the place.
func acknowledgedBefore(ops []*ledger.Op, place int64) int {
	n := 0
	for i, op := range ops {
		if op.Outcome == ledger.Acked && op.Ended < place {
			n = i + 1
		}
	}
	return n
}

// counters checks that the hot rows hold what the prefixes give.
func counters(l *ledger.Ledger, seen Observed, ranges []span, r *Report) {
	for _, k := range hotKeys(l) {
		h := l.Hot[k]
		// What the prefixes oblige, what they allow, and all that can have happened.
		least, most, all := h.Base, h.Base, h.Base
		for _, c := range h.Changes {
			if c.Op.Outcome == ledger.Refused {
				continue
			}
			all += c.Add
			s := ranges[c.Op.Worker]
			if c.Op.Outcome == ledger.Open || c.Index <= s.most() {
				most += c.Add
			}
			if c.Op.Outcome == ledger.Acked && c.Index <= s.least() {
				least += c.Add
			}
		}
		switch n := seen[k].N; {
		case n < least:
			r.counter(l, Reordered, k, "%d increments are missing that were acknowledged before operations that are there: %d instead of %d", least-n, n, least)
		case n > all:
			r.counter(l, Duplicated, k, "%d increments too many: %d, and only %d can have happened", n-all, n, all)
		case n > most:
			r.counter(l, Reordered, k, "%d increments are there without what was acknowledged before them: %d, at most %d", n-most, n, most)
		}
	}
}
