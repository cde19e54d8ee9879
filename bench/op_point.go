package main

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"time"
)

// The statements of single operations; %s is the table.
const (
	selectByKey = `SELECT name, price, n FROM %s WHERE id = $1`
	updateByKey = `UPDATE %s SET price = $2 WHERE id = $1`
)

// point is a single statement by primary key, over and over, on rows that are
// chosen evenly.
type point struct {
	name, title  string
	table, query string
	subjects     []string
	goroutines   []int
	rows         int
	slice        time.Duration
}

func (o point) Name() string       { return o.name }
func (o point) Title() string      { return fmt.Sprintf("%s (%d rows)", o.title, o.rows) }
func (o point) Subjects() []string { return o.subjects }
func (o point) Goroutines() []int  { return o.goroutines }
func (o point) Rate() bool         { return false }

// Setup makes hot in any case: there has to be a table that is opted in when
// one is measured that is not.
func (o point) Setup(ctx context.Context, plain *sql.DB) error {
	if err := makeTable(ctx, plain, "hot", o.rows); err != nil {
		return err
	}
	return makeTable(ctx, plain, o.table, o.rows)
}

func (o point) Prepare(ctx context.Context, s *session) error {
	if o.table != "hot" {
		return nil // not opted in, so not cached
	}
	return warm(ctx, s, o.table, o.rows)
}

func (o point) Measure(ctx context.Context, s *session, goroutines int) (sample, error) {
	query := fmt.Sprintf(o.query, o.table)
	if strings.Contains(query, "SELECT") {
		return loop(ctx, goroutines, o.slice, func(ctx context.Context, w int, i int64) error {
			return readRow(ctx, s.db, query, spread(w, i, o.rows))
		})
	}
	return loop(ctx, goroutines, o.slice, func(ctx context.Context, w int, i int64) error {
		return writeRow(ctx, s.db, query, spread(w, i, o.rows), i)
	})
}

// spread chooses a row for the i-th operation of a worker: all rows equally
// often, neighbours in time far apart, workers apart from each other.
func spread(worker int, i int64, rows int) int64 {
	return (i*stride+int64(worker)*104729)%int64(rows) + 1
}

// stride is prime, so that it visits every row of any number of rows that it
// does not divide.
const stride = 7919

func readRow(ctx context.Context, db *sql.DB, query string, key int64) error {
	var name string
	var price, n int64
	return db.QueryRowContext(ctx, query, key).Scan(&name, &price, &n)
}

// writeRow fails unless exactly one row was affected.
func writeRow(ctx context.Context, db *sql.DB, query string, args ...any) error {
	r, err := db.ExecContext(ctx, query, args...)
	if err != nil {
		return err
	}
	n, err := r.RowsAffected()
	if err == nil && n != 1 {
		err = fmt.Errorf("%d rows affected, not 1", n)
	}
	return err
}

// warm reads every row of the table once, if the subject keeps what was read.
func warm(ctx context.Context, s *session, table string, rows int) error {
	if !s.Caches() {
		return nil
	}
	query := fmt.Sprintf(selectByKey, table)
	_, err := loop(ctx, connections, time.Hour, func(ctx context.Context, w int, i int64) error {
		key := i*connections + int64(w) + 1
		if key > int64(rows) {
			return errDone
		}
		return readRow(ctx, s.db, query, key)
	})
	return err
}
