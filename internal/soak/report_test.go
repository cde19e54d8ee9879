package main

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/writebehind/writebehind"
	"github.com/writebehind/writebehind/examples/storefront/shop"
)

// ramp is a run of 100 seconds in which every figure is its base, and one of
// them grows by so much in a second.
func ramp(figure int, perSecond float64) *report {
	o := standard()
	o.length = 100 * time.Second
	var samples []sample
	for at := time.Duration(0); at < o.length; at += time.Second {
		s := sample{at: at}
		for f := range s.figures {
			s.figures[f] = 1000
		}
		s.figures[figure] += perSecond * at.Seconds()
		samples = append(samples, s)
	}
	return newReport(o, samples)
}

func TestWhatGrowsIsNamed(t *testing.T) {
	flat := ramp(liveHeap, 0)
	require.True(t, flat.fine())
	require.Equal(t, "soak: minutes 1.67 acknowledged 0 lost 0 flat", flat.line())
	for figure, perSecond := range map[int]float64{
		liveHeap:       mebibyte,
		residentMemory: mebibyte,
		goroutines:     0.1,
		descriptors:    0.1,
		journal:        2 * mebibyte,
		pendingRows:    10,
		serverBackends: 0.1,
	} {
		r := ramp(figure, perSecond)
		require.False(t, r.fine())
		require.Contains(t, r.line(), " lost 0 grows: "+figures[figure].name)
		require.True(t, ramp(figure, -perSecond).fine(), "%s: less is no growth", figures[figure].name)
	}
	require.Contains(t, ramp(operations, -5).line(), " lost 0 falls: operations per second")
	require.True(t, ramp(operations, 5).fine())
}

func TestJournalIsBounded(t *testing.T) {
	s := summary{n: 1, median: 1, greatest: 3 * journalSegment}
	require.Equal(t, "grows", figures[journal].verdict(s, summary{n: 1, median: 1}))
	require.Equal(t, "-", figures[journal].verdict(s, summary{}), "not measured")
}

func TestQuartersBeginAfterTheWarmUp(t *testing.T) {
	var samples []sample
	for at := time.Duration(0); at < 100*time.Second; at += time.Second {
		samples = append(samples, sample{at: at})
	}
	first, last := quarters(samples, 20*time.Second, 100*time.Second)
	require.Len(t, first, 20)
	require.Equal(t, 20*time.Second, first[0].at)
	require.Len(t, last, 20)
	require.Equal(t, 80*time.Second, last[0].at)
}

func TestSummaryLeavesOutWhatIsUnknown(t *testing.T) {
	var samples []sample
	for _, v := range []float64{5, unknown, 1, 3} {
		s := sample{}
		s.figures[journal] = v
		samples = append(samples, s)
	}
	require.Equal(t, summary{n: 3, median: 3, greatest: 5}, summarize(samples, journal))
	require.Zero(t, summarize(nil, journal))
}

func TestEverythingThatIsWrongIsInTheLastLine(t *testing.T) {
	for want, spoil := range map[string]func(*report){
		"lost 1":                           func(r *report) { r.lost = []string{"an order"} },
		"did not come back after: a, b":    func(r *report) { r.stuck = []string{"a", "b"} },
		"wrong answers: 2":                 func(r *report) { r.wrong = 2 },
		"errors that no fault explains: 3": func(r *report) { r.unexplained = 3 },
		"and: a statement hangs":           func(r *report) { r.problems = []string{"a statement hangs"} },
	} {
		r := ramp(liveHeap, 0)
		spoil(r)
		require.False(t, r.fine(), want)
		require.Contains(t, r.line(), want)
	}
}

func TestErrorIsExplainedByAFaultOnly(t *testing.T) {
	e := newErrorLog(io.Discard)
	e.note(errors.New("before"))
	require.Equal(t, 1, e.unexplained)
	e.begin()
	e.note(errors.New("view product 1: refused"))
	e.note(errors.New("view product 2: refused"))
	e.end()
	e.note(errors.New("a moment later"))
	require.Equal(t, 1, e.unexplained)
	require.Equal(t, map[string]int{"view product n: refused": 2, "a moment later": 1}, e.explained)
	e.note(fmt.Errorf("view: %w", shop.ErrWrong))
	require.Equal(t, 1, e.wrong, "no fault explains it")
	e.until = time.Now().Add(-time.Second)
	e.note(errors.New("much later"))
	require.Equal(t, 2, e.unexplained)
	require.Equal(t, 6, e.count())
}

func TestEveryFaultIsDealtOnceInEachRound(t *testing.T) {
	d := deck{rng: rand.New(rand.NewPCG(1, 2))} //nolint:gosec // not for secrets
	for range 3 {
		seen := map[string]bool{}
		for range faults {
			seen[d.deal().name] = true
		}
		require.Len(t, seen, len(faults))
	}
}

func TestLoadIsBackWhenItDefersAndFlushes(t *testing.T) {
	at := func(lsn, flushed, deferred, direct uint64, tables ...string) look {
		return look{Statistics: writebehind.Statistics{LSN: lsn, FlushedLSN: flushed, Deferred: deferred, Direct: direct}, direct: tables}
	}
	first := at(100, 50, 200, 0)
	require.Empty(t, missing(first, first, at(120, 100, 220, 1)))
	require.Contains(t, missing(first, first, at(120, 99, 220, 1)), "flushed up to 99, not 100")
	require.Contains(t, missing(first, first, at(120, 100, 220, 1, "orders")), "direct: orders")
	require.Contains(t, missing(first, first, at(100, 100, 200, 0)), "0 statements were deferred")
	require.Contains(t, missing(first, first, at(101, 100, 201, 10)), "10 direct")
}
