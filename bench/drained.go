package main

import (
	"context"
	"sync"
	"time"
)

// drained has work done and waits until all of it is in PostgreSQL: its time is that of
// both. It looks on how far the subject lags meanwhile, and what PostgreSQL spends.
func drained(ctx context.Context, s *session, work func() (sample, error)) (sample, error) {
	var before serverCost
	var err error
	if s.plain != nil {
		if before, err = costSoFar(ctx, s.plain); err != nil {
			return sample{}, err
		}
	}
	watch := watchLag(s)
	start := time.Now()
	x, err := work()
	if err == nil {
		err = s.Settle(ctx)
	}
	x.elapsed = time.Since(start)
	lag, lagErr := watch.stop()
	if err == nil {
		err = lagErr
	}
	if err != nil {
		return x, err
	}
	x.lag = lag
	if s.plain != nil {
		after, err := costSoFar(ctx, s.plain)
		if err != nil {
			return x, err
		}
		x.cost = after.since(before)
	}
	return x, nil
}

// lagWatch looks on how far a subject lags.
type lagWatch struct {
	done    chan struct{}
	stopped sync.WaitGroup
	longest time.Duration
	err     error
}

func watchLag(s *session) *lagWatch {
	w := &lagWatch{done: make(chan struct{})}
	shim, ok := s.client.(shimClient)
	if !ok {
		return w
	}
	w.stopped.Go(func() {
		tick := time.NewTicker(50 * time.Millisecond)
		defer tick.Stop()
		for w.err == nil {
			select {
			case <-w.done:
				return
			case <-tick.C:
				var lag time.Duration
				lag, w.err = shim.Lag()
				w.longest = max(w.longest, lag)
			}
		}
	})
	return w
}

func (w *lagWatch) stop() (time.Duration, error) {
	close(w.done)
	w.stopped.Wait()
	return w.longest, w.err
}
