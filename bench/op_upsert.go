package main

import (
	"context"
	"database/sql"
	"time"
)

// upsert is INSERT … ON CONFLICT DO UPDATE on rows that are there.
type upsert struct {
	about
	rows  int
	slice time.Duration
}

func (o upsert) Setup(ctx context.Context, plain *sql.DB) error {
	return makeTable(ctx, plain, "hot", o.rows)
}

func (o upsert) Prepare(ctx context.Context, s *session, _ int) error {
	return warm(ctx, s, "hot", o.rows)
}

func (o upsert) Takes() time.Duration { return o.slice }

func (o upsert) Measure(ctx context.Context, s *session, goroutines int) (sample, error) {
	const query = `INSERT INTO hot (id, name, price, n) VALUES ($1, $2, $3, 0) ON CONFLICT (id) DO UPDATE SET price = EXCLUDED.price`
	base, db := s.base(), s.DB()
	x, err := loop(ctx, goroutines, o.slice, func(ctx context.Context, w int, i int64) error {
		return writeRow(ctx, db, query, own(w, goroutines, i, o.rows), "item", base+i)
	})
	if err == nil && s.plain != nil {
		s.wrote("hot", o.rows, x.calls, base)
	}
	return x, err
}

func (o upsert) Check(ctx context.Context, s *session) error { return s.checkModel(ctx, "hot") }
