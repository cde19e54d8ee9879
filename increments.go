package writebehind

import (
	"database/sql/driver"
	"math/bits"

	"github.com/writebehind/writebehind/internal/rowimage"
	"github.com/writebehind/writebehind/queue"
	"github.com/writebehind/writebehind/rewrite"
)

// SET n = n + 1 is flushed as an increment where adding the sum of many is the
// same as adding one by one: then a change that another program has made to the
// row in between stays. Elsewhere the column is set to the value that the row has
// here.

// columnSet is a set of places in a SET list, the first 64 of it.
type columnSet uint64

func (s *columnSet) add(i int) {
	if i < 64 {
		*s |= 1 << i
	}
}

// additions returns the places in a SET list that may be increments.
func (b *binding) additions(set []assignment) (s columnSet) {
	for i := range set {
		if set[i].op == rewrite.SetTo {
			continue
		}
		if _, ok := b.table.rel.Columns[set[i].column].Type.IncrementType(); ok {
			s.add(i)
		}
	}
	return s
}

// addShape returns the shape in which all additions are increments; nil if there
// are none.
func (b *binding) addShape(kind queue.Kind, w *writePlan) *queue.Shape {
	if w.additions == 0 {
		return nil
	}
	set, add := w.split(w.additions)
	return b.engine.queue.Shape(b.table.rel, kind, set, add...)
}

// split returns the columns of the SET list that are set, and those that are
// added to.
func (w *writePlan) split(increments columnSet) (set, add []int) {
	for i, c := range w.setColumns {
		if i < 64 && increments&(1<<i) != 0 {
			add = append(add, c)
		} else {
			set = append(set, c)
		}
	}
	return set, add
}

// shapeOf returns the shape of a mutation some of whose columns are increments.
// none and all are those that the plan has ready.
func (a *attempt) shapeOf(kind queue.Kind, w *writePlan, increments columnSet, none, all *queue.Shape) *queue.Shape {
	switch increments {
	case 0:
		return none
	case w.additions:
		return all
	}
	set, add := w.split(increments)
	return a.engine.queue.Shape(none.Table, kind, set, add...)
}

// increment appends what an assignment adds to the attempt's deltas. It returns
// false, and the column is to be set, if it is no increment.
func (a *attempt) increment(s *assignment, old, v driver.Value) bool {
	if old == nil || v == nil {
		return false
	}
	delta, ok := a.table.rel.Columns[s.column].Type.Increment(v, s.op == rewrite.Subtract)
	if !ok {
		return false
	}
	deltas, err := rowimage.Append(a.deltas, nil, delta)
	if err != nil {
		return false
	}
	a.deltas = deltas
	return true
}

// insertShape returns the shape of an INSERT of a row that is not there. If
// another program is quicker, an upsert finds one after all; it adds to that where
// it would have added what it inserts.
func (a *attempt) insertShape(w *writePlan, args []driver.NamedValue) *queue.Shape {
	if w.insertAddShape == nil {
		return w.insertShape
	}
	var increments columnSet
	for places := w.additions; places != 0; places &= places - 1 {
		i := bits.TrailingZeros64(uint64(places))
		s := &w.set[i]
		if s.op == rewrite.Subtract || a.cells[s.column] == nil {
			continue
		}
		var v driver.Value
		ok := true
		if s.proposed >= 0 {
			v = a.cells[s.proposed]
		} else {
			v, ok = s.source.value(a.engine.values, args)
		}
		if ok && same(nil, v, a.cells[s.column]) {
			increments.add(i)
		}
	}
	return a.shapeOf(queue.Upsert, w, increments, w.insertShape, w.insertAddShape)
}
