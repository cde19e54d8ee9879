package main

import (
	"context"
	"database/sql"
	"fmt"
	"time"
)

// sustained is the rate at which updated rows reach PostgreSQL: the time
// includes the drain, and no row is updated twice in one measurement, so that
// nothing is gained by merging updates of the same row. Afterwards the table is
// asked, through the plain driver, whether every update is there.
type sustained struct {
	rows  int
	limit time.Duration // it ends earlier when every row was updated
}

func (o sustained) Name() string { return "sustained" }
func (o sustained) Title() string {
	return fmt.Sprintf("UPDATE by key, each row once, until it is in PostgreSQL (%d rows)", o.rows)
}
func (o sustained) Subjects() []string {
	return []string{"pq", "pq-async", "pgx", "pgx-async", "writebehind"}
}
func (o sustained) Goroutines() []int { return []int{16} }
func (o sustained) Rate() bool        { return true }

func (o sustained) Setup(ctx context.Context, plain *sql.DB) error {
	return makeTable(ctx, plain, "large", o.rows)
}

func (o sustained) Prepare(ctx context.Context, s *session) error {
	return warm(ctx, s, "large", o.rows)
}

func (o sustained) Measure(ctx context.Context, s *session, goroutines int) (sample, error) {
	before, err := o.sum(ctx, s.plain)
	if err != nil {
		return sample{}, err
	}
	start := time.Now()
	r, err := loop(ctx, goroutines, o.limit, func(ctx context.Context, w int, i int64) error {
		k := i*int64(goroutines) + int64(w)
		if k >= int64(o.rows) {
			return errDone
		}
		return writeRow(ctx, s.db, `UPDATE large SET n = n + $1 WHERE id = $2`, 1, spread(0, k, o.rows))
	})
	if err != nil {
		return sample{}, err
	}
	if err := s.Settle(ctx, s.db); err != nil {
		return sample{}, fmt.Errorf("drain: %w", err)
	}
	r.elapsed = time.Since(start)
	after, err := o.sum(ctx, s.plain)
	if err != nil {
		return sample{}, err
	}
	if after-before != r.n {
		return sample{}, fmt.Errorf("%d updates were acknowledged, %d are there", r.n, after-before)
	}
	return r, nil
}

func (o sustained) sum(ctx context.Context, plain *sql.DB) (n int64, err error) {
	err = plain.QueryRowContext(ctx, `SELECT sum(n)::bigint FROM large`).Scan(&n)
	return n, err
}
