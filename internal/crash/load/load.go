// Package load is the workload of the crash laboratory: workers on three tables,
// each with rows of its own, so that its own history tells what they must hold,
// and all with a few rows that they increment: hot ones each for itself, twins two
// at a time. Some of what they do is in transactions, or groups, of several writes.
//
// What a worker is about to do it tells before, and what came of it after. A row
// whose last write has an open outcome it leaves alone.
package load

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/writebehind/writebehind/internal/crash/record"
)

// Reporter is told what the workers do. It must be safe for concurrent use.
type Reporter interface {
	Report(record.Line)
}

// Row is a row that a worker begins with. State may say that it is absent.
type Row struct {
	Key   record.Key
	State record.State
}

// Worker is one goroutine's part of the load.
type Worker struct {
	id       int
	seq      int64 // of the next operation
	db       *sql.DB
	rng      *rand.Rand
	reporter Reporter

	present [3]rows              // by table
	absent  [3]rows              // keys that were used, for another INSERT
	floor   map[record.Key]int64 // what a counter holds at least
	drawn   int                  // new keys, for the operation at hand

	// Direct is the share, in thousandths, of operations that the shim runs
	// direct: on several rows, with foreign keys, in transactions with such.
	Direct int
	// Held has each statement run on a connection that is held for it. database/sql
	// repeats a statement whose driver returns driver.ErrBadConn, except there; and
	// lib/pq returns that also when the connection is lost after the statement was
	// sent, so that the server may execute it twice.
	Held bool
	// Throttle, if not zero, is the mean pause between two operations.
	Throttle time.Duration
}

// NewWorker returns the worker with the number id. Its operations are numbered
// from seq; rows are what it owns, and their states must be true.
func NewWorker(id int, seq int64, seed uint64, owned []Row, db *sql.DB, reporter Reporter) *Worker {
	w := &Worker{
		id: id, seq: seq, db: db, reporter: reporter,
		rng:   rand.New(rand.NewPCG(seed, uint64(id))), //nolint:gosec // it is to be repeatable, not secret
		floor: make(map[record.Key]int64),
	}
	for i := range w.present {
		w.present[i].init()
		w.absent[i].init()
	}
	for _, r := range owned {
		w.put(r.Key, r.State)
	}
	return w
}

// Run works until ctx ends. The operation at hand is finished first: statements
// have a context of their own.
func (w *Worker) Run(ctx context.Context) {
	for ctx.Err() == nil {
		if !w.Step(context.WithoutCancel(ctx)) {
			// After an error the next one is likely, and a worker that spins
			// would make up nothing but errors.
			w.pause(ctx, 2*time.Millisecond)
		}
		if w.Throttle > 0 {
			w.pause(ctx, w.Throttle)
		}
	}
}

func (w *Worker) pause(ctx context.Context, mean time.Duration) {
	timer := time.NewTimer(time.Duration(w.rng.Int64N(int64(2*mean) + 1)))
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// longest bounds a statement. One that is given up has an open outcome.
const longest = 30 * time.Second

// Step does one operation, and reports whether it was answered as it should.
func (w *Worker) Step(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, longest)
	defer cancel()
	if w.rng.IntN(100) < shareOfReads {
		return w.read(ctx)
	}
	var p *plan
	for p == nil {
		p = w.choose()
	}
	op := record.Op{Worker: w.id, Seq: w.seq, Kind: p.kind, Effects: p.effects}
	w.seq++
	w.reporter.Report(record.Line{Verb: record.Intent, Op: op})
	verb, err := w.execute(ctx, p)
	line := record.Line{Verb: verb, Op: record.Op{Worker: op.Worker, Seq: op.Seq}}
	if err != nil {
		line.Text = err.Error()
	}
	w.reporter.Report(line)
	w.settle(p, verb)
	return verb == record.Acked || errors.Is(err, errRolledBack)
}

// settle brings what the worker knows of its rows up to date.
func (w *Worker) settle(p *plan, verb record.Verb) {
	for _, e := range p.effects {
		switch {
		case verb == record.Refused:
		case verb != record.Acked:
			w.forget(e.Key)
		case e.Key.Table.Counts():
			w.floor[e.Key] += e.Add
		default:
			w.put(e.Key, e.To)
		}
	}
}

// errAffected says that a statement on rows which are there found others.
var errAffected = errors.New("rows affected")

// execute runs the statements of a plan.
func (w *Worker) execute(ctx context.Context, p *plan) (record.Verb, error) {
	if p.transaction {
		return w.together(ctx, p)
	}
	return w.single(ctx, p)
}

func (w *Worker) single(ctx context.Context, p *plan) (record.Verb, error) {
	var db execer = w.db
	if w.Held {
		conn, err := w.db.Conn(ctx)
		if err != nil {
			return record.Refused, err
		}
		defer func() { _ = conn.Close() }() // of a lost connection it says so again
		db = conn
	}
	return w.judge(p, exec(ctx, db, p.statements[0]), Outcome)
}

// judge tells of answers that are wrong, not just errors.
func (w *Worker) judge(p *plan, err error, outcome func(error) record.Verb) (record.Verb, error) {
	if errors.Is(err, errAffected) || isDuplicate(err) {
		w.wrong("%s, operation %d of worker %d: %v", p.kind, w.seq-1, w.id, err)
		return record.Unknown, err
	}
	return outcome(err), err
}

func (w *Worker) wrong(format string, args ...any) {
	w.reporter.Report(record.Line{Verb: record.Wrong, Text: fmt.Sprintf(format, args...)})
}

type execer interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
}

func exec(ctx context.Context, db execer, s statement) error {
	result, err := db.ExecContext(ctx, s.query, s.args...)
	if err != nil {
		return err
	}
	n, err := result.RowsAffected()
	if err != nil {
		return err
	}
	if n != s.affects {
		return fmt.Errorf("%w: %d, not %d, of %s %v", errAffected, n, s.affects, s.query, s.args)
	}
	return nil
}
