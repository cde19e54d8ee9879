package writebehind

import (
	"context"
	"time"
)

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
