package histogram

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
	parts := make([]Histogram, 3)
	var sum time.Duration
	for i := range 30_000 {
		d := time.Duration(r.ExpFloat64() * float64(200*time.Microsecond))
		all = append(all, d)
		sum += d
		parts[i%len(parts)].Record(d)
	}
	slices.Sort(all)

	var h Histogram
	for i := range parts {
		h.Merge(&parts[i])
	}
	for _, q := range []float64{0.01, 0.5, 0.9, 0.99, 0.999, 1} {
		exact := all[int(q*float64(len(all))+0.5)-1]
		got := h.Quantile(q)
		require.LessOrEqual(t, got, exact, "q=%v", q)
		require.InEpsilon(t, float64(exact), float64(got), 1.0/64, "q=%v", q)
	}
	require.Equal(t, sum/time.Duration(len(all)), h.Mean())
	require.EqualValues(t, len(all), h.Count())
}

func TestQuantilesOfFewValues(t *testing.T) {
	var h Histogram
	require.Zero(t, h.Quantile(0.5))
	require.Zero(t, h.Mean())

	h.Record(-time.Second) // a clock that went back counts as no time
	require.Zero(t, h.Quantile(0.99))
	h.Record(100)
	h.Record(101)
	require.EqualValues(t, 100, h.Quantile(0.5))
	require.EqualValues(t, 101, h.Quantile(1))
}

func TestMergedTwiceQuantilesAreTheSame(t *testing.T) {
	var h, twice Histogram
	require.Zero(t, h.Quantile(0.5))
	for n := range 10_000 {
		h.Record(time.Duration(n+1) * time.Microsecond)
	}
	twice.Merge(&h)
	twice.Merge(&h)
	require.EqualValues(t, 20_000, twice.Count())
	for _, h := range []Histogram{h, twice} {
		for q, want := range map[float64]time.Duration{0.001: 10 * time.Microsecond, 0.5: 5 * time.Millisecond, 0.99: 9900 * time.Microsecond} {
			require.InEpsilon(t, want, h.Quantile(q), 0.12)
		}
		require.InEpsilon(t, 10*time.Millisecond, h.Quantile(1), 0.02)
	}
	for _, d := range []time.Duration{0, 1, 63, 64, 127, 128, 1000, time.Second, time.Hour} {
		var one Histogram
		one.Record(d)
		require.InDelta(t, d, one.Quantile(1), float64(d)/64)
	}
}
