package owner

import (
	"context"
	"database/sql"

	"github.com/lib/pq"

	"github.com/writebehind/writebehind/internal/pgerr"
)

// FlushName is the application_name of a session while it flushes a journal, or
// what an instance without one has in memory. By it the next process with that
// journal finds what the server still does for the last one.
func FlushName(journal string) string { return "writebehind flush " + journal }

// A name is truncated to 63 bytes by the server. Every role sees it.
const (
	readFlushing = `SELECT a.pid FROM pg_catalog.pg_stat_activity AS a WHERE a.datname = pg_catalog.current_database()
		AND a.application_name IN (SELECT pg_catalog.substr(n, 1, 63) FROM pg_catalog.unnest($1::text[]) AS n)`
	endFlushing = `SELECT pg_catalog.pg_terminate_backend(a.pid) FROM pg_catalog.pg_stat_activity AS a
		WHERE a.datname = pg_catalog.current_database() AND a.pid = $1 AND a.application_name LIKE 'writebehind flush %'`
)

// flushing returns the server processes that flush one of the journals. Their
// client is gone, so that once they have ended the checkpoint is final.
func flushing(ctx context.Context, tx *sql.Tx, journals []string) (pids []int, err error) {
	var names []string
	for _, j := range journals {
		if j != "" {
			names = append(names, FlushName(j))
		}
	}
	if len(names) == 0 {
		return nil, nil
	}
	rows, err := tx.QueryContext(ctx, readFlushing, pq.Array(names))
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var pid int
		if err := rows.Scan(&pid); err != nil {
			return nil, err
		}
		pids = append(pids, pid)
	}
	return pids, rows.Err()
}

// terminate ends server processes. A role that may not do so waits for their own
// end.
func (o *Owner) terminate(ctx context.Context, pids []int) {
	for _, pid := range pids {
		if _, err := o.opts.DB.ExecContext(ctx, endFlushing, pid); err != nil {
			o.opts.Logger.Info("writebehind: a flush for a process that is gone cannot be ended, only waited for",
				"backend", pid, "error", pgerr.ForLog(err))
		}
	}
}
