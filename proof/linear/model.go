package linear

import (
	"fmt"

	"github.com/anishathalye/porcupine"
)

// row is what a register holds.
type row struct {
	exists bool
	v      int64
}

// kind is what one statement does to a register.
type kind uint8

const (
	get kind = iota
	insert
	insertOrNothing
	upsert
	upsertAdd
	set
	add
	addReturning
	compareAndSet
	remove
	savepoint  // of a transaction
	rollbackTo // the savepoint
)

// step is one statement on one register, and its answer.
type step struct {
	kind    kind
	v, old  int64
	rows    int64 // affected, or returned
	value   int64 // returned
	refused bool  // as a duplicate
}

// operation is what one statement, or one transaction, did to one register.
type operation struct {
	steps []step
	keeps bool // it was not rolled back
}

// model is a row as PostgreSQL's documentation has it.
var model = porcupine.Model{
	Init: func() any { return row{} },
	Step: func(state, input, _ any) (bool, any) {
		before := state.(row)
		now, saved := before, before
		o := input.(operation)
		for _, s := range o.steps {
			var ok bool
			switch s.kind {
			case savepoint:
				saved = now
				continue
			case rollbackTo:
				now = saved
				continue
			}
			if now, ok = s.apply(now); !ok {
				return false, state
			}
		}
		if !o.keeps {
			return true, before
		}
		return true, now
	},
	DescribeOperation: func(input, _ any) string { return fmt.Sprintf("%+v", input) },
}

// apply returns the row after a statement; false if its answer is not that of this
// row.
func (s step) apply(r row) (row, bool) {
	n := int64(0) // rows that the statement meets
	if r.exists {
		n = 1
	}
	switch s.kind {
	case get:
		return r, s.rows == n && (n == 0 || s.value == r.v)
	case insert:
		if r.exists {
			return r, s.refused
		}
		return row{true, s.v}, !s.refused && s.rows == 1
	case insertOrNothing:
		if r.exists {
			return r, s.rows == 0
		}
		return row{true, s.v}, s.rows == 1
	case upsert:
		return row{true, s.v}, s.rows == 1
	case upsertAdd:
		return row{true, r.v + s.v}, s.rows == 1
	case remove:
		return row{}, s.rows == n
	case compareAndSet:
		if r.exists && r.v == s.old {
			return row{true, s.v}, s.rows == 1
		}
		return r, s.rows == 0
	}
	if !r.exists {
		return r, s.rows == 0
	}
	switch s.kind {
	case set:
		r.v = s.v
	case add, addReturning:
		r.v += s.v
	}
	return r, s.rows == 1 && (s.kind != addReturning || s.value == r.v)
}
