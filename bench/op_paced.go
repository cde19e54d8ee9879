package main

import (
	"context"
	"fmt"
	"time"
)

// paced is UPDATEs in an open loop, at half the rate at which the subject drains: how
// long one takes while flushes run.
type paced struct {
	onTable
	d time.Duration
}

// Prepare also finds out, the first time, how fast the subject drains.
func (o paced) Prepare(ctx context.Context, s *session, goroutines int) error {
	if err := o.onTable.Prepare(ctx, s, goroutines); err != nil || s.found["drain"] > 0 {
		return err
	}
	x, err := sustained{onTable: o.onTable, d: min(o.d, time.Second)}.Measure(ctx, s, 1)
	if err == nil {
		s.found["drain"] = x.perSecond()
	}
	return err
}

func (o paced) Takes() time.Duration { return time.Second + o.d }

func (o paced) Measure(ctx context.Context, s *session, _ int) (sample, error) {
	base, r, rate := s.base(), s.Table(o.table), s.found["drain"]/2
	x, err := drained(ctx, s, func() (sample, error) {
		return openLoop(ctx, rate, o.d, func(ctx context.Context, _ int, i int64) error {
			return r.Set(ctx, own(0, 1, i, o.rows), base+i)
		})
	})
	if err == nil {
		s.wrote(o.table, o.rows, x.calls, base)
	}
	x.extra = []extra{{"asked for, per second", rate}, {"longest, µs", float64(x.latency.Quantile(1).Microseconds())}}
	return x, err
}

// barrier is reads that are not keyed, in a closed loop, of a table that takes deferred
// writes at a fixed rate. Each waits for what is pending.
type barrier struct {
	onTable
	rate float64 // of the writes
	d    time.Duration
}

func (o barrier) Takes() time.Duration { return o.d }

func (o barrier) Measure(ctx context.Context, s *session, goroutines int) (sample, error) {
	base, r, query := s.base(), s.Table(o.table), fmt.Sprintf(rangeRead, o.table)
	type outcome struct {
		sample
		err error
	}
	written := make(chan outcome, 1)
	go func() {
		x, err := openLoop(ctx, o.rate, o.d, func(ctx context.Context, _ int, i int64) error {
			return r.Set(ctx, own(0, 1, i, o.rows), base+i)
		})
		written <- outcome{x, err}
	}()
	x, err := timedLoop(ctx, goroutines, o.d, func(ctx context.Context, w int, i int64) error {
		return scan(ctx, s.DB(), query, spread(w, i, o.rows-scanned))
	})
	writes := <-written
	if err == nil {
		err = writes.err
	}
	if err == nil {
		s.wrote(o.table, o.rows, writes.calls, base)
	}
	x.extra = []extra{{"writes per second", writes.perSecond()}}
	return x, err
}
