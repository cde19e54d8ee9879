package main

import (
	"context"
	"database/sql"
	"time"
)

// serverCost is what PostgreSQL has spent: the counters of the whole server, on which
// nothing else runs.
type serverCost struct {
	transactions int64 // that wrote
	wal          int64 // bytes
	cpu          time.Duration
	cpuKnown     bool // the server is on this machine
}

// costSoFar reads the counters.
func costSoFar(ctx context.Context, plain *sql.DB) (c serverCost, err error) {
	var pid int
	err = plain.QueryRowContext(ctx, `SELECT txid_snapshot_xmax(txid_current_snapshot()), pg_current_wal_insert_lsn() - '0/0'::pg_lsn, pg_backend_pid()`).
		Scan(&c.transactions, &c.wal, &pid)
	if err == nil {
		c.cpu, c.cpuKnown = serverCPU(pid)
	}
	return c, err
}

func (c serverCost) since(before serverCost) *serverCost {
	return &serverCost{c.transactions - before.transactions, c.wal - before.wal, c.cpu - before.cpu, c.cpuKnown && before.cpuKnown}
}
