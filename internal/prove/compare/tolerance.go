package compare

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/writebehind/writebehind/internal/pgerr"

	"github.com/writebehind/writebehind/internal/prove/history"
)

// This file is the whole list of what may differ between the two databases.
//
//   - The value of now(): the two sides run at different moments. Both must lie
//     within the run, and a moment of one side always stands for the same
//     moment of the other, so a stale or a torn value is still seen.
//     In one transaction the subject's may be two moments: one for what came
//     before it was made real, one for what came after (README, "now()").
//   - The value of nextval(): gaps are allowed to a sequence (PostgreSQL
//     documentation, "Sequence Manipulation Functions"). Values are paired in
//     the same way.
//   - The value of gen_random_uuid(), which is random. Paired in the same way.
//   - The row that an error is about, where a statement without defined order
//     fails on several rows: it is the one that lies first on disk.
//   - The three kinds of values above inside the text of an error ("Failing row
//     contains (…)"), where they are not paired.
//   - Where in its source the server refuses a statement in a transaction that has
//     failed: one that the driver under test has not had to prepare yet is refused when it
//     is parsed, not when it is bound.
//   - The number in the name of a schema of temporary tables (pg_temp_7), which
//     is that of the server's process. An error shows it.
//   - Which of the calls of a COPY FROM STDIN reports its error: the one that lib/pq
//     makes after it happens to have arrived. The first error counts.
//
// And one thing is not tried: a statement prepared before a change of the
// schema is not run after it. PostgreSQL refuses some of those ("cached plan
// must not change result type"), which protects an application from nothing.

// slack is how far the clocks of the two sides may be apart, and how far now()
// may lie outside of the run.
const slack = 30 * time.Second

// widestOffset is the largest distance of a time zone from UTC. It comes in
// because now() in a column without time zone is a local time.
const widestOffset = 15 * time.Hour

// class is a kind of value that each database makes for itself. For sequences
// it is that plus the number of the sequence.
type class int

const (
	none class = iota
	clock
	uuid
	sequences
)

// Pairs remembers which value of the subject stands for which one of the
// reference. It is not safe for concurrent use.
type Pairs struct {
	began time.Time
	sides [2]map[any]int   // value -> index into list
	lists map[class][]pair // in order of appearance
	spans spans            // of the transactions there were
}

type pair struct{ ref, sub any }

// NewPairs returns empty Pairs for a history that begins now.
func NewPairs() *Pairs {
	return &Pairs{
		began: time.Now(),
		sides: [2]map[any]int{{}, {}},
		lists: map[class][]pair{},
	}
}

// Minted returns what the argument stands for, on the reference and on the
// subject. Before any key of its kind was seen it is a key that no row has.
func (p *Pairs) Minted(m history.Minted) (ref, sub any) {
	if m.From == history.UUIDs {
		if l := p.lists[uuid]; len(l) > 0 {
			return l[m.N%len(l)].ref, l[m.N%len(l)].sub
		}
		const unused = "00000000-0000-0000-0000-0000000000ff"
		return unused, unused
	}
	if l := p.lists[sequences+class(m.From)]; len(l) > 0 {
		return l[m.N%len(l)].ref, l[m.N%len(l)].sub
	}
	unused := history.SequenceStart(m.From+1) - 1
	return unused, unused
}

// same compares a value of the reference with one of the subject, and pairs
// them if they are of a class and new.
func (p *Pairs) same(ref, sub any) bool {
	rc, rk := p.classify(ref)
	sc, sk := p.classify(sub)
	if rc == none || rc != sc || fmt.Sprintf("%T", ref) != fmt.Sprintf("%T", sub) {
		return identical(ref, sub)
	}
	if rc == clock {
		r, s := ref.(time.Time), sub.(time.Time)
		if !sameZone(r, s) || r.Sub(s).Abs() > slack {
			return false
		}
	}
	ri, rok := p.sides[0][rk]
	si, sok := p.sides[1][sk]
	if rok && !sok && rc == clock && p.spans.both(p.lists[clock][ri].sub.(int64), sk.value.(int64)) {
		p.sides[1][sk] = ri
		return true
	}
	if rok || sok {
		return rok && sok && ri == si
	}
	p.sides[0][rk], p.sides[1][sk] = len(p.lists[rc]), len(p.lists[rc])
	p.lists[rc] = append(p.lists[rc], pair{rk.value, sk.value})
	return true
}

// key is a value of a class as a map key. The class is part of it because the
// indexes count per class.
type key struct {
	class class
	value any
}

// classify tells whether a database made the value, and what of it is paired.
func (p *Pairs) classify(v any) (class, key) {
	c, value := none, any(nil)
	switch v := v.(type) {
	case int64:
		if v >= history.MintedFirst && v <= history.MintedLast {
			c = sequences + class((v-history.MintedFirst)/history.MintedSpan)
			value = v
		}
	case string:
		if randomUUID(v) {
			c, value = uuid, v
		}
	case []byte:
		if randomUUID(string(v)) {
			c, value = uuid, string(v)
		}
	case time.Time:
		if v.After(p.began.Add(-slack-widestOffset)) && v.Before(time.Now().Add(slack+widestOffset)) {
			c, value = clock, v.UnixNano()
		}
	}
	return c, key{c, value}
}

// randomUUID reports whether the text is a UUID of version 4, which generated
// arguments never are.
func randomUUID(s string) bool {
	return len(s) == 36 && s[8] == '-' && s[14] == '4' && s[23] == '-'
}

// sorted orders rows in a way that is the same on both sides: by what must be
// equal and what is already paired first, then by what grows with time.
func (p *Pairs) sorted(rows [][]any, subject bool) [][]any {
	side := p.sides[0]
	if subject {
		side = p.sides[1]
	}
	type sortable struct {
		settled, growing string
		row              []any
	}
	list := make([]sortable, len(rows))
	for i, row := range rows {
		var settled, growing strings.Builder
		for _, v := range row {
			c, k := p.classify(v)
			if c == none {
				settled.WriteString(describeWhole(v))
			} else if n, ok := side[k]; ok {
				fmt.Fprintf(&settled, "%d/%d", c, n)
			} else if c != uuid {
				fmt.Fprintf(&growing, "%020d ", k.value)
			}
			settled.WriteByte(0)
		}
		list[i] = sortable{settled.String(), growing.String(), row}
	}
	slices.SortStableFunc(list, func(a, b sortable) int {
		return cmp.Or(cmp.Compare(a.settled, b.settled), cmp.Compare(a.growing, b.growing))
	})
	out := make([][]any, len(rows))
	for i := range list {
		out[i] = list[i].row
	}
	return out
}

// failedOnSomeRow reports whether the error is PostgreSQL's about a row's
// values: data exception, constraint violation, or a limit.
func failedOnSomeRow(err error) bool {
	switch pgerr.Class(err) {
	case "22", "23", "54":
		return true
	}
	return false
}

// minted finds what may be a value of one of the three classes in a text, or the
// name of a schema of temporary tables.
var minted = regexp.MustCompile(
	`\b19\d{8}\b` +
		`|\bpg_temp_\d+\b` +
		`|\b[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}\b` +
		`|\b\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d+)?([+-]\d\d(:\d\d)?)?`)

// maskMinted blanks what minted finds in a text.
func maskMinted(s string) string {
	return minted.ReplaceAllStringFunc(s, func(found string) string {
		if len(found) > 10 && found[4] == '-' && found[0] != 'p' {
			day, err := time.Parse(time.DateOnly, found[:10])
			if err != nil || time.Since(day).Abs() > 48*time.Hour {
				return found
			}
		}
		return "<minted>"
	})
}

// bound and parsed are where the server refuses what is executed, and prepared, in a
// transaction that has failed.
var (
	bound  = regexp.MustCompile(`(Code="25P02".*) File="postgres.c" Line="\d+" Routine="exec_bind_message"`)
	parsed = regexp.MustCompile(`(Code="25P02".*) File="postgres.c" Line="\d+" Routine="exec_parse_message"`)
)

// maskParse returns sub with the place in the server's source that ref has, if that is
// all in which they differ.
func maskParse(ref, sub string) string {
	if bound.ReplaceAllString(ref, "$1") == parsed.ReplaceAllString(sub, "$1") {
		return ref
	}
	return sub
}
