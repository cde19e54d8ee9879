package shop

import (
	"context"
	"database/sql"
	"fmt"
)

// startStock is so much that no run empties it: the shop has no use for a
// product that is sold out.
const startStock = 1_000_000_000

func productName(id int64) string { return fmt.Sprintf("product %d", id) }

// Open makes the shop's tables, fills the shelves with a number of products, and
// returns them.
func Open(ctx context.Context, db *sql.DB, products int) ([]Product, error) {
	if _, err := db.ExecContext(ctx, Schema); err != nil {
		return nil, err
	}
	_, err := db.ExecContext(ctx,
		`INSERT INTO products (id, name, price, stock)
		 SELECT id, 'product ' || id, 100 + id, $2::bigint FROM generate_series(1, $1::bigint) AS id`,
		products, startStock)
	if err != nil {
		return nil, err
	}
	c, err := ReadContents(ctx, db)
	return c.Products, err
}
