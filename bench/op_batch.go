package main

import (
	"context"
	"sort"
	"time"
)

// batchOf is how fast batches of one size reach PostgreSQL, each in a transaction of
// its own, acknowledged beforehand.
type batchOf struct {
	onTable
	size int
	d    time.Duration
}

func (o batchOf) Takes() time.Duration { return 3 * o.d }

func (o batchOf) Measure(ctx context.Context, s *session, _ int) (x sample, err error) {
	base, r, calm := s.base(), s.Table(o.table), context.WithoutCancel(ctx)
	for x.elapsed < o.d && ctx.Err() == nil {
		keys, values := make([]int64, o.size), make([]int64, o.size)
		for i := range keys {
			keys[i], values[i] = own(0, 1, x.n, o.rows), base+x.n
			x.n++
			if s.Caches() {
				if err := r.Set(calm, keys[i], values[i]); err != nil {
					return x, err
				}
			}
		}
		sortTogether(keys, values)
		start := time.Now()
		if s.Caches() {
			err = s.Settle(calm)
		} else {
			err = sendUnnest(calm, s, keys, values, o.size)
		}
		if err != nil {
			return x, err
		}
		x.elapsed += time.Since(start)
	}
	s.wrote(o.table, o.rows, []int64{x.n}, base)
	return x, ctx.Err()
}

// pairs sorts keys and takes the values along.
type pairs struct{ keys, values []int64 }

func (p pairs) Len() int           { return len(p.keys) }
func (p pairs) Less(i, j int) bool { return p.keys[i] < p.keys[j] }
func (p pairs) Swap(i, j int) {
	p.keys[i], p.keys[j] = p.keys[j], p.keys[i]
	p.values[i], p.values[j] = p.values[j], p.values[i]
}

func sortTogether(keys, values []int64) { sort.Sort(pairs{keys, values}) }
