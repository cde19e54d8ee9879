package main

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/writebehind/writebehind"
)

// look is one look at the shim.
type look struct {
	writebehind.Statistics
	direct []string // opted-in tables on which nothing is deferred at the moment
}

// observer follows what the shim and the server say about themselves.
type observer struct {
	shim     followed[look]
	backends followed[int] // of the server, that the shim and its pool use
	stop     context.CancelFunc
	running  sync.WaitGroup
}

// lookEvery is how often they are asked: several times in the second between two
// samples, so that each sample has answers of its own.
const lookEvery = 200 * time.Millisecond

func observe(ctx context.Context, p *place) *observer {
	ctx, stop := context.WithCancel(ctx)
	o := &observer{stop: stop}
	o.running.Go(func() { o.shim.follow(ctx, lookEvery, p.look) })
	o.running.Go(func() { o.backends.follow(ctx, lookEvery, p.backends) })
	return o
}

func (o *observer) end() {
	o.stop()
	o.running.Wait()
}

// look asks the shim, which answers without the server.
func (p *place) look(ctx context.Context) (l look, err error) {
	if l.Statistics, err = writebehind.Stats(p.window); err != nil {
		return l, err
	}
	rows, err := p.window.QueryContext(ctx, "SHOW writebehind.tables")
	if err != nil {
		return l, err
	}
	defer rows.Close()
	for rows.Next() {
		var table, optedIn, mode, reason string
		if err := rows.Scan(&table, &optedIn, &mode, &reason); err != nil {
			return l, err
		}
		if mode != "deferred" {
			l.direct = append(l.direct, table+" ("+reason+")")
		}
	}
	return l, rows.Err()
}

func (p *place) backends(ctx context.Context) (n int, err error) {
	err = p.past.QueryRowContext(ctx,
		`SELECT count(*) FROM pg_stat_activity WHERE application_name = $1`, application).Scan(&n)
	return n, err
}

var errNoLook = errors.New("the shim did not answer")

// lookAfter waits for a look that was begun after a time.
func (o *observer) lookAfter(ctx context.Context, at time.Time) (look, error) {
	for {
		if l, ok := o.shim.get(at); ok {
			return l, nil
		}
		if err := pause(ctx, 10*time.Millisecond); err != nil {
			return look{}, errNoLook
		}
	}
}
