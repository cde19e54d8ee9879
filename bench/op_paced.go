package main

import (
	"context"
	"database/sql"
	"fmt"
	"time"
)

// paced is UPDATEs in an open loop, at half the rate at which the subject drains: how
// long one takes while flushes run.
type paced struct {
	about
	rows int
	d    time.Duration
}

func (o paced) Setup(ctx context.Context, plain *sql.DB) error {
	return makeTable(ctx, plain, "large", o.rows)
}

// Prepare also finds out, the first time, how fast the subject drains.
func (o paced) Prepare(ctx context.Context, s *session, _ int) error {
	if err := warm(ctx, s, "large", o.rows); err != nil || s.rates["drain"] > 0 {
		return err
	}
	x, err := sustained{about: o.about, rows: o.rows, d: min(o.d, time.Second)}.Measure(ctx, s, 1)
	if err == nil {
		s.rates["drain"] = x.perSecond()
	}
	return err
}

func (o paced) Takes() time.Duration { return time.Second + o.d }

func (o paced) Measure(ctx context.Context, s *session, _ int) (sample, error) {
	base, r, rate := s.base(), s.Table("large"), s.rates["drain"]/2
	x, err := drained(ctx, s, func() (sample, error) {
		return openLoop(ctx, rate, o.d, func(ctx context.Context, _ int, i int64) error {
			return r.Set(ctx, own(0, 1, i, o.rows), base+i)
		})
	})
	if err == nil {
		s.wrote("large", o.rows, x.calls, base)
	}
	x.extra = []extra{{"asked for, per second", rate}, {"longest, µs", float64(x.latency.longest().Microseconds())}}
	return x, err
}

func (o paced) Check(ctx context.Context, s *session) error {
	return s.checkModel(ctx, "large")
}

// barrier is reads that are not keyed, in a closed loop, of a table that takes deferred
// writes at a fixed rate. Each waits for what is pending.
type barrier struct {
	about
	rows int
	rate float64 // of the writes
	d    time.Duration
}

func (o barrier) Setup(ctx context.Context, plain *sql.DB) error {
	return makeTable(ctx, plain, "hot", o.rows)
}

func (o barrier) Prepare(ctx context.Context, s *session, _ int) error {
	return warm(ctx, s, "hot", o.rows)
}

func (o barrier) Takes() time.Duration { return o.d }

func (o barrier) Measure(ctx context.Context, s *session, goroutines int) (sample, error) {
	base, r, query := s.base(), s.Table("hot"), fmt.Sprintf(rangeRead, "hot")
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
		s.wrote("hot", o.rows, writes.calls, base)
	}
	x.extra = []extra{{"writes per second", writes.perSecond()}}
	return x, err
}

func (o barrier) Check(ctx context.Context, s *session) error {
	return s.checkModel(ctx, "hot")
}
