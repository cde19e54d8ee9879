package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"syscall"
	"time"

	"github.com/writebehind/writebehind/internal/crash/child"
	"github.com/writebehind/writebehind/internal/crash/proxy"
)

func (s *setting) crashChild(ctx context.Context, _ *rand.Rand) error {
	if err := s.killChild(); err != nil {
		return err
	}
	return s.checkPrefix(ctx)
}

// crashServer leaves the child at work while the server is away, and after.
func (s *setting) crashServer(ctx context.Context, rng *rand.Rand) error {
	if err := s.killServer(); err != nil {
		return err
	}
	if err := pause(ctx, rng, 300*time.Millisecond); err != nil {
		return err
	}
	if err := s.startServer(ctx); err != nil {
		return err
	}
	if err := s.checkPrefix(ctx); err != nil {
		return err
	}
	return s.acknowledge(ctx, rng.Int64N(500), time.Second)
}

func (s *setting) crashBoth(ctx context.Context, rng *rand.Rand) error {
	first, second := s.killServer, s.killChild
	if rng.IntN(2) == 0 {
		first, second = second, first
	}
	if err := first(); err != nil {
		return err
	}
	if err := pause(ctx, rng, 20*time.Millisecond); err != nil {
		return err
	}
	if err := second(); err != nil {
		return err
	}
	if err := s.startServer(ctx); err != nil {
		return err
	}
	return s.checkPrefix(ctx)
}

// fault spoils the network until heal.
type fault struct {
	name  string
	begin func(*proxy.Proxy)
	cut   bool // what is held is cut rather than delivered late
}

var faults = []fault{
	{name: "all connections cut", begin: (*proxy.Proxy).Cut},
	{name: "network down", begin: (*proxy.Proxy).Down},
	{name: "network stalled", begin: (*proxy.Proxy).Stall},
	{name: "network stalled, then cut", begin: (*proxy.Proxy).Stall, cut: true},
	{name: "half-closed to the client", begin: func(p *proxy.Proxy) { p.HalfClose(proxy.Client) }},
	{name: "half-closed to the server", begin: func(p *proxy.Proxy) { p.HalfClose(proxy.Server) }},
}

func (s *setting) crashNetwork(ctx context.Context, rng *rand.Rand) error {
	if rng.IntN(2) == 0 {
		if err := s.cutCommits(ctx, rng); err != nil {
			return err
		}
	} else {
		f := faults[rng.IntN(len(faults))]
		s.say("%s", f.name)
		f.begin(s.proxy)
		if err := pause(ctx, rng, 400*time.Millisecond); err != nil {
			return err
		}
		if f.cut {
			s.proxy.Cut()
		}
		s.proxy.Up()
	}
	if err := s.checkPrefix(ctx); err != nil {
		return err
	}
	return s.acknowledge(ctx, rng.Int64N(500), time.Second)
}

// cutCommits has COMMITs, which as a rule are a flush's, lose their answer or
// themselves.
func (s *setting) cutCommits(ctx context.Context, rng *rand.Rand) error {
	lost := []proxy.Lost{proxy.Answer, proxy.Request}[rng.IntN(2)]
	n := 1 + rng.IntN(3)
	s.say("the next %d COMMITs are cut, lost: %s", n, []string{"the answer", "the request"}[lost])
	for range n {
		done := s.proxy.CutCommit(lost)
		timer := time.NewTimer(2 * time.Second)
		select {
		case <-done:
		case <-timer.C: // nothing is flushed
		case <-ctx.Done():
		}
		timer.Stop()
		if err := s.checkPrefix(ctx); err != nil {
			return err
		}
	}
	s.proxy.Up()
	return ctx.Err()
}

// crashPower has the disk of the child lose what was not synced, and every other
// time the server die with it.
func (s *setting) crashPower(ctx context.Context, rng *rand.Rand) error {
	s.say("power loss")
	// The process needs a moment to take back what its disk has lost, in which the
	// dead must not go on to flush.
	s.proxy.Stall()
	code, err := s.child.signal(ctx, syscall.SIGUSR1)
	s.proxy.Cut()
	s.proxy.Up()
	if err == nil && code != child.PowerLost {
		err = fmt.Errorf("the child lost no power (exit code %d): %s", code, s.child.stderr.String())
	}
	if err != nil {
		return err
	}
	s.power.Losses++
	s.lossy = s.lossy || s.mayLose()
	if rng.IntN(2) == 0 {
		if err := errors.Join(s.killServer(), s.startServer(ctx)); err != nil {
			return err
		}
	}
	return s.checkPrefix(ctx)
}
