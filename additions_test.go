package writebehind_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/writebehind/writebehind/internal/pgtest"
)

// increments are ways to add one to a counter so that no addition is lost.
var increments = map[string]func(ctx context.Context, db *sql.DB) error{
	"increment": func(ctx context.Context, db *sql.DB) error {
		return within(ctx, db, nil, func(tx *sql.Tx) error {
			_, err := tx.ExecContext(ctx, `UPDATE items SET stock = stock + 1 WHERE id = 1`)
			return err
		})
	},
	"version": func(ctx context.Context, db *sql.DB) error {
		for {
			affected := int64(0)
			err := within(ctx, db, nil, func(tx *sql.Tx) error {
				var stock, version int
				if err := tx.QueryRowContext(ctx, `SELECT stock, version FROM items WHERE id = 1`).Scan(&stock, &version); err != nil {
					return err
				}
				result, err := tx.ExecContext(ctx, `UPDATE items SET stock = $1, version = version + 1 WHERE id = 1 AND version = $2`, stock+1, version)
				if err == nil {
					affected, err = result.RowsAffected()
				}
				return err
			})
			if err != nil || affected == 1 {
				return err
			}
		}
	},
	"for update": func(ctx context.Context, db *sql.DB) error {
		return within(ctx, db, nil, func(tx *sql.Tx) error {
			var stock int
			if err := tx.QueryRowContext(ctx, `SELECT stock FROM items WHERE id = 1 FOR UPDATE`).Scan(&stock); err != nil {
				return err
			}
			_, err := tx.ExecContext(ctx, `UPDATE items SET stock = $1 WHERE id = 1`, stock+1)
			return err
		})
	},
	"serializable": func(ctx context.Context, db *sql.DB) error {
		for {
			err := within(ctx, db, &sql.TxOptions{Isolation: sql.LevelSerializable}, func(tx *sql.Tx) error {
				var stock int
				if err := tx.QueryRowContext(ctx, `SELECT stock FROM items WHERE id = 1`).Scan(&stock); err != nil {
					return err
				}
				_, err := tx.ExecContext(ctx, `UPDATE items SET stock = $1 WHERE id = 1`, stock+1)
				return err
			})
			var state interface{ SQLState() string }
			if errors.As(err, &state) && (state.SQLState() == "40001" || state.SQLState() == "40P01") {
				continue
			}
			return err
		}
	},
}

func within(ctx context.Context, db *sql.DB, opts *sql.TxOptions, f func(*sql.Tx) error) error {
	tx, err := db.BeginTx(ctx, opts)
	if err != nil {
		return err
	}
	if err := f(tx); err != nil {
		return errors.Join(err, tx.Rollback())
	}
	return tx.Commit()
}

func TestNoAdditionIsLost(t *testing.T) {
	server := pgtest.Shared(t)
	for name, add := range increments {
		for _, goroutines := range []int{1, 16, 64} {
			t.Run(fmt.Sprint(name, " ", goroutines), func(t *testing.T) {
				each := 320 / goroutines
				if name == "serializable" {
					each = max(1, 64/goroutines)
				}
				h := newHarnessOn(t, server, `CREATE TABLE items (id bigint PRIMARY KEY, stock int, version int); INSERT INTO items VALUES (1, 0, 0)`,
					buffering+" writebehind.max_delay=5ms")
				h.shim.SetMaxOpenConns(70)
				h.value(h.shim, stockOfOne)
				var wg sync.WaitGroup
				var failed atomic.Value
				for range goroutines {
					wg.Go(func() {
						for range each {
							if err := add(t.Context(), h.shim); err != nil {
								failed.CompareAndSwap(nil, err.Error())
								return
							}
						}
					})
				}
				wg.Wait()
				require.Nil(t, failed.Load())
				require.EqualValues(t, goroutines*each, h.value(h.shim, stockOfOne))
				h.flush()
				require.EqualValues(t, goroutines*each, h.value(h.past, stockOfOne))
			})
		}
	}
}
