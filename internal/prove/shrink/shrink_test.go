package shrink

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/writebehind/writebehind/internal/prove/history"
)

func TestMinimizeFindsTheElementsThatMatter(t *testing.T) {
	list := make([]int, 500)
	for i := range list {
		list[i] = i
	}
	runs := 0
	got := minimize(list, func(l []int) bool {
		runs++
		return slices.Contains(l, 3) && slices.Contains(l, 250) && slices.Contains(l, 499)
	})
	require.Equal(t, []int{3, 250, 499}, got)
	require.Less(t, runs, 150, "halving should save most runs")
}

func TestMinimizeCanLeaveNothing(t *testing.T) {
	require.Empty(t, minimize([]int{1, 2, 3}, func([]int) bool { return true }))
}

func TestMinimizeKeepsWhatFailsOnlyTogether(t *testing.T) {
	list := []int{1, 2, 3, 4, 5}
	require.Equal(t, list, minimize(list, func(l []int) bool { return len(l) == 5 }))
}

func TestHistoryIsCutDownInAllItsParts(t *testing.T) {
	h := history.History{
		Settings: history.Settings{Binary: true, MaxDelay: time.Second, BatchRows: 3, Conn: true},
		Schema:   []string{"CREATE TABLE a (\n  id int8,\n  x text,\n  PRIMARY KEY (id)\n)", "CREATE TABLE b ()"},
	}
	for i := range 60 {
		h.Statements = append(h.Statements, history.Statement{
			SQL: strings.Repeat("x", i), Args: []any{int64(i), "a long text", []byte("bytes")}, Prepared: history.Kept,
		})
	}
	original := len(h.Statements)
	small := History(h, func(c history.History) bool {
		// Needs batch_rows, table a with column x, and two statements, the
		// second with a certain first argument.
		long := slices.IndexFunc(c.Statements, func(s history.Statement) bool { return len(s.SQL) == 40 })
		return c.Settings.BatchRows == 3 &&
			slices.ContainsFunc(c.Schema, func(s string) bool { return strings.Contains(s, "x text") }) &&
			long > 0 && c.Statements[long].Args[0] == int64(40)
	})
	require.Equal(t, history.Settings{BatchRows: 3}, small.Settings)
	require.Equal(t, []string{"  x text,"}, small.Schema)
	require.Len(t, small.Statements, 2)
	require.Equal(t, []any{int64(40), nil, nil}, small.Statements[1].Args)
	require.Equal(t, history.Direct, small.Statements[1].Prepared)
	require.Len(t, h.Statements, original, "the history given is not changed")
	require.Equal(t, "a long text", h.Statements[40].Args[1])
}

func TestConnectionsAreCutDown(t *testing.T) {
	var h history.History
	for i := range 20 {
		h.Statements = append(h.Statements, history.Statement{SQL: strings.Repeat("x", i), Conn: i % 4})
	}
	at := func(c history.History, length int) int {
		i := slices.IndexFunc(c.Statements, func(s history.Statement) bool { return len(s.SQL) == length })
		if i < 0 {
			return -1
		}
		return c.Statements[i].Conn
	}
	// Two statements must be on different connections, whichever those are.
	small := History(h, func(c history.History) bool {
		a, b := at(c, 7), at(c, 10)
		return a >= 0 && b >= 0 && a != b
	})
	require.Len(t, small.Statements, 2)
	require.Equal(t, 2, small.Connections())
	require.Equal(t, 3, h.Statements[7].Conn, "the history given is not changed")
}

func TestShrinkingStopsWhenToldTo(t *testing.T) {
	h := history.History{Statements: make([]history.Statement, 50)}
	calls := 0
	small := History(h, func(history.History) bool { calls++; return false })
	require.Len(t, small.Statements, 50)
	require.Less(t, calls, 200)
}
