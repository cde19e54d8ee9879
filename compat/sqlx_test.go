package compat

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/jmoiron/sqlx"
)

// The shop with sqlx: named queries, scans into structs, IN lists by sqlx.In.

type sqlxShop struct{ *sqlx.DB }

type sqlxCustomer struct {
	CustomerID int64      `db:"id"`
	Email      string     `db:"email"`
	Name       string     `db:"name"`
	Credit     int        `db:"credit"`
	Version    int        `db:"version"`
	JoinedAt   time.Time  `db:"joined_at"`
	CreatedAt  time.Time  `db:"created_at"`
	UpdatedAt  time.Time  `db:"updated_at"`
	DeletedAt  *time.Time `db:"deleted_at"`
}

type sqlxProduct struct {
	ProductID int64     `db:"id"`
	SKU       string    `db:"sku"`
	Name      string    `db:"name"`
	Price     string    `db:"price"`
	Stock     int       `db:"stock"`
	UpdatedAt time.Time `db:"updated_at"`
}

type sqlxOrder struct {
	OrderID    int64          `db:"id"`
	CustomerID int64          `db:"customer_id"`
	Status     string         `db:"status"`
	Note       sql.NullString `db:"note"`
	CreatedAt  time.Time      `db:"created_at"`
	UpdatedAt  time.Time      `db:"updated_at"`
}

func openSQLX(t *testing.T, driver, dsn string, _ *trace) shop {
	t.Helper()
	return sqlxShop{sqlx.NewDb(open(t, driver, dsn), "postgres")}
}

func (s sqlxShop) db() *sql.DB { return s.DB.DB }

func affected(result sql.Result, err error) (int64, error) {
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}

func (s sqlxShop) newCustomer(tr *trace, email, name string) (sqlxCustomer, error) {
	now := tr.clock()
	c := sqlxCustomer{Email: email, Name: name, Credit: 100, CreatedAt: now, UpdatedAt: now}
	rows, err := s.NamedQuery(`INSERT INTO customers (email, name, credit, created_at, updated_at)
		VALUES (:email, :name, :credit, :created_at, :updated_at) RETURNING *`, c)
	if err != nil {
		return c, err
	}
	defer rows.Close()
	for rows.Next() {
		if err := rows.StructScan(&c); err != nil {
			return c, err
		}
	}
	return c, rows.Err()
}

func (s sqlxShop) run(tr *trace) {
	ctx := context.Background()
	ada, err := s.newCustomer(tr, "ada@example.com", "Ada")
	tr.step("insert customer", err, ada)
	bob, err := s.newCustomer(tr, "bob@example.com", "Bob")
	tr.step("insert customer", err, bob)
	_, err = s.newCustomer(tr, "ada@example.com", "Another")
	tr.step("email twice", err)

	var products []sqlxProduct
	for i := range 5 {
		products = append(products, sqlxProduct{SKU: fmt.Sprintf("sku-%d", i), Name: "Thing", Price: fmt.Sprintf("%d.5", i), Stock: 1000, UpdatedAt: tr.clock()})
	}
	n, err := affected(s.NamedExec(`INSERT INTO products (sku, name, price, stock, updated_at) VALUES (:sku, :name, :price, :stock, :updated_at)`, products))
	tr.step("insert products", err, n)
	err = s.Select(&products, s.Rebind(`SELECT * FROM products WHERE stock > ? ORDER BY id`), 0)
	tr.step("products in stock", err, products)
	keys := []int64{products[0].ProductID, products[2].ProductID, absent}
	query, args, err := sqlx.In(`SELECT * FROM products WHERE id IN (?) ORDER BY id`, keys)
	tr.step("list of keys", err)
	var some []sqlxProduct
	err = s.SelectContext(ctx, &some, s.Rebind(query), args...)
	tr.step("products by keys", err, some)

	var c sqlxCustomer
	tr.step("customer by key", s.Get(&c, `SELECT * FROM customers WHERE id = $1`, ada.CustomerID), c)
	tr.step("no customer", s.Get(&c, `SELECT * FROM customers WHERE id = $1`, absent))
	tr.step("customer by email", s.Get(&c, `SELECT * FROM customers WHERE email = $1`, "bob@example.com"), c)

	const take = `UPDATE products SET stock = stock - $1 WHERE id = $2`
	n, err = affected(s.Exec(take, 3, products[0].ProductID))
	tr.step("take from stock", err, n)
	n, err = affected(s.Exec(take, 3000, products[0].ProductID))
	tr.step("take too much", err, n)
	n, err = affected(s.Exec(take, 3, absent))
	tr.step("take what is not there", err, n)

	const save = `UPDATE customers SET name = :name, email = :email, credit = :credit, updated_at = :updated_at, version = version + 1
		WHERE id = :id AND version = :version`
	c = ada
	c.Name, c.UpdatedAt = "Ada Lovelace", tr.clock()
	n, err = affected(s.NamedExec(save, c))
	tr.step("save", err, n)
	n, err = affected(s.NamedExec(save, c))
	tr.step("save what has changed meanwhile", err, n)
	n, err = affected(s.Exec(`UPDATE customers SET name = NULL WHERE id = $1`, ada.CustomerID))
	tr.step("name is null", err, n)

	const upsert = `INSERT INTO products (sku, name, price, stock, updated_at) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (sku) DO UPDATE SET name = EXCLUDED.name, stock = products.stock + EXCLUDED.stock RETURNING id, stock`
	for _, sku := range []string{"sku-1", "sku-9"} {
		var p sqlxProduct
		err = s.Get(&p, upsert, sku, "Other", "7.77", 10, tr.clock())
		tr.step("upsert by sku", err, p)
	}
	n, err = affected(s.Exec(`INSERT INTO products (id, sku, name, price, updated_at) VALUES ($1, 'x', 'x', 1, $2) ON CONFLICT (id) DO NOTHING`, products[0].ProductID, tr.clock()))
	tr.step("insert if absent", err, n)

	id, err := s.place(tr, ada.CustomerID, products[:2], 2)
	tr.step("order", err, sqlxOrder{OrderID: id})
	_, err = s.place(tr, absent, products[:2], 2)
	tr.step("order for nobody", err)
	_, err = s.place(tr, bob.CustomerID, products[:2], 0)
	tr.step("order of nothing", err)
	_, err = s.place(tr, bob.CustomerID, products[:2], 5000)
	tr.step("order of too much", err)
	s.nested(tr, id, products[3].ProductID)

	var o sqlxOrder
	tr.step("order by key", s.Get(&o, `SELECT * FROM orders WHERE id = $1`, id), o)
	var lines []struct {
		OrderID  int64  `db:"order_id"`
		SKU      string `db:"sku"`
		Quantity int    `db:"quantity"`
	}
	err = s.Select(&lines, `SELECT l.order_id, p.sku, l.quantity FROM order_lines l JOIN products p ON p.id = l.product_id WHERE l.order_id = $1 ORDER BY p.sku`, id)
	tr.step("lines", err, lines)
	m := map[string]any{}
	err = s.QueryRowx(`SELECT status, note, created_at FROM orders WHERE id = $1`, id).MapScan(m)
	tr.step("map", err, m["status"], m["note"], m["created_at"])

	n, err = affected(s.Exec(`UPDATE customers SET deleted_at = $1 WHERE id = $2 AND deleted_at IS NULL`, tr.clock(), bob.CustomerID))
	tr.step("soft delete", err, n)
	var count int
	tr.step("count", s.Get(&count, `SELECT count(*) FROM customers WHERE deleted_at IS NULL`), count)
	n, err = affected(s.Exec(`DELETE FROM customers WHERE id = $1`, ada.CustomerID))
	tr.step("delete who has orders", err, n)
	n, err = affected(s.Exec(`DELETE FROM products WHERE id = $1`, products[4].ProductID))
	tr.step("delete product", err, n)
	n, err = affected(s.Exec(`DELETE FROM products WHERE id = $1`, products[4].ProductID))
	tr.step("delete it again", err, n)
}

// place is a whole order in one transaction.
func (s sqlxShop) place(tr *trace, customer int64, products []sqlxProduct, quantity int) (id int64, err error) {
	tx, err := s.Beginx()
	if err != nil {
		return 0, err
	}
	defer tx.Rollback()
	now := tr.clock()
	if err := tx.Get(&id, `INSERT INTO orders (customer_id, status, created_at, updated_at) VALUES ($1, 'new', $2, $2) RETURNING id`, customer, now); err != nil {
		return 0, err
	}
	var lines []map[string]any
	for _, p := range products {
		lines = append(lines, map[string]any{"order": id, "product": p.ProductID, "quantity": quantity, "price": p.Price})
	}
	if _, err := tx.NamedExec(`INSERT INTO order_lines (order_id, product_id, quantity, price) VALUES (:order, :product, :quantity, :price)`, lines); err != nil {
		return 0, err
	}
	for _, p := range products {
		if _, err := tx.Exec(`UPDATE products SET stock = stock - $1, updated_at = $2 WHERE id = $3`, quantity, now, p.ProductID); err != nil {
			return 0, err
		}
	}
	return id, tx.Commit()
}

// nested changes an order, with a part that fails and is undone.
func (s sqlxShop) nested(tr *trace, order, product int64) {
	tx, err := s.Beginx()
	tr.step("begin", err)
	defer tx.Rollback()
	n, err := affected(tx.Exec(`UPDATE orders SET status = 'paid', updated_at = $1 WHERE id = $2`, tr.clock(), order))
	tr.step("paid", err, n)
	_, err = tx.Exec(`SAVEPOINT gift`)
	tr.step("savepoint", err)
	n, err = affected(tx.Exec(`UPDATE products SET stock = stock - 1 WHERE id = $1`, product))
	tr.step("gift", err, n)
	n, err = affected(tx.Exec(`UPDATE products SET stock = -1 WHERE id = $1`, product))
	tr.step("no gift", err, n)
	_, err = tx.Exec(`UPDATE products SET stock = 1 WHERE id = $1`, product)
	tr.step("after an error", err)
	_, err = tx.Exec(`ROLLBACK TO SAVEPOINT gift`)
	tr.step("rollback to", err)
	var p sqlxProduct
	tr.step("stock as before", tx.Get(&p, `SELECT * FROM products WHERE id = $1`, product), p)
	_, err = tx.Exec(`RELEASE SAVEPOINT gift`)
	tr.step("release", err)
	tr.step("commit", tx.Commit())
	tr.step("commit again", tx.Commit())
}

func (s sqlxShop) order(tr *trace, round int) {
	var c sqlxCustomer
	err := s.Get(&c, `SELECT * FROM customers WHERE id = $1`, 1)
	tr.step("customer", err, c)
	var products []sqlxProduct
	query, args, err := sqlx.In(`SELECT * FROM products WHERE id IN (?)`, []int64{1 + int64(round%2), 3})
	if err = errors.Join(err, s.Select(&products, s.Rebind(query), args...)); err != nil {
		tr.step("products", err)
	}
	id, err := s.place(tr, c.CustomerID, products, 1)
	tr.step("place", err, sqlxOrder{OrderID: id})
	var o sqlxOrder
	err = s.Get(&o, `SELECT * FROM orders WHERE id = $1`, id)
	tr.step("read it", err, o)
	o.Status, o.Note, o.UpdatedAt = "paid", sql.NullString{String: "by card", Valid: true}, tr.clock()
	n, err := affected(s.NamedExec(`UPDATE orders SET status = :status, note = :note, updated_at = :updated_at WHERE id = :id`, o))
	tr.step("pay", err, n)
	n, err = affected(s.NamedExec(`UPDATE customers SET credit = credit + 1, version = version + 1 WHERE id = :id AND version = :version`, c))
	tr.step("points", err, n)
}
