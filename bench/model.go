package main

import (
	"context"
	"fmt"
)

// base returns a number that no earlier measurement of the session has written from,
// so that a lost update is not mistaken for the same value of before.
func (s *session) base() int64 {
	s.runs++
	return s.runs << 32
}

// model is the price of each row of a table as it must be.
func (s *session) model(table string, rows int) []int64 {
	if s.models == nil {
		s.models = map[string][]int64{}
	}
	m := s.models[table]
	if m == nil {
		m = make([]int64, rows+1)
		for id := range m {
			m[id] = int64(id)
		}
		s.models[table] = m
	}
	return m
}

// wrote brings the model up to date with what workers wrote to rows of their own, of
// which only the last time around matters. Without a database there is none.
func (s *session) wrote(table string, rows int, calls []int64, base int64) {
	if s.plain == nil {
		return
	}
	m := s.model(table, rows)
	for w, n := range calls {
		for i := max(0, n-int64(rows/len(calls))); i < n; i++ {
			m[own(w, len(calls), i, rows)] = base + i
		}
	}
}

// checkModel compares the table with its model by two sums.
func (s *session) checkModel(ctx context.Context, table string) error {
	if s.plain == nil || s.models[table] == nil {
		return nil
	}
	var want, got [2]int64
	for id, price := range s.models[table] {
		want[0] += price & (1<<32 - 1)
		want[1] += price % 1000003 * (int64(id) % 1009)
	}
	err := s.plain.QueryRowContext(ctx, `SELECT sum(price & 4294967295)::bigint, sum(price % 1000003 * (id % 1009))::bigint FROM `+table).Scan(&got[0], &got[1])
	if err == nil && got != want {
		err = fmt.Errorf("the contents of %s are not what was acknowledged: sums %v, not %v", table, got, want)
	}
	return err
}

// checkCount counts the rows of a table that was made with some.
func (s *session) checkCount(ctx context.Context, table string, made int) error {
	return s.expect(ctx, `SELECT count(*) FROM `+table, int64(made)+s.inserted[table])
}

// sumOf asks the plain driver for one number.
func (s *session) sumOf(ctx context.Context, query string) (n int64, err error) {
	if s.plain == nil {
		return 0, nil
	}
	err = s.plain.QueryRowContext(ctx, query).Scan(&n)
	return n, err
}

// expect compares a number in the database with what it must be.
func (s *session) expect(ctx context.Context, query string, want int64) error {
	if s.plain == nil {
		return nil
	}
	got, err := s.sumOf(ctx, query)
	if err == nil && got != want {
		err = fmt.Errorf("%s is %d, not %d, which was acknowledged", query, got, want)
	}
	return err
}
