package writebehind

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// activity counts the direct statements and transactions under way, in two
// generations, so that one can wait for all that had begun at some moment.
type activity struct {
	generation atomic.Uint64
	under      [2]atomic.Int64
	turn       sync.Mutex // one wait at a time: it needs the other counter at zero
}

// begin counts one more and returns the generation for end.
func (a *activity) begin() uint64 {
	for {
		g := a.generation.Load()
		a.under[g%2].Add(1)
		if a.generation.Load() == g {
			return g
		}
		a.under[g%2].Add(-1)
	}
}

func (a *activity) end(generation uint64) { a.under[generation%2].Add(-1) }

// quiesce waits until everything that is under way now has ended; false if ctx
// ends first.
func (a *activity) quiesce(ctx context.Context) bool {
	a.turn.Lock()
	defer a.turn.Unlock()
	old := a.generation.Add(1) - 1
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for a.under[old%2].Load() > 0 {
		select {
		case <-ctx.Done():
			return false
		case <-tick.C:
		}
	}
	return true
}
