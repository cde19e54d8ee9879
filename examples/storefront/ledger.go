package main

import "time"

// ledger holds what was acknowledged to one shopper: what the database has to
// hold in the end. Products are numbered from 1; index 0 of the slices is unused.
// A ledger belongs to one goroutine until its shopper is done.
type ledger struct {
	shopper int64
	sold    []int64       // taken from stock, per product
	cart    []int64       // put into the cart, per product
	prices  []priceChange // the last change per product; what it replaced cannot be the last price
	orders  []order
}

// priceChange is an acknowledged change: the statement was running from began
// to ended, both counted from the start of the run.
type priceChange struct {
	price        int64 // in cents, never 0: a zero priceChange means no change
	began, ended time.Duration
}

func newLedger(shopper int64, products int) *ledger {
	return &ledger{
		shopper: shopper,
		sold:    make([]int64, products+1),
		cart:    make([]int64, products+1),
		prices:  make([]priceChange, products+1),
	}
}
