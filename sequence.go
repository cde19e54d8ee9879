package writebehind

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"math"
	"slices"
	"sync"
	"time"

	"github.com/lib/pq"

	"github.com/writebehind/writebehind/internal/catalog"
	"github.com/writebehind/writebehind/internal/pgerr"
	"github.com/writebehind/writebehind/rewrite"
)

// sequence hands out values of the sequence that a column draws its default from.
// They are fetched ahead, many at a time. A value that is never used leaves a gap, as
// it does when PostgreSQL hands it out and the transaction is rolled back.
//
// What is in stock is good for one epoch of the table: whatever may have moved the
// sequence, or written rows that nobody has looked at (setval, TRUNCATE, ALTER
// SEQUENCE, COPY, …), has moved the epoch.
type sequence struct {
	engine *engine
	table  *table
	column int
	query  string // that fetches values, with their number as parameter
	alone  bool   // the column is the primary key: no row may have a value in stock
	rising bool   // its values do

	mu       sync.Mutex
	epoch    uint64
	stock    []int64
	low      int64              // least and greatest value fetched in this epoch
	high     int64              //
	burned   map[int64]struct{} // those among them that the application gives itself
	given    span               // of the others that it gives itself, in any epoch
	got      int                // values in the last block
	size     int                // of the next block
	fetched  time.Time
	fetching *fetch
}

// span is what lies between two values, these included.
type span struct {
	low, high int64
	any       bool
}

func (s span) has(v int64) bool { return s.any && s.low <= v && v <= s.high }

func (s *span) widen(v int64) {
	if !s.any {
		*s = span{v, v, true}
	}
	s.low, s.high = min(s.low, v), max(s.high, v)
}

// fetch is a query for values that is under way.
type fetch struct {
	done chan struct{}
	err  error
}

// The least and the greatest number of values that are fetched at once: it is doubled
// while a block lasts for less than a second, and halved when it lasts for long.
const (
	leastBlock    = 32
	greatestBlock = 4096
	shareOfRest   = 8 // no more than this part of what a sequence has left
	fetchTimeout  = 10 * time.Second
)

// newSequence returns nil if the values of the column cannot be fetched ahead.
func newSequence(e *engine, s *schema, t *table, column int) *sequence {
	c := &t.rel.Columns[column]
	if c.Default.Kind != catalog.DefaultSequence {
		return nil
	}
	rel := s.catalog.Relations[c.Default.Sequence]
	if rel == nil || rel.Sequence == nil || rel.Sequence.Cycle || !rel.May("USAGE") {
		return nil
	}
	alone := len(t.rel.Key) == 1 && t.rel.Key[0] == column
	taken := "false"
	if alone {
		taken = fmt.Sprintf("EXISTS (SELECT FROM %s AS t WHERE t.%s = drawn.value)", tableName(t.rel.Name), rewrite.Quote(c.Name))
	}
	// A server that crashes must not hand the values out again: they are acknowledged
	// to the application before any other transaction makes them durable. To draw more
	// than there are would fail, and waste them. How many there are is not known before
	// the first one is drawn.
	name := pq.QuoteLiteral(tableName(rel.Name))
	query := fmt.Sprintf(`WITH durable AS MATERIALIZED (SELECT pg_catalog.set_config('synchronous_commit', 'on', true)),
		room AS MATERIALIZED (SELECT coalesce((%d - pg_catalog.pg_sequence_last_value(%s::pg_catalog.regclass)::numeric) / %d / %d, 1) AS n FROM durable),
		drawn AS MATERIALIZED (SELECT pg_catalog.nextval(%s::pg_catalog.regclass) AS value
			FROM room, pg_catalog.generate_series(1, LEAST($1::integer, pg_catalog.trunc(room.n))::integer))
		SELECT value, %s FROM drawn`, lastOf(rel.Sequence, c.SQLType), name, rel.Sequence.Increment, shareOfRest, name, taken)
	return &sequence{engine: e, table: t, column: column, query: query, alone: alone, rising: rel.Sequence.Increment > 0, size: leastBlock}
}

// lastOf returns the last value that a sequence gives and a column takes.
func lastOf(s *catalog.Sequence, columnType string) int64 {
	low, high := int64(math.MinInt64), int64(math.MaxInt64)
	switch columnType {
	case "smallint":
		low, high = math.MinInt16, math.MaxInt16
	case "integer":
		low, high = math.MinInt32, math.MaxInt32
	}
	if s.Increment > 0 {
		return min(s.Max, high)
	}
	return max(s.Min, low)
}

// findSequences makes the sequences of a table's columns.
func (t *table) findSequences(e *engine, s *schema) {
	t.sequences = make(map[int]*sequence)
	for i := range t.rel.Columns {
		if q := newSequence(e, s, t, i); q != nil {
			t.sequences[i] = q
		}
	}
}

// keySequence returns the sequence of the primary key; nil if it has none, or other
// columns.
func (t *table) keySequence() *sequence {
	if len(t.sequences) == 0 || len(t.rel.Key) != 1 {
		return nil
	}
	return t.sequences[t.rel.Key[0]]
}

// isNew tells whether no row can have a value that was drawn. The application may have
// given it to a row itself that was pending when the value was fetched.
func (s *sequence) isNew(value int64) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.alone && !s.given.has(value)
}

// next hands out a value to an attempt. ok is false if there is none to be had, or the
// transaction in which it is wanted, if any, is buffered no longer.
func (s *sequence) next(ctx context.Context, a *attempt) (value int64, ok bool) {
	for range 4 { // others may be quicker to take what was fetched
		value, ok, f := s.take()
		if ok || f == nil {
			return value, ok
		}
		a.asked = true
		err := a.buffer.aside(func() error { return wait(ctx, f.done, a.buffer) })
		if err != nil || f.err != nil {
			return 0, false
		}
	}
	return 0, false
}

// take takes a value from stock, and has more fetched before it runs dry. Without one
// it returns the fetch to wait for.
func (s *sequence) take() (value int64, ok bool, f *fetch) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.renew()
	if ok = len(s.stock) > 0; ok {
		value = s.stock[0]
		s.stock = s.stock[1:]
	}
	if (!ok || len(s.stock) < s.got/4) && s.fetching == nil {
		s.begin()
	}
	return value, ok, s.fetching
}

// renew forgets what is of an earlier epoch.
func (s *sequence) renew() {
	if now := s.table.state.epoch.Load(); s.epoch != now {
		s.epoch, s.stock, s.burned = now, nil, nil
		s.low, s.high = 0, -1
	}
}

// begin begins to fetch a block.
func (s *sequence) begin() {
	switch age := time.Since(s.fetched); {
	case s.fetched.IsZero():
	case age < time.Second:
		s.size = min(2*s.size, greatestBlock)
	case age > time.Minute:
		s.size = max(s.size/2, leastBlock)
	}
	f, epoch, size, first := &fetch{done: make(chan struct{})}, s.epoch, s.size, s.high < s.low
	s.fetching = f
	s.engine.working.Go(func() {
		values, err := s.fetch(size, first)
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.renew(); err == nil && s.epoch == epoch {
			s.add(values)
		}
		s.fetching, s.fetched, f.err = nil, time.Now(), err
		close(f.done)
	})
}

// add puts values in stock.
func (s *sequence) add(values []int64) {
	if len(values) == 0 {
		return
	}
	if s.high < s.low {
		s.low, s.high = values[0], values[0]
	}
	s.got = len(values)
	s.low, s.high = min(s.low, slices.Min(values)), max(s.high, slices.Max(values))
	for _, v := range values {
		if _, burned := s.burned[v]; !burned {
			s.stock = append(s.stock, v)
		}
	}
}

// errTaken says that a sequence has come to values that rows have already: an INSERT
// that draws one of them fails, and PostgreSQL is to say so.
var errTaken = errors.New("rows have values that the sequence is still to give")

// errSpent says that a sequence comes to its end: the last values PostgreSQL gives one
// by one, and then says that there are no more.
var errSpent = errors.New("the sequence has few values left")

// fetch asks PostgreSQL for values that no row has. For the first ones of an epoch it
// has the rows written that are pending: of those that come later it is known what
// values the application has given them.
func (s *sequence) fetch(n int, first bool) (values []int64, err error) {
	ctx, cancel := context.WithTimeout(s.engine.lifetime, fetchTimeout)
	defer cancel()
	defer func() {
		if err != nil {
			s.engine.logger.Debug("writebehind: no values could be fetched from a sequence", "table", s.table.rel.Name.String(), "error", pgerr.ForLog(err))
		}
	}()
	if first && s.alone {
		if err := s.engine.queue.Drain(ctx, s.engine.queue.NewestOf(s.table.rel.OID)); err != nil {
			return nil, err
		}
	}
	rows, err := s.engine.db.QueryContext(ctx, s.query, n)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var value int64
		var taken bool
		if err := rows.Scan(&value, &taken); err != nil {
			return nil, err
		}
		if taken {
			return nil, errTaken
		}
		values = append(values, value)
	}
	if len(values) == 0 && rows.Err() == nil {
		return nil, errSpent
	}
	return values, rows.Err()
}

// burn takes a value that the application gives itself out of what is handed out.
func (s *sequence) burn(v driver.Value) {
	value, _ := v.(int64)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.renew(); value < s.low || value > s.high {
		if s.high < s.low || s.ahead(value) {
			s.given.widen(value)
		}
		// It may be fetched at this moment, and found to be free.
		if s.fetching == nil {
			return
		}
	}
	if s.burned == nil {
		s.burned = make(map[int64]struct{})
	}
	s.burned[value] = struct{}{}
	if i := slices.Index(s.stock, value); i >= 0 {
		s.stock = slices.Delete(slices.Clone(s.stock), i, i+1)
	}
}

// ahead tells whether the sequence is still to come to a value that is none of those
// fetched.
func (s *sequence) ahead(value int64) bool { return s.rising == (value > s.high) }

// isFree tells whether the application has not given the value itself since it was
// fetched.
func (s *sequence) isFree(v driver.Value) bool {
	value, _ := v.(int64)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.renew()
	_, burned := s.burned[value]
	return !burned && s.low <= value && value <= s.high
}
