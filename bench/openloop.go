package main

import (
	"context"
	"time"
)

// openLoop calls op at a fixed rate from one goroutine, however long the calls take,
// until the time is up. While one call takes longer than the gap between two, those
// that fall due meanwhile wait: their time counts from when they were due. That the
// goroutine sleeps in steps of about a millisecond, and then makes the calls that fell
// due while it slept, is its own affair and does not count.
func openLoop(ctx context.Context, rate float64, d time.Duration, op call) (sample, error) {
	gap := time.Duration(float64(time.Second) / rate)
	calm := context.WithoutCancel(ctx)
	var s sample
	start := time.Now()
	var now, slept, late time.Duration // slept: when it last woke; late: when the last slow call ended
	for ctx.Err() == nil {
		due := time.Duration(s.n) * gap
		if due >= d {
			break
		}
		if due > now {
			time.Sleep(due - now)
			now = time.Since(start)
			slept = now
		}
		began := now
		if err := op(calm, 0, s.n); err != nil {
			return s, err
		}
		s.n++
		now = time.Since(start)
		if due > slept && due < late {
			began = due
		}
		s.latency.Record(now - began)
		if now-began > gap {
			late = now
		}
	}
	s.elapsed, s.calls = time.Since(start), []int64{s.n}
	return s, ctx.Err()
}
