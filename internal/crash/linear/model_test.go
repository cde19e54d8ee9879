package linear

import (
	"fmt"
	"math"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"
	"github.com/stretchr/testify/require"
)

type kind int

const (
	read kind = iota
	set
	add
)

// input is a statement on one row, which holds a number.
type input struct {
	kind kind
	key  int
	n    int64
}

// output is what a read returned. That of a write says nothing.
type output int64

// never is the end of an operation whose outcome is open: it may take effect at
// any time after its beginning, and at the very end is as good as not at all.
const never = math.MaxInt64

// model is a row for itself: linearizability is a matter of each row (Herlihy and
// Wing, locality).
var model = porcupine.Model{
	Partition: func(history []porcupine.Operation) [][]porcupine.Operation {
		byKey := make(map[int][]porcupine.Operation)
		for _, op := range history {
			key := op.Input.(input).key
			byKey[key] = append(byKey[key], op)
		}
		var parts [][]porcupine.Operation
		for _, part := range byKey {
			parts = append(parts, part)
		}
		return parts
	},
	Init: func() any { return int64(0) },
	Step: func(state, in, out any) (bool, any) {
		s, i := state.(int64), in.(input)
		switch i.kind {
		case read:
			return s == int64(out.(output)), s
		case set:
			return true, i.n
		}
		return true, s + i.n
	},
	DescribeOperation: func(in, out any) string {
		i := in.(input)
		switch i.kind {
		case read:
			return fmt.Sprintf("row %d: read %d", i.key, out)
		case set:
			return fmt.Sprintf("row %d = %d", i.key, i.n)
		}
		return fmt.Sprintf("row %d += %d", i.key, i.n)
	},
}

// checkHistory fails the test if no order explains the history, and says where to
// look at it.
func checkHistory(t *testing.T, history []porcupine.Operation) {
	t.Helper()
	// An operation whose end is not known cannot be drawn; it ends after all others.
	last := slices.MaxFunc(history, func(a, b porcupine.Operation) int { return int(a.Call - b.Call) }).Call
	for _, op := range history {
		if op.Return != never {
			last = max(last, op.Return)
		}
	}
	for i := range history {
		if history[i].Return == never {
			history[i].Return = last + 1
		}
	}
	result, info := porcupine.CheckOperationsVerbose(model, history, time.Minute)
	if result == porcupine.Ok {
		return
	}
	file, err := os.CreateTemp("", "history-*.html") //nolint:usetesting // it is to outlive the test
	require.NoError(t, err)
	require.NoError(t, porcupine.Visualize(model, info, file))
	require.NoError(t, file.Close())
	require.Equal(t, porcupine.Ok, result, "see %s", file.Name())
}

// verdict is what becomes of a history that a test makes up.
func verdict(history ...porcupine.Operation) porcupine.CheckResult {
	return porcupine.CheckOperationsTimeout(model, history, time.Minute)
}

func operation(begin, end int64, k kind, n int64) porcupine.Operation {
	if k == read {
		return porcupine.Operation{Input: input{kind: read}, Call: begin, Return: end, Output: output(n)}
	}
	return porcupine.Operation{Input: input{kind: k, n: n}, Call: begin, Return: end, Output: output(0)}
}

func TestModelSeesWhatIsWrong(t *testing.T) {
	for name, c := range map[string]struct {
		want    porcupine.CheckResult
		history []porcupine.Operation
	}{
		"one after the other": {porcupine.Ok, []porcupine.Operation{
			operation(1, 2, set, 5), operation(3, 4, add, 2), operation(5, 6, read, 7),
		}},
		"concurrent, in either order": {porcupine.Ok, []porcupine.Operation{
			operation(1, 9, set, 5), operation(2, 3, read, 0), operation(4, 5, read, 5),
		}},
		"a stale read": {porcupine.Illegal, []porcupine.Operation{
			operation(1, 2, set, 5), operation(3, 4, read, 0),
		}},
		"a read that goes back": {porcupine.Illegal, []porcupine.Operation{
			operation(1, 9, set, 5), operation(2, 3, read, 5), operation(4, 5, read, 0),
		}},
		"a lost increment": {porcupine.Illegal, []porcupine.Operation{
			operation(1, 4, add, 1), operation(2, 3, add, 1), operation(5, 6, read, 1),
		}},
		"an increment counted twice": {porcupine.Illegal, []porcupine.Operation{
			operation(1, 2, add, 1), operation(3, 4, read, 2),
		}},
		"an open increment that happened": {porcupine.Ok, []porcupine.Operation{
			operation(1, never, add, 1), operation(3, 4, read, 1),
		}},
		"an open increment that did not": {porcupine.Ok, []porcupine.Operation{
			operation(1, never, add, 1), operation(3, 4, read, 0),
		}},
		"an open increment that is taken back": {porcupine.Illegal, []porcupine.Operation{
			operation(1, never, add, 1), operation(3, 4, read, 1), operation(5, 6, read, 0),
		}},
	} {
		t.Run(name, func(t *testing.T) { require.Equal(t, c.want, verdict(c.history...)) })
	}
}
