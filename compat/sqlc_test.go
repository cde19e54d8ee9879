package compat

import (
	"context"
	"database/sql"
	"fmt"
	"testing"

	"github.com/writebehind/writebehind/compat/sqlc"
)

// The shop with the queries that sqlc makes.

type sqlcShop struct {
	*sqlc.Queries
	pool *sql.DB
}

func openSQLC(prepared bool) func(*testing.T, string, string, *trace) shop {
	return func(t *testing.T, driver, dsn string, _ *trace) shop {
		t.Helper()
		pool := open(t, driver, dsn)
		if !prepared {
			return sqlcShop{sqlc.New(pool), pool}
		}
		q, err := sqlc.Prepare(t.Context(), pool)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := q.Close(); err != nil {
				t.Error(err)
			}
		})
		return sqlcShop{q, pool}
	}
}

func (s sqlcShop) db() *sql.DB { return s.pool }

func (s sqlcShop) run(tr *trace) {
	ctx := context.Background()
	ada, err := s.CreateCustomer(ctx, "ada@example.com", "Ada", 100, tr.clock())
	tr.step("create", err, ada)
	bob, err := s.CreateCustomer(ctx, "bob@example.com", "Bob", 100, tr.clock())
	tr.step("create", err, bob)
	_, err = s.CreateCustomer(ctx, "ada@example.com", "Another", 100, tr.clock())
	tr.step("email twice", err)
	var keys []int64
	for i := range 7 {
		p, err := s.UpsertProduct(ctx, fmt.Sprintf("sku-%d", i%5), "Thing", "1.5", 1000, tr.clock())
		tr.step("upsert", err, p)
		keys = append(keys, p.ID)
	}
	products, err := s.ListProducts(ctx, []int64{keys[3], keys[0], absent})
	tr.step("list", err, products)
	c, err := s.GetCustomer(ctx, ada.ID)
	tr.step("by key", err, c)
	_, err = s.GetCustomer(ctx, absent)
	tr.step("nobody", err)

	step := func(what string) func(int64, error) {
		return func(n int64, err error) { tr.step(what, err, n) }
	}
	step("rename")(s.RenameCustomer(ctx, ada.ID, sql.NullString{String: "Ada L.", Valid: true}, tr.clock(), 1))
	step("too late")(s.RenameCustomer(ctx, ada.ID, sql.NullString{String: "A", Valid: true}, tr.clock(), 1))
	step("no name")(s.RenameCustomer(ctx, ada.ID, sql.NullString{}, tr.clock(), 2))
	step("credit")(s.AddCredit(ctx, ada.ID, 7))
	step("too little credit")(s.AddCredit(ctx, ada.ID, -1000))
	step("take")(s.TakeStock(ctx, keys[0], 1, tr.clock()))
	step("take too much")(s.TakeStock(ctx, keys[0], 10000, tr.clock()))
	step("take what is not there")(s.TakeStock(ctx, absent, 1, tr.clock()))

	o, err := s.place(tr, ada.ID, products, 2)
	tr.step("order", err, o)
	_, err = s.place(tr, absent, products, 2)
	tr.step("order for nobody", err)
	_, err = s.place(tr, bob.ID, products, 0)
	tr.step("order of nothing", err)
	_, err = s.place(tr, bob.ID, products, 5000)
	tr.step("order of too much", err)
	s.nested(tr, o.ID, keys[2])
	o, err = s.GetOrder(ctx, o.ID)
	tr.step("order by key", err, o)

	step("soft delete")(s.SoftDeleteCustomer(ctx, bob.ID, tr.clock()))
	step("soft delete again")(s.SoftDeleteCustomer(ctx, bob.ID, tr.clock()))
	step("count")(s.CountCustomers(ctx))
	step("delete who has orders")(s.DeleteCustomer(ctx, ada.ID))
	step("delete product")(s.DeleteProduct(ctx, keys[4]))
	step("delete it again")(s.DeleteProduct(ctx, keys[4]))
}

// place is a whole order in one transaction.
func (s sqlcShop) place(tr *trace, customer int64, products []sqlc.Product, quantity int32) (o sqlc.Order, err error) {
	ctx := context.Background()
	tx, err := s.pool.BeginTx(ctx, nil)
	if err != nil {
		return o, err
	}
	defer tx.Rollback()
	q := s.WithTx(tx)
	now := tr.clock()
	if o, err = q.CreateOrder(ctx, customer, now); err != nil {
		return o, err
	}
	for _, p := range products {
		if err := q.CreateOrderLine(ctx, o.ID, p.ID, quantity, p.Price); err != nil {
			return o, err
		}
		if _, err := q.TakeStock(ctx, p.ID, quantity, now); err != nil {
			return o, err
		}
	}
	return o, tx.Commit()
}

// nested changes an order, with a part that fails and is undone.
func (s sqlcShop) nested(tr *trace, order, product int64) {
	ctx := context.Background()
	tx, err := s.pool.BeginTx(ctx, nil)
	tr.step("begin", err)
	defer tx.Rollback()
	q := s.WithTx(tx)
	o, err := q.PayOrder(ctx, order, sql.NullString{}, tr.clock())
	tr.step("pay", err, o)
	_, err = tx.ExecContext(ctx, "SAVEPOINT gift")
	tr.step("savepoint", err)
	n, err := q.TakeStock(ctx, product, 1, tr.clock())
	tr.step("gift", err, n)
	_, err = q.TakeStock(ctx, product, 100000, tr.clock())
	tr.step("no gift", err)
	_, err = tx.ExecContext(ctx, "ROLLBACK TO gift")
	tr.step("rollback to", err)
	products, err := q.ListProducts(ctx, []int64{product})
	tr.step("stock as before", err, products)
	tr.step("commit", tx.Commit())
}

func (s sqlcShop) order(tr *trace, round int) {
	ctx := context.Background()
	c, err := s.GetCustomer(ctx, 1)
	tr.step("customer", err, c)
	products, err := s.ListProducts(ctx, []int64{1 + int64(round%2), 3})
	tr.step("products", err)
	o, err := s.place(tr, c.ID, products, 1)
	tr.step("place", err, o)
	o, err = s.GetOrder(ctx, o.ID)
	tr.step("read it", err, o)
	o, err = s.PayOrder(ctx, o.ID, sql.NullString{String: "by card", Valid: true}, tr.clock())
	tr.step("pay", err, o)
	n, err := s.AddCredit(ctx, c.ID, 1)
	tr.step("points", err, n)
}
