package main

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// transaction is three updates between BEGIN and COMMIT, of rows that no other
// goroutine writes.
type transaction struct {
	onTable
	slice time.Duration
}

func (o transaction) Takes() time.Duration { return o.slice }

func (o transaction) Measure(ctx context.Context, s *session, goroutines int) (sample, error) {
	const writes = 3
	query, base, db := fmt.Sprintf(setByKey, o.table), s.base(), s.DB()
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
	if err == nil {
		calls := make([]int64, len(x.calls))
		for w, n := range x.calls {
			calls[w] = n * writes
		}
		s.wrote(o.table, o.rows, calls, base)
	}
	return x, err
}
