package run

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/writebehind/writebehind/internal/pgerr"

	"github.com/writebehind/writebehind/internal/prove/compare"
)

const (
	// promptly is how long the reference may take before it is asked for its
	// locks.
	promptly = 5 * time.Millisecond
	// between is how long to wait before it is asked again.
	between = 8 * time.Millisecond
	// stillness is how long the driver under test must have nothing to do in
	// PostgreSQL, while the reference waits, before the others go on.
	stillness = 40 * time.Millisecond
)

// watch returns when every statement under way is answered on both sides or
// waits for a lock on both, or when there is nothing more to run. If more, at
// least one must be answered.
func (l *life) watch(ctx context.Context, more bool) error {
	began := time.Now()
	still := began
	before := len(l.under)
	for {
		l.collect()
		l.deadlocks()
		for _, c := range append([]*call{}, l.under...) {
			if !l.over() && c.out[0] != nil && c.out[1] != nil {
				l.finish(c)
				still = time.Now()
			}
		}
		if l.over() || len(l.under) == 0 || ctx.Err() != nil {
			return ctx.Err()
		}
		late, unanswered := l.lateness()
		switch {
		case late > l.bench.Patience:
			return nil // lateness has said so
		case unanswered && time.Since(began) > promptly && len(l.queues) > 1:
			waiting, err := l.waiting(ctx)
			if err != nil {
				return err
			}
			if !waiting {
				still = time.Now()
				break
			}
			quiet, err := l.quiet(ctx)
			if err != nil {
				return err
			}
			if !quiet {
				still = time.Now()
			}
			if time.Since(still) > stillness && (!more || len(l.under) < before || l.somebodyFree()) {
				return nil
			}
		}
		if unanswered && time.Since(began) > 2*l.bench.Patience {
			return fmt.Errorf("the reference does not answer %s%s", l.under[0].st, l.activity(ctx))
		}
		l.sleep(began)
	}
}

// somebodyFree reports whether a connection that is waited for can go on.
func (l *life) somebodyFree() bool {
	for k, holds := range l.holders {
		if holds && l.busy[k] == nil && (len(l.queues[k]) > 0 || l.spare[k] < len(ending)) {
			return true
		}
	}
	return false
}

// sleep waits for an answer, or until it is time to look at locks.
func (l *life) sleep(began time.Time) {
	pause := between
	if time.Since(began) < promptly {
		pause = promptly
	}
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-l.events:
	case <-timer.C:
	}
}

// lateness returns for how long the driver under test has owed an answer that the
// reference has given, and whether the reference owes one.
func (l *life) lateness() (late time.Duration, unanswered bool) {
	for _, c := range l.under {
		switch {
		case c.out[0] == nil:
			unanswered = true
		case c.out[1] == nil:
			if late = time.Since(c.since[0]); late > l.bench.Patience {
				l.differ(c, l.hang(c.st.String()))
				return late, unanswered
			}
		}
	}
	return late, unanswered
}

// deadlocks notes whether one was reported.
func (l *life) deadlocks() {
	for _, c := range l.under {
		for i, out := range c.out {
			if out != nil && deadlocked(out) {
				l.result.Deadlock[i] = true
			}
		}
	}
}

func deadlocked(out *compare.Outcome) bool {
	for _, err := range []error{out.Err, out.RowsErr, out.CloseErr} {
		if pgerr.State(err) == "40P01" {
			return true
		}
	}
	return false
}

// waiters are the processes of the reference that wait for a lock of others, and
// those others.
const waiters = `
SELECT pid, blocker FROM pg_stat_activity, unnest(pg_blocking_pids(pid)) blocker
WHERE datname = current_database() AND wait_event_type = 'Lock'`

// waiting finds out who waits for whom on the reference. It returns true if all
// that owe an answer wait for connections of the history. A statement that waits
// there and is answered by the driver under test is a difference.
func (l *life) waiting(ctx context.Context) (all bool, err error) {
	var owed []*call
	for _, c := range l.under {
		if c.out[0] == nil {
			owed = append(owed, c)
		}
	}
	rows, err := readAll(ctx, l.bench.places[0].admin, waiters)
	if err != nil {
		return false, err
	}
	l.collect()
	if l.deadlocks(); l.over() { // who was waited for may have been its victim
		return false, nil
	}
	clear(l.holders)
	waits := make([]int, len(owed)) // for which connection
	for i, c := range owed {
		waits[i] = -1
		for _, row := range rows {
			if holder := l.connection(row[1]); holder >= 0 && row[0] == int64(l.sides[0].lines[c.st.Conn].pid) {
				l.holders[holder] = true
				waits[i] = holder
			}
		}
		if waits[i] < 0 || c.out[0] != nil {
			return false, nil // what it does may end the waiting of others
		}
	}
	for i, c := range owed {
		if !c.waited {
			c.waited = true
			l.result.Waited++
		}
		if c.out[1] != nil && !deadlocked(c.out[1]) {
			l.differ(c, &compare.Difference{
				Kind: compare.Waiting, Where: "the call",
				Reference: fmt.Sprintf("waits for a lock of connection %d", waits[i]), Subject: c.out[1].String() + l.activity(ctx),
			})
		}
	}
	return true, nil
}

// sessions shows what the application's sessions do.
const sessions = `
SELECT format('%s %s: %s', state, wait_event, left(query, 200)) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend' ORDER BY backend_start`

// activity tells what the sessions of both sides do.
func (l *life) activity(ctx context.Context) string {
	var b strings.Builder
	for side, name := range []string{"reference", "subject"} {
		rows, err := readAll(ctx, l.bench.places[side].admin, sessions)
		fmt.Fprintf(&b, "\n  sessions of the %s:", name)
		for _, row := range rows {
			fmt.Fprintf(&b, "\n    %v", row[0])
		}
		if err != nil {
			fmt.Fprintf(&b, " %v", err)
		}
	}
	return b.String()
}

// connection finds the connection of a process of the reference; -1 if there is
// none.
func (l *life) connection(pid any) int {
	for k, line := range l.sides[0].lines {
		if pid == int64(line.pid) {
			return k
		}
	}
	return -1
}

// working counts the processes of the driver under test that are about to do
// something.
const working = `
SELECT count(*) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'
	AND state = 'active' AND wait_event_type IS DISTINCT FROM 'Lock'`

// quiet reports whether the driver under test waits for locks, if for anything.
func (l *life) quiet(ctx context.Context) (bool, error) {
	rows, err := readAll(ctx, l.bench.places[1].admin, working)
	if err != nil {
		return false, err
	}
	return rows[0][0] == int64(0), nil
}
