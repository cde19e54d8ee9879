package main

import (
	"context"
	"database/sql"
	"fmt"
	"time"
)

// insert puts in rows with keys that nobody has used.
type insert struct {
	about
	table string
	slice time.Duration
	drain bool // the time includes the drain, the table is that of sustained writes
}

const insertRow = `INSERT INTO %s (id, name, price, n) VALUES ($1, $2, $3, 0)`

func (o insert) Setup(ctx context.Context, plain *sql.DB) error {
	return makeTable(ctx, plain, o.table, 1)
}

func (insert) Prepare(context.Context, *session, int) error { return nil }

func (o insert) Takes() time.Duration { return o.slice }

func (o insert) Measure(ctx context.Context, s *session, goroutines int) (sample, error) {
	query := fmt.Sprintf(insertRow, o.table)
	base := s.base()
	db := s.DB()
	put := func(ctx context.Context, w int, i int64) error {
		return writeRow(ctx, db, query, base+i*int64(goroutines)+int64(w), "item", i)
	}
	var x sample
	var err error
	if o.drain {
		x, err = drained(ctx, s, func() (sample, error) { return timedLoop(ctx, goroutines, o.slice, put) })
	} else {
		x, err = loop(ctx, goroutines, o.slice, put)
	}
	for _, n := range x.calls {
		s.inserted[o.table] += n
	}
	return x, err
}

func (o insert) Check(ctx context.Context, s *session) error {
	return s.checkCount(ctx, o.table, 1)
}
