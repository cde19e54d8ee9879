package main

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/writebehind/writebehind/examples/storefront/shop"
	"github.com/writebehind/writebehind/internal/histogram"
)

// visitor is a shopper who is timed.
type visitor struct {
	shopper *shop.Shopper
	latency [shop.Kinds]histogram.Histogram
	done    atomic.Int64 // operations; read by the progress bar while the shopper runs
}

func newVisitor(s shop.Shop, number int64, products, checkOuts int, start time.Time) *visitor {
	v := new(visitor)
	v.shopper = shop.NewShopper(s, number, products, start, func(k shop.Kind, d time.Duration) {
		v.latency[k].Record(d)
		v.done.Add(1)
	})
	v.shopper.CheckOuts = checkOuts
	return v
}

// run shops without pause until the time is up or ctx is done. The first error
// ends it.
func (v *visitor) run(ctx context.Context, until time.Time) error {
	for time.Now().Before(until) {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := v.shopper.Step(ctx); err != nil {
			return err
		}
	}
	return nil
}

// rush lets all visitors shop at once and returns the first error, which also
// ends the others' run.
func rush(ctx context.Context, crowd []*visitor, until time.Time) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var wg sync.WaitGroup
	for _, v := range crowd {
		wg.Go(func() {
			if err := v.run(ctx, until); err != nil {
				cancel(err)
			}
		})
	}
	wg.Wait()
	return context.Cause(ctx)
}
