package main

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"sync"
	"time"

	"github.com/writebehind/writebehind/examples/storefront/shop"
)

const (
	// connLifetime is how long the load's pool uses a connection.
	connLifetime = 2 * time.Second
	// grace is how long after the end of a fault an error is explained by it: until
	// no connection is in use that the fault may have cut, and its last statement
	// is over.
	grace = connLifetime + time.Second
)

// errorLog counts the errors of the load and tells those that a fault explains
// from those that nothing does. It is safe for concurrent use.
type errorLog struct {
	out io.Writer

	mu          sync.Mutex
	fault       bool      // one is under way, or the load has not come back
	until       time.Time // errors before it are explained, when none is
	explained   map[string]int
	unexplained int
	wrong       int // answers that were wrong, which no fault explains
	all         int
}

func newErrorLog(out io.Writer) *errorLog {
	return &errorLog{out: out, explained: make(map[string]int)}
}

// begin says that a fault begins.
func (e *errorLog) begin() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.fault = true
}

// end says that the fault is over and the load has come back.
func (e *errorLog) end() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.fault, e.until = false, time.Now().Add(grace)
}

// identity is what tells two errors of the same kind apart: keys, addresses.
var identity = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f-]{27}|[0-9]+`)

func (e *errorLog) note(err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.all++
	switch {
	case errors.Is(err, shop.ErrWrong):
		e.wrong++
		fmt.Fprintln(e.out, "wrong:", err)
	case e.fault || time.Now().Before(e.until):
		e.explained[identity.ReplaceAllString(err.Error(), "n")]++
	default:
		e.unexplained++
		fmt.Fprintln(e.out, "an error that no fault explains:", err)
	}
}

// count is how many errors there were so far.
func (e *errorLog) count() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.all
}

// print lists the errors that faults explain, the most frequent ones.
func (e *errorLog) print() {
	e.mu.Lock()
	defer e.mu.Unlock()
	texts := slices.SortedFunc(maps.Keys(e.explained), func(a, b string) int { return e.explained[b] - e.explained[a] })
	const most = 12
	for _, text := range texts[:min(most, len(texts))] {
		fmt.Fprintf(e.out, "%6d x %s\n", e.explained[text], text)
	}
}
