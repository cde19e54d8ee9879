package queue

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
)

// The checkpoint is the row of writebehind.checkpoint that says up to which LSN
// a journal is applied. It moves in the transaction that carries the rows, so
// each group is applied once, whatever becomes of the answer to a COMMIT.

// Errors of a checkpoint that is not where it was left.
var (
	// ErrRewound says that the checkpoint is lower than what was flushed: the
	// server has lost transactions it had committed (a failover to an
	// asynchronous standby, a restored backup).
	ErrRewound = errors.New("queue: the checkpoint in PostgreSQL is lower than what had been flushed: the server has gone back in time")
	// ErrForeign says that somebody else moves the checkpoint, or that the journal
	// was abandoned, or that another process owns the database.
	ErrForeign = errors.New("queue: the checkpoint in PostgreSQL is not this process's any more")
)

const (
	insertCheckpoint = `INSERT INTO writebehind.checkpoint (journal, lsn) VALUES ($1, $2) ON CONFLICT (journal) DO NOTHING`
	readCheckpoint   = `SELECT c.lsn, c.abandoned FROM writebehind.checkpoint AS c WHERE c.journal = $1`
	// moveCheckpointSQL waits for a transaction of a lost connection that has moved
	// it and has not ended yet.
	moveCheckpointSQL = `UPDATE writebehind.checkpoint AS c SET lsn = $3, updated = pg_catalog.now()
		WHERE c.journal = $1 AND c.lsn = $2 AND NOT c.abandoned
		AND ($4::bigint = 0 OR EXISTS (SELECT FROM writebehind.owner AS o WHERE o.epoch = $4::bigint))`
	dropCheckpoint = `DELETE FROM writebehind.checkpoint AS c WHERE c.journal = $1`
)

// NewCheckpoint makes the checkpoint of a new journal, whose first group has LSN 1.
func NewCheckpoint(ctx context.Context, db *sql.DB, journal string) error {
	return inTransaction(ctx, db, insertCheckpoint, journal, 0)
}

// DropCheckpoint forgets a journal that is gone.
func DropCheckpoint(ctx context.Context, db *sql.DB, journal string) error {
	return inTransaction(ctx, db, dropCheckpoint, journal)
}

// inTransaction executes a statement in a transaction that may write, also where
// that is not the default.
func inTransaction(ctx context.Context, db *sql.DB, query string, args ...any) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	// What is built on it must not outlast it.
	if _, err = tx.ExecContext(ctx, `/* writebehind */ SET LOCAL synchronous_commit = on`); err == nil {
		_, err = tx.ExecContext(ctx, query, args...)
	}
	if err != nil {
		return errors.Join(err, tx.Rollback())
	}
	return tx.Commit()
}

// ReadCheckpoint returns the checkpoint of a journal; known is false if
// PostgreSQL has none of it.
func ReadCheckpoint(ctx context.Context, db *sql.DB, journal string) (lsn LSN, abandoned, known bool, err error) {
	var at int64
	err = db.QueryRowContext(ctx, readCheckpoint, journal).Scan(&at, &abandoned)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, false, false, nil
	}
	return LSN(at), abandoned, err == nil, err
}

// moveCheckpoint moves the checkpoint over the memtable, as the first thing of its
// transaction. moved is false if it does not stand before the memtable: then
// the transaction must be rolled back and the checkpoint looked at.
func (q *Queue) moveCheckpoint(ctx context.Context, tx *sql.Tx, m *memtable) (moved bool, err error) {
	var epoch int64
	if q.opts.Epoch != nil {
		epoch = q.opts.Epoch()
	}
	result, err := tx.ExecContext(ctx, moveCheckpointSQL, q.opts.Checkpoint, int64(m.first-1), int64(m.last), epoch)
	if err != nil {
		return false, err
	}
	n, err := result.RowsAffected()
	return n == 1, err
}

// look tells, from the checkpoint, what became of the memtable: done says that
// it is in PostgreSQL already, by a transaction whose COMMIT got no answer.
func (q *Queue) look(ctx context.Context, m *memtable) (done bool, err error) {
	at, abandoned, known, err := ReadCheckpoint(ctx, q.opts.DB, q.opts.Checkpoint)
	switch {
	case err != nil:
		return false, err
	case abandoned:
		return false, fmt.Errorf("%w: journal %s was abandoned by an operator", ErrForeign, q.opts.Checkpoint)
	case known && at == m.last:
		return true, nil
	case !known || at < m.first-1:
		return false, &rewoundError{checkpoint: at, was: m.first - 1, missing: !known}
	case at == m.first-1:
		return false, fmt.Errorf("%w: another process owns the database", ErrForeign)
	}
	return false, fmt.Errorf("%w: it stands at %d, between %d and %d", ErrForeign, at, m.first-1, m.last)
}

// rewoundError is ErrRewound with where the checkpoint was found.
type rewoundError struct {
	checkpoint, was LSN
	missing         bool // there is none: it was made after what the server has gone back to
}

func (e *rewoundError) Error() string {
	return fmt.Sprintf("%v: it stands at %d and was at %d", ErrRewound, e.checkpoint, e.was)
}

func (e *rewoundError) Unwrap() error { return ErrRewound }
