package writebehind

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
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

	mu       sync.Mutex
	epoch    uint64
	stock    []int64
	low      int64              // least and greatest value fetched in this epoch
	high     int64              //
	burned   map[int64]struct{} // those among them that the application gives itself
	size     int                // of the next block
	fetched  time.Time
	fetching *fetch
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
	// to the application before any other transaction makes them durable.
	query := fmt.Sprintf(`WITH durable AS MATERIALIZED (SELECT pg_catalog.set_config('synchronous_commit', 'on', true)),
		drawn AS MATERIALIZED (SELECT pg_catalog.nextval(%s::pg_catalog.regclass) AS value FROM durable, pg_catalog.generate_series(1, $1::integer))
		SELECT value, %s FROM drawn`, pq.QuoteLiteral(tableName(rel.Name)), taken)
	return &sequence{engine: e, table: t, column: column, query: query, alone: alone, size: leastBlock}
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

// next hands out a value to an attempt. ok is false if there is none to be had, or the
// transaction in which it is wanted, if any, is buffered no longer.
func (s *sequence) next(ctx context.Context, a *attempt) (value int64, ok bool) {
	for range 3 { // others may be quicker to take what was fetched
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
	if len(s.stock) < s.size/4 && s.fetching == nil {
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
	f, epoch, size := &fetch{done: make(chan struct{})}, s.epoch, s.size
	s.fetching = f
	s.engine.working.Go(func() {
		values, err := s.fetch(size)
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

// fetch asks PostgreSQL for values that no row has.
func (s *sequence) fetch(n int) (values []int64, err error) {
	ctx, cancel := context.WithTimeout(s.engine.lifetime, fetchTimeout)
	defer cancel()
	defer func() {
		if err != nil {
			s.engine.logger.Debug("writebehind: no values could be fetched from a sequence", "table", s.table.rel.Name.String(), "error", pgerr.ForLog(err))
		}
	}()
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
	return values, rows.Err()
}

// burn takes a value that the application gives itself out of what is handed out.
func (s *sequence) burn(v driver.Value) {
	value, _ := v.(int64)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.renew(); value < s.low || value > s.high {
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
