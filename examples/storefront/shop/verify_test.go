package shop

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// afterRun is a run of two shoppers over two products and what the tables hold
// when nothing was lost.
func afterRun() (start []Product, ledgers []*Ledger, found Contents) {
	start = []Product{
		{ID: 1, Name: "one", Price: 100, Stock: 1000},
		{ID: 2, Name: "two", Price: 200, Stock: 1000},
	}
	a, b := newLedger(1, 2), newLedger(2, 2)
	a.sold[1], b.sold[1] = 3, 4
	a.cart[1], b.cart[2] = 5, 6
	a.prices[1] = priceChange{price: 110, began: 10 * time.Millisecond, ended: 20 * time.Millisecond}
	b.prices[1] = priceChange{price: 120, began: 30 * time.Millisecond, ended: 40 * time.Millisecond}
	first := Order{ID: "a", Shopper: 1, Product: 1, Qty: 3, Price: 110, Status: "placed"}
	second := Order{ID: "b", Shopper: 2, Product: 1, Qty: 4, Price: 120, Status: "placed"}
	third := Order{
		ID: "l", Shopper: 2, Product: 1, Qty: 3, Price: 50, Status: "checked out",
		Count: 2, Lines: [MaxLines]Line{{1, 2, 1, 10}, {1, 2, 2, 20}},
	}
	a.Orders, b.Orders = []Order{first}, []Order{second, third}
	third.Lines = [MaxLines]Line{}
	found = Contents{
		Products: []Product{
			{ID: 2, Name: "two", Price: 200, Stock: 997},
			{ID: 1, Name: "one", Price: 120, Stock: 990},
		},
		Cart:   []CartItem{{2, 2, 6}, {1, 1, 5}},
		Orders: []Order{second, first, third},
		Lines:  []OrderLine{{"l", 2, Line{1, 2, 2, 20}}, {"l", 1, Line{1, 2, 1, 10}}},
	}
	return start, []*Ledger{a, b}, found
}

func TestVerifyAcceptsWhatWasAcknowledged(t *testing.T) {
	start, ledgers, found := afterRun()
	require.Empty(t, Verify(start, ledgers, found))
}

func TestVerifyAcceptsEitherOfTwoPricesSetAtTheSameTime(t *testing.T) {
	start, ledgers, found := afterRun()
	ledgers[0].prices[1].ended = 35 * time.Millisecond // now the two overlap
	for _, price := range []int64{110, 120} {
		found.Products[1].Price = price
		require.Empty(t, Verify(start, ledgers, found))
	}
	found.Products[1].Price = 100
	require.NotEmpty(t, Verify(start, ledgers, found), "both changes lost")
}

func TestVerifySeesEveryDifference(t *testing.T) {
	for name, spoil := range map[string]func(*Contents){
		"lost stock decrement":     func(c *Contents) { c.Products[1].Stock += 4 },
		"stock decremented twice":  func(c *Contents) { c.Products[1].Stock -= 4 },
		"lost last price":          func(c *Contents) { c.Products[1].Price = 110 },
		"all prices lost":          func(c *Contents) { c.Products[1].Price = 100 },
		"price from nowhere":       func(c *Contents) { c.Products[0].Price = 110 },
		"another name":             func(c *Contents) { c.Products[0].Name = "one" },
		"missing product":          func(c *Contents) { c.Products = c.Products[:1] },
		"product from nowhere":     func(c *Contents) { c.Products = append(c.Products, Product{ID: 3}) },
		"lost cart item":           func(c *Contents) { c.Cart = c.Cart[:1] },
		"lost increment of a cart": func(c *Contents) { c.Cart[0].Qty-- },
		"cart from nowhere":        func(c *Contents) { c.Cart = append(c.Cart, CartItem{1, 2, 1}) },
		"cart of a stranger":       func(c *Contents) { c.Cart = append(c.Cart, CartItem{3, 1, 1}) },
		"lost order":               func(c *Contents) { c.Orders = c.Orders[1:] },
		"order there twice":        func(c *Contents) { c.Orders = append(c.Orders, c.Orders[0]) },
		"order from nowhere":       func(c *Contents) { c.Orders = append(c.Orders, Order{ID: "c"}) },
		"order with another qty":   func(c *Contents) { c.Orders[0].Qty++ },
		"order with another text":  func(c *Contents) { c.Orders[1].Status = "" },
		"order without its lines":  func(c *Contents) { c.Lines = nil },
		"lines without an order":   func(c *Contents) { c.Orders = c.Orders[:2] },
		"lost line":                func(c *Contents) { c.Lines = c.Lines[1:] },
		"line there twice":         func(c *Contents) { c.Lines = append(c.Lines, c.Lines[0]) },
		"line from nowhere":        func(c *Contents) { c.Lines = append(c.Lines, OrderLine{"l", 3, Line{1, 2, 0, 1}}) },
		"line with another qty":    func(c *Contents) { c.Lines[0].Line.Qty++ },
		"line with another price":  func(c *Contents) { c.Lines[0].Line.Price++ },
		"checked out, stock there": func(c *Contents) { c.Products[0].Stock += 3 },
		"whole order lost but for its stock": func(c *Contents) {
			c.Orders, c.Lines = c.Orders[:2], nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			start, ledgers, found := afterRun()
			spoil(&found)
			require.NotEmpty(t, Verify(start, ledgers, found))
		})
	}
}

// A statement that failed may have taken effect, wholly or not at all.
func TestVerifyAcceptsWhatIsInDoubtEitherWay(t *testing.T) {
	lost := errors.New("the connection is lost")
	doubted := Order{ID: "c", Shopper: 1, Product: 1, Qty: 2, Price: 130, Status: "placed"}
	withLine := Order{
		ID: "m", Shopper: 1, Product: 2, Qty: 2, Price: 60, Status: "checked out",
		Count: 1, Lines: [MaxLines]Line{{2, 1, 2, 30}},
	}
	for name, c := range map[string]struct {
		note   func(*Ledger)
		effect func(*Contents)
	}{
		"stock": {
			func(l *Ledger) { l.noteSold(1, 2, lost) },
			func(c *Contents) { c.Products[1].Stock -= 2 },
		},
		"price": {
			func(l *Ledger) { l.notePrice(1, priceChange{price: 130}, lost) },
			func(c *Contents) { c.Products[1].Price = 130 },
		},
		"cart": {
			func(l *Ledger) { l.noteCart(2, 2, lost) },
			func(c *Contents) { c.Cart = append(c.Cart, CartItem{1, 2, 2}) },
		},
		"order": {
			func(l *Ledger) { l.noteOrder(doubted, lost) },
			func(c *Contents) { c.Orders = append(c.Orders, doubted) },
		},
		"order with lines": {
			func(l *Ledger) { l.noteOrder(withLine, lost) },
			func(c *Contents) {
				row := withLine
				row.Lines = [MaxLines]Line{}
				c.Orders = append(c.Orders, row)
				c.Lines = append(c.Lines, OrderLine{"m", 1, withLine.Lines[0]})
				c.Products[0].Stock -= 2
				c.Products[1].Stock -= 2
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			start, ledgers, found := afterRun()
			c.note(ledgers[0])
			require.EqualValues(t, 1, ledgers[0].Doubtful.Writes())
			require.Empty(t, Verify(start, ledgers, found), "it did not take effect")
			c.effect(&found)
			require.Empty(t, Verify(start, ledgers, found), "it did")
			found.Products[1].Stock += 6
			require.NotEmpty(t, Verify(start, ledgers, found), "doubt excuses no loss of what was acknowledged")

			start, ledgers, found = afterRun()
			c.effect(&found)
			require.NotEmpty(t, Verify(start, ledgers, found), "without the doubt it is wrong")
		})
	}
}
