package run

import "github.com/writebehind/writebehind/internal/prove/history"

// Statements are run in the order of the history, one at a time. Where one waits
// for another connection's lock, the connection that has the lock goes on until
// it gives it up; the others do no more than read, so that no two statements
// ever wait for the same lock, and it does not matter which of them would get
// it first. What a connection could not send meanwhile it sends afterwards.

// next returns the statement to be run next; nil if there is none, or none that
// can be run now.
func (l *life) next() *call {
	if len(l.under) == 0 {
		if at, ok := l.first(func(int, history.Statement) bool { return true }); ok {
			return l.take(at)
		}
		return nil
	}
	if l.sweeping() {
		for k, holds := range l.holders {
			if holds && l.busy[k] == nil {
				l.skipToEnd(k)
			}
		}
	}
	if at, ok := l.first(func(k int, st history.Statement) bool {
		return st.Call != history.Reopen && (l.holders[k] || st.OnlyReads())
	}); ok {
		return l.take(at)
	}
	for k, holds := range l.holders {
		if holds && l.busy[k] == nil && l.spare[k] < len(ending) {
			c := &call{at: len(l.history.Statements), st: ending[l.spare[k]]}
			c.st.Conn = k
			l.spare[k]++
			return c
		}
	}
	return nil
}

// first finds the first statement of the history among those that connections
// may send now.
func (l *life) first(may func(k int, st history.Statement) bool) (at int, ok bool) {
	for k, q := range l.queues {
		if len(q) == 0 || l.busy[k] != nil || ok && q[0] > at {
			continue
		}
		if may(k, l.history.Statements[q[0]]) {
			at, ok = q[0], true
		}
	}
	return at, ok
}

func (l *life) take(at int) *call {
	st := l.history.Statements[at]
	l.queues[st.Conn] = l.queues[st.Conn][1:]
	l.spare[st.Conn] = 0
	return &call{at: at, st: st}
}

// ending gives up whatever a connection holds. It is for connections that are
// waited for and have nothing more to say.
var ending = []history.Statement{
	{Call: history.Rollback}, {SQL: "ROLLBACK"}, {Call: history.Query, SQL: "SELECT pg_advisory_unlock_all()"},
}

// sweeping reports whether a statement that waits may have locked other rows, in
// the order in which they lie on disk, which is not the same on both sides: then
// what others do to those rows must wait.
func (l *life) sweeping() bool {
	for _, c := range l.under {
		if c.st.Unordered {
			return true
		}
	}
	return false
}

// skipToEnd leaves out what a connection does before the end of its transaction.
func (l *life) skipToEnd(k int) {
	for len(l.queues[k]) > 0 {
		if _, ends, _ := l.history.Statements[l.queues[k][0]].Limits(); ends {
			return
		}
		l.queues[k] = l.queues[k][1:]
	}
}
