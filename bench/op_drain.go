package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// drain is how fast a backlog reaches PostgreSQL. writebehind cannot flush while it is
// built, because the table is locked; the time begins when it is not any more. The
// bare rival sends as many rows in batches of the size that writebehind chose.
type drain struct {
	onTable
	backlog int
	insert  bool // else UPDATE of rows that lie apart

	batches batches
	like    string // the subject whose batches the bare rival sends
}

func (drain) Takes() time.Duration { return 5 * time.Second }

func (o drain) Measure(ctx context.Context, s *session, _ int) (sample, error) {
	base := s.base()
	batch := o.batches.of(o.like)
	var x sample
	var err error
	switch {
	case s.Caches():
		x, err = o.behind(ctx, s, base)
	case o.insert:
		start := time.Now()
		err = s.client.(copyClient).send(ctx, o.table, base, o.backlog, batch)
		x = sample{n: int64(o.backlog), elapsed: time.Since(start)}
	default:
		keys, values := o.sorted(base, batch)
		start := time.Now()
		err = sendUnnest(ctx, s, keys, values, batch)
		x = sample{n: int64(o.backlog), elapsed: time.Since(start)}
	}
	if o.insert {
		s.inserted[o.table] += int64(o.backlog)
	} else {
		s.wrote(o.table, o.rows, []int64{int64(o.backlog)}, base)
	}
	x.extra = []extra{{"rows per transaction", float64(o.batches.of(o.like))}}
	return x, err
}

// behind builds the backlog and times the flush.
func (o drain) behind(ctx context.Context, s *session, base int64) (x sample, err error) {
	lock, err := s.plain.BeginTx(ctx, nil)
	if err != nil {
		return x, err
	}
	defer func() { err = errors.Join(err, ignoreDone(lock.Rollback())) }()
	if _, err := lock.ExecContext(ctx, `LOCK TABLE `+o.table+` IN SHARE MODE`); err != nil {
		return x, err
	}
	before, err := flushedBy(s)
	if err != nil {
		return x, err
	}
	if err := o.fill(ctx, s, base); err != nil {
		return x, err
	}
	start := time.Now()
	if err := lock.Rollback(); err != nil {
		return x, err
	}
	if err := s.Settle(ctx); err != nil {
		return x, err
	}
	x = sample{n: int64(o.backlog), elapsed: time.Since(start)}
	after, err := flushedBy(s)
	if size := after.since(before); size > 0 {
		o.batches.set(s, size)
	}
	return x, err
}

func ignoreDone(err error) error {
	if errors.Is(err, sql.ErrTxDone) {
		return nil
	}
	return err
}

func (o drain) fill(ctx context.Context, s *session, base int64) error {
	ctx = context.WithoutCancel(ctx)
	if o.insert {
		return fillInserts(ctx, s.DB(), o.table, "item", base, o.backlog)
	}
	r := s.Table(o.table)
	for i := range int64(o.backlog) {
		if err := r.Set(ctx, own(0, 1, i, o.rows), base+i); err != nil {
			return err
		}
	}
	return nil
}

// fillInserts puts in rows of a name, with keys from first on.
func fillInserts(ctx context.Context, db *sql.DB, table, name string, first int64, rows int) error {
	query := fmt.Sprintf(insertRow, table)
	for i := range int64(rows) {
		if err := writeRow(ctx, db, query, first+i, name, i); err != nil {
			return err
		}
	}
	return nil
}

// sorted are the keys and values of the backlog, each batch sorted by key.
func (o drain) sorted(base int64, batch int) (keys, values []int64) {
	keys, values = make([]int64, o.backlog), make([]int64, o.backlog)
	for i := range keys {
		keys[i], values[i] = own(0, 1, int64(i), o.rows), base+int64(i)
	}
	for first := 0; first < len(keys); first += batch {
		end := min(first+batch, len(keys))
		sortTogether(keys[first:end], values[first:end])
	}
	return keys, values
}

func (o drain) Check(ctx context.Context, s *session) error {
	if o.insert {
		return s.checkCount(ctx, o.table, o.rows)
	}
	return o.onTable.Check(ctx, s)
}
