package owner

import (
	"context"
	"database/sql"
	"errors"
	"time"
)

// Take makes the database dirty, before the first deferral since it was clean,
// and returns the epoch under which the deferred is flushed. It fails with
// ErrShared while others live, and with ErrLost while the process is to be let in
// again. Taking what is taken already is no error.
func (o *Owner) Take(ctx context.Context) (epoch int64, err error) {
	if err := o.lock(ctx); err != nil {
		return 0, err
	}
	defer o.unlock()
	switch {
	case o.life.Err() != nil:
		return 0, ErrClosed
	case !o.joined:
		return 0, lostBecause(o.failure)
	case !o.alone || o.started && o.phase != active:
		return 0, ErrShared
	}
	err = o.step(ctx, func(tx *sql.Tx, s *scene) error {
		if reason := o.overtaken(s); reason != "" {
			return o.lose(s, reason)
		}
		if s.row.Dirty { // adopted, or by a Take whose answer was lost
			epoch = s.row.Epoch
		} else {
			if len(s.others) > 0 {
				o.others = s.others
				o.nudge()
				return ErrShared
			}
			epoch = max(s.row.Epoch, o.epoch.Load()) + 1
		}
		if err := o.writeInstance(ctx, tx, true); err != nil {
			return err
		}
		return o.writeOwner(ctx, tx, ownership{epoch: epoch, dirty: true, groups: s.row.Groups})
	})
	if err != nil {
		return 0, err
	}
	o.dirty = true
	o.epoch.Store(epoch)
	if o.phase == drained {
		o.phase = direct // not any more
	}
	if o.started {
		o.opts.Engine.Taken()
	}
	return epoch, nil
}

// Confirm makes sure, before what this process has written directly is committed,
// that nobody has come in its place. It does not wait to be let in again: who has
// come may be waiting for what this process has locked.
func (o *Owner) Confirm(ctx context.Context) error {
	if o.known() {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, o.opts.Life/2)
	defer cancel()
	ok, failure, err := o.attend(ctx)
	if ok || err != nil {
		return err
	}
	return lostBecause(failure)
}

// Check makes sure, before a direct statement, that the others know of this
// process. It costs nothing while the last heartbeat is younger than half of
// Life. Else it beats; and if the process has been overtaken it waits, up to
// TakeoverTimeout, until it is let in again.
func (o *Owner) Check(ctx context.Context) error {
	if o.known() {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, o.opts.TakeoverTimeout)
	defer cancel()
	poll := time.NewTicker(o.opts.Life / pollsPerLife)
	defer poll.Stop()
	for {
		ok, failure, err := o.attend(ctx)
		if err != nil && ctx.Err() != nil {
			return errors.Join(err, o.view.Load().Failure) // what it has waited for
		}
		if ok || err != nil {
			return err
		}
		select {
		case <-poll.C:
		case <-ctx.Done():
			return lostBecause(failure)
		}
	}
}

// attend beats if it is time to. The loop does what follows for the engine.
func (o *Owner) attend(ctx context.Context) (ok bool, failure, err error) {
	if err := o.lock(ctx); err != nil {
		return false, nil, err
	}
	defer o.unlock()
	switch {
	case o.life.Err() != nil:
		return false, nil, ErrClosed
	case o.joined && age(time.Now(), o.beat) >= o.opts.Life/2:
		if err = o.pulse(ctx, false); err == nil {
			o.report(nil)
		}
		o.nudge()
	}
	if o.joined || err != nil {
		return err == nil, nil, err
	}
	return false, o.failure, nil
}
