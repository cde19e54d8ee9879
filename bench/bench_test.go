package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// TestMain is also the child process of the recovery.
func TestMain(m *testing.M) {
	if childWanted() {
		os.Exit(runChild())
	}
	os.Exit(m.Run())
}

// tiny is the whole benchmark on few rows and for a moment.
func tiny() settings {
	s := thorough
	s.durable, s.rounds, s.slice, s.mix, s.sustained = false, 1, 4*time.Millisecond, 10*time.Millisecond, 20*time.Millisecond
	s.hotRows, s.ycsbRows, s.largeRows, s.texts, s.tables = 200, 200, 2000, 100, 10
	return s
}

// All that the ratios are made of runs, and every ratio is reported.
func TestBenchRuns(t *testing.T) {
	s := tiny()
	s.quick, s.results = true, t.TempDir()
	var out bytes.Buffer
	require.NoError(t, run(t.Context(), s, &out, io.Discard))
	text, err := os.ReadFile(filepath.Join(s.results, "RESULTS.md"))
	require.NoError(t, err)
	names := []string{passthrough.name}
	for _, x := range ratios() {
		names = append(names, x.name)
	}
	for _, name := range names {
		require.Regexp(t, `(?m)^ratio `+name+` -?[0-9.]+$`, out.String())
		require.Contains(t, string(text), "| "+name+" |")
	}
	plot, err := os.ReadFile(filepath.Join(s.results, "plots", "throughput.svg"))
	require.NoError(t, err)
	require.Contains(t, string(plot), "</svg>")
}

func TestOnlySelectsCases(t *testing.T) {
	s, err := parseFlags([]string{"-quick", "-rounds", "5", "-scale", "0.5", "-only", "^read/(noop|pq)/1$"}, io.Discard)
	require.NoError(t, err)
	require.Equal(t, 5, s.rounds)
	require.Equal(t, quick.slice/2, s.slice)
	var names []string
	for _, su := range suites(s) {
		for _, c := range selectCases(su, s) {
			names = append(names, c.name())
		}
	}
	require.Equal(t, []string{"read/noop/1", "read/pq/1"}, names)

	for _, args := range [][]string{{"-rounds", "-1"}, {"-scale", "0"}, {"-only", "("}, {"extra"}, {"-unknown"}} {
		_, err := parseFlags(args, io.Discard)
		require.Error(t, err, "%v", args)
	}
}

// Ratios are of cases that exist, names are used once, and a subject is the same
// throughout a suite.
func TestNamesAreUnique(t *testing.T) {
	all := map[string]bool{}
	for _, su := range suites(thorough) {
		promises := map[string]string{}
		for _, c := range selectCases(su, thorough) {
			require.False(t, all[c.name()], c.name())
			all[c.name()] = true
			if p, ok := promises[c.subject.Name]; ok {
				require.Equal(t, p, c.subject.Promise, "%s: %s", su.name, c.subject.Name)
			}
			promises[c.subject.Name] = c.subject.Promise
		}
	}
	delete(all, "")
	for name := range neededByRatios() {
		require.True(t, name == "" || all[name], name)
	}
}

func TestLoopCountsCallsAndStopsAtAnError(t *testing.T) {
	for name, run := range map[string]func(context.Context, int, time.Duration, call) (sample, error){"loop": loop, "timed": timedLoop} {
		t.Run(name, func(t *testing.T) {
			s, err := run(t.Context(), 4, time.Hour, func(_ context.Context, _ int, i int64) error {
				if i == 100 {
					return errDone
				}
				return nil
			})
			require.NoError(t, err)
			require.EqualValues(t, 400, s.n)
			require.Equal(t, []int64{100, 100, 100, 100}, s.calls)

			broken := errors.New("broken")
			_, err = run(t.Context(), 4, time.Hour, func(_ context.Context, w int, i int64) error {
				if w == 3 && i == 10 {
					return broken
				}
				return nil
			})
			require.ErrorIs(t, err, broken)

			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			_, err = run(ctx, 1, time.Hour, func(context.Context, int, int64) error { return nil })
			require.ErrorIs(t, err, context.Canceled)

			s, err = run(t.Context(), 2, time.Millisecond, func(context.Context, int, int64) error { return nil })
			require.NoError(t, err)
			require.Positive(t, s.n)
			require.Positive(t, s.latency.Count())
		})
	}
}

// What a slow call holds up counts from when it was due, all else from its start.
func TestOpenLoopCountsWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // where the clock moves only while all sleep
		s, err := openLoop(t.Context(), 1000, 300*time.Millisecond, func(_ context.Context, _ int, i int64) error {
			if i == 10 {
				time.Sleep(100 * time.Millisecond)
			}
			return nil
		})
		require.NoError(t, err)
		require.EqualValues(t, 300, s.n)
		require.Equal(t, 300*time.Millisecond-time.Millisecond, s.elapsed)
		require.Zero(t, s.latency.Quantile(200.0/300), "all but the slow one and the 99 due before it ended")
		require.Positive(t, s.latency.Quantile(201.0/300))
		require.InEpsilon(t, 100*time.Millisecond, s.latency.Quantile(1), 0.02)
		require.InEpsilon(t, 50*time.Millisecond, s.latency.Quantile(1-50.0/300), 0.05)
	})
}

func TestSpreadAndOwnVisitEveryRow(t *testing.T) {
	for _, rows := range []int{200, 2000, quick.hotRows, quick.largeRows} {
		seen, owned := map[int64]bool{}, map[int64]bool{}
		for i := range rows {
			seen[spread(0, int64(i), rows)] = true
			owned[own(i%4, 4, int64(i/4), rows)] = true
		}
		for _, keys := range []map[int64]bool{seen, owned} {
			require.Len(t, keys, rows)
			require.True(t, keys[1] && keys[int64(rows)])
		}
	}
}

func TestZipfIsSkewed(t *testing.T) {
	const rows, draws = 20_000, 100_000
	next := zipfs(1, rows)[0]
	counts := map[int64]int{}
	for range draws {
		key := next()
		require.True(t, key >= 1 && key <= rows)
		counts[key]++
	}
	hottest := 0
	for _, n := range counts {
		hottest = max(hottest, n)
	}
	require.Greater(t, hottest, draws/20)
	require.Greater(t, len(counts), rows/4)
}

func TestDelayIsARoundTrip(t *testing.T) {
	echo, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer echo.Close()
	go func() {
		c, err := echo.Accept()
		if err == nil {
			_, _ = io.Copy(c, c)
			c.Close()
		}
	}()
	const roundTrip = 20 * time.Millisecond
	d, err := newDelay(echo.Addr().String(), roundTrip)
	require.NoError(t, err)
	defer func() { require.NoError(t, d.Close()) }()
	c, err := net.Dial("tcp", d.listener.Addr().String())
	require.NoError(t, err)
	defer c.Close()
	start := time.Now()
	_, err = c.Write([]byte("hello"))
	require.NoError(t, err)
	b := make([]byte, 5)
	_, err = io.ReadFull(c, b)
	require.NoError(t, err)
	require.Equal(t, "hello", string(b))
	require.GreaterOrEqual(t, time.Since(start), roundTrip)
}

func TestMedianAndRatios(t *testing.T) {
	require.Equal(t, spreadOf{1, 2, 9}, newSpread([]float64{9, 1, 2}))
	require.Equal(t, spreadOf{1, 3, 9}, newSpread([]float64{9, 1, 2, 4}))

	of := func(ns ...int64) (s []sample) {
		for _, n := range ns {
			s = append(s, sample{n: 1, elapsed: time.Duration(n)})
		}
		return s
	}
	r := results{"a": of(10, 40, 90), "b": of(5, 10, 90)}
	v, ok := ratio{a: "a", b: "b", compute: slower}.measured(r)
	require.True(t, ok)
	require.InDelta(t, 2, v.median, 0)
	_, ok = ratio{a: "a", b: "absent", compute: slower}.measured(r)
	require.False(t, ok)

	r = results{}
	for i, p := range passed {
		r[p[0]], r[p[1]] = of(70, int64(30+i), 40), of(10, 60, 20)
	}
	all := r.outcomes()
	require.Len(t, all, 1)
	require.Equal(t, "ratio passthrough_ns 21.00\n", ratioLines(all))
	require.Equal(t, "met", all[0].met())

	for _, x := range []struct {
		atMost bool
		value  float64
		want   string
	}{{true, 2, "met"}, {true, 3, "met"}, {true, 4, "not met"}, {false, 2, "not met"}, {false, 3, "met"}, {false, 4, "met"}} {
		require.Equal(t, x.want, outcome{ratio: ratio{target: 3, atMost: x.atMost}, value: spreadOf{median: x.value}}.met(), "%+v", x)
	}
	require.Equal(t, "-", outcome{ratio: ratio{target: untargeted}}.met())

	late := results{"a": of(10, 10, 10), "b": of(5, 5, 5)}
	late["a"][1].lag = 1200 * time.Millisecond
	require.Equal(t, 1200*time.Millisecond, longestLag(late["a"]))
	require.Equal(t, "lag of 1.2s", outcome{ratio{target: 3}, spreadOf{median: 4}, longestLag(late["a"])}.met())
}

func TestNumbersKeepThreeDigits(t *testing.T) {
	for ns, want := range map[float64]string{540: "0.540", 5404: "5.40", 9999: "10.0", 12346: "12.3", 123456: "123", 99990: "100"} {
		require.Equal(t, want, micro(ns))
	}
	for v, want := range map[float64]string{1.5: "1.5", 2: "2", 0.126: "0.13", 150: "150", 1200000: "1,200,000", 99.996: "100"} {
		require.Equal(t, want, number(v))
	}
	require.Equal(t, "1200000", plainNumber(1_200_000))
}

// What a measurement leaves is compared with what it acknowledged.
func TestCheckFindsALostWrite(t *testing.T) {
	server, err := startServer(t.Context(), false)
	require.NoError(t, err)
	defer func() { require.NoError(t, server.Close()) }()
	s := tiny()
	s.only = regexp.MustCompile(`^update/pq/1$`)
	su := statements(s)
	cases := selectCases(su, s)
	require.Len(t, cases, 1)
	e, err := newEnvironment(t.Context(), server, measured{su, cases})
	require.NoError(t, err)
	defer func() { require.NoError(t, e.close()) }()
	session := e.sessions["pq"]
	_, err = measureOnce(t.Context(), cases[0], session)
	require.NoError(t, err)
	_, err = session.plain.Exec(`UPDATE hot SET price = price - 1 WHERE id = 7`)
	require.NoError(t, err)
	require.ErrorContains(t, cases[0].operation.Check(t.Context(), session), "not what was acknowledged")
}
