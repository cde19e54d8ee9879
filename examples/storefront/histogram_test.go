package main

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestBucketsAreOrderedAndCoverTheRange(t *testing.T) {
	for i := range buckets {
		require.Equal(t, i, bucket(bucketStart(i)), "bucket %d", i)
		if i > 0 {
			require.Greater(t, bucketStart(i), bucketStart(i-1))
			require.Equal(t, i-1, bucket(bucketStart(i)-1), "last duration of bucket %d", i-1)
		}
	}
	require.Equal(t, buckets-1, bucket(1<<maxBits))
	require.Equal(t, buckets-1, bucket(time.Duration(1<<62)))
}

func TestQuantilesAreWithinOneBucketOfTheExactOnes(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	var all []time.Duration
	parts := make([]histogram, 3)
	var sum time.Duration
	for i := range 30_000 {
		d := time.Duration(r.ExpFloat64() * float64(200*time.Microsecond))
		all = append(all, d)
		sum += d
		parts[i%len(parts)].record(d)
	}
	slices.Sort(all)

	var h histogram
	for i := range parts {
		h.merge(&parts[i])
	}
	for _, q := range []float64{0.01, 0.5, 0.9, 0.99, 0.999, 1} {
		exact := all[int(q*float64(len(all))+0.5)-1]
		got := h.quantile(q)
		require.LessOrEqual(t, got, exact, "q=%v", q)
		require.InEpsilon(t, float64(exact), float64(got), 1.0/64, "q=%v", q)
	}
	require.Equal(t, sum/time.Duration(len(all)), h.mean())
	require.EqualValues(t, len(all), h.n)
}

func TestQuantilesOfFewValues(t *testing.T) {
	var h histogram
	require.Zero(t, h.quantile(0.5))
	require.Zero(t, h.mean())

	h.record(-time.Second) // a clock that went back counts as no time
	require.Zero(t, h.quantile(0.99))
	h.record(100)
	h.record(101)
	require.EqualValues(t, 100, h.quantile(0.5))
	require.EqualValues(t, 101, h.quantile(1))
}
