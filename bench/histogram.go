package main

import (
	"math/bits"
	"time"
)

// histogram counts durations, in buckets of a sixty-fourth of their power of two.
type histogram struct {
	counts []uint32
	total  uint64
}

const (
	subBits    = 6
	subBuckets = 1 << subBits
	maxBuckets = (64 - subBits) * subBuckets
)

func bucketOf(d time.Duration) int {
	n := uint64(max(d, 0))
	if n < subBuckets {
		return int(n)
	}
	shift := bits.Len64(n) - subBits - 1
	return shift*subBuckets + int(n>>shift)
}

// middleOf is the middle of a bucket.
func middleOf(bucket int) time.Duration {
	if bucket < 2*subBuckets {
		return time.Duration(bucket)
	}
	shift := bucket/subBuckets - 1
	return time.Duration(bucket-shift*subBuckets)<<shift + time.Duration(1)<<shift/2
}

func (h *histogram) record(d time.Duration) {
	if h.counts == nil {
		h.counts = make([]uint32, maxBuckets)
	}
	h.counts[bucketOf(d)]++
	h.total++
}

func (h *histogram) merge(o histogram) {
	if o.total == 0 {
		return
	}
	if h.counts == nil {
		h.counts = make([]uint32, maxBuckets)
	}
	for i, n := range o.counts {
		h.counts[i] += n
	}
	h.total += o.total
}

// quantile returns the duration that a share q of all does not exceed.
func (h *histogram) quantile(q float64) time.Duration {
	rank := uint64(q * float64(h.total))
	var seen uint64
	for i, n := range h.counts {
		if seen += uint64(n); seen > rank {
			return middleOf(i)
		}
	}
	return h.longest()
}

func (h *histogram) longest() time.Duration {
	for i := len(h.counts) - 1; i >= 0; i-- {
		if h.counts[i] > 0 {
			return middleOf(i)
		}
	}
	return 0
}
