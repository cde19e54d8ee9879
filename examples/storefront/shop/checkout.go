package shop

import (
	"context"
	"errors"
	"fmt"
)

// MaxLines is how many lines an order has at most.
const MaxLines = 3

// Line is one row of order_lines: so many pieces of a product, each with the
// accessory that is sold with it. One of no pieces is none.
type Line struct {
	Product   int64
	Accessory int64
	Qty       int64
	Price     int64 // in cents, of one piece
}

// ErrUndone is wrapped by the error of an order that is certainly not there, nor
// anything of it.
var ErrUndone = errors.New("rolled back")

// CheckOut takes what an order is for from stock, and inserts the order with its
// lines: all in one transaction. All lines must be of the same two products.
func (s Shop) CheckOut(ctx context.Context, o Order) error {
	if err := s.checkOut(ctx, o); err != nil {
		return fmt.Errorf("check out order %s: %w", o.ID, err)
	}
	return nil
}

func (s Shop) checkOut(ctx context.Context, o Order) error {
	tx, err := s.DB.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrUndone, err)
	}
	if err := writeOrder(ctx, tx, o); err != nil {
		_ = tx.Rollback() // without COMMIT nothing of it happens, whatever becomes of this
		return fmt.Errorf("%w: %w", ErrUndone, err)
	}
	return tx.Commit()
}

func writeOrder(ctx context.Context, db execer, o Order) error {
	// Whoever locks products locks them in the order of their numbers.
	first, second := o.Lines[0].Product, o.Lines[0].Accessory
	for _, product := range []int64{min(first, second), max(first, second)} {
		if err := takeFromStock(ctx, db, product, o.Qty); err != nil {
			return err
		}
	}
	if err := writeOne(ctx, db,
		`INSERT INTO orders (id, shopper, product, qty, price, status, lines) VALUES ($1,$2,$3,$4,$5,$6,$7)`,
		o.ID, o.Shopper, o.Product, o.Qty, o.Price, o.Status, o.Count); err != nil {
		return err
	}
	for i, l := range o.Lines[:o.Count] {
		if err := writeOne(ctx, db,
			`INSERT INTO order_lines (order_id, line, product, accessory, qty, price) VALUES ($1,$2,$3,$4,$5,$6)`,
			o.ID, i+1, l.Product, l.Accessory, l.Qty, l.Price); err != nil {
			return err
		}
	}
	return nil
}
