package writebehind

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// directRows are the rows that direct writers hold, by the hash of the key. Two rows
// whose hashes collide are held together.
type directRows struct {
	count atomic.Int64
	waits atomic.Int64 // statements that wait for a row
	mu    sync.RWMutex
	rows  map[uint64]*directRow
}

type directRow struct {
	holders int
	asks    bool          // PostgreSQL is to be asked, by all who wait
	changed chan struct{} // closed when that changes; nil if nobody waits for it
}

// has tells whether a row is held.
func (d *directRows) has(hash uint64) bool {
	if d.count.Load() == 0 {
		return false
	}
	d.mu.RLock()
	defer d.mu.RUnlock()
	return d.rows[hash] != nil
}

func (d *directRows) add(hash uint64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	r := d.rows[hash]
	if r == nil {
		if d.rows == nil {
			d.rows = make(map[uint64]*directRow)
		}
		r = new(directRow)
		d.rows[hash] = r
	}
	r.holders++
	d.count.Add(1)
}

func (d *directRows) remove(hash uint64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	r := d.rows[hash]
	if r.holders--; r.holders == 0 {
		delete(d.rows, hash)
	}
	r.asks = false
	r.tell()
	d.count.Add(-1)
}

// tell wakes those who wait for a change; mu is held.
func (r *directRow) tell() {
	if r.changed != nil {
		close(r.changed)
		r.changed = nil
	}
}

// change returns what is closed when a row has one holder less, or PostgreSQL is to be
// asked, as it may be already; nil if it has none.
func (d *directRows) change(hash uint64) (changed <-chan struct{}, asks bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	r := d.rows[hash]
	if r == nil {
		return nil, false
	}
	if r.changed == nil {
		r.changed = make(chan struct{})
	}
	return r.changed, r.asks
}

// await waits until a row is not held, as long as its holders change. It returns
// ctx's error, or errRowHeld when that is not to be expected, or a token comes from
// yield.
func (d *directRows) await(ctx context.Context, hash uint64, p lockPatience, yield <-chan struct{}) error {
	if !d.has(hash) {
		return nil
	}
	d.waits.Add(1)
	defer d.waits.Add(-1)
	began := time.Now()
	timer := time.NewTimer(p.kept)
	defer timer.Stop()
	for {
		changed, asks := d.change(hash)
		if changed == nil {
			return nil
		}
		if asks || p.limit > 0 && time.Since(began) >= p.limit {
			return errRowHeld
		}
		timer.Reset(p.kept)
		select {
		case <-changed:
		case <-timer.C:
			return errRowHeld
		case <-yield:
			return errRowHeld
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
