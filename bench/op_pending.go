package main

import (
	"context"
	"database/sql"
	"runtime"
	"runtime/metrics"
	"slices"
	"strings"
	"time"
)

// manyPending is what a large overlay costs: heap per pending row, how long a full
// garbage collection takes, and the share of processor time that collections take while
// reads and writes go on. The rows are of 100 bytes.
type manyPending struct {
	about
	rows int
	d    time.Duration
}

// namedHundred makes a row of 100 bytes: three numbers of 8 and this name.
var namedHundred = strings.Repeat("x", 100-3*8)

func (o manyPending) Setup(ctx context.Context, plain *sql.DB) error {
	return makeTable(ctx, plain, "trusted", 1)
}

func (o manyPending) Prepare(context.Context, *session, int) error { return nil }

func (o manyPending) Takes() time.Duration { return 3*time.Second + o.d }

func (o manyPending) Measure(ctx context.Context, s *session, _ int) (sample, error) {
	base := s.base()
	ctx = context.WithoutCancel(ctx)
	before := liveHeap()
	if err := fillInserts(ctx, s.DB(), "trusted", namedHundred, base, o.rows); err != nil {
		return sample{}, err
	}
	s.inserted["trusted"] += int64(o.rows)
	heap := float64(liveHeap()) - float64(before)
	var full []float64
	for range 5 {
		start := time.Now()
		runtime.GC()
		full = append(full, float64(time.Since(start))/float64(time.Millisecond))
	}
	slices.Sort(full)
	gc, all := collected()
	r := s.Table("trusted")
	x, err := loop(ctx, 1, o.d, func(ctx context.Context, _ int, i int64) error {
		key := base + i*stride%int64(o.rows)
		if i%2 == 0 {
			return r.Read(ctx, key)
		}
		return r.Add(ctx, key, 1)
	})
	gcAfter, allAfter := collected()
	x.extra = []extra{{"heap per pending row, bytes", heap / float64(o.rows)}, {"full collection, ms", full[len(full)/2]}}
	if allAfter > all {
		x.extra = append(x.extra, extra{"share of collections, %", 100 * (gcAfter - gc) / (allAfter - all)})
	}
	return x, err
}

func (o manyPending) Check(ctx context.Context, s *session) error {
	return s.checkCount(ctx, "trusted", 1)
}

func liveHeap() uint64 {
	runtime.GC()
	runtime.GC() // what the first has found to be garbage is swept
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// collected is the processor time, in seconds, that collections and all have taken so
// far. The runtime reckons it at each collection.
func collected() (gc, all float64) {
	runtime.GC()
	s := []metrics.Sample{{Name: "/cpu/classes/gc/total:cpu-seconds"}, {Name: "/cpu/classes/total:cpu-seconds"}}
	metrics.Read(s)
	return s[0].Value.Float64(), s[1].Value.Float64()
}
