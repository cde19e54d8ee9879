package main

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"time"

	"github.com/writebehind/writebehind/internal/histogram"
)

// errDone is returned by an operation that finds nothing left to do.
var errDone = errors.New("nothing left to do")

// call is one call of an operation. It gets the number of its goroutine and of the
// call within it, both from 0.
type call func(ctx context.Context, worker int, i int64) error

// loop calls op from a number of goroutines, each one call after another (a closed
// loop), until the time is up. In the first three quarters of the time calls are
// counted, in the last one timed, one by one.
//
// The first error ends all; errDone ends its own goroutine and is no error.
//
// The context that op gets is never done: for each query under a context that
// could be, database/sql starts a goroutine, which costs several times what is
// to be measured.
func loop(ctx context.Context, goroutines int, d time.Duration, op call) (sample, error) {
	workers := make([]worker, goroutines)
	s, err := inParallel(ctx, workers, op, func(ctx context.Context, w *worker, op call) error {
		return w.count(ctx, d*3/4, op)
	})
	if err == nil {
		var timed sample
		timed, err = inParallel(ctx, workers, op, func(ctx context.Context, w *worker, op call) error {
			return w.time(ctx, d/4, op)
		})
		s.latency, s.calls = timed.latency, timed.calls
	}
	return s, err
}

// timedLoop is loop with all calls timed and counted.
func timedLoop(ctx context.Context, goroutines int, d time.Duration, op call) (sample, error) {
	return inParallel(ctx, make([]worker, goroutines), op, func(ctx context.Context, w *worker, op call) error {
		return w.time(ctx, d, op)
	})
}

func mallocs() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.Mallocs
}

// worker is one goroutine of a loop.
type worker struct {
	number  int
	calls   int64
	latency histogram.Histogram
}

// inParallel runs the workers, which go on counting where they stopped.
func inParallel(ctx context.Context, workers []worker, op call, run func(context.Context, *worker, call) error) (sample, error) {
	calm := context.WithoutCancel(ctx)
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var wg sync.WaitGroup
	var before int64
	allocated := mallocs()
	start := time.Now()
	for n := range workers {
		w := &workers[n]
		w.number = n
		before += w.calls
		wg.Go(func() {
			err := run(ctx, w, func(_ context.Context, worker int, i int64) error { return op(calm, worker, i) })
			if err != nil && !errors.Is(err, errDone) {
				cancel(err)
			}
		})
	}
	wg.Wait()
	s := sample{elapsed: time.Since(start), n: -before}
	allocated = mallocs() - allocated
	for i := range workers {
		w := &workers[i]
		s.n += w.calls
		s.calls = append(s.calls, w.calls)
		s.latency.Merge(&w.latency)
	}
	if s.n > 0 {
		s.allocs = float64(allocated) / float64(s.n)
	}
	return s, context.Cause(ctx)
}

// count calls op until the time is up. The clock is read once per chunk of calls,
// which grows to some 100 µs, so that reading it does not count.
func (w *worker) count(ctx context.Context, d time.Duration, op call) error {
	const chunkTime = 100 * time.Microsecond
	start := time.Now()
	last := start
	for chunk := 1; ctx.Err() == nil; {
		for range chunk {
			if err := op(ctx, w.number, w.calls); err != nil {
				return err
			}
			w.calls++
		}
		now := time.Now()
		if now.Sub(start) >= d {
			break
		}
		if now.Sub(last) < chunkTime {
			chunk *= 2
		}
		last = now
	}
	return nil
}

// time calls op until the time is up and records how long each call takes.
func (w *worker) time(ctx context.Context, d time.Duration, op call) error {
	start := time.Now()
	var last time.Duration
	for ctx.Err() == nil {
		if err := op(ctx, w.number, w.calls); err != nil {
			return err
		}
		w.calls++
		now := time.Since(start)
		w.latency.Record(now - last)
		if last = now; now >= d {
			break
		}
	}
	return nil
}
