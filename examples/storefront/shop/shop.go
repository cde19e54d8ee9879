// Package shop is the application of the example, and the load of the soak: a
// small shop, its shoppers, and what its tables must hold after they were there.
// It knows database/sql and nothing of the driver behind it.
package shop

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
)

// Schema is what the shop keeps. Orders are keyed by a UUID that the shop makes
// itself, carts by who shops and what for, lines by their order and number.
//
// No table has a foreign key, a CHECK or a second UNIQUE constraint. An INSERT that
// such a constraint could refuse writebehind leaves to PostgreSQL, and the
// transaction that it is in with it: what order_lines.order_id refers to, the shop
// makes sure of itself, by inserting both in one transaction.
const Schema = `
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
	status  text NOT NULL,
	lines   bigint NOT NULL DEFAULT 0 -- how many of order_lines it has
);
CREATE TABLE order_lines (
	order_id  uuid NOT NULL,
	line      bigint NOT NULL, -- from 1
	product   bigint NOT NULL,
	accessory bigint NOT NULL, -- a product, too
	qty       bigint NOT NULL,
	price     bigint NOT NULL, -- in cents, of one piece
	PRIMARY KEY (order_id, line)
);`

// Product is one row of products.
type Product struct {
	ID    int64
	Name  string
	Price int64 // in cents
	Stock int64
}

// Order is one row of orders, with its lines.
type Order struct {
	ID      string // UUID in its canonical form
	Shopper int64
	Product int64
	Qty     int64
	Price   int64 // in cents
	Status  string
	Count   int64 // of lines; none in an order that was placed without
	Lines   [MaxLines]Line
}

// ErrWrong is wrapped by the error of an operation that was answered, but not
// as the shop's tables demand: a product that must be there was not, or had
// another name.
var ErrWrong = errors.New("wrong answer")

// DB is what the shop needs of a *sql.DB.
type DB interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
	BeginTx(ctx context.Context, opts *sql.TxOptions) (*sql.Tx, error)
}

// Shop is the application. It is safe for concurrent use.
type Shop struct {
	DB DB
}

// View reads a product.
func (s Shop) View(ctx context.Context, id int64) (Product, error) {
	p := Product{ID: id}
	err := s.DB.QueryRowContext(ctx,
		`SELECT name, price, stock FROM products WHERE id=$1`, id).Scan(&p.Name, &p.Price, &p.Stock)
	if errors.Is(err, sql.ErrNoRows) {
		err = fmt.Errorf("%w: %w", ErrWrong, err) // no product is ever deleted
	}
	if err != nil {
		return Product{}, fmt.Errorf("view product %d: %w", id, err)
	}
	return p, nil
}

// PutIntoCart adds to what a shopper has in the cart.
func (s Shop) PutIntoCart(ctx context.Context, shopper, product, qty int64) error {
	err := writeOne(ctx, s.DB,
		`INSERT INTO cart_items (shopper, product, qty) VALUES ($1,$2,$3)
		 ON CONFLICT (shopper, product) DO UPDATE SET qty = cart_items.qty + EXCLUDED.qty`,
		shopper, product, qty)
	if err != nil {
		return fmt.Errorf("put product %d into the cart of %d: %w", product, shopper, err)
	}
	return nil
}

// ChangePrice sets the price of a product, in cents.
func (s Shop) ChangePrice(ctx context.Context, product, price int64) error {
	if err := writeOne(ctx, s.DB, `UPDATE products SET price=$1 WHERE id=$2`, price, product); err != nil {
		return fmt.Errorf("change the price of product %d: %w", product, err)
	}
	return nil
}

// TakeFromStock takes pieces of a product from stock.
func (s Shop) TakeFromStock(ctx context.Context, product, qty int64) error {
	if err := takeFromStock(ctx, s.DB, product, qty); err != nil {
		return fmt.Errorf("take product %d from stock: %w", product, err)
	}
	return nil
}

func takeFromStock(ctx context.Context, db execer, product, qty int64) error {
	return writeOne(ctx, db, `UPDATE products SET stock = stock - $1 WHERE id = $2`, qty, product)
}

// PlaceOrder inserts an order without lines.
func (s Shop) PlaceOrder(ctx context.Context, o Order) error {
	err := writeOne(ctx, s.DB,
		`INSERT INTO orders (id, shopper, product, qty, price, status) VALUES ($1,$2,$3,$4,$5,$6)`,
		o.ID, o.Shopper, o.Product, o.Qty, o.Price, o.Status)
	if err != nil {
		return fmt.Errorf("place order %s: %w", o.ID, err)
	}
	return nil
}

type execer interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
}

// writeOne runs a statement that has to affect exactly one row.
func writeOne(ctx context.Context, db execer, query string, args ...any) error {
	result, err := db.ExecContext(ctx, query, args...)
	if err != nil {
		return err
	}
	n, err := result.RowsAffected()
	if err != nil {
		return err
	}
	if n != 1 {
		return fmt.Errorf("%w: %d rows affected, not 1", ErrWrong, n)
	}
	return nil
}
