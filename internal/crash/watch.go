package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"regexp"
	"sync"

	"github.com/writebehind/writebehind/internal/crash/check"
	"github.com/writebehind/writebehind/internal/crash/ledger"
	"github.com/writebehind/writebehind/internal/crash/record"
)

// watch is the ledger, and who waits for it to change.
type watch struct {
	mu      sync.Mutex
	changed *sync.Cond
	ledger  *ledger.Ledger
	told    []check.Finding // what a child found wrong, not yet reported
	answers map[string]int  // errors, without their numbers, by how often they came
	ready   bool            // the present child
	mark    uint64          // the last one that came back
	ended   bool            // the present child has
	err     error           // a line that cannot be
}

var numbers = regexp.MustCompile("[0-9]+")

func newWatch(l *ledger.Ledger) *watch {
	w := &watch{ledger: l, answers: make(map[string]int)}
	w.changed = sync.NewCond(&w.mu)
	return w
}

// read takes note of what a child tells until it is gone.
func (w *watch) read(from io.Reader) {
	lines := bufio.NewScanner(from)
	for lines.Scan() {
		w.line(lines.Text())
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.ledger.Interrupt()
	if err := lines.Err(); err != nil && w.err == nil {
		w.err = err
	}
}

func (w *watch) line(text string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	defer w.changed.Broadcast()
	l, err := record.Parse(text)
	if err == nil {
		err = w.ledger.Apply(l)
	}
	if err != nil {
		if w.err == nil {
			w.err = fmt.Errorf("what the child tells: %w", err)
		}
		return
	}
	switch l.Verb {
	case record.Ready:
		w.ready = true
	case record.Mark:
		w.mark = l.Mark
	case record.Unknown, record.Refused:
		w.answers[fmt.Sprintf("%c %s", l.Verb, numbers.ReplaceAllString(l.Text, "n"))]++
	case record.Wrong:
		w.told = append(w.told, check.Finding{Kind: check.Wrong, Text: l.Text})
	case record.Torn:
		w.told = append(w.told, check.Finding{Kind: check.Torn, Text: l.Text})
	}
}

// failure is what a child told that cannot be.
func (w *watch) failure() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.err
}

// began says that another child is there.
func (w *watch) began() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.ready, w.ended = false, false
}

func (w *watch) end() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.ended = true
	w.changed.Broadcast()
}

// wait waits until it holds, the child is gone or ctx ends; it reports whether it
// holds. The condition is evaluated under the lock.
func (w *watch) wait(ctx context.Context, holds func() bool) bool {
	stop := context.AfterFunc(ctx, func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.changed.Broadcast()
	})
	defer stop()
	w.mu.Lock()
	defer w.mu.Unlock()
	for !holds() {
		if w.ended || ctx.Err() != nil || w.err != nil {
			return false
		}
		w.changed.Wait()
	}
	return true
}

// acked is the number of acknowledgements so far.
func (w *watch) acked() int64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.ledger.Acked
}
