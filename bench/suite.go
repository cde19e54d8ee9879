package main

import "time"

// suite is operations that are measured together, on databases of their own.
type suite struct {
	name        string
	title       string
	conditions  string // cache, loop, bound on the lag
	roundTrip   time.Duration
	quickRounds int // rounds of a quick run: more where a measurement is short
	operations  []Operation
}

const (
	closedLoop = "Closed loop: each goroutine makes one call after another. Cache of 256 MB, all rows read beforehand. "
	noBound    = "Flushes after 100 ms or 20,000 rows, bound on pending rows 1,000,000; the drain is not part of the time."
	drainedToo = "The time includes the drain to PostgreSQL. `lag` is the longest time, looked at every 50 ms, that an acknowledged write was not there; a ratio of figures with more than 1 s says so."
)

// bounded keeps the lag of sustained writes below a second.
var bounded = []string{"writebehind.batch_rows=10000", "writebehind.max_pending_rows=50000"}

// suites lists everything that is measured.
func suites(s settings) []suite {
	return []suite{
		statements(s), largeTable(s), sustainedWrites(s), batchSizes(s), mixes(s), distant(s), others(s), memory(s), recoveries(s), growths(s),
	}
}

var (
	oneGoroutine = []int{1}
	threeCounts  = []int{1, 16, 64}
)

// shims are the three durabilities.
func shims(tables string, params ...string) []Subject {
	return []Subject{shim(journalNone, tables, params...), shim(syncOff, tables, params...), shim(syncOn, tables, params...)}
}

// rivals are the plain drivers, with synchronous commit and without.
var rivals = []Subject{syncPQ, asyncPQ, syncPgx, asyncPgx}

func together(lists ...[]Subject) (all []Subject) {
	for _, l := range lists {
		all = append(all, l...)
	}
	return all
}

func one(s ...Subject) []Subject { return s }
