package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/lib/pq"
)

// batcher is the write-behind that a team would write by hand on lib/pq: writes go
// into a channel; a goroutine sends what has come, every 100 ms or 5,000 writes, as
// one UPDATE … FROM unnest. A write that was sent is seen by nobody until then, and
// a crash loses it.
var batcher = Subject{Name: "batcher", Promise: "lib/pq and a channel, UPDATE … FROM unnest every 100 ms, by hand: in the process", Open: openBatcher}

const (
	batchDelay = 100 * time.Millisecond
	batchSize  = 5000
)

// write is one write in the channel; settled, if set, is closed when all before it
// are in PostgreSQL.
type write struct {
	key, value int64
	settled    chan struct{}
}

type batcherClient struct {
	driverClient
	writes  chan write
	stopped sync.WaitGroup
	query   string

	mu     sync.Mutex
	failed error
}

func openBatcher(_ context.Context, at place) (client, error) {
	db, err := sql.Open("postgres", at.dsn())
	c := &batcherClient{driverClient: driverClient{db}, writes: make(chan write, batchSize), query: unnestUpdate("large")}
	c.stopped.Go(c.run)
	return c, err
}

// unnestUpdate sets the prices of many rows at once.
func unnestUpdate(table string) string {
	return fmt.Sprintf(`UPDATE %s AS t SET price = v.price FROM unnest($1::bigint[], $2::bigint[]) AS v (id, price) WHERE t.id = v.id`, table)
}

func (c *batcherClient) run() {
	tick := time.NewTicker(batchDelay)
	defer tick.Stop()
	batch := make([]write, 0, batchSize)
	flush := func() {
		if len(batch) > 0 {
			c.fail(c.flush(batch))
			batch = batch[:0]
		}
	}
	for {
		select {
		case w, open := <-c.writes:
			switch {
			case !open:
				flush()
				return
			case w.settled != nil:
				flush()
				close(w.settled)
			default:
				if batch = append(batch, w); len(batch) == batchSize {
					flush()
				}
			}
		case <-tick.C:
			flush()
		}
	}
}

// flush sends a batch. An UPDATE takes any one of several values for one row, so the
// last one has to be picked here.
func (c *batcherClient) flush(batch []write) error {
	last := make(map[int64]int64, len(batch))
	for _, w := range batch {
		last[w.key] = w.value
	}
	keys, values := make([]int64, 0, len(last)), make([]int64, 0, len(last))
	for key, value := range last {
		keys, values = append(keys, key), append(values, value)
	}
	r, err := c.db.ExecContext(context.Background(), c.query, pq.Array(keys), pq.Array(values))
	if err != nil {
		return err
	}
	n, err := r.RowsAffected()
	if err == nil && n != int64(len(keys)) {
		err = fmt.Errorf("%d rows affected, not %d", n, len(keys))
	}
	return err
}

func (c *batcherClient) fail(err error) {
	if err != nil {
		c.mu.Lock()
		c.failed = errors.Join(c.failed, err)
		c.mu.Unlock()
	}
}

func (c *batcherClient) failure() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.failed
}

func (c *batcherClient) Table(name string) rows { return batcherRows{c.driverClient.Table(name), c} }

func (c *batcherClient) Settle(context.Context) error {
	settled := make(chan struct{})
	c.writes <- write{settled: settled}
	<-settled
	return c.failure()
}

func (c *batcherClient) Close() error {
	close(c.writes)
	c.stopped.Wait()
	return errors.Join(c.failure(), c.db.Close())
}

// batcherRows sets through the channel and does all else at once.
type batcherRows struct {
	rows
	c *batcherClient
}

func (r batcherRows) Set(_ context.Context, key, price int64) error {
	r.c.writes <- write{key: key, value: price}
	return nil
}
