package writebehind

import (
	"context"
	"time"
)

// lockPatience is how long somebody waits in this process for what transactions keep
// to their end.
type lockPatience struct {
	kept  time.Duration // by one and the same; the next one has its own
	limit time.Duration // in all; 0: no limit
}

// keptPatience is how long a lock is waited for that one transaction keeps. Those who
// wait for one another are found at once, and who has come to PostgreSQL meanwhile
// and wants what others have makes them follow; this is for what nobody has thought
// of. It is PostgreSQL's own deadlock_timeout.
const keptPatience = time.Second

// shortestTimeout is the first of those that end a session's waiting for a lock, in
// milliseconds.
const shortestTimeout = `SELECT min(s.setting::bigint) FROM pg_catalog.pg_settings AS s
	WHERE s.name IN ('lock_timeout', 'statement_timeout', 'transaction_timeout') AND s.setting::bigint > 0`

// patience is how long a row is waited for in this process before PostgreSQL is
// asked. A timeout of PostgreSQL's comes that much later.
func (e *engine) patience(ctx context.Context) (lockPatience, error) {
	p := lockPatience{kept: keptPatience}
	var shortest *int64
	if err := e.db.QueryRowContext(ctx, shortestTimeout).Scan(&shortest); err != nil || shortest == nil {
		return p, err
	}
	p.limit = time.Duration(*shortest) * time.Millisecond / 10
	p.kept = min(p.kept, p.limit)
	return p, nil
}
