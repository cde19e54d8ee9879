package compare

import (
	"strconv"
	"testing"
	"time"

	"github.com/lib/pq"
	"github.com/stretchr/testify/require"

	"github.com/writebehind/writebehind/internal/prove/history"
)

func TestNowMayDifferButStandsForOneMoment(t *testing.T) {
	p := NewPairs()
	first, second := time.Now().UTC(), time.Now().UTC().Add(time.Second)
	require.True(t, p.same(first, first.Add(time.Millisecond)))
	require.True(t, p.same(first, first.Add(time.Millisecond)), "seen again")
	require.True(t, p.same(second, second.Add(time.Millisecond)))
	require.False(t, p.same(second, first.Add(time.Millisecond)), "a stale value")
	require.False(t, p.same(first, first.Add(2*time.Millisecond)), "another value for the same moment")
	require.False(t, p.same(first.Add(time.Microsecond), first.Add(time.Hour)), "too far away")
	require.False(t, p.same(first.Add(time.Microsecond), second.In(time.FixedZone("", 0))), "another zone")
	old := time.Date(2001, 1, 1, 0, 0, 0, 0, time.UTC)
	require.False(t, p.same(old, old.Add(time.Microsecond)), "not the time of the run")
}

func TestOneTransactionMayHaveTwoMoments(t *testing.T) {
	p := NewPairs()
	p.Began(1)
	first := time.Now().UTC()
	second := first.Add(time.Microsecond)
	require.True(t, p.same(first, first))
	require.True(t, p.same(first, second), "after it was made real")
	require.False(t, p.same(second, second), "the moment of another statement")
	p.Ended(1)
	require.True(t, p.same(first, first.Add(2*time.Microsecond)))
	local := first.Add(5*time.Hour + 45*time.Minute)
	require.True(t, p.same(local, local))
	require.True(t, p.same(local, local.Add(time.Microsecond)), "without time zone")
	later := first.Add(time.Minute)
	require.False(t, p.same(first, later.Add(-30*time.Second)), "not in the transaction")
}

func TestSequencesMayHaveGaps(t *testing.T) {
	p := NewPairs()
	start := history.SequenceStart(2)
	require.True(t, p.same(start, start))
	require.True(t, p.same(start+1, start+100))
	require.True(t, p.same(start+1, start+100))
	require.False(t, p.same(start+2, start+100), "one value for two rows")
	require.False(t, p.same(start+1, start+101), "two values for one row")
	require.False(t, p.same(start+3, history.SequenceStart(3)), "another sequence")
	require.False(t, p.same(int64(1), int64(2)), "not from a sequence")
}

func TestRandomUUIDsArePaired(t *testing.T) {
	p := NewPairs()
	a, b := []byte("3750e430-bd8c-41d5-83c1-8140194220c2"), []byte("0c6d0e2e-92f0-45c0-8a80-835a67f368b4")
	require.True(t, p.same(a, b))
	require.False(t, p.same(b, b), "the subject's value stands for another one")
	require.False(t, p.same(a, []byte("00000000-0000-0000-0000-000000000001")))
	require.False(t, p.same(a, string(b)), "another Go type")
	ref, sub := p.Minted(history.Minted{From: history.UUIDs, N: 7})
	require.Equal(t, string(a), ref)
	require.Equal(t, string(b), sub)
}

func TestMintedKeyThatWasNeverSeenIsTheSameOnBothSides(t *testing.T) {
	for _, from := range []int{history.UUIDs, 0, 3} {
		ref, sub := NewPairs().Minted(history.Minted{From: from})
		require.Equal(t, ref, sub)
		require.NotNil(t, ref)
	}
}

func TestUnorderedRowsWithMintedValuesFindTheirPartners(t *testing.T) {
	p := NewPairs()
	start := history.SequenceStart(0)
	require.Nil(t, Rows(p,
		[][]any{{start, "b"}, {start + 1, "a"}},
		[][]any{{start + 50, "a"}, {start + 40, "b"}}, true))
	require.Nil(t, Rows(p,
		[][]any{{start, "z"}, {start + 1, "z"}},
		[][]any{{start + 50, "z"}, {start + 40, "z"}}, true), "known pairs are kept together")
	require.NotNil(t, Rows(p, [][]any{{start, "b"}}, [][]any{{start + 50, "b"}}, true))
}

func TestMintedValuesInErrorsAreMasked(t *testing.T) {
	now := time.Now().UTC().Format("2006-01-02 15:04:05.999999+00")
	require.Nil(t, Errors("",
		&pq.Error{Detail: "Failing row contains (1900000001, " + now + ", x)."},
		&pq.Error{Detail: "Failing row contains (1900000009, " + now[:19] + ", x)."}, false))
	require.NotNil(t, Errors("",
		&pq.Error{Detail: "Failing row contains (1900000001, 2001-02-03 04:05:06)."},
		&pq.Error{Detail: "Failing row contains (1900000001, 2001-02-03 04:05:07)."}, false))
}

func TestWhereAFailedTransactionRefusesIsNotCompared(t *testing.T) {
	refusal := func(message, routine string) error {
		return &pq.Error{Code: "25P02", Message: message, File: "postgres.c", Line: strconv.Itoa(len(routine)), Routine: routine}
	}
	require.Nil(t, Errors("", refusal("a", "exec_bind_message"), refusal("a", "exec_parse_message"), false))
	require.NotNil(t, Errors("", refusal("a", "exec_bind_message"), refusal("b", "exec_parse_message"), false))
	require.NotNil(t, Errors("", refusal("a", "exec_parse_message"), refusal("a", "exec_bind_message"), false))
	require.NotNil(t, Errors("", refusal("a", "exec_bind_message"), nil, false))
}
