package main

import (
	"time"

	"github.com/writebehind/writebehind/internal/histogram"
)

// sample is one measurement.
type sample struct {
	n       int64               // operations
	elapsed time.Duration       // from the start of the first operation to the end of the last, or of the drain
	latency histogram.Histogram // of single operations
	allocs  float64             // allocations of the whole process per operation; 0: not counted
	calls   []int64             // operations of each goroutine, those outside elapsed included
	cost    *serverCost         // of PostgreSQL, drain included; nil: not measured
	lag     time.Duration       // longest time that an acknowledged write was seen not to be in PostgreSQL
	extra   []extra             // figures of the operation's own
}

// extra is a figure with a name.
type extra struct {
	name  string
	value float64
}

func (s sample) nanoseconds() float64 { return float64(s.elapsed) / float64(max(s.n, 1)) }
func (s sample) perSecond() float64   { return float64(s.n) / s.elapsed.Seconds() }

func (s sample) figure(u unit) float64 {
	if u == perSecond {
		return s.perSecond()
	}
	return s.nanoseconds()
}

// named returns an extra figure, 0 if there is none of that name.
func (s sample) named(name string) float64 {
	for _, e := range s.extra {
		if e.name == name {
			return e.value
		}
	}
	return 0
}
