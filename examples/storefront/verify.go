package main

import (
	"context"
	"database/sql"
	"fmt"
	"time"
)

// contents is what the shop's tables hold.
type contents struct {
	products []product
	cart     []cartItem
	orders   []order
}

// cartItem is one row of cart_items.
type cartItem struct {
	shopper, product, qty int64
}

// readContents reads all three tables through db.
func readContents(ctx context.Context, db *sql.DB) (contents, error) {
	var c contents
	err := scanAll(ctx, db, `SELECT id, name, price, stock FROM products`, func(rows *sql.Rows) error {
		var p product
		err := rows.Scan(&p.id, &p.name, &p.price, &p.stock)
		c.products = append(c.products, p)
		return err
	})
	if err != nil {
		return contents{}, fmt.Errorf("read products: %w", err)
	}
	err = scanAll(ctx, db, `SELECT shopper, product, qty FROM cart_items`, func(rows *sql.Rows) error {
		var i cartItem
		err := rows.Scan(&i.shopper, &i.product, &i.qty)
		c.cart = append(c.cart, i)
		return err
	})
	if err != nil {
		return contents{}, fmt.Errorf("read cart_items: %w", err)
	}
	err = scanAll(ctx, db, `SELECT id, shopper, product, qty, price, status FROM orders`, func(rows *sql.Rows) error {
		var o order
		err := rows.Scan(&o.id, &o.shopper, &o.product, &o.qty, &o.price, &o.status)
		c.orders = append(c.orders, o)
		return err
	})
	if err != nil {
		return contents{}, fmt.Errorf("read orders: %w", err)
	}
	return c, nil
}

func scanAll(ctx context.Context, db *sql.DB, query string, scan func(*sql.Rows) error) error {
	rows, err := db.QueryContext(ctx, query)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := scan(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

// verify compares what was acknowledged with what the tables hold, given what
// they held at the start, and returns every difference in words.
func verify(start []product, ledgers []*ledger, found contents) []string {
	var wrong []string
	wrong = append(wrong, verifyProducts(start, ledgers, found.products)...)
	wrong = append(wrong, verifyCarts(ledgers, found.cart)...)
	return append(wrong, verifyOrders(ledgers, found.orders)...)
}

func verifyProducts(start []product, ledgers []*ledger, found []product) []string {
	var wrong []string
	byID := make(map[int64]product, len(found))
	for _, p := range found {
		byID[p.id] = p
	}
	if len(found) != len(start) {
		wrong = append(wrong, fmt.Sprintf("%d products, not %d", len(found), len(start)))
	}
	for _, was := range start {
		is, ok := byID[was.id]
		if !ok {
			wrong = append(wrong, fmt.Sprintf("product %d is missing", was.id))
			continue
		}
		var sold int64
		for _, l := range ledgers {
			sold += l.sold[was.id]
		}
		if sold+is.stock != was.stock {
			wrong = append(wrong, fmt.Sprintf("product %d: %d sold and %d left, but %d at the start",
				was.id, sold, is.stock, was.stock))
		}
		if is.name != was.name {
			wrong = append(wrong, fmt.Sprintf("product %d is called %q, not %q", was.id, is.name, was.name))
		}
		if last := lastPrices(was, ledgers); !last[is.price] {
			wrong = append(wrong, fmt.Sprintf("product %d: price %d is not one that was acknowledged last", was.id, is.price))
		}
	}
	return wrong
}

// lastPrices returns the prices a product may have in the end: those whose
// change was not over before another acknowledged change began.
func lastPrices(p product, ledgers []*ledger) map[int64]bool {
	var latest time.Duration = -1
	for _, l := range ledgers {
		if c := l.prices[p.id]; c.price != 0 {
			latest = max(latest, c.began)
		}
	}
	if latest < 0 {
		return map[int64]bool{p.price: true}
	}
	last := map[int64]bool{}
	for _, l := range ledgers {
		if c := l.prices[p.id]; c.price != 0 && c.ended >= latest {
			last[c.price] = true
		}
	}
	return last
}

func verifyCarts(ledgers []*ledger, found []cartItem) []string {
	type key struct{ shopper, product int64 }
	var wrong []string
	left := make(map[key]int64, len(found))
	for _, i := range found {
		left[key{i.shopper, i.product}] += i.qty
	}
	for _, l := range ledgers {
		for p, qty := range l.cart {
			k := key{l.shopper, int64(p)}
			if left[k] != qty {
				wrong = append(wrong, fmt.Sprintf("cart of %d: %d of product %d, not %d", k.shopper, left[k], p, qty))
			}
			delete(left, k)
		}
	}
	for k := range left {
		wrong = append(wrong, fmt.Sprintf("cart of %d: product %d was never put there", k.shopper, k.product))
	}
	return wrong
}

func verifyOrders(ledgers []*ledger, found []order) []string {
	var wrong []string
	expected := make(map[string]order)
	for _, l := range ledgers {
		for _, o := range l.orders {
			expected[o.id] = o
		}
	}
	seen := make(map[string]bool, len(found))
	for _, is := range found {
		was, ok := expected[is.id]
		switch {
		case !ok:
			wrong = append(wrong, fmt.Sprintf("order %s was never placed", is.id))
		case seen[is.id]:
			wrong = append(wrong, fmt.Sprintf("order %s is there twice", is.id))
		case is != was:
			wrong = append(wrong, fmt.Sprintf("order %s holds %+v, not %+v", is.id, is, was))
		}
		seen[is.id] = true
	}
	for id := range expected {
		if !seen[id] {
			wrong = append(wrong, fmt.Sprintf("order %s is missing", id))
		}
	}
	return wrong
}
