package compat

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect/pgdialect"
)

// The shop with bun, which writes arguments into the text of its statements.

type bunShop struct{ *bun.DB }

type (
	bunCustomer struct {
		bun.BaseModel `bun:"table:customers,alias:c"`
		CustomerID    int64 `bun:"id,pk,autoincrement"`
		Email         string
		Name          string
		Credit        int
		Version       int       `bun:",nullzero,default:1"`
		JoinedAt      time.Time `bun:",nullzero,default:now()"`
		CreatedAt     time.Time
		UpdatedAt     time.Time
		DeletedAt     time.Time   `bun:",soft_delete,nullzero"`
		Orders        []*bunOrder `bun:"rel:has-many,join:id=customer_id"`
	}

	bunProduct struct {
		bun.BaseModel `bun:"table:products,alias:p"`
		ProductID     int64  `bun:"id,pk,autoincrement"`
		SKU           string `bun:"sku"`
		Name          string
		Price         string
		Stock         int
		UpdatedAt     time.Time
	}

	bunOrder struct {
		bun.BaseModel `bun:"table:orders,alias:o"`
		OrderID       int64        `bun:"id,pk,autoincrement"`
		CustomerID    int64        `bun:"customer_id"`
		Customer      *bunCustomer `bun:"rel:belongs-to,join:customer_id=id"`
		Status        string
		Note          *string
		CreatedAt     time.Time
		UpdatedAt     time.Time
		Lines         []*bunLine `bun:"rel:has-many,join:id=order_id"`
	}

	bunLine struct {
		bun.BaseModel `bun:"table:order_lines,alias:l"`
		ID            int64 `bun:"id,pk,autoincrement"`
		OrderID       int64
		ProductID     int64
		Quantity      int
		Price         string
	}
)

var _ bun.BeforeAppendModelHook = (*bunOrder)(nil)

// BeforeAppendModel is a hook: an order that is inserted is new.
func (o *bunOrder) BeforeAppendModel(_ context.Context, query bun.Query) error {
	if _, ok := query.(*bun.InsertQuery); ok {
		o.Status = "new"
	}
	return nil
}

func openBun(t *testing.T, driver, dsn string, _ *trace) shop {
	t.Helper()
	return bunShop{bun.NewDB(open(t, driver, dsn), pgdialect.New())}
}

func (s bunShop) db() *sql.DB { return s.DB.DB }

func (s bunShop) run(tr *trace) {
	ctx := context.Background()
	did := func(what string, result sql.Result, err error) {
		n, err := affected(result, err)
		tr.step(what, err, n)
	}
	newCustomer := func(email, name string) *bunCustomer {
		now := tr.clock()
		c := &bunCustomer{Email: email, Name: name, Credit: 100, CreatedAt: now, UpdatedAt: now}
		_, err := s.NewInsert().Model(c).Exec(ctx)
		tr.step("insert customer", err, c)
		return c
	}
	ada, bob := newCustomer("ada@example.com", "Ada"), newCustomer("bob@example.com", "Bob")
	newCustomer("ada@example.com", "Another")

	var products []bunProduct
	for i := range 5 {
		products = append(products, bunProduct{SKU: fmt.Sprintf("sku-%d", i), Name: "It's a \\thing", Price: fmt.Sprintf("%d.5", i), Stock: 1000, UpdatedAt: tr.clock()})
	}
	result, err := s.NewInsert().Model(&products).Exec(ctx)
	did("insert products", result, err)
	tr.step("products", nil, products)

	c := &bunCustomer{CustomerID: ada.CustomerID}
	tr.step("by key", s.NewSelect().Model(c).WherePK().Scan(ctx), c)
	tr.step("nobody", s.NewSelect().Model(new(bunCustomer)).Where("id = ?", absent).Scan(ctx))
	c = new(bunCustomer)
	tr.step("by email", s.NewSelect().Model(c).Where("email = ?", "bob@example.com").Scan(ctx), c)
	var some []bunProduct
	err = s.NewSelect().Model(&some).Where("id IN (?)", bun.List([]int64{products[0].ProductID, products[2].ProductID, absent})).Scan(ctx)
	tr.step("by keys", err, some)
	n, err := s.NewSelect().Model((*bunCustomer)(nil)).Count(ctx)
	tr.step("count", err, n)

	take := func(what string, product int64, n int) {
		result, err := s.NewUpdate().Model((*bunProduct)(nil)).Set("stock = stock - ?", n).Where("id = ?", product).Exec(ctx)
		did(what, result, err)
	}
	take("take from stock", products[0].ProductID, 3)
	take("take too much", products[0].ProductID, 3000)
	take("take what is not there", absent, 3)

	c = &bunCustomer{CustomerID: ada.CustomerID}
	tr.step("by key", s.NewSelect().Model(c).WherePK().Scan(ctx), c)
	c.Name, c.UpdatedAt = "Ada Lovelace", tr.clock()
	result, err = s.NewUpdate().Model(c).WherePK().Exec(ctx)
	did("all columns", result, err)
	for range 2 {
		result, err = s.NewUpdate().Model(c).Column("name").Set("version = version + 1").WherePK().Where("version = ?", 1).Exec(ctx)
		did("optimistic", result, err)
	}
	result, err = s.NewUpdate().Model(c).Set("name = NULL").WherePK().Exec(ctx)
	did("name is null", result, err)

	for _, sku := range []string{"sku-1", "sku-9"} {
		p := bunProduct{SKU: sku, Name: "Other", Price: "7.77", Stock: 10, UpdatedAt: tr.clock()}
		_, err = s.NewInsert().Model(&p).On("CONFLICT (sku) DO UPDATE").Set("stock = p.stock + EXCLUDED.stock").Returning("*").Exec(ctx)
		tr.step("upsert", err, p)
	}
	result, err = s.NewInsert().Model(&bunProduct{ProductID: products[0].ProductID, SKU: "x", Price: "1", UpdatedAt: tr.clock()}).On("CONFLICT (id) DO NOTHING").Exec(ctx)
	did("insert if absent", result, err)

	id, err := s.place(ctx, tr, ada.CustomerID, products[:2], 2)
	tr.step("order", err, bunOrder{OrderID: id})
	_, err = s.place(ctx, tr, absent, products[:2], 2)
	tr.step("order for nobody", err)
	_, err = s.place(ctx, tr, bob.CustomerID, products[:2], 0)
	tr.step("order of nothing", err)
	_, err = s.place(ctx, tr, bob.CustomerID, products[:2], 5000)
	tr.step("order of too much", err)

	err = s.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
		_, err := tx.NewUpdate().Model((*bunOrder)(nil)).Set("status = ?", "paid").Where("id = ?", id).Exec(ctx)
		tr.step("paid", err)
		err = tx.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
			_, err := tx.NewUpdate().Model((*bunProduct)(nil)).Set("stock = stock - 1").Where("id = ?", products[3].ProductID).Exec(ctx)
			tr.step("gift", err)
			_, err = tx.NewUpdate().Model((*bunProduct)(nil)).Set("stock = -1").Where("id = ?", products[3].ProductID).Exec(ctx)
			return err
		})
		tr.step("no gift", err)
		p := &bunProduct{ProductID: products[3].ProductID}
		err = tx.NewSelect().Model(p).WherePK().Scan(ctx)
		tr.step("stock as before", err, p)
		return err
	})
	tr.step("nested", err)
	err = s.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
		_, err := tx.NewUpdate().Model((*bunOrder)(nil)).Set("status = 'lost'").Where("id = ?", id).Exec(ctx)
		return errors.Join(err, errors.New("changed my mind"))
	})
	tr.step("rolled back", err)

	o := &bunOrder{OrderID: id}
	tr.step("relations", s.NewSelect().Model(o).Relation("Customer").Relation("Lines").WherePK().Scan(ctx), o)
	c = &bunCustomer{CustomerID: ada.CustomerID}
	tr.step("orders of", s.NewSelect().Model(c).Relation("Orders").WherePK().Scan(ctx), c)

	remove := func(what string, q *bun.DeleteQuery) {
		result, err := q.WherePK().Exec(ctx)
		did(what, result, err)
	}
	remove("delete who has orders", s.NewDelete().Model(ada).ForceDelete())
	result, err = s.NewUpdate().Model(bob).Set("deleted_at = ?", tr.clock()).WherePK().Exec(ctx)
	did("soft delete", result, err)
	tr.step("gone", s.NewSelect().Model(bob).WherePK().Scan(ctx))
	remove("delete product", s.NewDelete().Model(&products[4]))
	remove("delete it again", s.NewDelete().Model(&products[4]))
}

// place is a whole order in one transaction.
func (s bunShop) place(ctx context.Context, tr *trace, customer int64, products []bunProduct, quantity int) (int64, error) {
	now := tr.clock()
	o := &bunOrder{CustomerID: customer, CreatedAt: now, UpdatedAt: now}
	err := s.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
		if _, err := tx.NewInsert().Model(o).Exec(ctx); err != nil {
			return err
		}
		var lines []*bunLine
		for _, p := range products {
			lines = append(lines, &bunLine{OrderID: o.OrderID, ProductID: p.ProductID, Quantity: quantity, Price: p.Price})
		}
		if _, err := tx.NewInsert().Model(&lines).Exec(ctx); err != nil {
			return err
		}
		for _, p := range products {
			if _, err := tx.NewUpdate().Model((*bunProduct)(nil)).Set("stock = stock - ?", quantity).Set("updated_at = ?", now).Where("id = ?", p.ProductID).Exec(ctx); err != nil {
				return err
			}
		}
		return nil
	})
	return o.OrderID, err
}

func (s bunShop) order(tr *trace, round int) {
	ctx := context.Background()
	c := &bunCustomer{CustomerID: 1}
	tr.step("customer", s.NewSelect().Model(c).WherePK().Scan(ctx), c)
	var products []bunProduct
	err := s.NewSelect().Model(&products).Where("id IN (?)", bun.List([]int64{1 + int64(round%2), 3})).Scan(ctx)
	tr.step("products", err)
	id, err := s.place(ctx, tr, c.CustomerID, products, 1)
	tr.step("place", err, bunOrder{OrderID: id})
	o := &bunOrder{OrderID: id}
	tr.step("read it", s.NewSelect().Model(o).WherePK().Scan(ctx), o)
	note := "by card"
	o.Status, o.Note, o.UpdatedAt = "paid", &note, tr.clock()
	n, err := affected(s.NewUpdate().Model(o).WherePK().Exec(ctx))
	tr.step("pay", err, n)
	n, err = affected(s.NewUpdate().Model(c).Set("credit = credit + 1").Set("version = version + 1").WherePK().Where("version = ?", c.Version).Exec(ctx))
	tr.step("points", err, n)
}
