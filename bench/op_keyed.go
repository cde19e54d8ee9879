package main

import (
	"context"
	"database/sql"
	"time"
)

// keyed is a single statement by primary key, over and over, on rows that are
// chosen evenly; drained outside the measured time.
type keyed struct {
	onTable
	slice   time.Duration
	does    action
	pending bool   // every row has a pending write beforehand
	cold    bool   // nothing was read beforehand
	prefix  string // of the statements
}

type action int

const (
	reads action = iota
	sets         // each worker rows of its own
	adds
)

// Setup makes hot in any case: there has to be a table that is opted in when
// one is measured that is not.
func (o keyed) Setup(ctx context.Context, plain *sql.DB) error {
	if o.table == "plain" {
		if err := makeTable(ctx, plain, "hot", o.rows); err != nil {
			return err
		}
	}
	return o.onTable.Setup(ctx, plain)
}

func (o keyed) Prepare(ctx context.Context, s *session, goroutines int) error {
	if o.table == "plain" || o.cold {
		return nil // not cached
	}
	if err := o.onTable.Prepare(ctx, s, goroutines); err != nil || !o.pending {
		return err
	}
	base, r := s.base(), s.Table(o.table)
	for i := range int64(o.rows) {
		if err := r.Set(context.WithoutCancel(ctx), own(0, 1, i, o.rows), base+i); err != nil {
			return err
		}
	}
	s.wrote(o.table, o.rows, []int64{int64(o.rows)}, base)
	return nil
}

func (o keyed) Takes() time.Duration { return o.slice }

func (o keyed) Measure(ctx context.Context, s *session, goroutines int) (sample, error) {
	r := s.Table(o.table)
	if o.prefix != "" {
		r = newSQLRows(s.DB(), o.table, o.prefix)
	}
	switch o.does {
	case sets:
		base := s.base()
		x, err := loop(ctx, goroutines, o.slice, func(ctx context.Context, w int, i int64) error {
			return r.Set(ctx, own(w, goroutines, i, o.rows), base+i)
		})
		if o.prefix == "" && err == nil {
			s.wrote(o.table, o.rows, x.calls, base)
		}
		return x, err
	case adds:
		before, err := s.sumOf(ctx, `SELECT sum(n)::bigint FROM `+o.table)
		if err != nil {
			return sample{}, err
		}
		x, err := loop(ctx, goroutines, o.slice, func(ctx context.Context, w int, i int64) error {
			return r.Add(ctx, spread(w, i, o.rows), 1)
		})
		for _, n := range x.calls {
			before += n
		}
		s.found["sum"] = float64(before)
		return x, err
	default:
		return loop(ctx, goroutines, o.slice, func(ctx context.Context, w int, i int64) error {
			return r.Read(ctx, spread(w, i, o.rows))
		})
	}
}

func (o keyed) Check(ctx context.Context, s *session) error {
	if o.does == adds {
		return s.expect(ctx, `SELECT sum(n)::bigint FROM `+o.table, int64(s.found["sum"]))
	}
	return o.onTable.Check(ctx, s)
}
