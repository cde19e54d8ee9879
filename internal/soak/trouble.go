package main

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"text/tabwriter"
	"time"
)

// trouble has one fault after the other happen, and sees to it that the load
// comes back after each.
type trouble struct {
	out      io.Writer
	place    *place
	options  options
	observer *observer
	errors   *errorLog
	records  map[string]*record // by the fault's name
	stuck    []string           // faults after which the load did not come back in time
}

// record is what came of one kind of fault.
type record struct {
	times   int
	errors  int           // that the load met until the next fault
	longest time.Duration // from the end of the fault until the load was back
}

// run goes on until ctx is done or there were as many faults as were asked for.
// An error says that a fault could not be made, which is no news after ctx is done.
func (t *trouble) run(ctx context.Context) error {
	cards := deck{rng: rand.New(rand.NewPCG(t.options.seed, 0))}
	for n := 1; t.options.faults == 0 || n <= t.options.faults; n++ {
		// Each fault has numbers of its own, whatever the ones before have drawn.
		d := dice{rand.New(rand.NewPCG(t.options.seed, uint64(n))), t.options.scale}
		f := cards.deal()
		err := pause(ctx, t.options.calm+time.Duration(d.Int64N(int64(t.options.calm))))
		if err == nil {
			err = t.have(ctx, f, n, d)
		}
		if err != nil {
			return fmt.Errorf("fault %d, %s: %w", n, f.name, err)
		}
	}
	return nil
}

// have has one fault happen and waits until the load is back.
func (t *trouble) have(ctx context.Context, f fault, n int, d dice) error {
	r := t.records[f.name]
	if r == nil {
		r = new(record)
		t.records[f.name] = r
	}
	errorsBefore := t.errors.count()
	t.errors.begin()
	began := time.Now()
	if err := f.strike(ctx, t.place, d); err != nil {
		return err
	}
	over := time.Now()
	err := awaitDeferring(ctx, t.observer, t.options.patience)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	t.errors.end()
	back := time.Since(over)
	r.times++
	r.longest = max(r.longest, back)
	met := t.errors.count() - errorsBefore
	r.errors += met
	if t.options.verbose {
		fmt.Fprintf(t.out, "fault %d: %s for %s, back after %s, %d errors\n",
			n, f.name, rounded(over.Sub(began)), rounded(back), met)
	}
	if err != nil {
		t.stuck = append(t.stuck, f.name)
		fmt.Fprintf(t.out, "fault %d: %s: after %s %v\n", n, f.name, t.options.patience, err)
	}
	return nil
}

func rounded(d time.Duration) time.Duration { return d.Round(10 * time.Millisecond) }

func (t *trouble) print() {
	w := tabwriter.NewWriter(t.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "fault\ttimes\terrors\tlongest until back")
	for _, f := range faults {
		if r := t.records[f.name]; r != nil {
			fmt.Fprintf(w, "%s\t%d\t%d\t%s\n", f.name, r.times, r.errors, rounded(r.longest))
		}
	}
	_ = w.Flush() // out is a terminal, or a buffer
}
