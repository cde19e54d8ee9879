package main

import (
	"context"
	"database/sql"
	"fmt"
	"time"
)

// Operation is something that is done with a subject and timed.
type Operation interface {
	// About names the operation and says with what it is measured.
	About() about
	// Setup makes the tables, in a database that is then copied for each subject.
	Setup(ctx context.Context, plain *sql.DB) error
	// Prepare readies the subject before each measurement.
	Prepare(ctx context.Context, s *session, goroutines int) error
	// Takes is about how long a measurement takes, with what it needs beforehand.
	Takes() time.Duration
	// Measure does the work and tells how much it was and how long it took.
	Measure(ctx context.Context, s *session, goroutines int) (sample, error)
	// Check fails if the database does not hold what was acknowledged. It is called
	// when the subject has settled.
	Check(ctx context.Context, s *session) error
}

// about is what an operation says of itself.
type about struct {
	name       string // short and fit for a regular expression
	title      string // what is measured, in a few words
	unit       unit
	subjects   []Subject
	goroutines []int
}

func (a about) About() about { return a }

// session is an open subject.
type session struct {
	client
	subject  Subject
	at       place
	plain    *sql.DB            // the plain driver on the same database, to look behind the subject's back; nil without one
	models   map[string][]int64 // by table: the price that each row must have, 0 for one that has its first price
	inserted map[string]int64   // by table: rows so far
	runs     int64              // measurements so far
	found    map[string]float64 // what operations have found out, by name
}

// unit is what the figure of an operation is.
type unit int

const (
	perOperation unit = iota // time per operation
	perSecond                // operations per second
)

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
