package main

import (
	"math"
	"slices"
	"time"
)

// summary is a figure in a quarter of the run.
type summary struct {
	n                int // samples that have it
	median, greatest float64
}

// quarters returns the samples of the first and of the last quarter of what
// comes after the warm-up.
func quarters(samples []sample, warmUp, length time.Duration) (first, last []sample) {
	quarter := (length - warmUp) / 4
	for _, s := range samples {
		switch {
		case s.at < warmUp:
		case s.at < warmUp+quarter:
			first = append(first, s)
		case s.at >= length-quarter:
			last = append(last, s)
		}
	}
	return first, last
}

func summarize(samples []sample, figure int) summary {
	var values []float64
	for _, s := range samples {
		if v := s.figures[figure]; !math.IsNaN(v) {
			values = append(values, v)
		}
	}
	if len(values) == 0 {
		return summary{}
	}
	slices.Sort(values)
	return summary{n: len(values), median: values[len(values)/2], greatest: values[len(values)-1]}
}
