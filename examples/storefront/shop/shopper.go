package shop

import (
	"context"
	crand "crypto/rand"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"
)

// Kind is one of the operations that are measured.
type Kind int

// The operations.
const (
	ViewProduct Kind = iota
	PutIntoCart
	ChangePrice
	TakeFromStock
	PlaceOrder
	CheckOut
	Kinds // how many there are
)

func (k Kind) String() string {
	return [...]string{"view product", "put into cart", "change price", "take from stock", "place order", "check out (tx)"}[k]
}

// The mix, in percent of what a shopper decides to do. The rest is a purchase:
// stock is taken, then the order placed, one after the other; to check out does the
// same for an order with lines in one transaction.
const (
	percentView     = 60
	percentCart     = 20
	percentPrice    = 5
	percentCheckOut = 5 // unless a shopper's CheckOuts says otherwise
)

// popularity is the exponent of the Zipf distribution by which products are
// chosen: with 1,000 products the first one gets about a sixth of the visits.
const popularity = 1.1

// percentAgain is how many of the things put into a cart are one more of a kind
// that is in it already; cartKinds is how many kinds a shopper keeps in mind.
const (
	percentAgain = 90
	cartKinds    = 10
)

// Shopper does one thing after the other. It is not safe for concurrent use.
type Shopper struct {
	Ledger *Ledger
	// CheckOuts is how many percent of what the shopper does are orders in one
	// transaction, up to 15. Those come out of the other orders.
	CheckOuts int

	shop     Shop
	products *rand.Zipf
	number   int64 // of products
	rand     *rand.Rand
	start    time.Time
	recent   [cartKinds]int64 // products last put into the cart, 0 for none
	observe  func(Kind, time.Duration)
}

// NewShopper returns a shopper whose visits depend on the number alone. The
// times in the ledgers count from start, which must be the same for all shoppers
// of a shop. There are at least two products. Observe, if it is not nil, is told of each operation that succeeded,
// and how long it took.
func NewShopper(s Shop, number int64, products int, start time.Time, observe func(Kind, time.Duration)) *Shopper {
	if observe == nil {
		observe = func(Kind, time.Duration) {}
	}
	r := rand.New(rand.NewPCG(uint64(number), 1))
	return &Shopper{
		Ledger:    newLedger(number, products),
		CheckOuts: percentCheckOut,

		shop:     s,
		products: rand.NewZipf(r, popularity, 1, uint64(products-1)),
		number:   int64(products),
		rand:     r,
		start:    start,
		observe:  observe,
	}
}

// Step does one thing. A statement that was started is waited for, whatever
// becomes of ctx: whether one that was cancelled took effect would not be known.
func (s *Shopper) Step(ctx context.Context) error {
	ctx = context.WithoutCancel(ctx)
	product := int64(s.products.Uint64()) + 1
	switch p := s.rand.IntN(100); {
	case p < percentView:
		return s.view(ctx, product)
	case p < percentView+percentCart:
		return s.cart(ctx, product)
	case p < percentView+percentCart+percentPrice:
		return s.reprice(ctx, product)
	case p < percentView+percentCart+percentPrice+s.CheckOuts:
		return s.checkOut(ctx, product)
	default:
		return s.buy(ctx, product)
	}
}

// measure runs one operation and returns when it began and ended.
func (s *Shopper) measure(k Kind, op func() error) (began, ended time.Duration, err error) {
	began = time.Since(s.start)
	err = op()
	ended = time.Since(s.start)
	if err == nil {
		s.observe(k, ended-began)
	}
	return began, ended, err
}

func (s *Shopper) view(ctx context.Context, id int64) error {
	var p Product
	_, _, err := s.measure(ViewProduct, func() (err error) {
		p, err = s.shop.View(ctx, id)
		return err
	})
	if err == nil && p.Name != productName(id) {
		err = fmt.Errorf("view product %d: %w: it is called %q", id, ErrWrong, p.Name)
	}
	return err
}

func (s *Shopper) cart(ctx context.Context, product int64) error {
	slot := s.rand.IntN(cartKinds)
	if s.recent[slot] != 0 && s.rand.IntN(100) < percentAgain {
		product = s.recent[slot]
	}
	s.recent[slot] = product
	qty := 1 + s.rand.Int64N(3)
	_, _, err := s.measure(PutIntoCart, func() error {
		return s.shop.PutIntoCart(ctx, s.Ledger.Shopper, product, qty)
	})
	s.Ledger.noteCart(product, qty, err)
	return err
}

func (s *Shopper) reprice(ctx context.Context, product int64) error {
	price := 1 + s.rand.Int64N(1_000_000_000) // so many that hardly two are the same
	began, ended, err := s.measure(ChangePrice, func() error {
		return s.shop.ChangePrice(ctx, product, price)
	})
	s.Ledger.notePrice(product, priceChange{price: price, began: began, ended: ended}, err)
	return err
}

func (s *Shopper) buy(ctx context.Context, product int64) error {
	qty := 1 + s.rand.Int64N(3)
	_, _, err := s.measure(TakeFromStock, func() error {
		return s.shop.TakeFromStock(ctx, product, qty)
	})
	s.Ledger.noteSold(product, qty, err)
	if err != nil {
		return err
	}
	o := Order{
		ID:      newUUID(),
		Shopper: s.Ledger.Shopper,
		Product: product,
		Qty:     qty,
		Price:   100 + s.rand.Int64N(10_000),
		Status:  "placed",
	}
	_, _, err = s.measure(PlaceOrder, func() error { return s.shop.PlaceOrder(ctx, o) })
	s.Ledger.noteOrder(o, err)
	return err
}

func (s *Shopper) checkOut(ctx context.Context, product int64) error {
	accessory := int64(s.products.Uint64()) + 1
	if accessory == product {
		accessory = product%s.number + 1
	}
	o := Order{
		ID:      newUUID(),
		Shopper: s.Ledger.Shopper,
		Product: product,
		Status:  "checked out",
		Count:   1 + s.rand.Int64N(MaxLines),
	}
	for i := range o.Lines[:o.Count] {
		l := Line{Product: product, Accessory: accessory, Qty: 1 + s.rand.Int64N(3), Price: 100 + s.rand.Int64N(10_000)}
		o.Lines[i] = l
		o.Qty += l.Qty
		o.Price += l.Qty * l.Price
	}
	_, _, err := s.measure(CheckOut, func() error { return s.shop.CheckOut(ctx, o) })
	if !errors.Is(err, ErrUndone) { // else nothing of it may be there
		s.Ledger.noteOrder(o, err)
	}
	return err
}

// newUUID returns a random (version 4) UUID.
func newUUID() string {
	var b [16]byte
	crand.Read(b[:]) // never fails
	b[6] = b[6]&0x0f | 0x40
	b[8] = b[8]&0x3f | 0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
