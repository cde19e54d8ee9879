package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/writebehind/writebehind/internal/crash/check"
	"github.com/writebehind/writebehind/internal/crash/load"
)

// checkPrefix checks that PostgreSQL holds a state that the application passed
// through, at this moment.
func (s *setting) checkPrefix(ctx context.Context) error {
	seen, err := load.Observe(ctx, s.past)
	if err != nil {
		return err
	}
	// What was seen had begun, so its intent is on the way.
	if s.child.alive() {
		if err := s.child.catchUp(ctx); err != nil && s.child.alive() {
			return err
		}
	}
	s.watch.mu.Lock()
	defer s.watch.mu.Unlock()
	s.report(check.Prefix(s.watch.ledger, seen))
	return s.watch.err
}

// compare checks that PostgreSQL holds all that was acknowledged, as far as it is
// promised, and begins anew from what it holds.
func (s *setting) compare(ctx context.Context) error {
	if err := s.quiet(ctx); err != nil {
		return err
	}
	seen, err := load.Observe(ctx, s.past)
	if err != nil {
		return err
	}
	letters, err := s.deadLetters(ctx)
	if err != nil {
		return err
	}
	s.watch.mu.Lock()
	defer s.watch.mu.Unlock()
	if s.watch.err != nil {
		return s.watch.err
	}
	var r check.Report
	if s.lossy {
		r = check.Prefix(s.watch.ledger, seen)
		s.row.gone += r.Gone
	} else {
		r = check.Complete(s.watch.ledger, seen)
	}
	for _, text := range letters {
		r.Findings = append(r.Findings, check.Finding{Kind: check.Lost, Text: "a dead letter: " + text})
	}
	r.Findings = append(r.Findings, s.watch.told...)
	s.watch.told = nil
	s.report(r)
	s.watch.ledger.Rebase(seen)
	s.lossy = false
	return nil
}

// report counts what is wrong, and prints it unless it is very much.
func (s *setting) report(r check.Report) {
	s.row.counts.Add(r)
	const most, longest = 10, 40
	for _, f := range r.Findings {
		if s.told++; s.told > most {
			return
		}
		if n := len(f.History); n > longest {
			f.History = append([]string{fmt.Sprintf("(%d more before)", n-longest)}, f.History[n-longest:]...)
		}
		fmt.Fprintf(s.out, "%s, %s, cycle %d: %s\n", s.row.mode.name, s.row.journal, s.row.cycles+1, f)
	}
}

// quiet waits until the server has ended every session but the laboratory's: one
// whose client is gone may still be executing what it was sent.
func (s *setting) quiet(ctx context.Context) error {
	s.proxy.Cut()
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	for {
		var n int
		if err := s.past.QueryRowContext(ctx, `SELECT count(*) FROM pg_stat_activity
			WHERE datname = current_database() AND backend_type = 'client backend' AND pid <> pg_backend_pid()`).Scan(&n); err != nil {
			return fmt.Errorf("sessions of a child that is gone: %w", err)
		}
		if n == 0 {
			return nil
		}
		select {
		case <-time.After(2 * time.Millisecond):
		case <-ctx.Done():
			return fmt.Errorf("%d sessions are left of a child that is gone: %w", n, ctx.Err())
		}
	}
}

// deadLetters returns, and removes, what PostgreSQL refused: it has no reason to.
func (s *setting) deadLetters(ctx context.Context) (letters []string, err error) {
	var there bool
	if err := s.past.QueryRowContext(ctx, "SELECT to_regclass('writebehind.dead_letter') IS NOT NULL").Scan(&there); err != nil || !there {
		return nil, err
	}
	rows, err := s.past.QueryContext(ctx, "DELETE FROM writebehind.dead_letter RETURNING dead_letter::text")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var text string
		if err := rows.Scan(&text); err != nil {
			return nil, err
		}
		letters = append(letters, text)
	}
	return letters, rows.Err()
}
