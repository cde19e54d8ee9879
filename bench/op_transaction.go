package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// transaction is three updates between BEGIN and COMMIT, of rows that no other
// goroutine writes.
type transaction struct {
	about
	rows  int
	slice time.Duration
}

func (o transaction) Setup(ctx context.Context, plain *sql.DB) error {
	return makeTable(ctx, plain, "hot", o.rows)
}

func (o transaction) Prepare(ctx context.Context, s *session, _ int) error {
	return warm(ctx, s, "hot", o.rows)
}

func (o transaction) Takes() time.Duration { return o.slice }

func (o transaction) Measure(ctx context.Context, s *session, goroutines int) (sample, error) {
	const writes = 3
	query, base, db := fmt.Sprintf(setByKey, "hot"), s.base(), s.DB()
	x, err := loop(ctx, goroutines, o.slice, func(ctx context.Context, w int, i int64) error {
		tx, err := db.BeginTx(ctx, nil)
		if err != nil {
			return err
		}
		for j := i * writes; j < (i+1)*writes; j++ {
			if err := writeRow(ctx, tx, query, own(w, goroutines, j, o.rows), base+j); err != nil {
				return errors.Join(err, tx.Rollback())
			}
		}
		return tx.Commit()
	})
	if err == nil && s.plain != nil {
		calls := make([]int64, len(x.calls))
		for w, n := range x.calls {
			calls[w] = n * writes
		}
		s.wrote("hot", o.rows, calls, base)
	}
	return x, err
}

func (o transaction) Check(ctx context.Context, s *session) error {
	return s.checkModel(ctx, "hot")
}
