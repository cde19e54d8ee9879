package load

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/writebehind/writebehind/internal/crash/record"
)

// readTwins compares two counters, in two tables, that are only ever incremented
// together. It reports whether it was answered as it should be.
func (w *Worker) readTwins(ctx context.Context) bool {
	pairs := Twins()
	pair := pairs[w.rng.IntN(len(pairs))]
	switch at := w.rng.IntN(1000); {
	case at < w.Direct:
		return w.joinTwins(ctx, pair)
	case at < 200:
		return w.lockTwins(ctx, pair)
	}
	return w.followTwins(ctx, pair)
}

// followTwins reads one after the other: whoever has seen a group in one must see it
// in the other, where later ones may be, too.
func (w *Worker) followTwins(ctx context.Context, pair [2]record.Key) bool {
	if w.rng.IntN(2) == 0 {
		pair[0], pair[1] = pair[1], pair[0]
	}
	n, err := readCounter(ctx, w.db, pair[0], "")
	if err != nil {
		return false
	}
	m, err := readCounter(ctx, w.db, pair[1], "")
	if err != nil {
		return false
	}
	if m < n {
		w.torn("worker %d reads %d in %s and then %d in %s", w.id, n, pair[0], m, pair[1])
		return false
	}
	return w.counted(pair[0], n) && w.counted(pair[1], m)
}

// joinTwins reads both in one statement.
func (w *Worker) joinTwins(ctx context.Context, pair [2]record.Key) bool {
	var n, m int64
	if err := w.db.QueryRowContext(ctx, "SELECT a.n, e.seq FROM accounts a JOIN events e ON e.id = a.id WHERE a.id = $1", pair[0].ID).
		Scan(&n, &m); err != nil {
		return false
	}
	return w.same(pair, n, m, "in one statement")
}

// lockTwins locks both, so that they stay as they are while they are read.
func (w *Worker) lockTwins(ctx context.Context, pair [2]record.Key) bool {
	tx, err := w.db.BeginTx(ctx, nil)
	if err != nil {
		return false
	}
	n, err := readCounter(ctx, tx, pair[0], " FOR NO KEY UPDATE")
	if err != nil {
		_ = tx.Rollback()
		return false
	}
	m, err := readCounter(ctx, tx, pair[1], " FOR NO KEY UPDATE")
	if errors.Join(err, tx.Rollback()) != nil {
		return false
	}
	return w.same(pair, n, m, "with both locked")
}

func (w *Worker) same(pair [2]record.Key, n, m int64, how string) bool {
	if n != m {
		w.torn("worker %d reads %d in %s and %d in %s, %s", w.id, n, pair[0], m, pair[1], how)
		return false
	}
	return w.counted(pair[0], n) && w.counted(pair[1], m)
}

func (w *Worker) torn(format string, args ...any) {
	w.reporter.Report(record.Line{Verb: record.Torn, Text: fmt.Sprintf(format, args...)})
}

// readCounter reads a counter; lock is the end of the statement.
func readCounter(ctx context.Context, db interface {
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}, k record.Key, lock string,
) (n int64, err error) {
	query := "SELECT n FROM accounts WHERE id = $1"
	if k.Table == record.Twin {
		query = "SELECT seq FROM events WHERE id = $1"
	}
	err = db.QueryRowContext(ctx, query+lock, k.ID).Scan(&n)
	return n, err
}
