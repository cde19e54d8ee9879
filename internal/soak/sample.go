package main

import (
	"math"
	"runtime"
	"runtime/metrics"
	"time"
)

// sample is what was measured at one moment. NaN stands for what could not be.
type sample struct {
	at      time.Duration // since the load began
	figures [figureCount]float64
}

var unknown = math.NaN()

// sampler takes samples.
type sampler struct {
	began    time.Time
	load     *load
	observer *observer

	last         time.Time // of the last sample
	acknowledged int64     // then
}

func (s *sampler) take() sample {
	now := time.Now()
	taken := sample{at: now.Sub(s.began)}
	f := &taken.figures

	// An answer that is older than the last sample belongs to that.
	f[journal], f[pendingRows], f[serverBackends] = unknown, unknown, unknown
	if l, ok := s.observer.shim.get(s.last); ok {
		f[journal], f[pendingRows] = float64(l.JournalBytes), float64(l.PendingRows)
	}
	if n, ok := s.observer.backends.get(s.last); ok {
		f[serverBackends] = float64(n)
	}
	acknowledged := s.load.acknowledged.Load()
	f[operations] = float64(acknowledged-s.acknowledged) / now.Sub(s.last).Seconds()
	s.last, s.acknowledged = now, acknowledged

	f[goroutines] = float64(runtime.NumGoroutine())
	f[descriptors] = openDescriptors()
	f[residentMemory] = residentBytes()
	f[liveHeap] = liveBytes()
	return taken
}

// liveBytes collects garbage, which takes milliseconds with a heap of this size,
// and returns what is left.
func liveBytes() float64 {
	runtime.GC()
	left := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	metrics.Read(left)
	if left[0].Value.Kind() != metrics.KindUint64 {
		return unknown
	}
	return float64(left[0].Value.Uint64())
}
