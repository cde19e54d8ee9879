package main

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"
)

// errDone is returned by an operation that finds nothing left to do.
var errDone = errors.New("nothing left to do")

// loop calls op from a number of goroutines until the time is up, and counts.
// op gets the number of its goroutine and of the call within it, both from 0.
// The first error ends all; errDone ends its own goroutine and is no error.
//
// The context that op gets is never done: for each query under a context that
// could be, database/sql starts a goroutine, which costs several times what is
// to be measured.
func loop(ctx context.Context, goroutines int, d time.Duration,
	op func(ctx context.Context, worker int, i int64) error) (sample, error) {
	calm := context.WithoutCancel(ctx)
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var total atomic.Int64
	var wg sync.WaitGroup
	start := time.Now()
	for w := range goroutines {
		wg.Go(func() {
			n, err := work(ctx, start, d, func(i int64) error { return op(calm, w, i) })
			total.Add(n)
			if err != nil {
				cancel(err)
			}
		})
	}
	wg.Wait()
	s := sample{n: total.Load(), elapsed: time.Since(start)}
	err := context.Cause(ctx)
	if err == nil && s.n == 0 {
		err = errDone
	}
	return s, err
}

// work is one goroutine of a loop. The clock is read once per chunk of calls,
// which grows to some 100 µs, so that reading it does not count.
func work(ctx context.Context, start time.Time, d time.Duration, op func(i int64) error) (n int64, err error) {
	const chunkTime = 100 * time.Microsecond
	last := start
	for chunk := 1; ctx.Err() == nil; {
		for range chunk {
			if err := op(n); errors.Is(err, errDone) {
				return n, nil
			} else if err != nil {
				return n, err
			}
			n++
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
	return n, nil
}
