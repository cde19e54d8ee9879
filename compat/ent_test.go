package compat

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"testing"

	"entgo.io/ent/dialect"
	entsql "entgo.io/ent/dialect/sql"

	"github.com/writebehind/writebehind/compat/ent"
	"github.com/writebehind/writebehind/compat/ent/customer"
	"github.com/writebehind/writebehind/compat/ent/order"
	"github.com/writebehind/writebehind/compat/ent/orderline"
	"github.com/writebehind/writebehind/compat/ent/product"
)

// The shop with ent: a generated client, edges, mutation hooks, upsert.

type entShop struct {
	*ent.Client
	pool *sql.DB
}

func openEnt(t *testing.T, driver, dsn string, _ *trace) shop {
	t.Helper()
	pool := open(t, driver, dsn)
	client := ent.NewClient(ent.Driver(entsql.OpenDB(dialect.Postgres, pool)))
	client.Order.Use(func(next ent.Mutator) ent.Mutator {
		return ent.MutateFunc(func(ctx context.Context, m ent.Mutation) (ent.Value, error) {
			if m.Op().Is(ent.OpUpdateOne) {
				if err := m.SetField("note", "changed"); err != nil {
					return nil, err
				}
			}
			return next.Mutate(ctx, m)
		})
	})
	return entShop{client, pool}
}

func (s entShop) db() *sql.DB { return s.pool }

func (s entShop) newCustomer(tr *trace, email, name string) *ent.Customer {
	now := tr.clock()
	c, err := s.Customer.Create().SetEmail(email).SetName(name).SetCredit(100).SetJoinedAt(now).SetCreatedAt(now).SetUpdatedAt(now).Save(context.Background())
	tr.step("create", err, c)
	return c
}

func (s entShop) run(tr *trace) {
	ctx := context.Background()
	ada, bob := s.newCustomer(tr, "ada@example.com", "Ada"), s.newCustomer(tr, "bob@example.com", "Bob")
	s.newCustomer(tr, "ada@example.com", "Another")

	var bulk []*ent.ProductCreate
	for i := range 5 {
		bulk = append(bulk, s.Product.Create().SetSku(fmt.Sprintf("sku-%d", i)).SetName("Thing").SetPrice(fmt.Sprintf("%d.5", i)).SetStock(1000).SetUpdatedAt(tr.clock()))
	}
	products, err := s.Product.CreateBulk(bulk...).Save(ctx)
	tr.step("bulk", err, products)

	c, err := s.Customer.Get(ctx, ada.ID)
	tr.step("get", err, c)
	_, err = s.Customer.Get(ctx, absent)
	tr.step("get nobody", err)
	c, err = s.Customer.Query().Where(customer.Email("bob@example.com")).Only(ctx)
	tr.step("by email", err, c)
	some, err := s.Product.Query().Where(product.IDIn(products[0].ID, products[2].ID, absent)).Order(product.ByID()).All(ctx)
	tr.step("by keys", err, some)
	n, err := s.Customer.Query().Where(customer.DeletedAtIsNil()).Count(ctx)
	tr.step("count", err, n)
	there, err := s.Customer.Query().Where(customer.ID(ada.ID)).Exist(ctx)
	tr.step("exist", err, there)

	for _, take := range []int{3, 3000} {
		p, err := s.Product.UpdateOne(products[0]).AddStock(-take).Save(ctx)
		tr.step("take from stock", err, p)
	}
	_, err = s.Product.UpdateOneID(absent).AddStock(-1).Save(ctx)
	tr.step("take what is not there", err)
	c, err = s.Customer.UpdateOneID(ada.ID).SetName("Ada Lovelace").SetUpdatedAt(tr.clock()).Save(ctx)
	tr.step("update", err, c)
	for range 2 {
		n, err := s.Customer.Update().Where(customer.ID(ada.ID), customer.Version(1)).AddVersion(1).SetName("Ada L.").Save(ctx)
		tr.step("optimistic", err, n)
	}
	for _, sku := range []string{"sku-1", "sku-9"} {
		id, err := s.Product.Create().SetSku(sku).SetName("Other").SetPrice("7.77").SetStock(10).SetUpdatedAt(tr.clock()).
			OnConflictColumns(product.FieldSku).Update(func(u *ent.ProductUpsert) { u.AddStock(10) }).ID(ctx)
		tr.step("upsert", err, ent.Product{ID: id})
	}

	id, err := s.place(tr, ada.ID, products[:2], 2)
	tr.step("order", err, ent.Order{ID: id})
	_, err = s.place(tr, absent, products[:2], 2)
	tr.step("order for nobody", err)
	_, err = s.place(tr, bob.ID, products[:2], 0)
	tr.step("order of nothing", err)
	_, err = s.place(tr, bob.ID, products[:2], 5000)
	tr.step("order of too much", err)

	tx, err := s.Tx(ctx)
	tr.step("begin", err)
	o, err := tx.Order.UpdateOneID(id).SetStatus("lost").Save(ctx)
	tr.step("lost", err, o)
	tr.step("rollback", tx.Rollback())
	o, err = s.Order.UpdateOneID(id).SetStatus("paid").SetUpdatedAt(tr.clock()).Save(ctx)
	tr.step("paid", err, o)

	o, err = s.Order.Query().Where(order.ID(id)).WithCustomer().WithLines(func(q *ent.OrderLineQuery) { q.Order(orderline.ByID()) }).Only(ctx)
	tr.step("edges", err, o)
	orders, err := ada.QueryOrders().All(ctx)
	tr.step("orders of", err, orders)

	tr.step("delete who has orders", s.Customer.DeleteOneID(ada.ID).Exec(ctx))
	tr.step("soft delete", s.Customer.UpdateOneID(bob.ID).SetDeletedAt(tr.clock()).Exec(ctx))
	tr.step("delete product", s.Product.DeleteOneID(products[4].ID).Exec(ctx))
	tr.step("delete it again", s.Product.DeleteOneID(products[4].ID).Exec(ctx))
}

// place is a whole order in one transaction.
func (s entShop) place(tr *trace, customer int64, products []*ent.Product, quantity int) (int64, error) {
	ctx := context.Background()
	tx, err := s.Tx(ctx)
	if err != nil {
		return 0, err
	}
	undo := func(err error) (int64, error) { return 0, errors.Join(err, tx.Rollback()) }
	now := tr.clock()
	o, err := tx.Order.Create().SetCustomerID(customer).SetCreatedAt(now).SetUpdatedAt(now).Save(ctx)
	if err != nil {
		return undo(err)
	}
	var lines []*ent.OrderLineCreate
	for _, p := range products {
		lines = append(lines, tx.OrderLine.Create().SetOrderID(o.ID).SetProductID(p.ID).SetQuantity(quantity).SetPrice(p.Price))
	}
	if err := tx.OrderLine.CreateBulk(lines...).Exec(ctx); err != nil {
		return undo(err)
	}
	for _, p := range products {
		if err := tx.Product.UpdateOneID(p.ID).AddStock(-quantity).SetUpdatedAt(now).Exec(ctx); err != nil {
			return undo(err)
		}
	}
	return o.ID, tx.Commit()
}

func (s entShop) order(tr *trace, round int) {
	ctx := context.Background()
	c, err := s.Customer.Get(ctx, 1)
	tr.step("customer", err, c)
	products, err := s.Product.Query().Where(product.IDIn(1+int64(round%2), 3)).All(ctx)
	tr.step("products", err)
	id, err := s.place(tr, c.ID, products, 1)
	tr.step("place", err, ent.Order{ID: id})
	o, err := s.Order.Get(ctx, id)
	tr.step("read it", err, o)
	o, err = o.Update().SetStatus("paid").SetUpdatedAt(tr.clock()).Save(ctx)
	tr.step("pay", err, o)
	n, err := s.Customer.Update().Where(customer.ID(c.ID), customer.Version(c.Version)).AddCredit(1).AddVersion(1).Save(ctx)
	tr.step("points", err, n)
}
