package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/writebehind/writebehind/internal/pgtest"
	"github.com/writebehind/writebehind/internal/prove/compare"
	"github.com/writebehind/writebehind/internal/prove/generate"
	"github.com/writebehind/writebehind/internal/prove/history"
	"github.com/writebehind/writebehind/internal/prove/run"
	"github.com/writebehind/writebehind/internal/prove/shrink"
)

type options struct {
	statements int
	seed       uint64
	length     int
	only       int // index of a history; below 0: all
	most       int
	shrink     bool
	shrinkFor  time.Duration
	driver     string
	parallel   int // histories at a time; 0 is 1
}

// prover is one run of the command.
type prover struct {
	options
	out io.Writer

	mu          sync.Mutex // over what follows, and over out
	next        int        // index of the history to be begun next
	hung        bool       // nothing more can be learnt from this process
	divergences int
	schemas     int        // histories run, each of which has a schema of its own
	total       run.Result // sums
	several     int        // histories of several connections
	deadlocks   [2]int     // on the reference, on the other side alone
}

// worker runs one history at a time, on two databases of its own.
type worker struct {
	*prover
	bench *run.Bench
}

// proveAll runs histories until there were enough statements, and returns the
// number of divergences.
func proveAll(ctx context.Context, out io.Writer, o options) (n int, err error) {
	server, err := pgtest.Start(ctx)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, server.Close()) }()
	return proveOn(ctx, out, o, server)
}

func proveOn(ctx context.Context, out io.Writer, o options, server *pgtest.Server) (n int, err error) {
	p := &prover{options: o, out: out}
	fmt.Fprintf(out, "prove: driver %s seed %d\n", o.driver, o.seed)
	errs := make([]error, max(1, o.parallel))
	var workers sync.WaitGroup
	for i := range errs {
		workers.Go(func() { errs[i] = p.work(ctx, server) })
	}
	workers.Wait()
	if err := errors.Join(errs...); err != nil {
		return p.divergences, err
	}
	p.summary()
	return p.divergences, nil
}

// work is what one worker does.
func (p *prover) work(ctx context.Context, server *pgtest.Server) (err error) {
	bench, err := run.NewBench(ctx, server, p.driver)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, bench.Close()) }()
	bench.Counts = counters(p.driver)
	return (&worker{prover: p, bench: bench}).histories(ctx)
}

// histories runs one history after another until there were enough.
func (w *worker) histories(ctx context.Context) error {
	for {
		index, ok := w.take()
		if !ok {
			return nil
		}
		if err := w.history(ctx, index); err != nil {
			w.stop()
			return err
		}
	}
}

// take returns the index of the history to be run next; ok is false if there is
// nothing more to do.
func (p *prover) take() (index int, ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	index = p.next
	p.next++
	if p.only >= 0 {
		return p.only, index == 0
	}
	return index, p.total.Sent < p.statements && p.divergences < p.most && !p.hung
}

// stop lets no further history begin.
func (p *prover) stop() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.hung = true
}

// history runs one history.
func (w *worker) history(ctx context.Context, index int) error {
	h := generate.History(w.seed, uint64(index), w.length)
	r, err := w.bench.Run(ctx, h)
	if err != nil {
		return fmt.Errorf("history %d of seed %d: %w", index, w.seed, err)
	}
	if number := w.add(h, r); number > 0 {
		text := w.report(ctx, number, index, h, r)
		w.mu.Lock()
		defer w.mu.Unlock()
		fmt.Fprint(w.out, text)
	}
	return ctx.Err()
}

// add counts what a history has brought, and returns the number of the divergence;
// 0 if there was none.
func (p *prover) add(h history.History, r run.Result) (number int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.schemas++
	p.hung = p.hung || r.Hung()
	t := &p.total
	t.Sent += r.Sent
	t.Inside += r.Inside
	t.Waited += r.Waited
	t.Counts = t.Counts.Add(r.Counts)
	if h.Connections() > 1 {
		p.several++
	}
	switch r.Deadlock {
	case [2]bool{false, true}:
		p.deadlocks[1]++
	case [2]bool{}:
	default:
		p.deadlocks[0]++
	}
	if r.Difference == nil {
		return 0
	}
	p.divergences++
	return p.divergences
}

// report describes a divergence, cut down if it can be brought about again.
func (w *worker) report(ctx context.Context, number, index int, h history.History, r run.Result) string {
	var out strings.Builder
	fmt.Fprintf(&out, "\ndivergence %d: seed %d history %d statement %d\n", number, w.seed, index, r.At)
	if r.At < len(h.Statements) {
		fmt.Fprintf(&out, "%s\n", h.Statements[r.At])
	}
	if r.Last < len(h.Statements) {
		h.Statements = slices.Clip(h.Statements[:r.Last+1])
	}
	fmt.Fprintf(&out, "%s\n", r.Difference)
	if w.shrink && !r.Hung() {
		h = w.smaller(ctx, &out, h, r)
	}
	fmt.Fprintf(&out, "\n%s\n", h.GoTest(fmt.Sprintf("TestProveSeed%dHistory%d", w.seed, index)))
	return out.String()
}

// smaller cuts a history down for as long as allowed. A difference that comes
// and goes with the timing is given a second and a third chance to come.
func (w *worker) smaller(ctx context.Context, out io.Writer, h history.History, found run.Result) history.History {
	until := time.Now().Add(w.shrinkFor)
	if found.Difference.Kind == compare.Hang {
		defer func(before time.Duration) { w.bench.Patience = before }(w.bench.Patience)
		w.bench.Patience = min(w.bench.Patience, 2*time.Second)
	}
	chances := 1
	var last run.Result
	var stuck bool
	fails := func(c history.History) bool {
		for range chances {
			if stuck || time.Now().After(until) {
				return false
			}
			r, err := w.bench.Run(ctx, c)
			stuck = r.Hung() || ctx.Err() != nil
			if err == nil && r.Difference != nil && r.Difference.Kind == found.Difference.Kind {
				last = r
				return true
			}
		}
		return false
	}
	for !fails(h) {
		if chances++; chances > 3 {
			fmt.Fprintln(out, "It did not come again in three further runs of the same history.")
			return h
		}
	}
	h = shrink.History(h, fails)
	fmt.Fprintf(out, "cut down to %d statements; the last time it was:\n%s\n", len(h.Statements), last.Difference)
	return h
}

// summary prints how the statements were answered, those that touch no
// opted-in table included, what there was of transactions and of several
// connections, and then the line that scripts look for.
func (p *prover) summary() {
	t := &p.total
	deferred, cached := share(t.Counts.Deferred, t.Sent), share(t.Counts.Cached, t.Sent)
	fmt.Fprintf(p.out, "prove: deferred %.1f%% cached %.1f%% direct %.1f%%\n", deferred, cached, 100-deferred-cached)
	fmt.Fprintf(p.out, "prove: in transactions %.1f %%, buffered to the end %.1f %%\n",
		share(t.Inside, t.Sent), share(t.Counts.Buffered, t.Counts.Buffered+t.Counts.MadeReal))
	fmt.Fprintf(p.out, "prove: histories of several connections %d, statements that waited %d, stopped by a deadlock %d, by one of the driver under test alone %d\n",
		p.several, t.Waited, p.deadlocks[0], p.deadlocks[1])
	fmt.Fprintf(p.out, "prove: statements %d schemas %d divergences %d\n", t.Sent, p.schemas, p.divergences)
}

// share is a part in percent.
func share[A, B int | uint64](part A, of B) float64 { return 100 * float64(part) / float64(max(1, of)) }
