package main

import (
	"context"
	crand "crypto/rand"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"
)

// kind is one of the operations that are measured.
type kind int

const (
	viewProduct kind = iota
	putIntoCart
	changePrice
	takeFromStock
	placeOrder
	kinds
)

func (k kind) String() string {
	return [...]string{"view product", "put into cart", "change price", "take from stock", "place order"}[k]
}

// The mix, in percent of what a shopper decides to do. The rest is a purchase:
// stock is taken, then the order placed.
const (
	percentView  = 60
	percentCart  = 20
	percentPrice = 5
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

// shopper is one closed loop: it does one thing after the other, without pause.
type shopper struct {
	shop     shop
	products *rand.Zipf
	rand     *rand.Rand
	start    time.Time
	ledger   *ledger
	recent   [cartKinds]int64 // products last put into the cart, 0 for none
	latency  [kinds]histogram
	done     atomic.Int64 // operations; read by the progress bar while the shopper runs
}

func newShopper(s shop, number int64, products int) *shopper {
	r := rand.New(rand.NewPCG(uint64(number), 1)) // the same visits on both sides
	return &shopper{
		shop:     s,
		products: rand.NewZipf(r, popularity, 1, uint64(products-1)),
		rand:     r,
		ledger:   newLedger(number, products),
	}
}

// run shops until the time is up or ctx is done. A statement that was started
// is always waited for: whether one that was cancelled took effect would not be
// known. The first error ends the run.
func (s *shopper) run(ctx context.Context, d time.Duration) error {
	statement := context.WithoutCancel(ctx)
	for time.Since(s.start) < d {
		if err := ctx.Err(); err != nil {
			return err
		}
		product := int64(s.products.Uint64()) + 1
		var err error
		switch p := s.rand.IntN(100); {
		case p < percentView:
			err = s.view(statement, product)
		case p < percentView+percentCart:
			err = s.cart(statement, product)
		case p < percentView+percentCart+percentPrice:
			err = s.reprice(statement, product)
		default:
			err = s.buy(statement, product)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// measure runs one operation and returns when it began and ended.
func (s *shopper) measure(k kind, op func() error) (began, ended time.Duration, err error) {
	began = time.Since(s.start)
	err = op()
	ended = time.Since(s.start)
	if err == nil {
		s.latency[k].record(ended - began)
		s.done.Add(1)
	}
	return began, ended, err
}

func (s *shopper) view(ctx context.Context, id int64) error {
	var p product
	_, _, err := s.measure(viewProduct, func() (err error) {
		p, err = s.shop.view(ctx, id)
		return err
	})
	if err == nil && p.name != productName(id) {
		err = fmt.Errorf("view product %d: it is called %q", id, p.name)
	}
	return err
}

func (s *shopper) cart(ctx context.Context, product int64) error {
	slot := s.rand.IntN(cartKinds)
	if s.recent[slot] != 0 && s.rand.IntN(100) < percentAgain {
		product = s.recent[slot]
	}
	s.recent[slot] = product
	qty := 1 + s.rand.Int64N(3)
	_, _, err := s.measure(putIntoCart, func() error {
		return s.shop.putIntoCart(ctx, s.ledger.shopper, product, qty)
	})
	if err == nil {
		s.ledger.cart[product] += qty
	}
	return err
}

func (s *shopper) reprice(ctx context.Context, product int64) error {
	price := 1 + s.rand.Int64N(1_000_000_000) // so many that hardly two are the same
	began, ended, err := s.measure(changePrice, func() error {
		return s.shop.changePrice(ctx, product, price)
	})
	if err == nil {
		s.ledger.prices[product] = priceChange{price: price, began: began, ended: ended}
	}
	return err
}

func (s *shopper) buy(ctx context.Context, product int64) error {
	qty := 1 + s.rand.Int64N(3)
	_, _, err := s.measure(takeFromStock, func() error {
		return s.shop.takeFromStock(ctx, product, qty)
	})
	if err != nil {
		return err
	}
	s.ledger.sold[product] += qty

	o := order{
		id:      newUUID(),
		shopper: s.ledger.shopper,
		product: product,
		qty:     qty,
		price:   100 + s.rand.Int64N(10_000),
		status:  "placed",
	}
	_, _, err = s.measure(placeOrder, func() error { return s.shop.placeOrder(ctx, o) })
	if err == nil {
		s.ledger.orders = append(s.ledger.orders, o)
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

// rush lets all shoppers shop at once and returns how long it took and the
// first error, which also ends the others' run.
func rush(ctx context.Context, shoppers []*shopper, d time.Duration) (time.Duration, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	start := time.Now()
	var wg sync.WaitGroup
	for _, s := range shoppers {
		s.start = start
		wg.Go(func() {
			if err := s.run(ctx, d); err != nil {
				cancel(err)
			}
		})
	}
	wg.Wait()
	return time.Since(start), context.Cause(ctx)
}
