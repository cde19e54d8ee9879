// Package ledger keeps what the laboratory knows: for every worker its
// operations in their order, with what came of them, and for every row what was
// to become of it, since the last time that PostgreSQL was found to hold all of
// it.
package ledger

import (
	"fmt"
	"maps"
	"slices"

	"github.com/writebehind/writebehind/internal/crash/record"
)

// Outcome is what is known of an operation.
type Outcome byte

// The outcomes. Open means that the operation may or may not have happened, or
// may be happening.
const (
	Open Outcome = iota
	Acked
	Refused // it has not happened
)

func (o Outcome) String() string {
	return [...]string{"open", "acknowledged", "refused"}[o]
}

// Op is an operation and what came of it.
type Op struct {
	record.Op
	Outcome Outcome
	Began   int64  // place of its intent among all lines
	Ended   int64  // place of its answer, 0 without one
	Answer  string // the error
}

// Change is what an operation does to a row.
type Change struct {
	Op    *Op
	Index int // place of Op in its worker's list, counted from 1
	To    record.State
}

// Row is a row of one worker: what it held at the base, and what came since.
type Row struct {
	Base    record.State
	Changes []Change
}

// Hot is a row that all workers increment, a twin or not.
type Hot struct {
	Base    int64
	Changes []Increment
}

// Increment is one increment of a hot row.
type Increment struct {
	Op    *Op
	Index int
	Add   int64
}

// Ledger is not safe for concurrent use.
type Ledger struct {
	Workers [][]*Op // by worker, since the base
	Rows    map[record.Key]*Row
	Hot     map[record.Key]*Hot

	Acked   int64 // operations acknowledged in the whole run
	Groups  int64 // of these, those that write several rows
	Unknown int64 // operations whose outcome stayed open, in the whole run

	place int64
	next  []int64 // by worker: the sequence number of its next operation
}

// New returns the ledger of an empty database but for the hot rows, which hold 0.
func New(workers int, hot []record.Key) *Ledger {
	l := &Ledger{
		Workers: make([][]*Op, workers), next: make([]int64, workers),
		Rows: make(map[record.Key]*Row), Hot: make(map[record.Key]*Hot),
	}
	for i := range l.next {
		l.next[i] = 1
	}
	for _, k := range hot {
		l.Hot[k] = &Hot{}
	}
	return l
}

// Next is the sequence number of the worker's next operation.
func (l *Ledger) Next(worker int) int64 { return l.next[worker] }

// Apply takes note of a line.
func (l *Ledger) Apply(line record.Line) error {
	l.place++
	switch line.Verb {
	case record.Intent:
		return l.intent(line.Op)
	case record.Acked, record.Unknown, record.Refused:
		return l.answer(line)
	}
	return nil
}

func (l *Ledger) intent(op record.Op) error {
	if op.Worker < 0 || op.Worker >= len(l.Workers) {
		return fmt.Errorf("there is no worker %d", op.Worker)
	}
	if op.Seq < l.next[op.Worker] {
		return fmt.Errorf("operation %d of worker %d comes after %d", op.Seq, op.Worker, l.next[op.Worker]-1)
	}
	if last := l.last(op.Worker); last != nil && last.Ended == 0 && !last.interrupted() {
		return fmt.Errorf("worker %d begins operation %d before the end of %d", op.Worker, op.Seq, last.Seq)
	}
	l.next[op.Worker] = op.Seq + 1
	o := &Op{Op: op, Began: l.place}
	l.Workers[op.Worker] = append(l.Workers[op.Worker], o)
	index := len(l.Workers[op.Worker])
	for _, e := range op.Effects {
		if h := l.Hot[e.Key]; h != nil {
			h.Changes = append(h.Changes, Increment{o, index, e.Add})
			continue
		}
		if e.Key.Owner() != op.Worker {
			return fmt.Errorf("worker %d writes %s, which is not its own", op.Worker, e.Key)
		}
		r := l.Rows[e.Key]
		if r == nil {
			r = &Row{}
			l.Rows[e.Key] = r
		}
		if r.Open() {
			return fmt.Errorf("worker %d writes %s, whose state is not known", op.Worker, e.Key)
		}
		r.Changes = append(r.Changes, Change{o, index, e.To})
	}
	return nil
}

// Open tells whether the row's state is not known because the outcome of its
// last change is not.
func (r *Row) Open() bool {
	n := len(r.Changes)
	return n > 0 && r.Changes[n-1].Op.Outcome == Open
}

// Last is what the row holds if all that was acknowledged has happened, and
// nothing else.
func (r *Row) Last() record.State {
	for _, c := range slices.Backward(r.Changes) {
		if c.Op.Outcome == Acked {
			return c.To
		}
	}
	return r.Base
}

func (l *Ledger) last(worker int) *Op {
	ops := l.Workers[worker]
	if len(ops) == 0 {
		return nil
	}
	return ops[len(ops)-1]
}

// interruptedAt is the Ended of an operation whose answer never came.
const interruptedAt = -1

func (o *Op) interrupted() bool { return o.Ended == interruptedAt }

func (l *Ledger) answer(line record.Line) error {
	var o *Op
	if line.Op.Worker >= 0 && line.Op.Worker < len(l.Workers) {
		o = l.last(line.Op.Worker)
	}
	if o == nil || o.Seq != line.Op.Seq || o.Ended != 0 {
		return fmt.Errorf("an answer to operation %d of worker %d, which is not under way", line.Op.Seq, line.Op.Worker)
	}
	o.Ended, o.Answer = l.place, line.Text
	switch line.Verb {
	case record.Acked:
		o.Outcome = Acked
		l.Acked++
		if len(o.Effects) > 1 {
			l.Groups++
		}
	case record.Refused:
		o.Outcome = Refused
	default:
		l.Unknown++
	}
	return nil
}

// Interrupt says that the process is dead: what it had begun stays open.
func (l *Ledger) Interrupt() {
	for w := range l.Workers {
		if o := l.last(w); o != nil && o.Ended == 0 {
			o.Ended = interruptedAt
			l.Unknown++
		}
	}
}

// Owned returns the rows of a worker whose state is known, by their last state.
func (l *Ledger) Owned(worker int) map[record.Key]record.State {
	owned := make(map[record.Key]record.State)
	for k, r := range l.Rows {
		if k.Owner() == worker && !r.Open() {
			owned[k] = r.Last()
		}
	}
	return owned
}

// Rebase begins anew from what PostgreSQL holds: hot rows are under their own
// keys.
func (l *Ledger) Rebase(rows map[record.Key]record.State) {
	clear(l.Rows)
	for k, s := range rows {
		if h := l.Hot[k]; h != nil {
			*h = Hot{Base: s.N}
			continue
		}
		l.Rows[k] = &Row{Base: s}
	}
	for w := range l.Workers {
		l.Workers[w] = nil
	}
}

// History tells what is known of a row, for people.
func (l *Ledger) History(k record.Key) []string {
	if h := l.Hot[k]; h != nil {
		lines := []string{fmt.Sprintf("base: %d", h.Base)}
		for _, c := range h.Changes {
			lines = append(lines, fmt.Sprintf("%+d by %s", c.Add, c.Op))
		}
		return lines
	}
	r := l.Rows[k]
	if r == nil {
		return []string{"no operation is known to have written it"}
	}
	lines := []string{fmt.Sprintf("base: %s", r.Base)}
	for _, c := range r.Changes {
		lines = append(lines, fmt.Sprintf("%s: %s", c.Op, c.To))
	}
	return lines
}

func (o *Op) String() string {
	text := fmt.Sprintf("operation %d of worker %d (%s, line %d), %s", o.Seq, o.Worker, o.Kind, o.Began, o.Outcome)
	if o.Ended > 0 {
		text += fmt.Sprintf(" in line %d", o.Ended)
	}
	if o.Answer != "" {
		text += fmt.Sprintf(" (%s)", o.Answer)
	}
	return text
}

// Keys returns the keys of all rows in order.
func (l *Ledger) Keys() []record.Key {
	return slices.SortedFunc(maps.Keys(l.Rows), Compare)
}

// Compare orders keys.
func Compare(a, b record.Key) int {
	if a.Table != b.Table {
		return int(a.Table) - int(b.Table)
	}
	switch {
	case a.ID < b.ID:
		return -1
	case a.ID > b.ID:
		return 1
	}
	return 0
}
