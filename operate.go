package writebehind

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/writebehind/writebehind/internal/owner"
)

// What operators do when something has gone wrong. Each has a form in SQL, too.

// Abandon gives up the journal of a process that is gone and will not be started
// again: its acknowledged writes that are not in PostgreSQL are lost, and others
// may use the database. The error that wraps ErrOwned names the journal. In SQL:
// SELECT writebehind.abandon('…'). It fails while that process lives.
func Abandon(ctx context.Context, db *sql.DB, journalID string) error {
	return past(ctx, db, func(real *sql.DB) error {
		if err := owner.Abandon(ctx, real, journalID); err != nil {
			return fmt.Errorf("writebehind: abandon: %w", err)
		}
		return nil
	})
}

// past runs f with a database that leads past the shim, for what must work when
// the engine does not start.
func past(ctx context.Context, db *sql.DB, f func(real *sql.DB) error) (err error) {
	conn, err := db.Conn(ctx)
	if err != nil {
		return err
	}
	var backend *backend
	err = conn.Raw(func(dc any) error {
		if c, ok := unwrapConn(dc); ok {
			backend = c.connector.backend
		}
		return nil
	})
	if err := errors.Join(err, conn.Close()); err != nil {
		return err
	}
	if backend == nil { // the plain driver
		return f(db)
	}
	real := sql.OpenDB(backend)
	defer func() { err = errors.Join(err, real.Close()) }()
	return f(real)
}

// RefusePaused lets a paused flusher go on: groups that no longer fit the schema,
// or that came after too many others were refused, become dead letters. It
// returns an error if the flusher is not paused. In SQL: SHOW
// writebehind.refuse_paused.
func RefusePaused(ctx context.Context, db *sql.DB) error {
	return withConn(ctx, db, "RefusePaused", func(c *Conn) error {
		if e := c.connector.current(); e != nil {
			return e.refusePaused()
		}
		return errNotPaused
	})
}

var errNotPaused = errors.New("writebehind: the flusher is not paused: nothing is refused")

func (e *engine) refusePaused() error {
	if !e.queue.RefusePaused() {
		return errNotPaused
	}
	return nil
}

func sortedNames(m map[string]*string) []string { return slices.Sorted(maps.Keys(m)) }
