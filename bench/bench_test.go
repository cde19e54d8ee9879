package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// The whole benchmark runs, on few rows and for a moment, and reports every
// ratio it promises.
func TestBenchRuns(t *testing.T) {
	s := settings{rounds: 2, slice: 2 * time.Millisecond, sustained: 20 * time.Millisecond, hotRows: 100, largeRows: 300}
	var out, progress bytes.Buffer
	require.NoError(t, run(t.Context(), s, &out, &progress))
	for _, name := range []string{"read_vs_noop", "update_none_vs_noop", "read_vs_pq", "sustained_vs_pq",
		"sustained_vs_pgx_async", "passthrough_ns", "passthrough_no_tables_ns"} {
		require.Regexp(t, `(?m)^ratio `+name+` -?[0-9.]+$`, out.String())
	}
	require.Equal(t, 2, strings.Count(progress.String(), "\n"))
}

func TestRunSelectsCases(t *testing.T) {
	s, err := parseFlags([]string{"-quick", "-rounds", "3", "-run", "^read/(noop|pq)/1$"}, io.Discard)
	require.NoError(t, err)
	require.Equal(t, 3, s.rounds)
	require.Equal(t, quick.slice, s.slice)
	var names []string
	for _, c := range selectCases(operations(s), subjects(), s.run) {
		names = append(names, c.name())
	}
	require.Equal(t, []string{"read/noop/1", "read/pq/1"}, names)

	for _, args := range [][]string{{"-rounds", "-1"}, {"-run", "("}, {"extra"}, {"-unknown"}} {
		_, err := parseFlags(args, io.Discard)
		require.Error(t, err, "%v", args)
	}
}

func TestOperationsNameSubjectsThatExist(t *testing.T) {
	known := map[string]bool{}
	for _, s := range subjects() {
		require.False(t, known[s.Name()], s.Name())
		known[s.Name()] = true
	}
	cases := map[string]bool{}
	for _, c := range selectCases(operations(quick), subjects(), nil) {
		cases[c.name()] = true
	}
	for _, o := range operations(quick) {
		for _, name := range o.Subjects() {
			require.True(t, known[name], "%s: %s", o.Name(), name)
		}
	}
	for _, x := range ratios() {
		require.True(t, cases[x.a], "%s: %s", x.name, x.a)
		require.True(t, cases[x.b], "%s: %s", x.name, x.b)
	}
}

func TestLoopCountsCallsAndStopsAtAnError(t *testing.T) {
	s, err := loop(t.Context(), 4, time.Hour, func(_ context.Context, _ int, i int64) error {
		if i == 100 {
			return errDone
		}
		return nil
	})
	require.NoError(t, err)
	require.EqualValues(t, 400, s.n)

	broken := errors.New("broken")
	_, err = loop(t.Context(), 4, time.Hour, func(_ context.Context, w int, i int64) error {
		if w == 3 && i == 10 {
			return broken
		}
		return nil
	})
	require.ErrorIs(t, err, broken)

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = loop(ctx, 1, time.Hour, func(context.Context, int, int64) error { return nil })
	require.ErrorIs(t, err, context.Canceled)

	s, err = loop(t.Context(), 2, time.Millisecond, func(context.Context, int, int64) error { return nil })
	require.NoError(t, err)
	require.Positive(t, s.n)
	require.GreaterOrEqual(t, s.elapsed, time.Millisecond)
}

func TestSpreadVisitsEveryRow(t *testing.T) {
	for _, rows := range []int{100, 300, quick.hotRows, quick.largeRows, thorough.largeRows} {
		seen := map[int64]bool{}
		for i := range rows {
			seen[spread(0, int64(i), rows)] = true
		}
		require.Len(t, seen, rows)
		require.True(t, seen[1] && seen[int64(rows)])
	}
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
	v, ok := ratio{a: "a", b: "b", compute: timeQuotient}.median(r)
	require.True(t, ok)
	require.InDelta(t, 2, v, 0)
	_, ok = ratio{a: "a", b: "absent", compute: timeQuotient}.median(r)
	require.False(t, ok)

	r = results{"read/shim/1": of(70, 30, 40), "read/inner/1": of(10, 60, 20)}
	v, ok = r.added("read", "shim", "inner")
	require.True(t, ok)
	require.InDelta(t, 20, v, 0)
	_, ok = r.added("read", "shim", "absent")
	require.False(t, ok)
}

func TestMicroKeepsThreeDigits(t *testing.T) {
	for ns, want := range map[float64]string{540: "0.540", 5404: "5.40", 9999: "10.0", 12346: "12.3", 123456: "123", 99990: "100"} {
		require.Equal(t, want, micro(ns))
	}
}
