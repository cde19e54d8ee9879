// Package histogram counts durations for quantiles.
package histogram

import (
	"math/bits"
	"time"
)

const (
	// Each power of two is split into 1<<subBits buckets, so that a quantile is
	// off by less than 1/64 of its value.
	subBits = 6
	// Durations from 1<<maxBits ns (about 73 minutes) on share the last bucket.
	maxBits = 42
	buckets = (maxBits-subBits+1)<<subBits + 1
)

// Histogram counts durations in buckets whose width grows with the duration,
// in the manner of HdrHistogram. The zero value is empty; a copy shares what it
// counts. It is not safe for concurrent use: each goroutine has its own, and they
// are merged afterwards.
type Histogram struct {
	counts []int64 // nil until something is recorded
	n      int64
	sum    time.Duration
}

// Record counts a duration; a negative one is none.
func (h *Histogram) Record(d time.Duration) {
	d = max(d, 0)
	h.make()
	h.counts[bucket(d)]++
	h.n++
	h.sum += d
}

// Merge adds what another histogram has counted.
func (h *Histogram) Merge(o *Histogram) {
	if o.n == 0 {
		return
	}
	h.make()
	for i, c := range o.counts {
		h.counts[i] += c
	}
	h.n += o.n
	h.sum += o.sum
}

func (h *Histogram) make() {
	if h.counts == nil {
		h.counts = make([]int64, buckets)
	}
}

// Count is the number of recorded durations.
func (h *Histogram) Count() int64 { return h.n }

// Mean is exact; it is 0 for an empty histogram.
func (h *Histogram) Mean() time.Duration {
	if h.n == 0 {
		return 0
	}
	return h.sum / time.Duration(h.n)
}

// Quantile returns the duration that the share q (0 to 1) of all recorded ones
// did not exceed, rounded down to the start of its bucket; 0 if none was recorded.
func (h *Histogram) Quantile(q float64) time.Duration {
	if h.n == 0 {
		return 0
	}
	rank := max(int64(q*float64(h.n)+0.5), 1)
	var seen int64
	for i, c := range h.counts {
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
