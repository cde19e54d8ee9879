package check

import (
	"maps"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/writebehind/writebehind/internal/crash/ledger"
	"github.com/writebehind/writebehind/internal/crash/record"
)

// history is a history made up by a test: two workers, a counter that both
// increment, and what PostgreSQL holds after it.
type history struct {
	*testing.T
	ledger *ledger.Ledger
	seq    [2]int64
	held   Observed
}

var (
	hot  = record.Key{Table: record.Hot, ID: 1}
	pair = [2]record.Key{{Table: record.Hot, ID: 5}, {Table: record.Twin, ID: 5}}

	a = record.Key{Table: record.Accounts, ID: record.RowID(0, 1, 0)}
	b = record.Key{Table: record.Events, ID: record.RowID(0, 1, 1)}
	c = record.Key{Table: record.Orders, ID: record.RowID(0, 1, 2)}
	x = record.Key{Table: record.Events, ID: record.RowID(1, 1, 0)}
)

func begin(t *testing.T) *history {
	t.Helper()
	return &history{T: t, ledger: ledger.New(2, []record.Key{hot, pair[0], pair[1]}), held: Observed{
		hot: {Present: true}, pair[0]: {Present: true}, pair[1]: {Present: true},
	}}
}

func (h *history) line(verb record.Verb, op record.Op) {
	h.Helper()
	require.NoError(h, h.ledger.Apply(record.Line{Verb: verb, Op: op}))
}

func (h *history) start(worker int, effects ...record.Effect) record.Op {
	h.Helper()
	h.seq[worker]++
	op := record.Op{Worker: worker, Seq: h.seq[worker], Kind: "test", Effects: effects}
	h.line(record.Intent, op)
	return op
}

// done is an operation that is acknowledged and, if PostgreSQL is given, there.
func (h *history) done(worker int, effects ...record.Effect) {
	h.Helper()
	h.line(record.Acked, h.start(worker, effects...))
	h.happens(effects...)
}

// missing is an operation that is acknowledged and not in PostgreSQL.
func (h *history) missing(worker int, effects ...record.Effect) {
	h.Helper()
	h.line(record.Acked, h.start(worker, effects...))
}

// open is one whose outcome is not known.
func (h *history) open(worker int, effects ...record.Effect) {
	h.Helper()
	h.line(record.Unknown, h.start(worker, effects...))
}

func (h *history) happens(effects ...record.Effect) {
	for _, e := range effects {
		switch {
		case e.Key.Table.Counts():
			s := h.held[e.Key]
			s.N += e.Add
			h.held[e.Key] = s
		case e.To.Present:
			h.held[e.Key] = e.To
		default:
			delete(h.held, e.Key)
		}
	}
}

// set is the n-th state of a row, which also counts to n.
func set(k record.Key, n int64) record.Effect {
	return record.Effect{Key: k, To: record.State{Present: true, N: n, Stamp: record.Stamp{Worker: k.Owner(), Seq: n}}}
}

func gone(k record.Key) record.Effect { return record.Effect{Key: k} }

func inc() record.Effect { return record.Effect{Key: hot, Add: 1} }

// finds asserts what the two checks find; an empty list means nothing.
func (h *history) finds(complete, prefix []Kind) {
	h.Helper()
	before := maps.Clone(h.held)
	for name, c := range map[string]struct {
		report Report
		want   []Kind
	}{"complete": {Complete(h.ledger, h.held), complete}, "prefix": {Prefix(h.ledger, h.held), prefix}} {
		var got []Kind
		for _, f := range c.report.Findings {
			got = append(got, f.Kind)
			require.NotEmpty(h, f.History, f.Text)
		}
		require.Equal(h, c.want, got, "%s: %v", name, c.report.Findings)
	}
	require.Equal(h, before, h.held)
}

func TestHistoryThatArrivedIsFine(t *testing.T) {
	h := begin(t)
	h.done(0, set(a, 1))
	h.done(1, set(x, 1))
	h.done(0, set(b, 1), set(c, 1))
	h.done(0, inc())
	h.done(0, set(a, 2))
	h.done(1, inc())
	h.done(0, gone(b))
	h.done(0, set(b, 2))
	h.finds(nil, nil)
	require.Zero(t, Prefix(h.ledger, h.held).Gone)
}

func TestTailThatIsMissingIsLostAndAPrefix(t *testing.T) {
	h := begin(t)
	h.done(0, set(a, 1))
	h.done(0, set(b, 1))
	h.missing(0, set(a, 2))
	h.missing(0, inc())
	h.finds([]Kind{Lost, Lost}, nil)
	require.Equal(t, 2, Prefix(h.ledger, h.held).Gone)
}

func TestEmptyDatabaseIsAPrefix(t *testing.T) {
	h := begin(t)
	h.missing(0, set(a, 1))
	h.missing(0, gone(a))
	h.missing(1, set(x, 1))
	h.finds([]Kind{Lost}, nil) // a is absent, as it should be
	require.Equal(t, 1, Prefix(h.ledger, h.held).Gone, "whether a came and went cannot be told")
}

func TestLostDelete(t *testing.T) {
	h := begin(t)
	h.done(0, set(b, 1))
	h.missing(0, gone(b))
	h.done(0, set(a, 1))
	h.finds([]Kind{Lost}, []Kind{Reordered})
}

func TestLostInTheMiddle(t *testing.T) {
	h := begin(t)
	h.done(0, set(a, 1))
	h.missing(0, set(b, 1))
	h.done(0, set(a, 2))
	h.finds([]Kind{Lost}, []Kind{Reordered})
}

func TestEarlierWriteOfAnotherTableIsMissing(t *testing.T) {
	h := begin(t)
	h.missing(0, set(c, 1))
	h.done(0, set(b, 1))
	h.finds([]Kind{Lost}, []Kind{Reordered})
}

func TestEarlierWriteOfAnotherWorkerIsMissing(t *testing.T) {
	h := begin(t)
	h.missing(1, set(x, 1))
	h.done(0, set(a, 1)) // began after the acknowledgement of the other
	h.finds([]Kind{Lost}, []Kind{Reordered})
}

func TestConcurrentWriteOfAnotherWorkerMayBeMissing(t *testing.T) {
	h := begin(t)
	other := h.start(1, set(x, 1))
	mine := h.start(0, set(a, 1))
	h.line(record.Acked, other)
	h.line(record.Acked, mine)
	h.happens(set(a, 1))
	h.finds([]Kind{Lost}, nil)
}

// An increment is in nobody's row, but what another worker shows obliges it.
func TestObligedIncrementIsMissing(t *testing.T) {
	h := begin(t)
	h.done(0, set(a, 1))
	h.done(0, inc())
	h.done(1, set(x, 1))
	h.held[hot] = record.State{Present: true}
	h.finds([]Kind{Lost}, []Kind{Reordered})
}

func TestIncrementWithoutWhatCameBefore(t *testing.T) {
	h := begin(t)
	h.missing(0, set(a, 1))
	h.done(0, inc())
	h.finds([]Kind{Lost}, []Kind{Reordered})
}

func TestIncrementCountedTwice(t *testing.T) {
	h := begin(t)
	h.done(0, inc())
	h.happens(inc())
	h.finds([]Kind{Duplicated}, []Kind{Duplicated})
	var counts Counts
	counts.Add(Complete(h.ledger, h.held))
	require.Equal(t, 1, counts.Counters)
	require.Equal(t, 1, counts.ByKind[Duplicated])
	require.Equal(t, 1, counts.Sum())
}

func TestOwnIncrementCountedTwice(t *testing.T) {
	h := begin(t)
	h.done(0, set(a, 1))
	twice := set(a, 2)
	twice.To.Stamp.Seq = 1
	h.happens(twice)
	h.finds([]Kind{Duplicated}, []Kind{Duplicated})
}

func TestOpenIncrementMayHaveHappened(t *testing.T) {
	h := begin(t)
	h.done(0, inc())
	h.open(0, inc())
	h.finds(nil, nil)
	h.happens(inc())
	h.finds(nil, nil)
	h.happens(inc())
	h.finds([]Kind{Duplicated}, []Kind{Duplicated})
}

func TestOpenWriteMayHaveHappened(t *testing.T) {
	h := begin(t)
	h.done(0, set(a, 1))
	h.open(0, set(a, 2))
	h.done(0, set(b, 1))
	h.finds(nil, nil)
	h.happens(set(a, 2))
	h.finds(nil, nil)
	h.happens(set(a, 3))
	h.finds([]Kind{Duplicated}, []Kind{Duplicated})
}

// What is there with an open outcome bears witness like any other.
func TestOpenWriteBearsWitness(t *testing.T) {
	h := begin(t)
	h.missing(0, set(b, 1))
	h.open(0, set(a, 1))
	h.happens(set(a, 1))
	h.finds([]Kind{Lost}, []Kind{Reordered})
}

func TestOpenWriteOfSeveralRowsIsThereOrNot(t *testing.T) {
	h := begin(t)
	h.open(0, set(a, 1), set(b, 1))
	h.finds(nil, nil)
	h.happens(set(b, 1))
	h.finds([]Kind{Torn}, []Kind{Torn})
	h.happens(set(a, 1))
	h.finds(nil, nil)
}

func TestTornGroup(t *testing.T) {
	h := begin(t)
	h.done(0, set(a, 1), set(b, 1))
	h.done(0, set(a, 2), set(b, 2))
	h.happens(set(b, 1))
	h.finds([]Kind{Lost, Torn}, []Kind{Reordered, Torn})
}

// Twins tell of half a group also while nothing is known of its outcome, and next
// to whatever else is there.
func TestTwinsThatDiffer(t *testing.T) {
	both := []record.Effect{{Key: pair[0], Add: 1}, {Key: pair[1], Add: 1}}
	h := begin(t)
	h.done(0, append(both, set(a, 1))...)
	h.finds(nil, nil)
	h.open(0, both...)
	h.finds(nil, nil)
	h.happens(both[1])
	h.finds([]Kind{Torn}, []Kind{Torn})
	h.happens(both[0])
	h.finds(nil, nil)
	h.ledger.Rebase(h.held)
	h.finds(nil, nil)
}

func TestRefusedWriteMustNotBeThere(t *testing.T) {
	h := begin(t)
	h.done(0, set(a, 1))
	h.line(record.Refused, h.start(0, set(a, 2)))
	h.finds(nil, nil)
	h.happens(set(a, 2))
	h.finds([]Kind{Wrong}, []Kind{Wrong})
}

func TestUpdatesInTheWrongOrder(t *testing.T) {
	h := begin(t)
	h.done(0, set(a, 1))
	h.done(0, set(a, 2))
	mixed := set(a, 2)
	mixed.To.Stamp.Seq = 1
	h.happens(mixed)
	h.finds([]Kind{Reordered}, []Kind{Reordered})
}

func TestRowNobodyMade(t *testing.T) {
	h := begin(t)
	h.happens(set(b, 1))
	h.finds([]Kind{Wrong}, []Kind{Wrong})
}

func TestValueNobodyWrote(t *testing.T) {
	h := begin(t)
	h.done(0, set(b, 1))
	odd := set(b, 1)
	odd.To.Stamp.Seq = 99
	h.happens(odd)
	h.finds([]Kind{Wrong}, []Kind{Wrong})
}

func TestRowThatIsNotTouchedMustStay(t *testing.T) {
	h := begin(t)
	h.done(0, set(a, 1))
	h.ledger.Rebase(h.held)
	h.finds(nil, nil)
	delete(h.held, a)
	h.finds([]Kind{Lost}, []Kind{Lost})
}
