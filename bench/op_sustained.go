package main

import (
	"context"
	"time"
)

// sustained is the rate at which updated rows reach PostgreSQL: the time
// includes the drain. Every row is updated as often as any other, in turn, so
// that next to nothing is gained by merging updates of the same row.
type sustained struct {
	onTable
	d time.Duration

	batches batches // of the flushes, for a bare rival to send the same
}

func (o sustained) Takes() time.Duration { return o.d + o.d/5 }

func (o sustained) Measure(ctx context.Context, s *session, goroutines int) (sample, error) {
	base, r := s.base(), s.Table(o.table)
	before, err := flushedBy(s)
	if err != nil {
		return sample{}, err
	}
	x, err := drained(ctx, s, func() (sample, error) {
		return timedLoop(ctx, goroutines, o.d, func(ctx context.Context, w int, i int64) error {
			return r.Set(ctx, own(w, goroutines, i, o.rows), base+i)
		})
	})
	if err != nil {
		return x, err
	}
	s.wrote(o.table, o.rows, x.calls, base)
	after, err := flushedBy(s)
	if size := after.since(before); size > 0 {
		o.batches.set(s, size)
		x.extra = []extra{{"rows per transaction", float64(size)}}
	}
	return x, err
}
