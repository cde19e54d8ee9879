package compat

import (
	"database/sql"
	"errors"
	"fmt"
	"testing"
	"time"

	"gorm.io/driver/postgres"
	"gorm.io/gorm"
	"gorm.io/gorm/clause"
	"gorm.io/gorm/logger"
)

// The shop with GORM: associations, hooks, soft delete, Save, Preload, OnConflict.

type gormShop struct {
	*gorm.DB
	pool *sql.DB
}

type (
	Customer struct {
		ID        int64
		Email     string
		Name      string
		Credit    int
		Version   int       `gorm:"default:1"`
		JoinedAt  time.Time `gorm:"default:now()"`
		CreatedAt time.Time
		UpdatedAt time.Time
		DeletedAt gorm.DeletedAt
		Orders    []Order
	}

	Product struct {
		ID        int64
		SKU       string
		Name      string
		Price     string
		Stock     int
		UpdatedAt time.Time
	}

	Order struct {
		ID         int64
		CustomerID int64
		Customer   *Customer
		Status     string
		Note       *string
		CreatedAt  time.Time
		UpdatedAt  time.Time
		Lines      []OrderLine
	}

	OrderLine struct {
		ID        int64
		OrderID   int64
		ProductID int64
		Product   *Product
		Quantity  int
		Price     string
	}
)

// BeforeCreate is a hook: an order is new.
func (o *Order) BeforeCreate(*gorm.DB) error {
	o.Status = "new"
	return nil
}

// AfterCreate is a hook that writes: what is ordered is taken from stock.
func (l *OrderLine) AfterCreate(tx *gorm.DB) error {
	return tx.Model(&Product{}).Where("id = ?", l.ProductID).Update("stock", gorm.Expr("stock - ?", l.Quantity)).Error
}

func openGORM(prepare, skip bool) func(*testing.T, string, string, *trace) shop {
	return func(t *testing.T, driver, dsn string, tr *trace) shop {
		t.Helper()
		db, err := gorm.Open(postgres.New(postgres.Config{DriverName: driver, DSN: dsn}), &gorm.Config{
			PrepareStmt: prepare, SkipDefaultTransaction: skip, NowFunc: tr.clock, Logger: logger.Discard,
		})
		if err != nil {
			t.Fatal(err)
		}
		pool, err := db.DB()
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := pool.Close(); err != nil {
				t.Error(err)
			}
		})
		return gormShop{db, pool}
	}
}

func (s gormShop) db() *sql.DB { return s.pool }

func (s gormShop) did(tr *trace, what string, result *gorm.DB, values ...any) {
	tr.step(what, result.Error, append(values, result.RowsAffected)...)
}

func (s gormShop) run(tr *trace) {
	ada := Customer{Email: "ada@example.com", Name: "Ada", Credit: 100}
	s.did(tr, "create", s.Create(&ada), ada)
	bob := Customer{Email: "bob@example.com", Name: "Bob", Credit: 100}
	s.did(tr, "create", s.Create(&bob), bob)
	s.did(tr, "email twice", s.Create(&Customer{Email: "ada@example.com"}))

	var products []Product
	for i := range 5 {
		products = append(products, Product{SKU: fmt.Sprintf("sku-%d", i), Name: "Thing", Price: fmt.Sprintf("%d.5", i), Stock: 1000})
	}
	s.did(tr, "create in batches", s.CreateInBatches(products, 3), products)

	var c Customer
	s.did(tr, "first by key", s.First(&c, ada.ID), c)
	s.did(tr, "first of nobody", s.First(&Customer{}, absent))
	c = Customer{}
	s.did(tr, "take by key", s.Take(&c, "id = ?", bob.ID), c)
	c = Customer{}
	s.did(tr, "by email", s.Where(&Customer{Email: "bob@example.com"}).First(&c), c)
	var some []Product
	s.did(tr, "by keys", s.Find(&some, []int64{products[0].ID, products[2].ID, absent}), some)
	var n int64
	s.did(tr, "count", s.Model(&Customer{}).Count(&n), n)

	take := func(p Product, n int) *gorm.DB { return s.Model(&p).Update("stock", gorm.Expr("stock - ?", n)) }
	s.did(tr, "take from stock", take(products[0], 3))
	s.did(tr, "take too much", take(products[0], 3000))
	s.did(tr, "take what is not there", take(Product{ID: absent}, 3))
	s.did(tr, "update column", s.Model(&ada).UpdateColumn("credit", gorm.Expr("credit + ?", 5)))
	s.did(tr, "updates", s.Model(&ada).Updates(map[string]any{"name": "Ada L.", "credit": 50}))
	s.did(tr, "name is null", s.Model(&ada).Update("name", nil))

	s.did(tr, "first again", s.First(&c, ada.ID), c)
	c = Customer{}
	s.First(&c, ada.ID)
	c.Name = "Ada Lovelace"
	s.did(tr, "save", s.Save(&c), c)
	s.did(tr, "optimistic", s.Model(&Customer{}).Where("id = ? AND version = ?", ada.ID, 1).Updates(map[string]any{"name": "A", "version": gorm.Expr("version + 1")}))
	s.did(tr, "too late", s.Model(&Customer{}).Where("id = ? AND version = ?", ada.ID, 1).Updates(map[string]any{"name": "B", "version": gorm.Expr("version + 1")}))
	s.did(tr, "save a new one", s.Save(&Product{ID: absent + 1, SKU: "made-up", Name: "Made up", Price: "1", Stock: 4}))

	for _, sku := range []string{"sku-1", "sku-9"} {
		p := Product{SKU: sku, Name: "Other", Price: "7.77", Stock: 10}
		s.did(tr, "upsert", s.Clauses(clause.OnConflict{
			Columns:   []clause.Column{{Name: "sku"}},
			DoUpdates: clause.Assignments(map[string]any{"stock": gorm.Expr("products.stock + EXCLUDED.stock")}),
		}).Create(&p), p)
	}
	s.did(tr, "insert if absent", s.Clauses(clause.OnConflict{DoNothing: true}).Create(&Product{ID: products[0].ID, SKU: "sku-0", Price: "1"}))
	s.did(tr, "upsert all by key", s.Clauses(clause.OnConflict{UpdateAll: true}).Create(&Product{ID: products[0].ID, SKU: "sku-0", Name: "Zero", Price: "1", Stock: 77}))
	var found Product
	s.did(tr, "first or create", s.Where(Product{SKU: "sku-10"}).Attrs(Product{Price: "2"}).FirstOrCreate(&found), found)

	o := Order{CustomerID: ada.ID, Lines: []OrderLine{{ProductID: products[0].ID, Quantity: 2, Price: "1.5"}, {ProductID: products[1].ID, Quantity: 1, Price: "2"}}}
	s.did(tr, "order", s.Create(&o), o)
	s.did(tr, "order for nobody", s.Create(&Order{CustomerID: absent}))
	s.did(tr, "order of nothing", s.Create(&Order{CustomerID: bob.ID, Lines: []OrderLine{{ProductID: products[0].ID, Price: "1"}}}))
	s.did(tr, "order of too much", s.Create(&Order{CustomerID: bob.ID, Lines: []OrderLine{{ProductID: products[0].ID, Quantity: 5000, Price: "1"}}}))
	s.nested(tr, o.ID, products[3].ID)

	var loaded Order
	s.did(tr, "preload", s.Preload("Customer").Preload("Lines", func(db *gorm.DB) *gorm.DB { return db.Order("id") }).Preload("Lines.Product").First(&loaded, o.ID), loaded)
	var joined []Order
	s.did(tr, "joins", s.Joins("Customer").Where("status = ?", "paid").Find(&joined), joined)
	c = Customer{}
	s.did(tr, "orders of", s.Preload("Orders").First(&c, ada.ID), c)
	tr.step("append", s.Model(&bob).Association("Orders").Append(&Order{}), bob)
	tr.step("how many", nil, s.Model(&bob).Association("Orders").Count())

	s.did(tr, "soft delete", s.Delete(&bob))
	s.did(tr, "gone", s.First(&Customer{}, bob.ID))
	c = Customer{}
	s.did(tr, "not quite", s.Unscoped().First(&c, bob.ID), c.Email, c.DeletedAt.Valid)
	s.did(tr, "delete who has orders", s.Unscoped().Delete(&Customer{}, ada.ID))
	s.did(tr, "delete product", s.Delete(&Product{}, products[4].ID))
	s.did(tr, "delete it again", s.Delete(&Product{}, products[4].ID))
}

// nested changes an order, with parts that fail and are undone: GORM makes
// savepoints of the inner transactions.
func (s gormShop) nested(tr *trace, order, product int64) {
	err := s.Transaction(func(tx *gorm.DB) error {
		s.did(tr, "paid", tx.Model(&Order{ID: order}).Update("status", "paid"))
		err := tx.Transaction(func(tx *gorm.DB) error {
			s.did(tr, "gift", tx.Model(&Product{ID: product}).Update("stock", gorm.Expr("stock - 1")))
			return tx.Model(&Product{ID: product}).Update("stock", -1).Error
		})
		tr.step("no gift", err)
		var p Product
		s.did(tr, "stock as before", tx.First(&p, product), p)
		return tx.Transaction(func(tx *gorm.DB) error {
			return tx.Model(&Product{ID: product}).Update("stock", gorm.Expr("stock - 2")).Error
		})
	})
	tr.step("nested", err)
	err = s.Transaction(func(tx *gorm.DB) error {
		s.did(tr, "lost", tx.Model(&Order{ID: order}).Update("status", "lost"))
		return errors.New("changed my mind")
	})
	tr.step("rolled back", err)
}

func (s gormShop) order(tr *trace, round int) {
	var c Customer
	s.did(tr, "customer", s.First(&c, 1), c)
	var products []Product
	s.did(tr, "products", s.Find(&products, []int64{1 + int64(round%2), 3}))
	o := Order{CustomerID: c.ID}
	for _, p := range products {
		o.Lines = append(o.Lines, OrderLine{ProductID: p.ID, Quantity: 1, Price: p.Price})
	}
	s.did(tr, "place", s.Create(&o), o)
	var again Order
	s.did(tr, "read it", s.First(&again, o.ID), again)
	note := "by card"
	again.Status, again.Note = "paid", &note
	s.did(tr, "pay", s.Save(&again))
	s.did(tr, "points", s.Model(&Customer{}).Where("id = ? AND version = ?", c.ID, c.Version).
		Updates(map[string]any{"credit": gorm.Expr("credit + 1"), "version": gorm.Expr("version + 1")}))
}
