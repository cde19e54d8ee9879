package queue

import (
	"database/sql/driver"
	"fmt"
	"slices"
	"sync"

	"github.com/writebehind/writebehind/internal/catalog"
	"github.com/writebehind/writebehind/queue/journal"
	"github.com/writebehind/writebehind/rewrite"
)

// Kind tells what a mutation does to its row.
type Kind uint8

// The kinds. Replace and Nothing come about only when mutations of one row are
// coalesced.
const (
	Insert  Kind = iota // a row that is not there
	Update              // columns of a row that is there
	Upsert              // insert, or update where an outside writer was quicker
	Delete              // a row that is there
	Replace             // delete and insert again
	Nothing             // insert and delete again
)

func (k Kind) String() string {
	return [...]string{"insert", "update", "upsert", "delete", "replace", "nothing"}[k]
}

// Shape is what mutations have in common that one statement can carry to
// PostgreSQL: the table, the kind and the columns.
type Shape struct {
	Table *catalog.Relation
	Kind  Kind
	Set   []int // columns that an Update, or an Upsert in conflict, sets; ascending
	// Add are the columns to which an Update adds, or an Upsert in conflict adds
	// what it would have inserted; ascending, none of them in Set.
	Add []int

	id         uint32
	definition *journal.Definition
	sql        string
	params     []int // cell of each array parameter of sql: a column, or a delta behind them
	keeps      bool  // sql leaves rows alone that are there already, and does not count them
}

// Mutation is what one keyed write does to one row.
type Mutation struct {
	Shape *Shape
	Key   []byte // canonical row key
	Hash  uint64 // of Key
	Image []byte // the row after the write; for a Delete, before it
	// Deltas of an Update are the cells of what is added to the columns of its
	// shape's Add, in that order, as values of their IncrementType.
	Deltas []byte
	// Blind says that whoever made the write has not looked what was there before.
	Blind bool
	stale bool // the image builds on one that was not right
}

// shapes interns shapes, so that equal ones are the same pointer and a memtable
// can name one by a number.
type shapes struct {
	mu     sync.RWMutex
	byID   []*Shape
	byName map[string]*Shape
	merged map[[2]uint32]*Shape
}

// Shape returns the shape of mutations of this kind. set and add are for Update
// and Upsert; no column is in both.
func (q *Queue) Shape(table *catalog.Relation, kind Kind, set []int, add ...int) *Shape {
	return q.shapes.intern(table, kind, set, add)
}

func (s *shapes) intern(table *catalog.Relation, kind Kind, set, add []int) *Shape {
	set = slices.Compact(slices.Sorted(slices.Values(set)))
	add = slices.Compact(slices.Sorted(slices.Values(add)))
	name := fmt.Sprintf("%p %d %v %v", table, kind, set, add)
	s.mu.Lock()
	defer s.mu.Unlock()
	if shape, ok := s.byName[name]; ok {
		return shape
	}
	shape := &Shape{Table: table, Kind: kind, Set: set, Add: add, id: uint32(len(s.byID))}
	batch := shape.batch()
	shape.sql, shape.params = batch.SQL(), batch.Params()
	for i := range shape.deltas() {
		shape.params[shape.firstDelta()+i] = len(table.Columns) + i
	}
	shape.definition = define(shape)
	shape.keeps = batch.Kind == rewrite.BatchUpsert && len(batch.Set)+len(batch.Add) == 0
	if s.byName == nil {
		s.byName = make(map[string]*Shape)
		s.merged = make(map[[2]uint32]*Shape)
	}
	s.byName[name] = shape
	s.byID = append(s.byID, shape)
	return shape
}

func (s *shapes) get(id uint32) *Shape {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.byID[id]
}

// batch returns the statement that carries mutations of the shape. An inserted
// row is sent whole: its image is complete.
func (s *Shape) batch() rewrite.Batch {
	b := rewrite.Batch{Table: s.Table}
	switch s.Kind {
	case Insert:
		b.Kind, b.Columns = rewrite.BatchInsert, s.all()
	case Update:
		b.Kind, b.Set, b.Add = rewrite.BatchUpdate, s.Set, s.Add
	case Upsert:
		b.Kind, b.Columns, b.Set, b.Add = rewrite.BatchUpsert, s.all(), s.Set, s.Add
	case Replace:
		b.Kind, b.Columns = rewrite.BatchUpsert, s.all()
		for _, c := range b.Columns {
			if !slices.Contains(s.Table.Key, c) {
				b.Set = append(b.Set, c)
			}
		}
	default: // Delete; Nothing is never sent
		b.Kind = rewrite.BatchDelete
	}
	return b
}

// Statement returns the statement that makes one row in PostgreSQL what a mutation of
// the shape has made it here, given the mutation's image.
func (q *Queue) Statement(s *Shape, image []byte) (query string, args []driver.NamedValue, err error) {
	if len(s.Add) > 0 {
		s = q.Shape(s.Table, s.Kind, slices.Concat(s.Set, s.Add))
	}
	var p params
	p.reset(s)
	if err := p.addImage(q.opts.Location, image); err != nil {
		return "", nil, err
	}
	for i := range p.arrays {
		args = append(args, driver.NamedValue{Ordinal: i + 1, Value: string(p.arrays[i].Bytes())})
	}
	return s.sql, args, nil
}

// names returns the names of columns; nil if there are none.
func (s *Shape) names(columns []int) (names []string) {
	for _, c := range columns {
		names = append(names, s.Table.Columns[c].Name)
	}
	return names
}

func (s *Shape) all() []int {
	columns := make([]int, len(s.Table.Columns))
	for i := range columns {
		columns[i] = i
	}
	return columns
}

// merge returns the shape of doing a and then b to one row.
func (s *shapes) merge(a, b *Shape) *Shape {
	if a == b && (a.Kind == Update || a.Kind == Upsert) {
		return a
	}
	pair := [2]uint32{a.id, b.id}
	s.mu.RLock()
	shape := s.merged[pair]
	s.mu.RUnlock()
	if shape != nil {
		return shape
	}
	kind, set, add := mergeKinds(a, b)
	shape = s.intern(b.Table, kind, set, add)
	s.mu.Lock()
	s.merged[pair] = shape
	s.mu.Unlock()
	return shape
}

func mergeKinds(a, b *Shape) (kind Kind, set, add []int) {
	switch {
	case b.Kind == Delete:
		switch a.Kind {
		case Insert, Upsert, Nothing:
			return Nothing, nil, nil
		default:
			return Delete, nil, nil
		}
	case a.Kind == Delete: // then b brings the row back
		return Replace, nil, nil
	case a.Kind == Nothing:
		return b.Kind, b.Set, b.Add
	case a.Kind == Upsert || a.Kind == Update:
		set, add = mergeColumns(a, b)
		return a.Kind, set, add
	default: // Insert, Replace: the whole row is sent anyway
		return a.Kind, nil, nil
	}
}

// mergeColumns tells what b after a, which is an Update or Upsert, sets and adds
// to: what was set before is set to the sum, and what is set now was added to in
// vain. What is added to a row that an Upsert may find is what it would insert, so
// that it must have added to the column before.
func mergeColumns(a, b *Shape) (set, add []int) {
	set = slices.Concat(a.Set, b.Set)
	for _, c := range a.Add {
		if !slices.Contains(b.Set, c) {
			add = append(add, c)
		}
	}
	for _, c := range b.Add {
		switch {
		case slices.Contains(a.Set, c), slices.Contains(a.Add, c):
		case a.Kind == Upsert:
			set = append(set, c)
		default:
			add = append(add, c)
		}
	}
	return set, add
}
