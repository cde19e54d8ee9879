package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/lib/pq"
)

// What PostgreSQL can take at all: whole batches that are there already, sent by hand.
var (
	bareUnnest = Subject{Name: "unnest", Promise: "lib/pq, a transaction per batch, UPDATE … FROM unnest of up to 5,000 rows, keys sorted", Open: openDriver("postgres")}
	bareCopy   = Subject{Name: "copy", Promise: "pgx, COPY in its binary form, one per batch", Open: openCopy}
)

// unnestRows is how many rows of a batch one statement takes: with more, PostgreSQL
// joins them with the table by a plan that is several times as slow.
const unnestRows = 5000

// sendUnnest sets the prices of rows, one batch after another.
func sendUnnest(ctx context.Context, s *session, keys, values []int64, batch int) error {
	for first := 0; first < len(keys); first += batch {
		end := min(first+batch, len(keys))
		tx, err := s.DB().BeginTx(ctx, nil)
		if err != nil {
			return err
		}
		if err := updateUnnest(ctx, tx, keys[first:end], values[first:end]); err != nil {
			return errors.Join(err, tx.Rollback())
		}
		if err := tx.Commit(); err != nil {
			return err
		}
	}
	return nil
}

func updateUnnest(ctx context.Context, tx *sql.Tx, keys, values []int64) error {
	query := unnestUpdate("large")
	for first := 0; first < len(keys); first += unnestRows {
		end := min(first+unnestRows, len(keys))
		r, err := tx.ExecContext(ctx, query, pq.Array(keys[first:end]), pq.Array(values[first:end]))
		if err != nil {
			return err
		}
		if n, err := r.RowsAffected(); err != nil || n != int64(end-first) {
			return errors.Join(fmt.Errorf("%d rows affected, not %d", n, end-first), err)
		}
	}
	return nil
}

// copyClient also has a connection for COPY, which database/sql does not know.
type copyClient struct {
	driverClient
	conn *pgx.Conn
}

func openCopy(ctx context.Context, at place) (client, error) {
	c, err := openDriver("pgx")(ctx, at)
	if err != nil {
		return nil, err
	}
	conn, err := pgx.Connect(ctx, at.dsn())
	return copyClient{c.(driverClient), conn}, err
}

func (c copyClient) Close() error {
	return errors.Join(c.conn.Close(context.Background()), c.driverClient.Close())
}

// send copies rows with keys from first on, one batch after another.
func (c copyClient) send(ctx context.Context, table string, first int64, rows, batch int) error {
	for sent := 0; sent < rows; sent += batch {
		n := min(batch, rows-sent)
		from := pgx.CopyFromSlice(n, func(i int) ([]any, error) {
			return []any{first + int64(sent+i), "item", int64(i), int64(0)}, nil
		})
		copied, err := c.conn.CopyFrom(ctx, pgx.Identifier{table}, []string{"id", "name", "price", "n"}, from)
		if err != nil {
			return err
		}
		if copied != int64(n) {
			return fmt.Errorf("%d rows copied, not %d", copied, n)
		}
	}
	return nil
}
