package linear

import (
	"context"
	"fmt"
	"sync/atomic"

	"golang.org/x/sync/errgroup"
)

// counts counts what was acknowledged to it.
type counts struct {
	*Load
	increments, versions atomic.Int64
}

// counts has goroutines that add to one row, and others that read a row and write it
// back if its version is still the one that was read.
func (l *Load) counts(ctx context.Context, group *errgroup.Group) *counts {
	c := &counts{Load: l}
	for user := range uint64(3) {
		group.Go(func() error {
			random := l.source(30 + user)
			for range l.Steps / 2 {
				var err error
				if random.IntN(2) == 0 {
					err = c.increment(ctx, random.IntN(6))
				} else {
					err = c.replace(ctx)
				}
				if err != nil {
					return err
				}
				l.did(1)
			}
			return nil
		})
	}
	return c
}

func (c *counts) increment(ctx context.Context, way int) error {
	query := `UPDATE counts SET n = n + 1 WHERE id = 1`
	switch way {
	case 0:
		query = `UPDATE counts SET n = n + 1 WHERE id % 10 = 1`
	case 1:
		query = `INSERT INTO counts (id, n, version) VALUES (1, 1, 0) ON CONFLICT (id) DO UPDATE SET n = counts.n + EXCLUDED.n`
	}
	n, err := exec(ctx, c.DB, query)
	c.increments.Add(n)
	return err
}

func (c *counts) replace(ctx context.Context) error {
	cells, err := read(ctx, c.DB, `SELECT n, version FROM counts WHERE id = 2`)
	if err != nil {
		return err
	}
	if len(cells) != 2 {
		return fmt.Errorf("counts: read %d", cells)
	}
	n, err := exec(ctx, c.DB, `UPDATE counts SET n = $1, version = version + 1 WHERE id = 2 AND version = $2`, cells[0]+1, cells[1])
	c.versions.Add(n)
	return err
}

// check compares what was acknowledged with what is there at the end, as the driver
// and as a query over all rows tells it.
func (c *counts) check(ctx context.Context) error {
	for _, query := range []string{`SELECT n, version FROM counts WHERE id = $1`, `SELECT sum(n)::bigint, sum(version)::bigint FROM counts WHERE id = $1`} {
		added, err := read(ctx, c.DB, query, 1)
		if err != nil {
			return err
		}
		replaced, err := read(ctx, c.DB, query, 2)
		if err != nil {
			return err
		}
		if added[0] != c.increments.Load() {
			c.violation("counts: %d increments were acknowledged, and %s tells of %d", c.increments.Load(), query, added[0])
		}
		if v := c.versions.Load(); replaced[0] != v || replaced[1] != v {
			c.violation("counts: %d replacements were acknowledged, and %s tells of %d", v, query, replaced)
		}
	}
	return nil
}
