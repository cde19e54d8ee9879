package main

import (
	"context"
	"fmt"

	"github.com/lib/pq"
)

// warm has every row of the table read, if the subject keeps what was read: by lists
// of keys where it is a driver, which takes seconds where one by one takes minutes.
func warm(ctx context.Context, s *session, table string, rows int) error {
	if !s.Caches() {
		return nil
	}
	if _, ok := s.client.(shimClient); !ok {
		r := s.Table(table)
		for key := range int64(rows) {
			if err := r.Read(ctx, key+1); err != nil {
				return err
			}
		}
		return nil
	}
	const list = 1000
	query := fmt.Sprintf(`SELECT id, name, price, n FROM %s WHERE id = ANY($1)`, table)
	for first := 1; first <= rows; first += list {
		keys := make([]int64, 0, list)
		for key := first; key < first+list && key <= rows; key++ {
			keys = append(keys, int64(key))
		}
		if err := readMany(ctx, s, query, keys); err != nil {
			return err
		}
	}
	return nil
}

func readMany(ctx context.Context, s *session, query string, keys []int64) error {
	r, err := s.DB().QueryContext(ctx, query, pq.Array(keys))
	if err != nil {
		return err
	}
	defer r.Close()
	found := 0
	for ; r.Next(); found++ {
		var name string
		var id, price, n int64
		if err := r.Scan(&id, &name, &price, &n); err != nil {
			return err
		}
		if name != fmt.Sprintf("item %d", id) {
			return fmt.Errorf("row %d is named %q", id, name)
		}
	}
	if err := r.Err(); err != nil {
		return err
	}
	if found != len(keys) {
		return fmt.Errorf("%d rows found of %d", found, len(keys))
	}
	return nil
}
