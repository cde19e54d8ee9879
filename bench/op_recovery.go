package main

import (
	"context"
	"database/sql"
	"time"
)

// recovery is how long a process takes to serve its first statement, a read of the row
// that was acknowledged last, with the journal of one that died: connections, catalog,
// ownership and the rebuilding of the overlay, all in all.
type recovery struct {
	about
	groups int
}

func (o recovery) Setup(ctx context.Context, plain *sql.DB) error {
	return makeTable(ctx, plain, "trusted", 1)
}

func (recovery) Prepare(context.Context, *session, int) error { return nil }

func (recovery) Takes() time.Duration { return 3 * time.Second }

func (o recovery) Measure(ctx context.Context, s *session, _ int) (sample, error) {
	base, c := s.base(), s.client.(*recoveredClient)
	if err := leaveJournal(ctx, o.groups, base, c.dsn); err != nil {
		return sample{}, err
	}
	start := time.Now()
	if err := c.open(); err != nil {
		return sample{}, err
	}
	if err := s.Table("trusted").Read(ctx, base+int64(o.groups)-1); err != nil {
		return sample{}, err
	}
	elapsed := time.Since(start)
	s.inserted["trusted"] += int64(o.groups)
	return sample{n: int64(o.groups), elapsed: elapsed, extra: []extra{{"recovery, ms", float64(elapsed.Milliseconds())}}}, nil
}

// Check also closes, so that the next process finds the journal free.
func (o recovery) Check(ctx context.Context, s *session) error {
	if err := s.checkCount(ctx, "trusted", 1); err != nil {
		return err
	}
	return s.client.(*recoveredClient).Close()
}
