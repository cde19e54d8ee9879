package linear

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/lib/pq"
	"golang.org/x/sync/errgroup"
)

// Load is what is done to a database that has Schema.
type Load struct {
	DB    *sql.DB // under test
	Past  *sql.DB // lib/pq alone
	Seed  uint64
	Steps int // of each goroutine

	start      time.Time
	mu         sync.Mutex
	operations int
	samples    int
	undecided  int
	violations []string
}

// Schema makes the tables.
const Schema = `
	CREATE TABLE registers (id int PRIMARY KEY, v bigint NOT NULL);
	CREATE TABLE pairs (id int PRIMARY KEY, v bigint NOT NULL);
	CREATE TABLE mates (id int PRIMARY KEY, v bigint NOT NULL);
	CREATE TABLE counts (id int PRIMARY KEY, n bigint NOT NULL, version bigint NOT NULL);
	CREATE TABLE mark_a (id int PRIMARY KEY, seq bigint NOT NULL);
	CREATE TABLE mark_b (id int PRIMARY KEY, seq bigint NOT NULL);
	CREATE TABLE mark_c (id int PRIMARY KEY, seq bigint NOT NULL);
	INSERT INTO pairs VALUES (1, 0), (2, 0);
	INSERT INTO mates VALUES (1, 0);
	INSERT INTO counts VALUES (1, 0, 0), (2, 0, 0);
	INSERT INTO mark_a SELECT i, 0 FROM generate_series(0, 9) i;
	INSERT INTO mark_b SELECT i, 0 FROM generate_series(0, 9) i;
	INSERT INTO mark_c SELECT i, 0 FROM generate_series(0, 9) i`

// Report is what came of a load.
type Report struct {
	Operations int
	Samples    int      // snapshots of PostgreSQL
	Undecided  int      // rows whose history was too long to check
	Violations []string // each starts with the name of its check
}

// Run runs the load and checks what it did. An error is something that no check is
// about: a statement that failed.
func (l *Load) Run(ctx context.Context) (Report, error) {
	l.start = time.Now()
	writers, ctx := errgroup.WithContext(ctx)
	registers := l.registers(ctx, writers)
	l.pairs(ctx, writers)
	counts := l.counts(ctx, writers)
	marks := l.marks(ctx, writers)

	done := make(chan struct{})
	var sampler errgroup.Group
	sampler.Go(func() error { return marks.sample(ctx, done) })
	err := writers.Wait()
	close(done)
	if err := errors.Join(err, sampler.Wait()); err != nil {
		return Report{}, err
	}
	// The context of the group has ended.
	if err := counts.check(context.WithoutCancel(ctx)); err != nil {
		return Report{}, err
	}
	registers.check()
	marks.check()
	return Report{Operations: l.operations, Samples: l.samples, Undecided: l.undecided, Violations: l.violations}, nil
}

func (l *Load) now() int64 { return int64(time.Since(l.start)) }

func (l *Load) violation(format string, args ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.violations = append(l.violations, fmt.Sprintf(format, args...))
}

func (l *Load) did(operations int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.operations += operations
}

// source returns the random numbers of one goroutine.
func (l *Load) source(goroutine uint64) *rand.Rand { return rand.New(rand.NewPCG(l.Seed, goroutine)) }

// runner is a sql.DB or sql.Tx.
type runner interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

// exec executes a statement and returns the number of rows affected.
func exec(ctx context.Context, on runner, query string, args ...any) (int64, error) {
	result, err := on.ExecContext(ctx, query, args...)
	if err != nil {
		return 0, fmt.Errorf("%s: %w", query, err)
	}
	return result.RowsAffected()
}

// read returns all cells of a result of integers, row by row.
func read(ctx context.Context, on runner, query string, args ...any) (cells []int64, err error) {
	rows, err := on.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", query, err)
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		return nil, err
	}
	for rows.Next() {
		row, targets := make([]int64, len(columns)), make([]any, len(columns))
		for i := range row {
			targets[i] = &row[i]
		}
		if err := rows.Scan(targets...); err != nil {
			return nil, err
		}
		cells = append(cells, row...)
	}
	return cells, rows.Err()
}

// state returns the SQLSTATE of an error; "" if it has none.
func state(err error) string {
	var refused *pq.Error
	if errors.As(err, &refused) {
		return string(refused.Code)
	}
	return ""
}

const (
	uniqueViolation = "23505"
	deadlock        = "40P01"
)

// transaction runs f in a transaction. With keep it is committed, else rolled back.
// It is done again after a deadlock.
func (l *Load) transaction(ctx context.Context, keep bool, f func(*sql.Tx) error) error {
	for {
		tx, err := l.DB.BeginTx(ctx, nil)
		if err != nil {
			return err
		}
		if err = f(tx); err == nil && keep {
			err = tx.Commit()
		} else {
			err = errors.Join(err, tx.Rollback())
		}
		if state(err) != deadlock {
			return err
		}
	}
}
