package main

import (
	"context"
	"errors"
	"fmt"
	"runtime/pprof"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/writebehind/writebehind/examples/storefront/shop"
)

// load is the shoppers at work, at a steady rate.
type load struct {
	acknowledged atomic.Int64 // operations, reads included
	errors       *errorLog
	book         *book
	shoppers     []*shop.Shopper
	ballast      *ballast
	interval     time.Duration // of one shopper, between two things it does
	running      sync.WaitGroup

	mu     sync.Mutex
	failed error // of the book
}

func newLoad(p *place, o options, log *errorLog, b *book) *load {
	db := held{p.shop}
	l := &load{errors: log, book: b, ballast: &ballast{db: db}, interval: time.Second * time.Duration(o.shoppers) / time.Duration(o.rate)}
	start := time.Now()
	for i := range o.shoppers {
		l.shoppers = append(l.shoppers, shop.NewShopper(shop.Shop{DB: db}, int64(i+1), o.products, start,
			func(shop.Kind, time.Duration) { l.acknowledged.Add(1) }))
	}
	return l
}

// start lets the shoppers shop until ctx is done.
func (l *load) start(ctx context.Context) {
	for _, s := range l.shoppers {
		l.running.Go(func() { l.work(ctx, s) })
	}
	l.running.Go(func() { l.ballast.work(ctx, l.errors) })
}

func (l *load) work(ctx context.Context, s *shop.Shopper) {
	// What it could not do while it was kept waiting it does not make up for.
	ticker := time.NewTicker(l.interval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		if err := s.Step(ctx); err != nil {
			l.errors.note(err)
		}
		if err := l.book.add(s.Ledger.Orders); err != nil {
			l.mu.Lock()
			l.failed = errors.Join(l.failed, err)
			l.mu.Unlock()
			return
		}
		s.Ledger.Orders = s.Ledger.Orders[:0]
	}
}

// wait waits until all shoppers have ended. One that does not end hangs in a
// statement: then the error says where every goroutine is.
func (l *load) wait(longest time.Duration) error {
	done := make(chan struct{})
	go func() {
		l.running.Wait()
		close(done)
	}()
	select {
	case <-done:
		return nil
	case <-time.After(longest):
		var stacks strings.Builder
		err := pprof.Lookup("goroutine").WriteTo(&stacks, 1)
		return errors.Join(fmt.Errorf("a statement hangs: %s after the last fault somebody still waits\n%s", longest, &stacks), err)
	}
}

// ledgers are those of the shoppers, once they have ended, with all orders.
func (l *load) ledgers() ([]*shop.Ledger, error) {
	orders, err := l.book.all()
	if err != nil {
		return nil, err
	}
	ledgers := make([]*shop.Ledger, len(l.shoppers))
	for i, s := range l.shoppers {
		ledgers[i] = s.Ledger
	}
	for _, o := range orders {
		ledger := ledgers[o.Shopper-1]
		ledger.Orders = append(ledger.Orders, o)
	}
	return ledgers, nil
}
