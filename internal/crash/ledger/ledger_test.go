package ledger

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/writebehind/writebehind/internal/crash/record"
)

func intent(worker int, seq int64, effects ...record.Effect) record.Line {
	return record.Line{Verb: record.Intent, Op: record.Op{Worker: worker, Seq: seq, Kind: "test", Effects: effects}}
}

func answer(verb record.Verb, worker int, seq int64) record.Line {
	return record.Line{Verb: verb, Op: record.Op{Worker: worker, Seq: seq}}
}

func event(worker int, seq int64) record.Key {
	return record.Key{Table: record.Events, ID: record.RowID(worker, seq, 0)}
}

func set(k record.Key, seq int64) record.Effect {
	return record.Effect{Key: k, To: record.State{Present: true, Stamp: record.Stamp{Worker: k.Owner(), Seq: seq}}}
}

func apply(t *testing.T, l *Ledger, lines ...record.Line) {
	t.Helper()
	for _, line := range lines {
		require.NoError(t, l.Apply(line))
	}
}

func TestRowWithOpenChangeIsNotHandedOver(t *testing.T) {
	l := New(2, nil)
	a, b := event(0, 1), event(0, 2)
	apply(t, l,
		intent(0, 1, set(a, 1)), answer(record.Acked, 0, 1),
		intent(0, 2, set(b, 2)), answer(record.Acked, 0, 2),
		intent(0, 3, set(b, 3)))
	l.Interrupt()
	require.Equal(t, map[record.Key]record.State{a: set(a, 1).To}, l.Owned(0))
	require.Empty(t, l.Owned(1))
	require.EqualValues(t, 2, l.Acked)
	require.EqualValues(t, 1, l.Unknown)
	require.EqualValues(t, 4, l.Next(0))

	l.Rebase(map[record.Key]record.State{a: set(a, 1).To, b: set(b, 3).To})
	require.Len(t, l.Owned(0), 2, "what was open has been seen")
	require.EqualValues(t, 4, l.Next(0), "numbers go on")
}

func TestRefusedChangeIsNotTheState(t *testing.T) {
	l := New(1, nil)
	a := event(0, 1)
	apply(t, l,
		intent(0, 1, set(a, 1)), answer(record.Acked, 0, 1),
		intent(0, 2, set(a, 2)), answer(record.Refused, 0, 2))
	require.Equal(t, set(a, 1).To, l.Rows[a].Last())
}

// A laboratory that misunderstands its child must not go on.
func TestImpossibleLines(t *testing.T) {
	a := event(0, 1)
	begun := []record.Line{intent(0, 1, set(a, 1))}
	open := append(begun, answer(record.Unknown, 0, 1)) //nolint:gocritic // begun stays as it is
	for name, c := range map[string]struct {
		before []record.Line
		line   record.Line
	}{
		"answer without an intent":       {nil, answer(record.Acked, 0, 1)},
		"answer to another operation":    {begun, answer(record.Acked, 0, 2)},
		"second answer":                  {open, answer(record.Acked, 0, 1)},
		"intent before the answer":       {begun, intent(0, 2)},
		"number used again":              {open, intent(0, 1)},
		"no such worker":                 {nil, intent(7, 1)},
		"another worker's row":           {nil, intent(1, 1, set(a, 1))},
		"write to a row that is unknown": {open, intent(0, 2, set(a, 2))},
	} {
		t.Run(name, func(t *testing.T) {
			l := New(2, nil)
			apply(t, l, c.before...)
			require.Error(t, l.Apply(c.line))
		})
	}
}
