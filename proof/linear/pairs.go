package linear

import (
	"context"
	"database/sql"
	"slices"
	"sync/atomic"

	"github.com/lib/pq"
	"golang.org/x/sync/errgroup"
)

// pairs has goroutines that write one value to three rows of two tables in one
// transaction, and others that read them.
func (l *Load) pairs(ctx context.Context, group *errgroup.Group) {
	var last atomic.Int64
	for writer := range uint64(2) {
		group.Go(func() error {
			random := l.source(10 + writer)
			for range l.Steps / 4 {
				keep, batch, back := random.IntN(4) > 0, random.IntN(3) == 0, random.IntN(4) == 0
				err := l.transaction(ctx, keep, func(tx *sql.Tx) error { return writePair(ctx, tx, last.Add(1), batch, back) })
				if err != nil {
					return err
				}
				l.did(1)
			}
			return nil
		})
	}
	for reader := range uint64(2) {
		group.Go(func() error {
			random := l.source(20 + reader)
			for range l.Steps / 2 {
				if err := l.readPair(ctx, random.IntN(4)); err != nil {
					return err
				}
			}
			return nil
		})
	}
}

// writePair writes the rows, with one statement for both of a table or with two; back
// first writes and takes back another value.
func writePair(ctx context.Context, tx *sql.Tx, v int64, batch, back bool) error {
	type statement struct {
		query string
		args  []any
	}
	var list []statement
	if back {
		list = append(list, statement{query: `SAVEPOINT s`}, statement{`UPDATE pairs SET v = $1 WHERE id = 1`, []any{-v}},
			statement{query: `ROLLBACK TO SAVEPOINT s`})
	}
	if batch {
		list = append(list, statement{`INSERT INTO pairs (id, v) VALUES (1, $1), (2, $1) ON CONFLICT (id) DO UPDATE SET v = EXCLUDED.v`, []any{v}})
	} else {
		list = append(list, statement{`UPDATE pairs SET v = $1 WHERE id = 1`, []any{v}}, statement{`UPDATE pairs SET v = $1 WHERE id = 2`, []any{v}})
	}
	for _, s := range append(list, statement{`UPDATE mates SET v = $1 WHERE id = 1`, []any{v}}) {
		if _, err := exec(ctx, tx, s.query, s.args...); err != nil {
			return err
		}
	}
	return nil
}

func (l *Load) readPair(ctx context.Context, way int) error {
	query, args := `SELECT v FROM pairs WHERE id IN (1, 2)`, []any(nil)
	switch way {
	case 1:
		query, args = `SELECT v FROM pairs WHERE id = ANY($1)`, []any{pq.Array([]int64{1, 2})}
	case 2:
		query = `SELECT p.v, m.v FROM pairs p JOIN mates m USING (id)`
	case 3:
		query, args = `SELECT v FROM pairs WHERE id IN ($1, $2)`, []any{2, 1}
	}
	cells, err := read(ctx, l.DB, query, args...)
	if err != nil {
		return err
	}
	l.did(1)
	if len(cells) != 2 || slices.Min(cells) != slices.Max(cells) || cells[0] < 0 {
		l.violation("pairs: %s read %d", query, cells)
	}
	return nil
}
