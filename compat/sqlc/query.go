package sqlc

import (
	"context"
	"database/sql"
	"time"

	"github.com/lib/pq"
)

// Customer is a row of customers.
type Customer struct {
	ID        int64
	Email     string
	Name      string
	Credit    int32
	Version   int32
	JoinedAt  time.Time
	CreatedAt time.Time
	UpdatedAt time.Time
	DeletedAt sql.NullTime
}

// Product is a row of products.
type Product struct {
	ID        int64
	Sku       string
	Name      string
	Price     string
	Stock     int32
	UpdatedAt time.Time
}

// Order is a row of orders.
type Order struct {
	ID         int64
	CustomerID int64
	Status     string
	Note       sql.NullString
	CreatedAt  time.Time
	UpdatedAt  time.Time
}

const createCustomer = `-- name: CreateCustomer :one
INSERT INTO customers (email, name, credit, created_at, updated_at) VALUES ($1, $2, $3, $4, $4)
RETURNING id, email, name, credit, version, joined_at, created_at, updated_at, deleted_at
`

const getCustomer = `-- name: GetCustomer :one
SELECT id, email, name, credit, version, joined_at, created_at, updated_at, deleted_at FROM customers
WHERE id = $1 LIMIT 1
`

const renameCustomer = `-- name: RenameCustomer :execrows
UPDATE customers SET name = $2, version = version + 1, updated_at = $3 WHERE id = $1 AND version = $4
`

const addCredit = `-- name: AddCredit :execrows
UPDATE customers SET credit = credit + $2 WHERE id = $1
`

const deleteCustomer = `-- name: DeleteCustomer :execrows
DELETE FROM customers WHERE id = $1
`

const softDeleteCustomer = `-- name: SoftDeleteCustomer :execrows
UPDATE customers SET deleted_at = $2 WHERE id = $1 AND deleted_at IS NULL
`

const countCustomers = `-- name: CountCustomers :one
SELECT count(*) FROM customers WHERE deleted_at IS NULL
`

const upsertProduct = `-- name: UpsertProduct :one
INSERT INTO products (sku, name, price, stock, updated_at) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (sku) DO UPDATE SET stock = products.stock + EXCLUDED.stock
RETURNING id, sku, name, price, stock, updated_at
`

const listProducts = `-- name: ListProducts :many
SELECT id, sku, name, price, stock, updated_at FROM products
WHERE id = ANY($1::bigint[]) ORDER BY id
`

const takeStock = `-- name: TakeStock :execrows
UPDATE products SET stock = stock - $2, updated_at = $3 WHERE id = $1
`

const deleteProduct = `-- name: DeleteProduct :execrows
DELETE FROM products WHERE id = $1
`

const createOrder = `-- name: CreateOrder :one
INSERT INTO orders (customer_id, status, created_at, updated_at) VALUES ($1, 'new', $2, $2)
RETURNING id, customer_id, status, note, created_at, updated_at
`

const createOrderLine = `-- name: CreateOrderLine :exec
INSERT INTO order_lines (order_id, product_id, quantity, price) VALUES ($1, $2, $3, $4)
`

const getOrder = `-- name: GetOrder :one
SELECT id, customer_id, status, note, created_at, updated_at FROM orders WHERE id = $1
`

const payOrder = `-- name: PayOrder :one
UPDATE orders SET status = 'paid', note = $2, updated_at = $3 WHERE id = $1
RETURNING id, customer_id, status, note, created_at, updated_at
`

var queries = []string{
	createCustomer, getCustomer, renameCustomer, addCredit, deleteCustomer, softDeleteCustomer, countCustomers,
	upsertProduct, listProducts, takeStock, deleteProduct, createOrder, createOrderLine, getOrder, payOrder,
}

func customer(row *sql.Row) (Customer, error) {
	var i Customer
	err := row.Scan(&i.ID, &i.Email, &i.Name, &i.Credit, &i.Version, &i.JoinedAt, &i.CreatedAt, &i.UpdatedAt, &i.DeletedAt)
	return i, err
}

func order(row *sql.Row) (Order, error) {
	var i Order
	err := row.Scan(&i.ID, &i.CustomerID, &i.Status, &i.Note, &i.CreatedAt, &i.UpdatedAt)
	return i, err
}

// CreateCustomer inserts a customer.
func (q *Queries) CreateCustomer(ctx context.Context, email, name string, credit int32, at time.Time) (Customer, error) {
	return customer(q.queryRow(ctx, createCustomer, email, name, credit, at))
}

// GetCustomer finds a customer by key.
func (q *Queries) GetCustomer(ctx context.Context, id int64) (Customer, error) {
	return customer(q.queryRow(ctx, getCustomer, id))
}

// RenameCustomer gives a customer a name, unless the version is another by now.
func (q *Queries) RenameCustomer(ctx context.Context, id int64, name sql.NullString, at time.Time, version int32) (int64, error) {
	return q.exec(ctx, renameCustomer, id, name, at, version)
}

// AddCredit adds to a customer's credit.
func (q *Queries) AddCredit(ctx context.Context, id int64, more int32) (int64, error) {
	return q.exec(ctx, addCredit, id, more)
}

// DeleteCustomer deletes a customer.
func (q *Queries) DeleteCustomer(ctx context.Context, id int64) (int64, error) {
	return q.exec(ctx, deleteCustomer, id)
}

// SoftDeleteCustomer says when a customer left.
func (q *Queries) SoftDeleteCustomer(ctx context.Context, id int64, at time.Time) (int64, error) {
	return q.exec(ctx, softDeleteCustomer, id, at)
}

// CountCustomers counts those who have not left.
func (q *Queries) CountCustomers(ctx context.Context) (int64, error) {
	var n int64
	err := q.queryRow(ctx, countCustomers).Scan(&n)
	return n, err
}

// UpsertProduct inserts a product, or adds to its stock.
func (q *Queries) UpsertProduct(ctx context.Context, sku, name, price string, stock int32, at time.Time) (Product, error) {
	var i Product
	err := q.queryRow(ctx, upsertProduct, sku, name, price, stock, at).Scan(&i.ID, &i.Sku, &i.Name, &i.Price, &i.Stock, &i.UpdatedAt)
	return i, err
}

// ListProducts finds products by their keys.
func (q *Queries) ListProducts(ctx context.Context, ids []int64) ([]Product, error) {
	rows, err := q.query(ctx, listProducts, pq.Array(ids))
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var items []Product
	for rows.Next() {
		var i Product
		if err := rows.Scan(&i.ID, &i.Sku, &i.Name, &i.Price, &i.Stock, &i.UpdatedAt); err != nil {
			return nil, err
		}
		items = append(items, i)
	}
	return items, rows.Err()
}

// TakeStock takes from a product's stock.
func (q *Queries) TakeStock(ctx context.Context, id int64, n int32, at time.Time) (int64, error) {
	return q.exec(ctx, takeStock, id, n, at)
}

// DeleteProduct deletes a product.
func (q *Queries) DeleteProduct(ctx context.Context, id int64) (int64, error) {
	return q.exec(ctx, deleteProduct, id)
}

// CreateOrder inserts an order.
func (q *Queries) CreateOrder(ctx context.Context, customer int64, at time.Time) (Order, error) {
	return order(q.queryRow(ctx, createOrder, customer, at))
}

// CreateOrderLine inserts a line of an order.
func (q *Queries) CreateOrderLine(ctx context.Context, order, product int64, quantity int32, price string) error {
	_, err := q.exec(ctx, createOrderLine, order, product, quantity, price)
	return err
}

// GetOrder finds an order by key.
func (q *Queries) GetOrder(ctx context.Context, id int64) (Order, error) {
	return order(q.queryRow(ctx, getOrder, id))
}

// PayOrder makes an order a paid one.
func (q *Queries) PayOrder(ctx context.Context, id int64, note sql.NullString, at time.Time) (Order, error) {
	return order(q.queryRow(ctx, payOrder, id, note, at))
}
