package run

import (
	"bytes"
	"encoding/json"
	"time"

	"github.com/writebehind/writebehind/internal/prove/compare"
	"github.com/writebehind/writebehind/internal/prove/history"
)

// life is a history while it is run.
type life struct {
	bench   *Bench
	history history.History
	sides   [2]*session
	pairs   *compare.Pairs
	result  Result

	queues  [][]int // indexes of the statements still to be run, by connection
	busy    []*call // by connection
	under   []*call // under way, in the order in which they were started
	holders []bool  // connections that others wait for, by connection
	spare   []int   // how often a connection whose statements are all run was ended
	anew    []bool  // connections that must prepare their statements anew
	changed bool    // there was DDL
	events  chan struct{}
}

// call is a statement under way on both sides.
type call struct {
	at      int // its index; the number of statements for one that the tester adds
	st      history.Statement
	answers [2]chan compare.Outcome
	out     [2]*compare.Outcome // nil: not answered yet
	since   [2]time.Time        // when it was answered
	waited  bool
}

func (b *Bench) life(h history.History, journal string) *life {
	n := h.Connections()
	l := &life{
		bench: b, history: h, pairs: compare.NewPairs(), events: make(chan struct{}, 1),
		queues: make([][]int, n), busy: make([]*call, n), holders: make([]bool, n), spare: make([]int, n), anew: make([]bool, n),
	}
	for i := range l.sides {
		l.sides[i] = b.session(i, h, journal)
	}
	for i := range h.Statements {
		k := h.Statements[i].Conn
		l.queues[k] = append(l.queues[k], i)
	}
	return l
}

// start sends a statement on both sides.
func (l *life) start(c *call) {
	k := c.st.Conn
	if c.at < len(l.history.Statements) {
		l.result.Sent++
		l.result.Last = max(l.result.Last, c.at)
		if l.sides[0].lines[k].inTransaction() {
			l.result.Inside++
		}
	}
	if begins, _, _ := c.st.Limits(); begins {
		l.pairs.Began(k)
	}
	if c.st.DDL {
		l.prepareAnew()
	}
	anew := l.anew[k]
	l.anew[k] = false
	l.busy[k] = c
	l.under = append(l.under, c)
	args := resolve(l.pairs, c.st.Args)
	for i, s := range l.sides {
		l.launch(c, i, func() compare.Outcome {
			out := s.lines[k].perform(c.st, args[i], anew)
			scribble(args[i])
			return out
		})
	}
}

// launch lets one side of a call run.
func (l *life) launch(c *call, side int, f func() compare.Outcome) {
	c.answers[side] = make(chan compare.Outcome, 1)
	go func() {
		c.answers[side] <- f()
		select {
		case l.events <- struct{}{}:
		default: // there is one to be looked at already
		}
	}()
}

// prepareAnew has all connections prepare their statements anew.
func (l *life) prepareAnew() {
	for k := range l.anew {
		l.anew[k] = true
	}
}

// collect takes the answers that have come.
func (l *life) collect() {
	for _, c := range l.under {
		for i := range c.answers {
			if c.out[i] != nil {
				continue
			}
			select {
			case out := <-c.answers[i]:
				c.out[i], c.since[i] = &out, time.Now()
			default:
			}
		}
	}
}

// finish takes a call that both sides have answered from those under way, and
// compares the answers.
func (l *life) finish(c *call) {
	l.drop(c)
	_, ends, undoes := c.st.Limits()
	if ends {
		l.pairs.Ended(c.st.Conn)
	}
	if l.changed = l.changed || c.st.DDL; l.changed && (c.st.DDL || ends || undoes) {
		l.prepareAnew()
	}
	if d := compare.Outcomes(l.pairs, *c.out[0], *c.out[1], c.st.Unordered); d != nil {
		l.differ(c, d)
	}
}

func (l *life) differ(c *call, d *compare.Difference) {
	if l.result.Difference == nil {
		l.result.Difference, l.result.At = d, c.at
	}
}

func (l *life) drop(c *call) {
	for i := range l.under {
		if l.under[i] == c {
			l.under = append(l.under[:i:i], l.under[i+1:]...)
			break
		}
	}
	if l.busy[c.st.Conn] == c {
		l.busy[c.st.Conn] = nil
	}
}

// atOnce performs a step of no connection on both sides and compares what they
// say.
func (l *life) atOnce(at int, name string, step func(side int) compare.Outcome) {
	c := &call{at: at}
	for i := range l.sides {
		l.launch(c, i, func() compare.Outcome { return step(i) })
	}
	ref := <-c.answers[0]
	patience := time.NewTimer(l.bench.Patience)
	defer patience.Stop()
	select {
	case sub := <-c.answers[1]:
		if d := compare.Outcomes(l.pairs, ref, sub, false); d != nil {
			l.differ(c, d)
		}
	case <-patience.C:
		l.result.stuck = true
		l.differ(c, l.hang(name))
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
		case json.RawMessage: // whose buffer goes to the driver as it is, as that of a Blob does
			sides[0][n], sides[1][n] = json.RawMessage(bytes.Clone(arg)), json.RawMessage(bytes.Clone(arg))
		case history.Blob:
			sides[0][n], sides[1][n] = history.Blob(bytes.Clone(arg)), history.Blob(bytes.Clone(arg))
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
		var b []byte
		switch arg := arg.(type) {
		case []byte:
			b = arg
		case json.RawMessage:
			b = arg
		case history.Blob:
			b = arg
		}
		for i := range b {
			b[i] = '#'
		}
	}
}
