package writebehind

import (
	"context"
	"sync/atomic"
	"time"
)

// serverClock tells the time as the server's clock does, without asking it each
// time. It is never ahead of it, and behind by no more than the answer to its last
// question took.
type serverClock struct {
	reading atomic.Pointer[clockReading]
	newest  atomic.Int64 // told so far, in microseconds since 1970: it does not go back
}

// clockReading is what the server's clock said when.
type clockReading struct {
	server time.Time // before the answer was on its way
	local  time.Time // when it was here
}

// staleReading is how long a reading tells the time, should the server not answer:
// two clocks that run apart by 100 millionths, which is much, are 60 ms off by then.
const staleReading = 10 * time.Minute

// now returns the server's time, in whole microseconds like its own; ok is false
// while that is not known.
func (c *serverClock) now() (at time.Time, ok bool) {
	r := c.reading.Load()
	if r == nil {
		return time.Time{}, false
	}
	since := time.Since(r.local)
	if since > staleReading {
		return time.Time{}, false
	}
	n := r.server.Add(since).UnixMicro()
	for {
		newest := c.newest.Load()
		if n <= newest {
			return time.UnixMicro(newest), true
		}
		if c.newest.CompareAndSwap(newest, n) {
			return time.UnixMicro(n), true
		}
	}
}

// readClock asks the server for its time.
func (e *engine) readClock(ctx context.Context) error {
	var micros int64
	if err := e.db.QueryRowContext(ctx, `SELECT (extract(epoch FROM pg_catalog.clock_timestamp()) * 1000000)::bigint`).Scan(&micros); err != nil {
		return err
	}
	fresh := &clockReading{server: time.UnixMicro(micros), local: time.Now()}
	// An answer that was long on its way is further behind than the last one is now.
	if old := e.clock.reading.Load(); old == nil || fresh.local.Sub(old.local) > time.Minute || !fresh.server.Before(old.server.Add(fresh.local.Sub(old.local))) {
		e.clock.reading.Store(fresh)
	}
	return nil
}
