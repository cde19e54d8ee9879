package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/writebehind/writebehind/examples/storefront/shop"
)

// run runs the load with its faults, and prints and returns what came of it.
func run(ctx context.Context, out io.Writer, o options) (_ *report, err error) {
	fmt.Fprintf(out, "soak: seed %d, the command: go run ./internal/soak -minutes %s -rate %d -seed %d\n",
		o.seed, minutes(o.length), o.rate, o.seed)
	p, err := newPlace(ctx, o)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, p.close()) }()
	orders, err := newBook(p.temp)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, orders.close()) }()

	log := newErrorLog(&serialized{out: out})
	l := newLoad(p, o, log, orders)
	watching := observe(ctx, p)
	t := &trouble{out: log.out, place: p, options: o, observer: watching, errors: log, records: make(map[string]*record)}
	samples, err := work(ctx, o, l, t)
	watching.end()
	if err != nil {
		return nil, err
	}

	r := newReport(o, samples)
	r.acknowledged = l.acknowledged.Load()
	r.wrong, r.unexplained, r.stuck = log.wrong, log.unexplained, t.stuck
	if hang := l.wait(longestStatement); hang != nil {
		// Nothing more can be said: what a shopper waits for it may still be told.
		fmt.Fprintln(out, hang)
		r.problems = append(r.problems, "a statement hangs")
	} else if err := r.settle(ctx, o, p, l); err != nil {
		return nil, err
	}
	t.print()
	fmt.Fprintln(out, "\nerrors that a fault explains:")
	log.print()
	fmt.Fprintln(out)
	r.print(out)
	fmt.Fprintln(out, r.line())
	return r, nil
}

// work has the load run, with faults, for its time, and returns the samples. In the
// end every fault is over.
func work(ctx context.Context, o options, l *load, t *trouble) (samples []sample, err error) {
	began := time.Now()
	working, stop := context.WithCancel(ctx)
	defer stop()
	l.start(working)
	var troubled error
	over := make(chan struct{})
	go func() {
		defer close(over)
		if err := t.run(working); working.Err() == nil && err != nil {
			troubled = err
			stop()
		}
	}()
	// As many as there will be, so that they do not add to the heap they measure.
	samples = make([]sample, 0, int(o.length/o.every)+1)
	s := sampler{began: began, load: l, observer: t.observer, last: began}
	for time.Since(began) < o.length && pause(working, o.every) == nil {
		samples = append(samples, s.take())
	}
	for o.faults > 0 && !closed(over) && pause(working, o.every) == nil {
		samples = append(samples, s.take())
	}
	stop()
	<-over
	// The last fault may not be over: ctx cut it short.
	t.errors.begin()
	err = errors.Join(troubled, t.place.heal(context.WithoutCancel(ctx)))
	return samples, errors.Join(err, ctx.Err())
}

func closed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// longestStatement is how long a statement may take after the last fault: longer
// than everything it can wait for.
const longestStatement = time.Minute

// settle drains, and compares.
func (r *report) settle(ctx context.Context, o options, p *place, l *load) error {
	if l.failed != nil {
		return l.failed
	}
	if err := p.drain(ctx); err != nil {
		r.problems = append(r.problems, fmt.Sprintf("it did not drain (%v)", err))
	}
	if o.spoil != nil {
		if err := o.spoil(p); err != nil {
			return err
		}
	}
	if err := r.compare(ctx, p, l); err != nil {
		return fmt.Errorf("compare: %w", err)
	}
	return nil
}

// compare compares what PostgreSQL holds with what was acknowledged.
func (r *report) compare(ctx context.Context, p *place, l *load) error {
	ledgers, err := l.ledgers()
	if err != nil {
		return err
	}
	for _, ledger := range ledgers {
		r.doubtful += ledger.Doubtful.Writes()
	}
	found, err := shop.ReadContents(ctx, p.past)
	if err != nil {
		return err
	}
	r.lost = shop.Verify(p.products, ledgers, found)
	more, err := l.ballast.verify(ctx, p.past)
	r.lost = append(r.lost, more...)
	r.doubtful += l.ballast.doubtful
	return err
}

// serialized lets several goroutines write whole lines.
type serialized struct {
	mu  sync.Mutex
	out io.Writer
}

func (s *serialized) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.out.Write(b)
}
