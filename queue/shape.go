package queue

import (
	"database/sql/driver"
	"fmt"
	"slices"
	"sync"
	"time"

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

	id         uint32
	definition *journal.Definition
	sql        string
	params     []int // column of each array parameter of sql
	keeps      bool  // sql leaves rows alone that are there already, and does not count them
}

// Mutation is what one keyed write does to one row.
type Mutation struct {
	Shape *Shape
	Key   []byte // canonical row key
	Hash  uint64 // of Key
	Image []byte // the row after the write; for a Delete, before it
}

// shapes interns shapes, so that equal ones are the same pointer and a memtable
// can name one by a number.
type shapes struct {
	mu     sync.RWMutex
	byID   []*Shape
	byName map[string]*Shape
	merged map[[2]uint32]*Shape
}

// Shape returns the shape of mutations of this kind. set is for Update and
// Upsert.
func (q *Queue) Shape(table *catalog.Relation, kind Kind, set []int) *Shape {
	return q.shapes.intern(table, kind, set)
}

func (s *shapes) intern(table *catalog.Relation, kind Kind, set []int) *Shape {
	set = slices.Compact(slices.Sorted(slices.Values(set)))
	name := fmt.Sprintf("%p %d %v", table, kind, set)
	s.mu.Lock()
	defer s.mu.Unlock()
	if shape, ok := s.byName[name]; ok {
		return shape
	}
	shape := &Shape{Table: table, Kind: kind, Set: set, id: uint32(len(s.byID))}
	batch := shape.batch()
	shape.sql, shape.params = batch.SQL(), batch.Params()
	shape.definition = define(shape)
	shape.keeps = batch.Kind == rewrite.BatchUpsert && len(batch.Set) == 0
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
		b.Kind, b.Set = rewrite.BatchUpdate, s.Set
	case Upsert:
		b.Kind, b.Columns, b.Set = rewrite.BatchUpsert, s.all(), s.Set
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

// Statement returns the statement that brings one mutation of the shape to PostgreSQL,
// given the row's image after it, or, for a Delete, before it.
func (s *Shape) Statement(loc *time.Location, image []byte) (query string, args []driver.NamedValue, err error) {
	var p params
	p.reset(s)
	if err := p.addImage(loc, image); err != nil {
		return "", nil, err
	}
	for i := range p.arrays {
		args = append(args, driver.NamedValue{Ordinal: i + 1, Value: string(p.arrays[i].Bytes())})
	}
	return s.sql, args, nil
}

// setNames returns the names of the columns in Set; nil if there are none.
func (s *Shape) setNames() (names []string) {
	for _, c := range s.Set {
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
	kind, set := mergeKinds(a, b)
	shape = s.intern(b.Table, kind, set)
	s.mu.Lock()
	s.merged[pair] = shape
	s.mu.Unlock()
	return shape
}

func mergeKinds(a, b *Shape) (Kind, []int) {
	switch {
	case b.Kind == Delete:
		switch a.Kind {
		case Insert, Upsert, Nothing:
			return Nothing, nil
		default:
			return Delete, nil
		}
	case a.Kind == Delete: // then b brings the row back
		return Replace, nil
	case a.Kind == Nothing:
		return b.Kind, b.Set
	case a.Kind == Upsert || a.Kind == Update:
		return a.Kind, append(slices.Clone(a.Set), b.Set...)
	default: // Insert, Replace: the whole row is sent anyway
		return a.Kind, nil
	}
}
