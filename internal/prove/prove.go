package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
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
}

// prover is one run of the command.
type prover struct {
	options
	out   io.Writer
	bench *run.Bench

	divergences int
	total       run.Result // sums
	several     int        // histories of several connections
	deadlocks   [2]int     // on the reference, on the other side alone
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
	bench, err := run.NewBench(ctx, server, o.driver)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, bench.Close()) }()
	bench.Counts = counters(o.driver)
	p := &prover{options: o, out: out, bench: bench}
	fmt.Fprintf(out, "prove: driver %s seed %d\n", o.driver, o.seed)
	if err := p.histories(ctx); err != nil {
		return p.divergences, err
	}
	p.summary()
	return p.divergences, nil
}

func (p *prover) histories(ctx context.Context) error {
	if p.only >= 0 {
		_, err := p.history(ctx, p.only)
		return err
	}
	for i := 0; p.total.Sent < p.statements && p.divergences < p.most; i++ {
		hung, err := p.history(ctx, i)
		if hung || err != nil {
			return err
		}
	}
	return nil
}

// history runs one history and reports whether the driver under test hung, so
// that nothing more can be learnt from this process.
func (p *prover) history(ctx context.Context, index int) (hung bool, err error) {
	h := generate.History(p.seed, uint64(index), p.length)
	r, err := p.bench.Run(ctx, h)
	if err != nil {
		return false, fmt.Errorf("history %d of seed %d: %w", index, p.seed, err)
	}
	p.add(h, r)
	if r.Difference != nil {
		p.divergences++
		p.report(ctx, index, h, r)
	}
	return r.Hung(), ctx.Err()
}

// add counts what a history has brought.
func (p *prover) add(h history.History, r run.Result) {
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
}

// report prints a divergence, cut down if it can be brought about again.
func (p *prover) report(ctx context.Context, index int, h history.History, r run.Result) {
	fmt.Fprintf(p.out, "\ndivergence %d: seed %d history %d statement %d\n", p.divergences, p.seed, index, r.At)
	if r.At < len(h.Statements) {
		fmt.Fprintf(p.out, "%s\n", h.Statements[r.At])
	}
	if r.Last < len(h.Statements) {
		h.Statements = slices.Clip(h.Statements[:r.Last+1])
	}
	fmt.Fprintf(p.out, "%s\n", r.Difference)
	if p.shrink && !r.Hung() {
		h = p.smaller(ctx, h, r)
	}
	fmt.Fprintf(p.out, "\n%s\n", h.GoTest(fmt.Sprintf("TestProveSeed%dHistory%d", p.seed, index)))
}

// smaller cuts a history down for as long as allowed. A difference that comes
// and goes with the timing is given a second and a third chance to come.
func (p *prover) smaller(ctx context.Context, h history.History, found run.Result) history.History {
	until := time.Now().Add(p.shrinkFor)
	if found.Difference.Kind == compare.Hang {
		defer func(before time.Duration) { p.bench.Patience = before }(p.bench.Patience)
		p.bench.Patience = min(p.bench.Patience, 2*time.Second)
	}
	chances := 1
	var last run.Result
	var stuck bool
	fails := func(c history.History) bool {
		for range chances {
			if stuck || time.Now().After(until) {
				return false
			}
			r, err := p.bench.Run(ctx, c)
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
			fmt.Fprintln(p.out, "It did not come again in three further runs of the same history.")
			return h
		}
	}
	h = shrink.History(h, fails)
	fmt.Fprintf(p.out, "cut down to %d statements; the last time it was:\n%s\n", len(h.Statements), last.Difference)
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
	fmt.Fprintf(p.out, "prove: statements %d divergences %d\n", t.Sent, p.divergences)
}

// share is a part in percent.
func share[A, B int | uint64](part A, of B) float64 { return 100 * float64(part) / float64(max(1, of)) }
