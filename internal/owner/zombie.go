package owner

import (
	"context"
	"fmt"
	"time"
)

// FlushName is the application_name of a session while it flushes a journal.
func FlushName(journal string) string { return "writebehind flush " + journal }

const terminate = `SELECT pg_catalog.count(*) FROM (SELECT CASE WHEN a.pid IS NOT NULL THEN pg_catalog.pg_terminate_backend(a.pid) END
	FROM pg_catalog.pg_stat_activity AS a WHERE a.datname = pg_catalog.current_database() AND a.application_name = $1 AND a.pid <> pg_catalog.pg_backend_pid()) AS z`

// endZombies ends server processes that still work on a flush of this journal for
// a process that is gone, and waits until they have ended: then the checkpoint is
// final. Where the role may not end them it waits for them.
func (o *Owner) endZombies(ctx context.Context) error {
	if o.opts.Journal == "" {
		return nil
	}
	for {
		var left int
		if err := o.opts.DB.QueryRowContext(ctx, terminate, FlushName(o.opts.Journal)).Scan(&left); err != nil {
			return fmt.Errorf("owner: ending what flushes the journal for a process that is gone: %w", err)
		}
		if left == 0 {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(20 * time.Millisecond):
		}
	}
}
