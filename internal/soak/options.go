package main

import "time"

// options are those of a run.
type options struct {
	length   time.Duration // of the load, at least
	seed     uint64
	rate     int // things that all shoppers together do in a second
	shoppers int
	products int
	verbose  bool

	every    time.Duration // between two samples
	faults   int           // after which there are no more; 0: until the end. The run is as long as they take
	scale    float64       // of the time that faults last
	calm     time.Duration // least time between the end of a fault and the next one; up to twice as much
	patience time.Duration // after a fault, until the load must be deferring again

	spoil func(*place) error // what a test does between the drain and the comparison
}

func standard() options {
	return options{
		// A fraction of what one core does, so that the rate is kept on a machine
		// that has other work, too, and quarters can be compared.
		rate:     200,
		shoppers: 8,
		products: 1000,
		every:    time.Second,
		scale:    1,
		// Longer than grace, so that there is a time in which no error is explained.
		calm:     4 * time.Second,
		patience: 30 * time.Second,
	}
}

// warmUp is not looked at: the cache fills, the pools grow, the journal makes
// its first segments.
func (o options) warmUp() time.Duration { return o.length / 10 }
