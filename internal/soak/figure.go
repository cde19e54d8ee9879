package main

import (
	"fmt"
	"strconv"
)

// figure is one of the things that are looked at, and how much of a difference
// between the first and the last quarter is none. Compared are the medians: what
// a fault makes of a figure while it lasts is no growth.
type figure struct {
	name string
	show func(float64) string
	// The last quarter's may be factor times the first quarter's and slack more.
	// If less is worse, it may not be less than factor times the first quarter's.
	factor      float64
	slack       float64
	lessIsWorse bool
	// atMost bounds the greatest of all, in both quarters; 0: no bound.
	atMost float64
}

const (
	mebibyte = 1 << 20
	// journalSegment is the size of the journal's files; only whole ones go.
	journalSegment = 64 * mebibyte
)

// The figures, in the order of their values in a sample.
const (
	liveHeap = iota
	residentMemory
	goroutines
	descriptors
	journal
	pendingRows
	serverBackends
	operations
	figureCount
)

var figures = [figureCount]figure{
	// What is alive right after a garbage collection. The slack is for the row
	// cache (1 MiB), rows that are pending just then, and what the pools hold.
	liveHeap: {name: "live heap", show: mebibytes, factor: 1.25, slack: 8 * mebibyte},
	// The runtime gives memory back late and in large pieces.
	residentMemory: {name: "resident memory", show: mebibytes, factor: 1.25, slack: 24 * mebibyte},
	// A connection has three of them, in the proxy; one more or less of the pool's
	// is in use at any time.
	goroutines: {name: "goroutines", show: plain, factor: 1, slack: 5},
	// A connection has three of them: its own and two of the proxy.
	descriptors: {name: "file descriptors", show: plain, factor: 1, slack: 5},
	// It grows until a segment is full, which the ballast sees to every two minutes
	// or so, and what is before that one goes.
	journal: {name: "journal", show: mebibytes, factor: 1, slack: journalSegment, atMost: 2 * journalSegment},
	// At a steady rate it is what comes in while one flush is under way.
	pendingRows: {name: "pending rows", show: plain, factor: 1.25, slack: 50},
	// Those of the load's pool come and go.
	serverBackends: {name: "server backends", show: plain, factor: 1, slack: 3},
	// The load is throttled to much less than what is possible.
	operations: {name: "operations per second", show: plain, factor: 0.8, lessIsWorse: true},
}

// verdict compares a figure in two quarters: "flat", "grows" or "falls"; "-" if
// it was not measured.
func (f figure) verdict(first, last summary) string {
	switch {
	case first.n == 0 || last.n == 0:
		return "-"
	case f.lessIsWorse && last.median < f.factor*first.median:
		return "falls"
	case !f.lessIsWorse && last.median > f.factor*first.median+f.slack:
		return "grows"
	case f.atMost > 0 && max(first.greatest, last.greatest) > f.atMost:
		return "grows"
	}
	return "flat"
}

func plain(v float64) string { return strconv.FormatFloat(v, 'f', 0, 64) }

func mebibytes(v float64) string { return fmt.Sprintf("%.1f MiB", v/mebibyte) }
