package main

import (
	"math/rand/v2"
	"sync"
)

// stride is prime, so that it visits every row of any number of rows that it
// does not divide.
const stride = 7919

// spread chooses a row for the i-th operation of a worker: all rows equally
// often, neighbours in time far apart, workers apart from each other.
func spread(worker int, i int64, rows int) int64 {
	return (i*stride+int64(worker)*104729)%int64(rows) + 1
}

// own is spread where each worker keeps to rows of its own, so that what a row must
// hold in the end does not depend on who came last.
func own(worker, workers int, i int64, rows int) int64 {
	each := int64(rows / workers)
	return i*stride%each*int64(workers) + int64(worker) + 1
}

// zipfExponent makes the hottest tenth of 20,000 rows take about three quarters of
// all operations, as YCSB's constant of 0.99 does.
const zipfExponent = 1.01

// zipfs makes one generator of skewed keys per worker. The hot keys lie apart.
func zipfs(workers, rows int) []func() int64 {
	next := make([]func() int64, workers)
	scatter := scattered(rows)
	for w := range next {
		z := rand.NewZipf(rand.New(rand.NewPCG(uint64(w), uint64(rows))), zipfExponent, 1, uint64(rows-1))
		next[w] = func() int64 { return scatter[z.Uint64()] }
	}
	return next
}

var scatters sync.Map // of numbers of rows to []int64

// scattered is a permutation of 1 to rows, the same at every call.
func scattered(rows int) []int64 {
	if known, ok := scatters.Load(rows); ok {
		return known.([]int64)
	}
	keys := make([]int64, rows)
	for i, k := range rand.New(rand.NewPCG(1, 2)).Perm(rows) {
		keys[i] = int64(k) + 1
	}
	scatters.Store(rows, keys)
	return keys
}
