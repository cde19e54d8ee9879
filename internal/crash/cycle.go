package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"syscall"
	"time"

	"github.com/writebehind/writebehind/internal/crash/child"
)

// cycle has the child work and crash, once or twice, and then compares all that
// was acknowledged with PostgreSQL.
func (s *setting) cycle(ctx context.Context, rng *rand.Rand) error {
	crashes := 1
	if s.row.journal != noJournal && !s.mayLose() {
		crashes += rng.IntN(2)
	}
	for range crashes {
		if !s.child.alive() {
			if err := s.start(ctx, rng, false); err != nil {
				return err
			}
		}
		if err := s.work(ctx, rng); err != nil {
			return err
		}
		if err := s.row.mode.crash(s, ctx, rng); err != nil {
			return err
		}
	}
	if err := s.finish(ctx, rng); err != nil {
		// What is there may show why.
		return errors.Join(err, s.checkPrefix(ctx))
	}
	return s.compare(ctx)
}

// mayLose tells whether the mode may lose acknowledged writes that come after a
// prefix.
func (s *setting) mayLose() bool { return s.power != nil && s.row.journal == "off" }

// work waits until the child has done some work: a number of acknowledgements
// that is as likely to be small as large, but not for ever.
func (s *setting) work(ctx context.Context, rng *rand.Rand) error {
	const least, most = 20, 3000
	n := int64(least * math.Pow(most/least, rng.Float64()))
	s.say("%d acknowledgements", n)
	return s.acknowledge(ctx, n, 3*time.Second)
}

func (s *setting) acknowledge(ctx context.Context, n int64, longest time.Duration) error {
	target := s.watch.acked() + n
	bounded, cancel := context.WithTimeout(ctx, longest)
	defer cancel()
	s.watch.wait(bounded, func() bool { return s.watch.ledger.Acked >= target })
	s.watch.mu.Lock()
	defer s.watch.mu.Unlock()
	if s.watch.err != nil {
		return s.watch.err
	}
	if s.watch.ended {
		return fmt.Errorf("the child ended by itself: %s", s.child.stderr.String())
	}
	return ctx.Err()
}

// finish brings all that was acknowledged to PostgreSQL, as far as it is promised
// to be kept, and ends the child.
func (s *setting) finish(ctx context.Context, rng *rand.Rand) error {
	if s.child.alive() && s.row.journal != noJournal && rng.IntN(3) == 0 {
		s.say("the child is killed at the end, too")
		s.child.kill()
	}
	switch {
	case s.child.alive():
	case s.row.journal == noJournal:
		s.child = nil
		return nil // there is nothing to recover
	default:
		// What a worker would begin with is not known if something may be gone.
		drain := rng.IntN(2) == 0 || s.lossy
		s.say("recovery, drain only: %v", drain)
		if err := s.start(ctx, rng, drain); err != nil {
			return err
		}
		if drain {
			return s.ended(s.child.wait(ctx))
		}
		if err := s.acknowledge(ctx, rng.Int64N(200), time.Second); err != nil {
			return err
		}
	}
	return s.ended(s.child.signal(ctx, syscall.SIGTERM))
}

func (s *setting) ended(code int, err error) error {
	stderr := s.child.stderr.String()
	s.child = nil
	if err == nil && code != child.Drained {
		err = fmt.Errorf("the child was to drain and has not (exit code %d): %s", code, stderr)
	}
	return err
}

// pause lets time pass while a fault lasts.
func pause(ctx context.Context, rng *rand.Rand, longest time.Duration) error {
	timer := time.NewTimer(time.Duration(rng.Int64N(int64(longest))))
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (s *setting) killServer() error {
	s.say("the server is killed")
	return errors.Join(s.server.Kill(), s.proxy.Refuse())
}

func (s *setting) startServer(ctx context.Context) error {
	return errors.Join(s.server.Start(ctx), s.proxy.Listen(ctx))
}

func (s *setting) killChild() error {
	if !s.child.alive() {
		return errors.New("the child ended by itself: " + s.child.stderr.String())
	}
	s.say("the child is killed")
	s.child.kill()
	s.lossy = s.lossy || s.row.journal == noJournal
	return nil
}
