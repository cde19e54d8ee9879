package main

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/writebehind/writebehind/examples/storefront/shop"
)

func TestNumbersAreShort(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0:                        "0 ns",
		999:                      "999 ns",
		1500:                     "1.50 µs",
		12345:                    "12.3 µs",
		123456:                   "123 µs",
		9999 * time.Nanosecond:   "10.0 µs",
		2345 * time.Microsecond:  "2.35 ms",
		90 * time.Second:         "90.0 s",
		1001 * time.Millisecond:  "1.00 s",
		99960 * time.Microsecond: "100 ms",
	} {
		require.Equal(t, want, short(d))
	}
	for n, want := range map[int64]string{0: "0", 999: "999", 1000: "1,000", 1234567: "1,234,567", -1000: "-1,000"} {
		require.Equal(t, want, grouped(n))
	}
	require.Equal(t, "1.5 x", times(3, 2))
	require.Equal(t, "0.5 x", times(1, 2))
	require.Equal(t, "1,000 x", times(2000, 2))
	require.Equal(t, "-", times(1, 0))
}

func TestReportPutsTheRatioOfMeanLatenciesBesideEachKind(t *testing.T) {
	a := &result{name: "one", elapsed: time.Second, commits: 10}
	b := &result{name: "other", elapsed: time.Second, drain: time.Second}
	a.latency[shop.ViewProduct].Record(100 * time.Microsecond)
	b.latency[shop.ViewProduct].Record(20 * time.Microsecond)
	b.latency[shop.ViewProduct].Record(30 * time.Microsecond)
	b.latency[shop.CheckOut].Record(time.Second)
	b.madeReal = 7
	text := report(a, b, b)
	require.Regexp(t, `(?m)^view product +1 .* 4 x$`, text)
	require.Regexp(t, `(?m)^operations per second +1 +3 +3 x +3 +3 x$`, text)
	require.Regexp(t, `(?m)^the same, drain included +1 +1 +1.5 x +1 +1.5 x$`, text)
	require.Regexp(t, `(?m)^place order +0 .* -$`, text)
	require.Regexp(t, `(?m)^transactions +0 +1 +1$`, text)
	require.Regexp(t, `(?m)^of these begun in memory and made real +7 +7$`, text)
}

func TestTableIsAligned(t *testing.T) {
	require.Equal(t, "a    µs  x\nbcd   1\n", align([][]string{{"a", "µs", "x"}, {"bcd", "1", ""}}))
}
