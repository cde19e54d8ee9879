package main

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/writebehind/writebehind/internal/crash/proxy"
)

// fault is something that goes wrong with the place.
type fault struct {
	name string
	// strike has it happen and returns when it is over.
	strike func(context.Context, *place, dice) error
}

var faults = []fault{
	{"connections cut", func(_ context.Context, p *place, _ dice) error {
		p.proxy.Cut()
		return nil
	}},
	{"answer to a COMMIT lost", loseAnswer},
	{"network stalled", func(ctx context.Context, p *place, d dice) error {
		p.proxy.Stall()
		defer p.proxy.Up()
		return d.linger(ctx, 2*time.Second)
	}},
	{"network stalled, then cut", func(ctx context.Context, p *place, d dice) error {
		p.proxy.Stall()
		defer p.proxy.Up()
		defer p.proxy.Cut()
		return d.linger(ctx, 2*time.Second)
	}},
	{"connections refused", func(ctx context.Context, p *place, d dice) error {
		err := errors.Join(p.proxy.Refuse(), d.linger(ctx, 2*time.Second))
		return errors.Join(err, p.proxy.Listen(ctx))
	}},
	{"server killed, started again", restart},
	{"server paused", func(ctx context.Context, p *place, d dice) error {
		err := errors.Join(p.server.Pause(), d.linger(ctx, 4*time.Second))
		return errors.Join(err, p.server.Resume())
	}},
	{"table altered", alter},
}

// deck deals the faults in an order of its own each time round, so that no
// quarter of a run has much more of one than another.
type deck struct {
	rng  *rand.Rand
	left []fault
}

func (d *deck) deal() fault {
	if len(d.left) == 0 {
		for _, i := range d.rng.Perm(len(faults)) {
			d.left = append(d.left, faults[i])
		}
	}
	f := d.left[0]
	d.left = d.left[1:]
	return f
}

// dice are what chance decides of a fault.
type dice struct {
	*rand.Rand
	scale float64 // 1; less shortens what lasts
}

// linger lets a fault last: between half the time and one and a half times.
func (d dice) linger(ctx context.Context, about time.Duration) error {
	about = time.Duration(d.scale * float64(about))
	return pause(ctx, about/2+time.Duration(d.Int64N(int64(about))))
}

// pause returns after d, or when ctx is done.
func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// loseAnswer cuts the connection of the next COMMIT, as a rule a flush's, after
// the server has it: whether it happened has to be found out.
func loseAnswer(ctx context.Context, p *place, _ dice) error {
	done := p.proxy.CutCommit(proxy.Answer)
	defer p.proxy.Up()
	timer := time.NewTimer(5 * time.Second)
	defer timer.Stop()
	select {
	case <-done:
		return nil
	case <-timer.C:
		return errors.New("nothing was committed in five seconds")
	case <-ctx.Done():
		return ctx.Err()
	}
}

// restart ends the server and all sessions at once, as a crash does.
func restart(ctx context.Context, p *place, d dice) error {
	// The proxy refuses what the server would refuse if it were not behind one.
	err := errors.Join(p.server.Kill(), p.proxy.Refuse(), d.linger(ctx, time.Second))
	return errors.Join(err, p.server.Start(ctx), p.proxy.Listen(ctx))
}

// alter adds a column to an opted-in table, through the shim or past it, and
// drops it the next time, so that rows do not get wider and wider. It is dropped
// through the shim only: dropping what pending writes name is no fault that has
// to be survived without somebody's help.
func alter(ctx context.Context, p *place, d dice) error {
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	var there bool
	err := p.past.QueryRowContext(ctx, `SELECT EXISTS (SELECT FROM information_schema.columns
		WHERE table_name = 'products' AND column_name = 'note')`).Scan(&there)
	if err != nil {
		return err
	}
	const add, drop = `ALTER TABLE products ADD COLUMN IF NOT EXISTS note text`, `ALTER TABLE products DROP COLUMN IF EXISTS note`
	switch {
	case there:
		_, err = p.shop.ExecContext(ctx, drop)
	case d.IntN(2) == 0:
		_, err = p.shop.ExecContext(ctx, add)
	default:
		_, err = p.past.ExecContext(ctx, add)
	}
	return err
}
