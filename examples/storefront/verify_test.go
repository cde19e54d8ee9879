package main

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// afterRun is a run of two shoppers over two products and what the tables hold
// when nothing was lost.
func afterRun() (start []product, ledgers []*ledger, found contents) {
	start = []product{
		{id: 1, name: "one", price: 100, stock: 1000},
		{id: 2, name: "two", price: 200, stock: 1000},
	}
	a, b := newLedger(1, 2), newLedger(2, 2)
	a.sold[1], b.sold[1] = 3, 4
	a.cart[1], b.cart[2] = 5, 6
	a.prices[1] = priceChange{price: 110, began: 10 * time.Millisecond, ended: 20 * time.Millisecond}
	b.prices[1] = priceChange{price: 120, began: 30 * time.Millisecond, ended: 40 * time.Millisecond}
	first := order{id: "a", shopper: 1, product: 1, qty: 3, price: 110, status: "placed"}
	second := order{id: "b", shopper: 2, product: 1, qty: 4, price: 120, status: "placed"}
	a.orders, b.orders = []order{first}, []order{second}
	found = contents{
		products: []product{
			{id: 2, name: "two", price: 200, stock: 1000},
			{id: 1, name: "one", price: 120, stock: 993},
		},
		cart:   []cartItem{{2, 2, 6}, {1, 1, 5}},
		orders: []order{second, first},
	}
	return start, []*ledger{a, b}, found
}

func TestVerifyAcceptsWhatWasAcknowledged(t *testing.T) {
	start, ledgers, found := afterRun()
	require.Empty(t, verify(start, ledgers, found))
}

func TestVerifyAcceptsEitherOfTwoPricesSetAtTheSameTime(t *testing.T) {
	start, ledgers, found := afterRun()
	ledgers[0].prices[1].ended = 35 * time.Millisecond // now the two overlap
	for _, price := range []int64{110, 120} {
		found.products[1].price = price
		require.Empty(t, verify(start, ledgers, found))
	}
	found.products[1].price = 100
	require.NotEmpty(t, verify(start, ledgers, found), "both changes lost")
}

func TestVerifySeesEveryDifference(t *testing.T) {
	for name, spoil := range map[string]func(*contents){
		"lost stock decrement":     func(c *contents) { c.products[1].stock += 4 },
		"stock decremented twice":  func(c *contents) { c.products[1].stock -= 4 },
		"lost last price":          func(c *contents) { c.products[1].price = 110 },
		"all prices lost":          func(c *contents) { c.products[1].price = 100 },
		"price from nowhere":       func(c *contents) { c.products[0].price = 110 },
		"another name":             func(c *contents) { c.products[0].name = "one" },
		"missing product":          func(c *contents) { c.products = c.products[:1] },
		"product from nowhere":     func(c *contents) { c.products = append(c.products, product{id: 3}) },
		"lost cart item":           func(c *contents) { c.cart = c.cart[:1] },
		"lost increment of a cart": func(c *contents) { c.cart[0].qty-- },
		"cart from nowhere":        func(c *contents) { c.cart = append(c.cart, cartItem{1, 2, 1}) },
		"cart of a stranger":       func(c *contents) { c.cart = append(c.cart, cartItem{3, 1, 1}) },
		"lost order":               func(c *contents) { c.orders = c.orders[1:] },
		"order there twice":        func(c *contents) { c.orders = append(c.orders, c.orders[0]) },
		"order from nowhere":       func(c *contents) { c.orders = append(c.orders, order{id: "c"}) },
		"order with another qty":   func(c *contents) { c.orders[0].qty++ },
		"order with another text":  func(c *contents) { c.orders[1].status = "" },
	} {
		t.Run(name, func(t *testing.T) {
			start, ledgers, found := afterRun()
			spoil(&found)
			require.NotEmpty(t, verify(start, ledgers, found))
		})
	}
}
