package writebehind

import (
	"context"
	"database/sql/driver"
	"errors"
	"io"
	"net"
	"strconv"

	"github.com/writebehind/writebehind/internal/pgerr"
)

// A direct writer whose connection is lost may live on in the server: its
// statement, or its COMMIT, may still take effect. Its tables stay direct until
// the server process is known to be gone.

// lost tells whether the connection was lost in the course of what returned err.
func (c *Conn) lost(err error) bool {
	if err == nil {
		return false
	}
	if pgerr.State(err) != "" {
		// What a pooler says, or a server on its way down, may be said of a statement
		// that goes on.
		switch pgerr.Class(err) {
		case "08", "57", "58", "XX":
			return !c.lives()
		}
		return false
	}
	var network *net.OpError
	if errors.Is(err, driver.ErrBadConn) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.As(err, &network) {
		return true
	}
	return !c.lives()
}

// lives tells whether the real connection does. One that does not tell is asked for a
// sign of life: pgx closes its connection when a context ends, while the statement may
// go on.
func (c *Conn) lives() bool {
	if validator, ok := c.real.(driver.Validator); ok {
		return validator.IsValid()
	}
	pinger, ok := c.real.(driver.Pinger)
	if !ok {
		return true
	}
	ctx, cancel := context.WithTimeout(context.Background(), reloadTimeout)
	defer cancel()
	return pinger.Ping(ctx) == nil
}

// doubt hands the tables that the connection holds over to the engine.
func (c *Conn) doubt() {
	e := c.engine
	tables := e.widen(c.held)
	c.held = held{}
	pid, started := strconv.Itoa(c.session.BackendPID), c.session.BackendStart
	e.logger.Warn("writebehind: the connection of a direct writer was lost, its tables stay direct until the server process is gone",
		"pid", pid)
	e.doubts.Add(1)
	if started == "" {
		return // which process it was is not known
	}
	e.working.Go(func() {
		gone := func() bool {
			gone, err := e.backendGone(pid, started)
			return err == nil && gone
		}
		if e.patiently(gone) {
			// Behind a pooler it was another process.
			e.releaseFinished(tables, false)
			e.doubts.Add(-1)
		}
	})
}

// backendGone tells whether a server process has ended.
func (e *engine) backendGone(pid, started string) (bool, error) {
	ctx, cancel := context.WithTimeout(e.lifetime, reloadTimeout)
	defer cancel()
	var there bool
	err := e.db.QueryRowContext(ctx, `SELECT EXISTS (SELECT FROM pg_catalog.pg_stat_get_activity($1::int) a
		WHERE EXTRACT(epoch FROM a.backend_start)::text = $2)`, pid, started).Scan(&there)
	return err == nil && !there, err
}
