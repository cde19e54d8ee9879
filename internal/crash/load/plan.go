package load

import (
	"errors"
	"slices"

	"github.com/lib/pq"

	"github.com/writebehind/writebehind/internal/crash/record"
)

// plan is one operation: what is executed and what it does.
type plan struct {
	kind        string
	statements  []statement
	transaction bool
	rollBack    bool // the transaction, at its end
	effects     []record.Effect
}

type statement struct {
	query   string
	args    []any
	affects int64
	fails   bool // as it should: a division by zero
	back    *Row // instead of a query: the row is read, and must be like this
}

func (p *plan) with(affects int64, query string, args ...any) *plan {
	p.statements = append(p.statements, statement{query: query, args: args, affects: affects})
	return p
}

func (p *plan) to(k record.Key, s record.State) *plan {
	p.effects = append(p.effects, record.Effect{Key: k, To: s})
	return p
}

// Few rows and many operations on each are what a mistake in the order shows in.
const (
	mostRows     = 40 // of a worker in one table
	shareOfReads = 15 // in hundredths
)

// choice makes a plan; nil if there is no row for it now.
type choice struct {
	weight int
	plan   func(*Worker) *plan
}

// members are writes of one row by its key, of which groups are made.
var members = []choice{
	{8, (*Worker).increment},
	{8, (*Worker).incrementAndNote},
	{5, (*Worker).note},
	{3, (*Worker).upsertAccount},
	{5, (*Worker).insertAccount},
	{12, (*Worker).insertEvent},
	{10, (*Worker).updateEvent},
	{6, (*Worker).upsertEvent},
	{7, (*Worker).deleteEvent},
	{6, (*Worker).insertOrder},
	{8, (*Worker).updateOrder},
	{3, (*Worker).deleteOrder},
}

// deferred are those that a shim acknowledges from memory.
var deferred = slices.Concat(members, []choice{
	{30, (*Worker).hotIncrement},
	{16, (*Worker).group},
	{6, (*Worker).groupWithSavepoint},
	{4, (*Worker).groupRolledBack},
})

// beyond are writes that the shim leaves to PostgreSQL.
var beyond = []choice{
	{4, (*Worker).insertOrderOfAccount},
	{3, (*Worker).moveOrder},
	{2, (*Worker).deleteAccount},
	{4, (*Worker).updateTwo},
	{3, (*Worker).insertTwo},
}

// direct are those that it must not acknowledge from memory.
var direct = slices.Concat(beyond, []choice{
	{6, (*Worker).groupMadeReal},
	{2, (*Worker).groupThatFails},
	{2, (*Worker).groupThatRecovers},
})

func (w *Worker) choose() *plan {
	w.drawn = 0
	if w.rng.IntN(1000) < w.Direct {
		return w.one(direct)
	}
	return w.one(deferred)
}

func (w *Worker) one(from []choice) *plan {
	sum := 0
	for _, c := range from {
		sum += c.weight
	}
	at := w.rng.IntN(sum)
	for _, c := range from {
		if at -= c.weight; at < 0 {
			return c.plan(w)
		}
	}
	return nil
}

func (w *Worker) stamp() record.Stamp { return record.Stamp{Worker: w.id, Seq: w.seq} }

// fresh is a key for an INSERT, now and then one whose row was deleted before;
// ok is false if the worker has enough rows.
func (w *Worker) fresh(t record.Table) (k record.Key, ok bool) {
	if len(w.there(t).keys) >= mostRows || w.drawn == record.RowsPerOp {
		return k, false
	}
	if w.rng.IntN(3) == 0 {
		if k, _, ok := w.free(t).draw(w.rng); ok {
			return k, true
		}
	}
	return w.brandNew(t), true
}

func (w *Worker) brandNew(t record.Table) record.Key {
	w.drawn++
	return record.Key{Table: t, ID: record.RowID(w.id, w.seq, w.drawn-1)}
}

func (w *Worker) draw(t record.Table) (record.Key, record.State, bool) { return w.there(t).draw(w.rng) }

func isDuplicate(err error) bool {
	var server *pq.Error
	return errors.As(err, &server) && server.Code == "23505"
}
