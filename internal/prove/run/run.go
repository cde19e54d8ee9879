package run

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"

	"github.com/writebehind/writebehind/internal/prove/compare"
	"github.com/writebehind/writebehind/internal/prove/history"
)

// Result is what came of a history.
type Result struct {
	// Difference is the first one; nil if there was none.
	Difference *compare.Difference
	// At is the index of the statement that showed it; the number of statements
	// if it was seen only at the end. Last is the last statement that was sent
	// by then, which with several connections may come after At.
	At, Last int
	// Sent is the number of statements that were sent to both sides, and Inside
	// how many of them were sent in a transaction.
	Sent, Inside int
	// Waited is the number of statements that waited for another connection's
	// lock.
	Waited int
	// Deadlock says on which sides one was reported. What comes after it is not
	// run, as the sides may choose different victims.
	Deadlock [2]bool
	// Counts is how the driver under test answered.
	Counts Counts

	stuck bool
}

// Hung reports whether the driver under test never answered, whatever was done
// about it. Its goroutine is still there, so the Bench is of no further use.
func (r Result) Hung() bool { return r.stuck }

// Run runs a history on empty databases until the first difference. An error
// means that the history could not be run, not that the drivers differ.
func (b *Bench) Run(ctx context.Context, h history.History) (Result, error) {
	if err := b.reset(ctx, h.Schema); err != nil {
		return Result{}, err
	}
	journal, remove, err := journalOf(h.Settings)
	if err != nil {
		return Result{}, err
	}
	r, err := b.run(ctx, b.life(h, journal))
	return r, errors.Join(err, remove())
}

// journalOf makes the journal of a history, and returns what removes it.
func journalOf(s history.Settings) (journal string, remove func() error, err error) {
	if s.Sync == "" {
		return "none", func() error { return nil }, nil
	}
	dir, err := os.MkdirTemp("", "prove-journal-")
	return dir, func() error { return os.RemoveAll(dir) }, err
}

// run runs a history on databases that hold its schema.
func (b *Bench) run(ctx context.Context, l *life) (Result, error) {
	r, h := &l.result, l.history
	l.atOnce(len(h.Statements), "opening the database", func(side int) compare.Outcome {
		return compare.Outcome{Err: l.sides[side].open(ctx)}
	})
	if r.Difference != nil {
		r.At = 0
		if !r.stuck {
			l.atOnce(0, "closing the database", func(side int) compare.Outcome {
				_ = l.sides[side].close() // it was not opened in order
				return compare.Outcome{}
			})
		}
		return *r, nil
	}
	l.pairs = compare.NewPairs()
	if err := l.live(ctx); err != nil {
		return *r, err
	}
	over := r.Difference != nil || r.Deadlock != [2]bool{}
	if l.end(); r.stuck {
		return *r, nil
	}
	l.atOnce(len(h.Statements), "closing the database", func(side int) compare.Outcome {
		if err := l.sides[side].close(); !over {
			return compare.Outcome{Err: err}
		}
		return compare.Outcome{}
	})
	if r.stuck {
		return *r, ctx.Err()
	}
	r.Counts = l.sides[1].total
	if over || r.Difference != nil || ctx.Err() != nil {
		return *r, ctx.Err()
	}
	d, err := b.contents(ctx, l.pairs)
	if d != nil {
		r.Difference, r.At, r.Last = d, len(h.Statements), len(h.Statements)-1
	}
	return *r, err
}

// live runs the statements.
func (l *life) live(ctx context.Context) error {
	for ctx.Err() == nil && !l.over() {
		c := l.next()
		if c == nil && len(l.under) == 0 {
			break
		}
		if c != nil {
			l.start(c)
		}
		if err := l.watch(ctx, c == nil); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// over reports whether nothing more is to be run.
func (l *life) over() bool {
	return l.result.Difference != nil || l.result.Deadlock != [2]bool{}
}

// hang is the difference between an answer and none.
func (l *life) hang(name string) *compare.Difference {
	stacks := make([]byte, 1<<20)
	stacks = stacks[:runtime.Stack(stacks, true)]
	return &compare.Difference{
		Kind:      compare.Hang,
		Where:     name,
		Reference: "answered",
		Subject:   fmt.Sprintf("no answer within %s; goroutines:\n%s", l.bench.Patience, stacks),
	}
}
