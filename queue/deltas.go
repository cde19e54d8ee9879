package queue

import (
	"database/sql/driver"
	"math"
	"slices"

	"github.com/writebehind/writebehind/internal/pgvalue"
	"github.com/writebehind/writebehind/internal/rowimage"
)

// An Update that adds carries, behind the row's image, a cell of what is added
// for each column of its Add. Two such updates of a row become one that adds the
// sum: another program's change of the row in the meantime stays.

// deltas is the number of cells behind the image.
func (s *Shape) deltas() int {
	if s.Kind != Update {
		return 0
	}
	return len(s.Add)
}

// firstDelta is the number of the first parameter of an Update that is a delta.
// As many as there are deltas follow the last of them: what is expected of the
// columns.
func (s *Shape) firstDelta() int { return len(s.Table.Key) + len(s.Set) }

// param returns the column of a parameter and the type of its values. expected
// says that it is what a column is expected to come to.
func (s *Shape) param(i int) (column int, t pgvalue.Type, expected bool) {
	column = s.params[i]
	if n := column - len(s.Table.Columns); n >= 0 {
		column = s.Add[n]
		t, _ = s.Table.Columns[column].Type.IncrementType()
		return column, t, false
	}
	return column, s.Table.Columns[column].Type, s.deltas() > 0 && i >= s.firstDelta()+len(s.Add)
}

// merged is one row's mutation after another: its shape, and the deltas in the
// memtable's scratch.
func (m *memtable) merged(shapes *shapes, e *entry, mut *Mutation) (*Shape, []byte) {
	a, b := shapes.get(e.shape), mut.Shape
	shape := shapes.merge(a, b)
	for shape.deltas() > 0 {
		deltas, overflow := m.sums(shape, a, m.data.get(e.image, e.imageLen+e.deltaLen)[e.imageLen:], b, mut.Deltas)
		if overflow < 0 {
			return shape, deltas
		}
		// The sum is too large: the column is set to what the row has then.
		c := shape.Add[overflow]
		shape = shapes.intern(shape.Table, Update, append(slices.Clone(shape.Set), c), slices.Delete(slices.Clone(shape.Add), overflow, overflow+1))
	}
	return shape, nil
}

// sums adds the deltas of two mutations column by column. overflow is the place in
// Add of a column whose sum is not known exactly, -1 without.
func (m *memtable) sums(shape, a *Shape, before []byte, b *Shape, now []byte) (deltas []byte, overflow int) {
	sum := m.scratch[:0]
	for i, c := range shape.Add {
		x, first := deltaOf(a, before, c)
		y, second := deltaOf(b, now, c)
		switch {
		case !second:
			sum = append(sum, x...)
		case !first:
			sum = append(sum, y...)
		default:
			var ok bool
			if sum, ok = appendSum(sum, shape.Table.Columns[c].Type, x, y); !ok {
				return nil, i
			}
		}
	}
	m.scratch = sum
	return sum, -1
}

// deltaOf returns the cell of what a mutation adds to a column.
func deltaOf(s *Shape, deltas []byte, column int) (cell []byte, ok bool) {
	if s.deltas() == 0 {
		return nil, false
	}
	for _, c := range s.Add {
		cell, rest, err := rowimage.Split(deltas, 1)
		if err != nil {
			panic(err) // it was encoded in this process
		}
		if c == column {
			return cell, true
		}
		deltas = rest
	}
	return nil, false
}

// appendSum appends the cell of the sum of two deltas for a column of type t.
func appendSum(dst []byte, t pgvalue.Type, a, b []byte) (_ []byte, ok bool) {
	x, integers := rowimage.Int(a)
	if y, ok := rowimage.Int(b); integers && ok {
		if y > 0 && x > math.MaxInt64-y || y < 0 && x < math.MinInt64-y {
			return dst, false
		}
		return rowimage.AppendInt(dst, x+y), true
	}
	sums, ok := t.IncrementType()
	if !ok {
		return dst, false
	}
	var cells [2]driver.Value
	for i, cell := range [][]byte{a, b} {
		if rowimage.Decode(cell, nil, cells[i:i+1]) != nil {
			return dst, false
		}
	}
	v, ok := sums.Add(cells[0], cells[1], false)
	if !ok {
		return dst, false
	}
	sum, err := rowimage.Append(dst, nil, v)
	return sum, err == nil
}
