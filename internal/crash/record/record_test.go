package record

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestLineComesBack(t *testing.T) {
	for _, l := range []Line{
		{Verb: Ready},
		{Verb: Mark, Mark: 7},
		{Verb: Wrong, Text: "a text of words"},
		{Verb: Torn, Text: "a text of words"},
		{Verb: Acked, Op: Op{Worker: 3, Seq: 17}},
		{Verb: Unknown, Op: Op{Worker: 3, Seq: 17}, Text: "connection reset"},
		{Verb: Refused, Op: Op{Worker: 3, Seq: 17}, Text: "no"},
		{Verb: Intent, Op: Op{Worker: 3, Seq: 17, Kind: "pair", Effects: []Effect{
			{Key: Key{Accounts, RowID(3, 5, 1)}, To: State{Present: true, N: 4, Stamp: Stamp{3, 17}}},
			{Key: Key{Orders, RowID(3, 6, 0)}, To: State{Present: true, Ref: RowID(3, 5, 1), Stamp: Stamp{3, 17}}},
			{Key: Key{Events, RowID(3, 7, 2)}},
			{Key: Key{Hot, 2}, Add: 1},
			{Key: Key{Twin, 2}, Add: 1},
		}}},
	} {
		text := string(l.Append(nil))
		require.True(t, strings.HasSuffix(text, "\n"))
		back, err := Parse(strings.TrimSuffix(text, "\n"))
		require.NoError(t, err)
		require.Equal(t, l, back)
	}
}

func TestLineIsNeverTorn(t *testing.T) {
	text := Line{Verb: Wrong, Text: strings.Repeat("word\n", 1000)}.Append(nil)
	require.LessOrEqual(t, len(text), 512)
	require.Equal(t, 1, strings.Count(string(text), "\n"))
}

func TestBadLine(t *testing.T) {
	for _, text := range []string{"", "?", "i", "a 1", "a x 1", "i 1 1 insert", "i 1 1 insert e5", "i 1 1 insert e5:1/2", "m x"} {
		_, err := Parse(text)
		require.Error(t, err, "%q", text)
	}
}

func TestRowHasItsOwner(t *testing.T) {
	require.Equal(t, 0, Key{Events, RowID(0, 1, 0)}.Owner())
	require.Equal(t, 7, Key{Events, RowID(7, 1<<30, 3)}.Owner())
}

func TestColumnsComeBack(t *testing.T) {
	s := Stamp{5, 12345}
	back, ok := ParseStamp(s.Text())
	require.True(t, ok)
	require.Equal(t, s, back)
	_, ok = ParseStamp(s.Text() + "x")
	require.False(t, ok, "a text that is longer")
	id, err := ParseUUID(UUID(RowID(5, 12345, 2)))
	require.NoError(t, err)
	require.Equal(t, RowID(5, 12345, 2), id)
}
