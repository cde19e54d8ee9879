package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
)

var errNotBack = errors.New("the load is not deferring as before")

// awaitDeferring returns when the load, after a fault, is what it was before: what
// was acknowledged up to then is in PostgreSQL, every table defers, and hardly
// anything is direct. If that takes too long, the error says what is missing.
func awaitDeferring(ctx context.Context, o *observer, longest time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, longest)
	defer cancel()
	first, err := o.lookAfter(ctx, time.Now())
	if err != nil {
		return fmt.Errorf("%w: %w", errNotBack, err)
	}
	before, lacking := first, "any second look"
	for lacking != "" {
		// So far apart that the load does something in between.
		if pause(ctx, lookEvery) != nil {
			return fmt.Errorf("%w: %s", errNotBack, lacking)
		}
		now, err := o.lookAfter(ctx, time.Now())
		if err != nil {
			return fmt.Errorf("%w: %w; before, %s", errNotBack, err, lacking)
		}
		lacking = missing(first, before, now)
		before = now
	}
	return nil
}

// missing says what keeps the load from being as it was, given the first look
// after the fault and the last two; "" if nothing does.
func missing(first, before, now look) string {
	var what []string
	if now.FlushedLSN < first.LSN {
		what = append(what, fmt.Sprintf("flushed up to %d, not %d (paused %v, last error %q)", now.FlushedLSN, first.LSN, now.Paused, now.LastError))
	}
	if len(now.direct) > 0 {
		what = append(what, "direct: "+strings.Join(now.direct, ", "))
	}
	// A few are direct at any time: a look-up that meets a dead connection.
	const most = 0.2
	deferred, direct := now.Deferred-before.Deferred, now.Direct-before.Direct
	if deferred == 0 || float64(direct) > most*float64(deferred) {
		what = append(what, fmt.Sprintf("%d statements were deferred and %d direct (%s)", deferred, direct, now.Ownership))
	}
	return strings.Join(what, "; ")
}
