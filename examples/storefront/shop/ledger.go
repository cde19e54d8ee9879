package shop

import "time"

// Ledger holds what was acknowledged to one shopper: what the database has to
// hold in the end. Products are numbered from 1; index 0 of the slices is unused.
// A ledger belongs to the goroutine of its shopper until that is done.
type Ledger struct {
	Shopper int64
	Orders  []Order
	sold    []int64       // taken from stock, per product, but for what is in lines of Orders
	cart    []int64       // put into the cart, per product
	prices  []priceChange // the last change per product; what it replaced cannot be the last price

	// Doubtful is what returned an error: the database may hold it or not.
	Doubtful Doubtful
}

// Doubtful are the writes whose outcome the shopper was not told.
type Doubtful struct {
	Orders []Order
	sold   map[int64]int64   // pieces, by product
	cart   map[int64]int64   // pieces, by product
	prices map[int64][]int64 // all of them, by product: one may take effect late
	writes int64
}

// Writes is how many writes are in doubt.
func (d *Doubtful) Writes() int64 { return d.writes }

// priceChange is an acknowledged change: the statement was running from began
// to ended, both counted from the start of the run.
type priceChange struct {
	price        int64 // in cents, never 0: a zero priceChange means no change
	began, ended time.Duration
}

func newLedger(shopper int64, products int) *Ledger {
	return &Ledger{
		Shopper: shopper,
		sold:    make([]int64, products+1),
		cart:    make([]int64, products+1),
		prices:  make([]priceChange, products+1),
		Doubtful: Doubtful{
			sold:   make(map[int64]int64),
			cart:   make(map[int64]int64),
			prices: make(map[int64][]int64),
		},
	}
}

func (l *Ledger) noteSold(product, qty int64, err error) {
	if err == nil {
		l.sold[product] += qty
		return
	}
	l.Doubtful.sold[product] += qty
	l.Doubtful.writes++
}

func (l *Ledger) noteCart(product, qty int64, err error) {
	if err == nil {
		l.cart[product] += qty
		return
	}
	l.Doubtful.cart[product] += qty
	l.Doubtful.writes++
}

func (l *Ledger) notePrice(product int64, c priceChange, err error) {
	if err == nil {
		l.prices[product] = c
		return
	}
	l.Doubtful.prices[product] = append(l.Doubtful.prices[product], c.price)
	l.Doubtful.writes++
}

func (l *Ledger) noteOrder(o Order, err error) {
	if err == nil {
		l.Orders = append(l.Orders, o)
		return
	}
	l.Doubtful.Orders = append(l.Doubtful.Orders, o)
	l.Doubtful.writes++
}
