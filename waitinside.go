package writebehind

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"time"

	"github.com/writebehind/writebehind/internal/pgerr"
	"github.com/writebehind/writebehind/queue"
)

// A session whose transaction is real may hold locks that others wait for, and
// among those may be whoever a flush waits for. If it waited for the flush in this
// process, PostgreSQL would see no cycle, and nobody would end it. So it waits for
// an advisory lock that the flush holds to its end.

// patience is how long a session with a real transaction waits for a flush in
// this process first: most are over by then.
const patience = 20 * time.Millisecond

// waitLock is the advisory lock of the flushes of a checkpoint.
func waitLock(checkpoint string) int64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte("writebehind flush " + checkpoint)) // never fails
	return int64(h.Sum64())                                   //nolint:gosec // any number will do
}

// drain waits until everything up to lsn is in PostgreSQL, for a statement of the
// connection.
func (c *Conn) drain(ctx context.Context, lsn queue.LSN) error {
	e := c.engine
	if !c.inTransaction() || c.freshSnapshot { // it holds nothing; and asking would take the snapshot
		return e.drain(ctx, lsn)
	}
	for {
		short, cancel := context.WithTimeout(ctx, patience)
		err := e.drain(short, lsn)
		late := short.Err() != nil && ctx.Err() == nil
		cancel()
		if err == nil || !late || !errors.Is(err, context.DeadlineExceeded) {
			return err
		}
		if over, err := c.waitInside(ctx); over || err != nil {
			return err
		}
	}
}

// waitInside waits inside PostgreSQL until the flush under way has ended. over
// says that the transaction has failed already: whatever comes next is refused.
func (c *Conn) waitInside(ctx context.Context) (over bool, err error) {
	const name = "writebehind_wait"
	// The lock is given up at once: others may be about to flush.
	_, err = execAnyhow(ctx, c.real, fmt.Sprintf("SAVEPOINT %[1]s; SELECT pg_catalog.pg_advisory_xact_lock_shared(%[2]d); "+
		"ROLLBACK TO SAVEPOINT %[1]s; RELEASE SAVEPOINT %[1]s", name, c.engine.queue.WaitLock()), nil)
	if pgerr.State(err) == "25P02" {
		return true, nil
	}
	return false, err
}
