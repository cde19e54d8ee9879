package owner

import (
	"context"
	"database/sql"
	"time"
)

// live beats until the owner is closed, and does what the presence of others
// demands.
func (o *Owner) live(ctx context.Context) {
	defer close(o.done)
	failing := false
	tick := time.NewTicker(o.opts.Life / 10)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		attempt, cancel := context.WithTimeout(ctx, o.opts.Life/2)
		err := o.pulse(attempt)
		cancel()
		if ctx.Err() != nil {
			return
		}
		if err != nil && !failing {
			o.opts.Logger.Warn("writebehind: the process cannot show the others on the database that it lives", "error", err)
		}
		failing = err != nil
	}
}

// pulse is one heartbeat.
func (o *Owner) pulse(ctx context.Context) error {
	var others, lost, resumed bool
	pending := o.opts.Engine.Pending()
	o.mu.Lock()
	wasShared := o.shared
	o.mu.Unlock()
	err := o.step(ctx, func(tx *sql.Tx, s *state) error {
		others = len(s.others) > 0
		ours := s.dirty && s.instance == o.opts.Instance
		lost = o.dirty.Load() && (!ours || s.epoch != o.epoch.Load())
		if lost && !others && (!s.dirty || ours) && s.epoch <= o.epoch.Load() && !s.abandoned {
			// The server has lost the row that said so, and nobody has owned the
			// database since.
			lost = false
			epoch, err := o.take(ctx, tx)
			if err == nil {
				o.epoch.Store(epoch)
			}
			return err
		}
		if ours {
			if _, err := tx.ExecContext(ctx, beatOwner, int64(pending)); err != nil {
				return err
			}
		}
		if resumed = wasShared && !others && (!s.dirty || ours); resumed {
			o.shared = false
			return setShared(ctx, tx, o.opts.Instance, false)
		}
		return nil
	})
	switch {
	case err != nil:
		return err
	case lost:
		o.opts.Logger.Error("writebehind: another process has owned the database, or an operator has abandoned this journal: what is pending here stays in the journal")
		_ = o.opts.Engine.Yield(ctx) // what is pending cannot be flushed any more
		o.dirty.Store(false)
		o.mu.Lock()
		o.shared = true
		o.mu.Unlock()
		return nil
	case others && (!wasShared || o.dirty.Load()):
		return o.yield(ctx)
	case resumed:
		o.opts.Engine.Resume()
	case o.dirty.Load() && !others && o.opts.Engine.Idle():
		return o.step(ctx, func(tx *sql.Tx, s *state) error {
			if !s.dirty || s.instance != o.opts.Instance || !o.opts.Engine.Idle() {
				return nil
			}
			o.dirty.Store(false)
			return clean(ctx, tx)
		})
	}
	return nil
}

// yield makes way for others.
func (o *Owner) yield(ctx context.Context) error {
	o.mu.Lock()
	o.shared = true
	o.mu.Unlock()
	if err := o.opts.Engine.Yield(ctx); err != nil {
		return err
	}
	return o.step(ctx, func(tx *sql.Tx, s *state) error {
		if s.dirty && s.instance == o.opts.Instance {
			if err := clean(ctx, tx); err != nil {
				return err
			}
		}
		o.dirty.Store(false)
		return setShared(ctx, tx, o.opts.Instance, true)
	})
}
