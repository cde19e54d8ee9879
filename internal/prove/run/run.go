package run

import (
	"bytes"
	"context"
	"fmt"
	"runtime"
	"time"

	"github.com/writebehind/writebehind/internal/prove/compare"
	"github.com/writebehind/writebehind/internal/prove/history"
)

// Result is what came of a history.
type Result struct {
	// Difference is the first one; nil if there was none.
	Difference *compare.Difference
	// At is the index of the statement that showed it; the number of statements
	// if it was seen only at the end.
	At int
	// Sent is the number of statements that were sent to both sides.
	Sent int
	// Counts is how the driver under test answered.
	Counts Counts
}

// Hung reports whether the driver under test never answered. Its goroutine is
// still there, so the Bench is of no further use.
func (r Result) Hung() bool { return r.Difference != nil && r.Difference.Kind == compare.Hang }

// Run runs a history on empty databases until the first difference. An error
// means that the history could not be run, not that the drivers differ.
func (b *Bench) Run(ctx context.Context, h history.History) (Result, error) {
	var r Result
	if err := b.reset(ctx, h.Schema); err != nil {
		return r, err
	}
	var sides [2]*session
	for i := range sides {
		sides[i] = b.session(i, h.Settings)
	}
	if r.Difference = b.together("opening the database", func(i int) (compare.Outcome, bool) {
		return compare.Outcome{Err: sides[i].open(ctx)}, false
	}, compare.NewPairs()); r.Difference != nil {
		if !r.Hung() {
			both(func(i int) { _ = sides[i].close() })
		}
		return r, nil
	}

	pairs := compare.NewPairs()
	for r.At = 0; r.At < len(h.Statements) && r.Difference == nil && ctx.Err() == nil; r.At++ {
		st := h.Statements[r.At]
		args := resolve(pairs, st.Args)
		r.Difference = b.together(st.Call.String(), func(i int) (compare.Outcome, bool) {
			out := sides[i].perform(st, args[i])
			scribble(args[i])
			return out, st.Unordered
		}, pairs)
		r.Sent++
	}
	if r.Difference != nil {
		r.At--
	}
	if r.Hung() {
		return r, nil
	}
	closing := b.together("closing the database", func(i int) (compare.Outcome, bool) {
		return compare.Outcome{Err: sides[i].close()}, false
	}, pairs)
	r.Counts = sides[1].total
	if r.Difference == nil {
		r.Difference = closing
	}
	if r.Difference != nil || ctx.Err() != nil {
		return r, ctx.Err()
	}
	var err error
	r.Difference, err = b.contents(ctx, pairs)
	return r, err
}

func (b *Bench) session(side int, settings history.Settings) *session {
	s := &session{driver: Reference, dsn: b.dsn(side, settings), held: settings.Conn}
	if settings.Deadline {
		s.deadline = b.Patience
	}
	if side == 1 {
		s.driver, s.counts = b.subject, b.Counts
	}
	return s
}

// together performs a step on both sides at the same time and compares what
// they saw. The step also tells whether its rows are unordered.
func (b *Bench) together(name string, step func(side int) (compare.Outcome, bool), pairs *compare.Pairs) *compare.Difference {
	var outcomes [2]compare.Outcome
	var unordered bool
	done := make(chan struct{})
	go func() {
		defer close(done)
		outcomes[1], _ = step(1)
	}()
	outcomes[0], unordered = step(0)

	patience := time.NewTimer(b.Patience)
	defer patience.Stop()
	select {
	case <-done:
		return compare.Outcomes(pairs, outcomes[0], outcomes[1], unordered)
	case <-patience.C:
		stacks := make([]byte, 1<<20)
		stacks = stacks[:runtime.Stack(stacks, true)]
		return &compare.Difference{
			Kind:      compare.Hang,
			Where:     name,
			Reference: "answered",
			Subject:   fmt.Sprintf("no answer within %s; goroutines:\n%s", b.Patience, stacks),
		}
	}
}

// resolve puts the keys that each database made in the place of Minted, and
// gives each side buffers of its own.
func resolve(pairs *compare.Pairs, args []any) (sides [2][]any) {
	for i := range sides {
		sides[i] = make([]any, len(args))
	}
	for n, arg := range args {
		switch arg := arg.(type) {
		case history.Minted:
			sides[0][n], sides[1][n] = pairs.Minted(arg)
		case []byte:
			sides[0][n], sides[1][n] = bytes.Clone(arg), bytes.Clone(arg)
		default:
			sides[0][n], sides[1][n] = arg, arg
		}
	}
	return sides
}

// scribble reuses the application's buffers, as it may once a call is over: a
// driver that kept one instead of a copy gets garbage.
func scribble(args []any) {
	for _, arg := range args {
		if b, ok := arg.([]byte); ok {
			for i := range b {
				b[i] = '#'
			}
		}
	}
}
