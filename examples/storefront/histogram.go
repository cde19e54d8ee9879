package main

import (
	"math/bits"
	"time"
)

const (
	// Each power of two is split into 1<<subBits buckets, so that a quantile is
	// off by less than 1/64 of its value.
	subBits = 6
	// Durations from 1<<maxBits ns (about 69 s) on share the last bucket.
	maxBits = 36
	buckets = (maxBits-subBits+1)<<subBits + 1
)

// histogram counts durations in buckets whose width grows with the duration,
// in the manner of HdrHistogram. The zero value is empty. It is not safe for
// concurrent use: each goroutine has its own, and they are merged afterwards.
type histogram struct {
	counts [buckets]int64
	n      int64
	sum    time.Duration
}

func (h *histogram) record(d time.Duration) {
	d = max(d, 0)
	h.counts[bucket(d)]++
	h.n++
	h.sum += d
}

func (h *histogram) merge(o *histogram) {
	for i, c := range &o.counts {
		h.counts[i] += c
	}
	h.n += o.n
	h.sum += o.sum
}

// mean is exact; it is 0 for an empty histogram.
func (h *histogram) mean() time.Duration {
	if h.n == 0 {
		return 0
	}
	return h.sum / time.Duration(h.n)
}

// quantile returns the duration that the share q (0 to 1) of all recorded ones
// did not exceed, rounded down to the start of its bucket; 0 if none was recorded.
func (h *histogram) quantile(q float64) time.Duration {
	if h.n == 0 {
		return 0
	}
	rank := max(int64(q*float64(h.n)+0.5), 1)
	var seen int64
	for i, c := range &h.counts {
		seen += c
		if seen >= rank {
			return bucketStart(i)
		}
	}
	return bucketStart(buckets - 1)
}

// bucket numbers the buckets so that their order is that of the durations:
// below 1<<subBits one per nanosecond, then 1<<subBits per power of two.
func bucket(d time.Duration) int {
	v := uint64(d)
	if v >= 1<<maxBits {
		return buckets - 1
	}
	shift := max(bits.Len64(v)-subBits-1, 0)
	return shift<<subBits + int(v>>shift)
}

// bucketStart is the smallest duration of a bucket.
func bucketStart(i int) time.Duration {
	if i < 1<<(subBits+1) {
		return time.Duration(i)
	}
	shift := i>>subBits - 1
	return time.Duration(i-shift<<subBits) << shift
}
