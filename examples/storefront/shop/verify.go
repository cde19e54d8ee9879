package shop

import (
	"context"
	"database/sql"
	"fmt"
	"strconv"
	"time"
)

// Contents is what the shop's tables hold.
type Contents struct {
	Products []Product
	Cart     []CartItem
	Orders   []Order // without their lines
	Lines    []OrderLine
}

// CartItem is one row of cart_items.
type CartItem struct {
	Shopper, Product, Qty int64
}

// OrderLine is one row of order_lines.
type OrderLine struct {
	Order  string
	Number int64 // from 1
	Line   Line
}

// ReadContents reads all tables through db.
func ReadContents(ctx context.Context, db *sql.DB) (Contents, error) {
	var c Contents
	err := scanAll(ctx, db, `SELECT id, name, price, stock FROM products`, func(rows *sql.Rows) error {
		var p Product
		err := rows.Scan(&p.ID, &p.Name, &p.Price, &p.Stock)
		c.Products = append(c.Products, p)
		return err
	})
	if err != nil {
		return Contents{}, fmt.Errorf("read products: %w", err)
	}
	err = scanAll(ctx, db, `SELECT shopper, product, qty FROM cart_items`, func(rows *sql.Rows) error {
		var i CartItem
		err := rows.Scan(&i.Shopper, &i.Product, &i.Qty)
		c.Cart = append(c.Cart, i)
		return err
	})
	if err != nil {
		return Contents{}, fmt.Errorf("read cart_items: %w", err)
	}
	err = scanAll(ctx, db, `SELECT id, shopper, product, qty, price, status, lines FROM orders`, func(rows *sql.Rows) error {
		var o Order
		err := rows.Scan(&o.ID, &o.Shopper, &o.Product, &o.Qty, &o.Price, &o.Status, &o.Count)
		c.Orders = append(c.Orders, o)
		return err
	})
	if err != nil {
		return Contents{}, fmt.Errorf("read orders: %w", err)
	}
	err = scanAll(ctx, db, `SELECT order_id, line, product, accessory, qty, price FROM order_lines`, func(rows *sql.Rows) error {
		var l OrderLine
		err := rows.Scan(&l.Order, &l.Number, &l.Line.Product, &l.Line.Accessory, &l.Line.Qty, &l.Line.Price)
		c.Lines = append(c.Lines, l)
		return err
	})
	if err != nil {
		return Contents{}, fmt.Errorf("read order_lines: %w", err)
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

// Verify compares what was acknowledged with what the tables hold, given the
// products they held at the start, and returns every difference in words. What
// is in doubt may be there or not.
func Verify(start []Product, ledgers []*Ledger, found Contents) []string {
	var wrong []string
	orders, loose := join(found)
	wrong = append(wrong, verifyProducts(start, ledgers, found.Products, taken(found.Lines))...)
	wrong = append(wrong, verifyCarts(ledgers, found.Cart)...)
	wrong = append(wrong, loose...)
	wrong = append(wrong, verifySums(orders)...)
	return append(wrong, verifyOrders(ledgers, orders)...)
}

// verifyProducts is told what the lines that were found have taken from stock, by
// product: stock, orders and lines come together.
func verifyProducts(start []Product, ledgers []*Ledger, found []Product, inLines map[int64]int64) []string {
	var wrong []string
	byID := make(map[int64]Product, len(found))
	for _, p := range found {
		byID[p.ID] = p
	}
	if len(found) != len(start) {
		wrong = append(wrong, fmt.Sprintf("%d products, not %d", len(found), len(start)))
	}
	for _, was := range start {
		is, ok := byID[was.ID]
		if !ok {
			wrong = append(wrong, fmt.Sprintf("product %d is missing", was.ID))
			continue
		}
		sold, doubtful := inLines[was.ID], int64(0)
		for _, l := range ledgers {
			sold += l.sold[was.ID]
			doubtful += l.Doubtful.sold[was.ID]
		}
		if taken := was.Stock - is.Stock; taken < sold || taken > sold+doubtful {
			wrong = append(wrong, fmt.Sprintf("product %d: %s sold and %d left, but %d at the start",
				was.ID, orMore(sold, doubtful), is.Stock, was.Stock))
		}
		if is.Name != was.Name {
			wrong = append(wrong, fmt.Sprintf("product %d is called %q, not %q", was.ID, is.Name, was.Name))
		}
		if last := lastPrices(was, ledgers); !last[is.Price] {
			wrong = append(wrong, fmt.Sprintf("product %d: price %d is not one that was acknowledged last", was.ID, is.Price))
		}
	}
	return wrong
}

// orMore says how many there are if some of them are in doubt.
func orMore(n, doubtful int64) string {
	if doubtful == 0 {
		return strconv.FormatInt(n, 10)
	}
	return fmt.Sprintf("%d to %d", n, n+doubtful)
}

// lastPrices returns the prices a product may have in the end: those whose
// change was not over before another acknowledged change began, and those in
// doubt.
func lastPrices(p Product, ledgers []*Ledger) map[int64]bool {
	var latest time.Duration = -1
	for _, l := range ledgers {
		if c := l.prices[p.ID]; c.price != 0 {
			latest = max(latest, c.began)
		}
	}
	last := map[int64]bool{}
	if latest < 0 {
		last[p.Price] = true
	}
	for _, l := range ledgers {
		if c := l.prices[p.ID]; c.price != 0 && c.ended >= latest {
			last[c.price] = true
		}
		for _, price := range l.Doubtful.prices[p.ID] {
			last[price] = true
		}
	}
	return last
}

func verifyCarts(ledgers []*Ledger, found []CartItem) []string {
	type key struct{ shopper, product int64 }
	var wrong []string
	left := make(map[key]int64, len(found))
	for _, i := range found {
		left[key{i.Shopper, i.Product}] += i.Qty
	}
	for _, l := range ledgers {
		for p, qty := range l.cart {
			k, doubtful := key{l.Shopper, int64(p)}, l.Doubtful.cart[int64(p)]
			if left[k] < qty || left[k] > qty+doubtful {
				wrong = append(wrong, fmt.Sprintf("cart of %d: %d of product %d, not %s",
					k.shopper, left[k], p, orMore(qty, doubtful)))
			}
			delete(left, k)
		}
	}
	for k := range left {
		wrong = append(wrong, fmt.Sprintf("cart of %d: product %d was never put there", k.shopper, k.product))
	}
	return wrong
}

func verifyOrders(ledgers []*Ledger, found []Order) []string {
	var wrong []string
	acknowledged, doubtful := make(map[string]Order), make(map[string]Order)
	for _, l := range ledgers {
		for _, o := range l.Orders {
			acknowledged[o.ID] = o
		}
		for _, o := range l.Doubtful.Orders {
			doubtful[o.ID] = o
		}
	}
	seen := make(map[string]bool, len(found))
	for _, is := range found {
		was, ok := acknowledged[is.ID]
		if !ok {
			was, ok = doubtful[is.ID]
		}
		switch {
		case !ok:
			wrong = append(wrong, fmt.Sprintf("order %s was never placed", is.ID))
		case seen[is.ID]:
			wrong = append(wrong, fmt.Sprintf("order %s is there twice", is.ID))
		case is != was:
			wrong = append(wrong, fmt.Sprintf("order %s holds %+v, not %+v", is.ID, is, was))
		}
		seen[is.ID] = true
	}
	for id := range acknowledged {
		if !seen[id] {
			wrong = append(wrong, fmt.Sprintf("order %s is missing", id))
		}
	}
	return wrong
}
