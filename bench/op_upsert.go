package main

import (
	"context"
	"fmt"
	"time"
)

// upsert is INSERT … ON CONFLICT DO UPDATE on rows that are there.
type upsert struct {
	onTable
	slice time.Duration
}

func (o upsert) Takes() time.Duration { return o.slice }

func (o upsert) Measure(ctx context.Context, s *session, goroutines int) (sample, error) {
	query := fmt.Sprintf(insertRow, o.table) + ` ON CONFLICT (id) DO UPDATE SET price = EXCLUDED.price`
	base, db := s.base(), s.DB()
	x, err := loop(ctx, goroutines, o.slice, func(ctx context.Context, w int, i int64) error {
		return writeRow(ctx, db, query, own(w, goroutines, i, o.rows), "item", base+i)
	})
	if err == nil {
		s.wrote(o.table, o.rows, x.calls, base)
	}
	return x, err
}
