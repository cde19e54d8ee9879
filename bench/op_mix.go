package main

import (
	"context"
	"database/sql"
	"fmt"
	"time"
)

// mix is reads and writes by key in given shares, as in the YCSB workloads, keys by
// Zipf's law, until it is in PostgreSQL. Of a row, in the end, PostgreSQL must hold
// what one of the workers wrote last to it.
type mix struct {
	onTable
	d     time.Duration
	parts mixParts

	last map[*session][][]int64 // by worker and row: what it wrote last
}

// mixParts are shares in thousandths; what they leave are reads by key.
type mixParts struct {
	set    int64 // one row
	modify int64 // read a row, then set it
	insert int64 // a new row; reads then are of the newest rows
	scan   int64 // read rows by a range of keys: a statement that is not keyed
}

func newMix(a about, table string, rows int, d time.Duration, parts mixParts) *mix {
	return &mix{onTable: onTable{a, table, rows}, d: d, parts: parts, last: map[*session][][]int64{}}
}

func (o *mix) Takes() time.Duration { return o.d + o.d/5 }

func (o *mix) Measure(ctx context.Context, s *session, goroutines int) (sample, error) {
	base, r, keys := s.base(), s.Table(o.table), zipfs(goroutines, o.rows)
	last := make([][]int64, goroutines)
	for w := range last {
		last[w] = make([]int64, o.rows+1)
	}
	set := func(ctx context.Context, w int, i, key int64) error {
		value := base + i*int64(goroutines) + int64(w)
		last[w][key] = value
		return r.Set(ctx, key, value)
	}
	insertQuery, scanQuery := fmt.Sprintf(insertRow, o.table), fmt.Sprintf(rangeRead, o.table)
	newest := make([]int64, goroutines) // inserts of each worker in this measurement
	x, err := drained(ctx, s, func() (sample, error) {
		return timedLoop(ctx, goroutines, o.d, func(ctx context.Context, w int, i int64) error {
			key := keys[w]()
			// Evenly between the kinds, in the same order for every subject.
			switch dice := (i*stride + int64(w)*104729) % 1000; {
			case dice < o.parts.set:
				return set(ctx, w, i, key)
			case dice < o.parts.set+o.parts.modify:
				if err := r.Read(ctx, key); err != nil {
					return err
				}
				return set(ctx, w, i, key)
			case dice < o.parts.set+o.parts.modify+o.parts.insert:
				newest[w]++
				return writeRow(ctx, s.DB(), insertQuery, base+newest[w]*int64(goroutines)+int64(w), "item", i)
			case dice < o.parts.set+o.parts.modify+o.parts.insert+o.parts.scan:
				return scan(ctx, s.DB(), scanQuery, min(key, int64(o.rows-scanned)))
			case newest[w] > 0:
				return r.Read(ctx, base+max(1, newest[w]-key%16)*int64(goroutines)+int64(w))
			default:
				return r.Read(ctx, key)
			}
		})
	})
	o.last[s] = last
	for _, n := range newest {
		s.inserted[o.table] += n
	}
	return x, err
}

// rangeRead is not keyed: it waits for what is pending for the table.
const rangeRead = `SELECT count(*) FROM %s WHERE id > $1 AND id <= $2`

// scanned is how many rows one rangeRead counts.
const scanned = 20

func scan(ctx context.Context, db *sql.DB, query string, first int64) error {
	var n int64
	first = max(first, 0)
	if err := db.QueryRowContext(ctx, query, first, first+scanned).Scan(&n); err != nil {
		return err
	}
	if n != scanned {
		return fmt.Errorf("%d rows behind key %d, not %d", n, first, scanned)
	}
	return nil
}

func (o *mix) Check(ctx context.Context, s *session) error {
	if s.plain == nil {
		return nil
	}
	if err := s.checkCount(ctx, o.table, o.rows); err != nil {
		return err
	}
	model := s.model(o.table, o.rows)
	found, err := s.plain.QueryContext(ctx, fmt.Sprintf(`SELECT id, price FROM %s WHERE id <= $1`, o.table), o.rows)
	if err != nil {
		return err
	}
	defer found.Close()
	for found.Next() {
		var id, price int64
		if err := found.Scan(&id, &price); err != nil {
			return err
		}
		written, right := false, false
		for _, l := range o.last[s] {
			written = written || l[id] != 0
			right = right || l[id] == price
		}
		if !written {
			right = price == model[id]
		}
		if !right {
			return fmt.Errorf("row %d of %s holds %d, which nobody wrote last", id, o.table, price)
		}
		model[id] = price
	}
	return found.Err()
}
