package load

import (
	"context"
	"database/sql"
	"errors"

	"github.com/writebehind/writebehind/internal/crash/record"
)

// read compares a read with what the worker has written. It reports whether it
// was answered as it should be.
func (w *Worker) read(ctx context.Context) bool {
	switch at := w.rng.IntN(1000); {
	case at < w.Direct:
		return w.readCount(ctx)
	case at < 300:
		return w.readHot(ctx)
	case at < 500:
		return w.readTwins(ctx)
	}
	return w.readRow(ctx)
}

// readCount is a read that the shim answers after a barrier.
func (w *Worker) readCount(ctx context.Context) bool {
	var n int
	if err := w.db.QueryRowContext(ctx, "SELECT count(*) FROM events WHERE worker = $1", w.id).Scan(&n); err != nil {
		return false
	}
	// Rows whose state is open may be there, too.
	if want := len(w.there(record.Events).keys); n < want {
		w.wrong("worker %d counts %d events and has %d", w.id, n, want)
		return false
	}
	return true
}

func (w *Worker) readHot(ctx context.Context) bool {
	keys := HotRows()
	k := keys[w.rng.IntN(len(keys))]
	var n int64
	if err := w.db.QueryRowContext(ctx, "SELECT n FROM accounts WHERE id = $1", k.ID).Scan(&n); err != nil {
		return false
	}
	return w.counted(k, n)
}

// counted compares what a counter shows with what it has shown before.
func (w *Worker) counted(k record.Key, n int64) bool {
	if n < w.floor[k] {
		w.wrong("worker %d reads %d in %s, where %d were", w.id, n, k, w.floor[k])
		return false
	}
	w.floor[k] = n
	return true
}

func (w *Worker) readRow(ctx context.Context) bool {
	tables := []record.Table{record.Accounts, record.Orders, record.Events}
	t := tables[w.rng.IntN(len(tables))]
	k, want, ok := w.draw(t)
	if !ok || w.rng.IntN(5) == 0 {
		if k, want, ok = w.free(t).draw(w.rng); !ok {
			return true
		}
	}
	got, err := readState(ctx, w.db, k)
	if err != nil {
		return false
	}
	if got != want {
		w.wrong("worker %d reads of %s: %s; it wrote: %s", w.id, k, got, want)
		return false
	}
	return true
}

type querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

func readState(ctx context.Context, db querier, k record.Key) (s record.State, err error) {
	var rows *sql.Rows
	var scan func(*sql.Rows) (record.Key, record.State, error)
	switch k.Table {
	case record.Accounts:
		rows, err = db.QueryContext(ctx, "SELECT id, n, note FROM accounts WHERE id = $1", k.ID)
		scan = scanAccount
	case record.Orders:
		rows, err = db.QueryContext(ctx, "SELECT id, account, v FROM orders WHERE id = $1", record.UUID(k.ID))
		scan = scanOrder
	default:
		rows, err = db.QueryContext(ctx, "SELECT id, worker, seq, v FROM events WHERE id = $1", k.ID)
		scan = scanEvent
	}
	if err != nil {
		return s, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	if rows.Next() {
		if _, s, err = scan(rows); err != nil {
			return s, err
		}
	}
	return s, rows.Err()
}
