package run

import (
	"context"
	"database/sql"
	"time"

	"github.com/writebehind/writebehind/internal/prove/compare"
)

// end brings a history to its end on both sides, whatever is under way: what
// waits gets its locks. After a deadlock on the reference the driver under test
// must have found it, too.
func (l *life) end() {
	if len(l.under) == 0 {
		return
	}
	var late, left [2]bool
	counts := l.result.Deadlock != [2]bool{} // a deadlock may show on one side first
	both(func(side int) { late[side], left[side] = l.endSide(side, counts) })
	l.result.stuck = left[1]
	if late[1] {
		l.differ(l.under[0], l.hang("the end of "+l.under[0].st.String()))
	}
}

// endSide rolls back the transactions of connections that are free, until none
// waits any more. It is late if one did not cease to wait until all sessions were
// terminated, and left if not even then.
func (l *life) endSide(side int, counts bool) (late, left bool) {
	s := l.sides[side]
	waiting := map[int]*call{}
	for _, c := range l.under {
		if c.out[side] == nil {
			waiting[c.st.Conn] = c
		}
	}
	ended := map[int]bool{}
	until := time.Now().Add(max(l.bench.Patience, time.Second))
	for len(waiting) > 0 {
		for k, line := range s.lines {
			if waiting[k] == nil && !ended[k] {
				ended[k] = true
				waiting[k] = &call{}
				l.launch(waiting[k], side, func() (out compare.Outcome) {
					for _, st := range ending {
						line.perform(st, nil, false)
					}
					return out
				})
			}
		}
		for k, c := range waiting {
			select {
			case out := <-c.answers[side]:
				l.result.Deadlock[side] = l.result.Deadlock[side] || !late && counts && deadlocked(&out)
				delete(waiting, k)
			case <-time.After(between):
			}
		}
		switch {
		case time.Now().Before(until):
		case late:
			return true, true
		default:
			late = true
			until = time.Now().Add(2 * time.Second)
			terminate(l.bench.places[side].admin)
		}
	}
	return late, false
}

// terminate ends all sessions of a database but our own.
func terminate(db *sql.DB) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	_, _ = db.ExecContext(ctx, `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
		WHERE datname = current_database() AND pid <> pg_backend_pid()`) // the next step says what is left
}
