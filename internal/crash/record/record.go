// Package record says what the child process of the crash laboratory tells the
// laboratory: what it is about to do, and what came of it.
//
// A line is written with one system call and is shorter than PIPE_BUF, so a
// process that is killed leaves no torn line. And the order of lines is
// evidence: an answer that stands before an intent was received before that
// statement began.
package record

import "fmt"

// Table is one of the tables that the workload writes.
type Table byte

// The tables. Rows of Hot are rows of accounts, and those of Twin rows of events,
// that all workers increment; every other row belongs to one worker. A twin is
// only ever incremented together with the hot row that has its id.
const (
	Accounts Table = 'a'
	Orders   Table = 'o'
	Events   Table = 'e'
	Hot      Table = 'h'
	Twin     Table = 't'
)

// Counts tells whether the rows of the table are counters that all workers
// increment.
func (t Table) Counts() bool { return t == Hot || t == Twin }

func (t Table) String() string {
	switch t {
	case Accounts:
		return "accounts"
	case Orders:
		return "orders"
	case Events:
		return "events"
	case Hot:
		return "hot account"
	case Twin:
		return "twin event"
	}
	return fmt.Sprintf("table %q", byte(t))
}

// Key names a row.
type Key struct {
	Table Table
	ID    int64
}

func (k Key) String() string { return fmt.Sprintf("%s %d", k.Table, k.ID) }

// RowsPerOp is how many rows one operation may insert.
const RowsPerOp = 8

// idsPerWorker is above what a worker draws in a run.
const idsPerWorker = 1 << 40

// RowID is the id of the j-th row, below RowsPerOp, that the worker's seq-th
// operation inserts. No other operation has it.
func RowID(worker int, seq int64, j int) int64 {
	return int64(worker+1)*idsPerWorker + RowsPerOp*seq + int64(j)
}

// Owner is the worker that owns the row.
func (k Key) Owner() int { return int(k.ID/idsPerWorker) - 1 }

// Stamp is the operation that last set the columns of a row which are not
// counted.
type Stamp struct {
	Worker int
	Seq    int64
}

// State is what a row holds. The zero value is a row that is not there.
type State struct {
	Present bool
	N       int64 // accounts: the counter
	Ref     int64 // orders: the account it refers to, 0 for NULL
	Stamp   Stamp
}

func (s State) String() string {
	if !s.Present {
		return "absent"
	}
	return fmt.Sprintf("n %d, account %d, set by operation %d of worker %d", s.N, s.Ref, s.Stamp.Seq, s.Stamp.Worker)
}

// Effect is what an operation does to one row: for a row of one worker the state
// that it brings about, for a hot row what it adds.
type Effect struct {
	Key Key
	To  State
	Add int64
}

// Op is one operation of a worker: a statement or a transaction. Its effects
// come together or not at all.
type Op struct {
	Worker  int
	Seq     int64
	Kind    string // one word
	Effects []Effect
}

// Verb is what a line tells.
type Verb byte

// The verbs.
const (
	Ready   Verb = 'r' // the database is open and answers
	Intent  Verb = 'i' // the operation is about to be executed
	Acked   Verb = 'a' // it returned nil
	Unknown Verb = 'u' // it returned an error that leaves open whether it happened
	Refused Verb = 'x' // it returned an error that says it has not happened
	Wrong   Verb = 'w' // a statement was answered wrongly
	Torn    Verb = 't' // reads showed a part of what came together
	Mark    Verb = 'm' // the answer to a mark: all that was told before stands before it
)

// Line is one line. Worker, Seq and the rest of Op are set as the verb has it.
type Line struct {
	Verb Verb
	Op   Op
	Mark uint64
	Text string // an error, or what was wrong
}
