package writebehind

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"hash/fnv"
	"time"

	"github.com/writebehind/writebehind/internal/pgerr"
	"github.com/writebehind/writebehind/queue"
)

// A session that holds locks in PostgreSQL may be what others wait for, and among
// those may be the flush, or the transaction that is being made real, that it waits
// for itself. If it waited in this process, PostgreSQL would see no circle, and nobody
// would end it. So it waits for an advisory lock that the other one holds.

// How long such a session waits in this process first: most waits are over by then.
const (
	patienceForFlush = 20 * time.Millisecond
	patienceForYield = 500 * time.Millisecond // whoever yields keeps its lock to its own end
)

// waitLock is the advisory lock of the flushes of a checkpoint.
func waitLock(checkpoint string) int64 { return advisoryLock("flush " + checkpoint) }

func advisoryLock(of string) int64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte("writebehind " + of)) // never fails
	return int64(h.Sum64())                     //nolint:gosec // any number will do
}

// holdsLocks tells whether the connection's session may hold locks. A transaction
// without a snapshot has none; and to wait inside PostgreSQL would take one.
func (c *Conn) holdsLocks() bool {
	return c.inTransaction() && !c.freshSnapshot || c.sessionLocks && !c.inTransaction()
}

// drain waits until everything up to lsn is in PostgreSQL, for a statement of the
// connection.
func (c *Conn) drain(ctx context.Context, lsn queue.LSN) error {
	if !c.holdsLocks() {
		return c.engine.drain(ctx, lsn)
	}
	return c.engine.drainInside(ctx, c.real, c.inTransaction(), lsn)
}

// drainInside is drain for a session that may hold locks, in a transaction or
// outside of one.
func (e *engine) drainInside(ctx context.Context, conn driver.Conn, inTransaction bool, lsn queue.LSN) error {
	for {
		short, cancel := context.WithTimeout(ctx, patienceForFlush)
		err := e.drain(short, lsn)
		late := short.Err() != nil && ctx.Err() == nil
		cancel()
		if err == nil || !late || !errors.Is(err, context.DeadlineExceeded) {
			return err
		}
		if over, err := waitInside(ctx, conn, inTransaction, e.queue.WaitLock()); over || err != nil {
			return err
		}
	}
}

// awaitYield waits for a transaction that is to be made real, until ready.
func (c *Conn) awaitYield(ctx context.Context, lock int64, ready func(context.Context) bool) error {
	if c == nil || !c.holdsLocks() {
		ready(ctx)
		return ctx.Err()
	}
	for {
		short, cancel := context.WithTimeout(ctx, patienceForYield)
		is := ready(short)
		cancel()
		if is || ctx.Err() != nil {
			return ctx.Err()
		}
		if over, err := waitInside(ctx, c.real, c.inTransaction(), lock); over || err != nil {
			return err
		}
	}
}

// insideTimeout has a session wait for a lock a little longer than it takes
// PostgreSQL to look for a circle.
const insideTimeout = `SELECT pg_catalog.set_config('lock_timeout', (SELECT s.setting::bigint + 200
	FROM pg_catalog.pg_settings AS s WHERE s.name = 'deadlock_timeout')::text, true)`

// waitInside waits inside PostgreSQL for an advisory lock, which it gives up at once,
// but not without end. over says that the transaction has failed already: whatever
// comes next is refused.
func waitInside(ctx context.Context, conn driver.Conn, inTransaction bool, lock int64) (over bool, err error) {
	if !inTransaction {
		_, err := execAnyhow(ctx, conn, fmt.Sprintf("SELECT pg_catalog.pg_advisory_xact_lock_shared(%d)", lock), nil)
		return false, err
	}
	const undo = "ROLLBACK TO SAVEPOINT writebehind_wait; RELEASE SAVEPOINT writebehind_wait"
	_, err = execAnyhow(ctx, conn, fmt.Sprintf("SAVEPOINT writebehind_wait; %s; SELECT pg_catalog.pg_advisory_xact_lock_shared(%d); %s",
		insideTimeout, lock, undo), nil)
	switch pgerr.State(err) {
	case "25P02":
		return true, nil
	case "55P03":
		_, err = execAnyhow(ctx, conn, undo, nil)
	}
	return false, err
}
