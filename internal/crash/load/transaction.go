package load

import (
	"context"
	"database/sql"
	"errors"

	"github.com/lib/pq"

	"github.com/writebehind/writebehind/internal/crash/record"
)

var (
	// errRolledBack is the outcome of a transaction that was to be rolled back.
	errRolledBack = errors.New("rolled back, as it was to be")
	// errOwnWrite says that a transaction does not see what it has written.
	errOwnWrite = errors.New("the transaction does not see its own writes")
	// errNoError says that a statement succeeded that cannot.
	errNoError = errors.New("a division by zero is no error")
)

// together runs the statements of a plan in one transaction.
func (w *Worker) together(ctx context.Context, p *plan) (record.Verb, error) {
	tx, err := w.db.BeginTx(ctx, nil)
	if err != nil {
		return record.Refused, err
	}
	for _, s := range p.statements {
		if err := w.inside(ctx, tx, s); err != nil {
			// Without COMMIT nothing of it happens, whatever the error.
			_ = tx.Rollback()
			return w.judge(p, err, func(error) record.Verb { return record.Refused })
		}
	}
	if p.rollBack {
		_ = tx.Rollback() // the same holds if that fails
		return record.Refused, errRolledBack
	}
	return w.judge(p, tx.Commit(), Outcome)
}

// inside runs a statement of a transaction.
func (w *Worker) inside(ctx context.Context, tx *sql.Tx, s statement) error {
	switch {
	case s.back != nil:
		got, err := readState(ctx, tx, s.back.Key)
		if err == nil && got != s.back.State {
			w.wrong("worker %d, operation %d, reads of %s in its transaction: %s; it wrote: %s", w.id, w.seq-1, s.back.Key, got, s.back.State)
			err = errOwnWrite
		}
		return err
	case s.fails:
		_, err := tx.ExecContext(ctx, s.query, s.args...)
		if isDivisionByZero(err) {
			return nil
		}
		if err == nil {
			w.wrong("worker %d, operation %d: %v", w.id, w.seq-1, errNoError)
			err = errNoError
		}
		return err
	}
	return exec(ctx, tx, s)
}

func isDivisionByZero(err error) bool {
	var server *pq.Error
	return errors.As(err, &server) && server.Code == "22012"
}
