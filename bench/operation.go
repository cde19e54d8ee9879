package main

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/writebehind/writebehind/bench/noop"
)

// Operation is something that is done with a subject and timed.
type Operation interface {
	// Name is short and fit for a regular expression.
	Name() string
	// Title says in a few words what is measured.
	Title() string
	// Subjects names the subjects for which the operation makes sense.
	Subjects() []string
	// Goroutines lists the numbers of goroutines to measure with.
	Goroutines() []int
	// Rate tells that the figure is operations per second rather than time per
	// operation.
	Rate() bool
	// Setup makes the tables, once per subject, before the subject is opened.
	// It gets a handle of the plain driver.
	Setup(ctx context.Context, plain *sql.DB) error
	// Prepare readies the subject before each measurement.
	Prepare(ctx context.Context, s *session) error
	// Measure does the work and tells how much it was and how long it took.
	Measure(ctx context.Context, s *session, goroutines int) (sample, error)
}

// session is an open subject.
type session struct {
	Subject
	database string
	db       *sql.DB
	plain    *sql.DB // the plain driver on the same database, to look behind the subject's back
}

// sample is one measurement.
type sample struct {
	n       int64
	elapsed time.Duration // from the start of the first operation to the end of the last
}

func (s sample) nanoseconds() float64 { return float64(s.elapsed) / float64(s.n) }
func (s sample) perSecond() float64   { return float64(s.n) / s.elapsed.Seconds() }

// operations lists all operations in the order in which they are measured.
func operations(s settings) []Operation {
	single := func(o point) point {
		o.rows, o.slice = s.hotRows, s.slice
		if o.goroutines == nil {
			o.goroutines = []int{1, 16}
		}
		return o
	}
	networked := []string{"pq", "pgx", "writebehind"}
	return []Operation{
		single(point{name: "read", title: "SELECT by key, cached where there is a cache",
			table: "hot", query: selectByKey, subjects: []string{"noop", "pq", "pgx", "writebehind"}}),
		single(point{name: "update", title: "UPDATE by key, acknowledged; drained outside the measured time",
			table: "hot", query: updateByKey, subjects: []string{"noop", "pq", "pq-async", "pgx", "pgx-async", "writebehind"}}),
		single(point{name: "plain-read", title: "SELECT by key, table not opted in",
			table: "plain", query: selectByKey, subjects: networked}),
		single(point{name: "plain-update", title: "UPDATE by key, table not opted in",
			table: "plain", query: updateByKey, subjects: networked}),
		single(point{name: "shim-read", title: "SELECT, table not opted in, answered in the process",
			table: "plain", query: noop.Marker + selectByKey, subjects: inProcess, goroutines: []int{1}}),
		single(point{name: "shim-update", title: "UPDATE, table not opted in, answered in the process",
			table: "plain", query: noop.Marker + updateByKey, subjects: inProcess, goroutines: []int{1}}),
		sustained{rows: s.largeRows, limit: s.sustained},
	}
}

// inProcess are the subjects whose statements never leave the process.
var inProcess = []string{"noop", "shim-noop", "shortcut", "shim-shortcut"}

// makeTable creates a table of the shape all operations use, unless another
// operation has made it.
func makeTable(ctx context.Context, plain *sql.DB, name string, rows int) error {
	var there bool
	if err := plain.QueryRowContext(ctx, `SELECT to_regclass($1) IS NOT NULL`, name).Scan(&there); err != nil || there {
		return err
	}
	for _, query := range []string{
		`CREATE TABLE ` + name + ` (id bigint PRIMARY KEY, name text NOT NULL, price bigint NOT NULL, n bigint NOT NULL)`,
		fmt.Sprintf(`INSERT INTO %s SELECT id, 'item ' || id, id, 0 FROM generate_series(1, %d) AS id`, name, rows),
		`VACUUM ANALYZE ` + name,
	} {
		if _, err := plain.ExecContext(ctx, query); err != nil {
			return fmt.Errorf("make table %s: %w", name, err)
		}
	}
	return nil
}
