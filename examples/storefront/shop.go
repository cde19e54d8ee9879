package main

import (
	"context"
	"database/sql"
	"fmt"
)

// schema is what the shop keeps. Orders are keyed by a UUID that the shop makes
// itself, carts by who shops and what for.
const schema = `
CREATE TABLE products (
	id    bigint PRIMARY KEY,
	name  text NOT NULL,
	price bigint NOT NULL, -- in cents
	stock bigint NOT NULL
);
CREATE TABLE cart_items (
	shopper bigint NOT NULL,
	product bigint NOT NULL,
	qty     bigint NOT NULL,
	PRIMARY KEY (shopper, product)
);
CREATE TABLE orders (
	id      uuid PRIMARY KEY,
	shopper bigint NOT NULL,
	product bigint NOT NULL,
	qty     bigint NOT NULL,
	price   bigint NOT NULL, -- in cents
	status  text NOT NULL
);`

// product is one row of products.
type product struct {
	id    int64
	name  string
	price int64 // in cents
	stock int64
}

// order is one row of orders.
type order struct {
	id      string // UUID in its canonical form
	shopper int64
	product int64
	qty     int64
	price   int64 // in cents
	status  string
}

// shop is the application. It knows database/sql and nothing of the driver
// behind it; it is safe for concurrent use.
type shop struct {
	db *sql.DB
}

func (s shop) view(ctx context.Context, id int64) (product, error) {
	p := product{id: id}
	err := s.db.QueryRowContext(ctx,
		`SELECT name, price, stock FROM products WHERE id=$1`, id).Scan(&p.name, &p.price, &p.stock)
	if err != nil {
		return product{}, fmt.Errorf("view product %d: %w", id, err)
	}
	return p, nil
}

func (s shop) putIntoCart(ctx context.Context, shopper, product, qty int64) error {
	err := s.writeOne(ctx,
		`INSERT INTO cart_items (shopper, product, qty) VALUES ($1,$2,$3)
		 ON CONFLICT (shopper, product) DO UPDATE SET qty = cart_items.qty + EXCLUDED.qty`,
		shopper, product, qty)
	if err != nil {
		return fmt.Errorf("put product %d into the cart of %d: %w", product, shopper, err)
	}
	return nil
}

func (s shop) changePrice(ctx context.Context, product, price int64) error {
	if err := s.writeOne(ctx, `UPDATE products SET price=$1 WHERE id=$2`, price, product); err != nil {
		return fmt.Errorf("change the price of product %d: %w", product, err)
	}
	return nil
}

func (s shop) takeFromStock(ctx context.Context, product, qty int64) error {
	if err := s.writeOne(ctx, `UPDATE products SET stock = stock - $1 WHERE id = $2`, qty, product); err != nil {
		return fmt.Errorf("take product %d from stock: %w", product, err)
	}
	return nil
}

func (s shop) placeOrder(ctx context.Context, o order) error {
	err := s.writeOne(ctx,
		`INSERT INTO orders (id, shopper, product, qty, price, status) VALUES ($1,$2,$3,$4,$5,$6)`,
		o.id, o.shopper, o.product, o.qty, o.price, o.status)
	if err != nil {
		return fmt.Errorf("place order %s: %w", o.id, err)
	}
	return nil
}

// writeOne runs a statement that has to affect exactly one row.
func (s shop) writeOne(ctx context.Context, query string, args ...any) error {
	result, err := s.db.ExecContext(ctx, query, args...)
	if err != nil {
		return err
	}
	n, err := result.RowsAffected()
	if err != nil {
		return err
	}
	if n != 1 {
		return fmt.Errorf("%d rows affected, not 1", n)
	}
	return nil
}
