package owner

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"
)

// Register makes the process known to the others, before its first statement. It
// returns when they have made way: when a dirty owner has drained, and every
// other live process is direct or gone. It gives up after TakeoverTimeout, or at
// once when waiting cannot help, with a *DirtyError or an error that wraps
// ErrBusy. The heartbeat begins; the engine is not called before Start.
func Register(ctx context.Context, opts Options) (*Owner, error) {
	if opts.TakeoverTimeout == 0 {
		opts.TakeoverTimeout = defaultTakeoverTimeout
	}
	if opts.Life == 0 {
		opts.Life = defaultLife
	}
	if opts.Machine == "" {
		opts.Machine = thisMachine()
	}
	if opts.Logger == nil {
		opts.Logger = slog.Default()
	}
	o := &Owner{opts: opts, first: true, heard: make(map[string]sighting), turn: make(chan struct{}, 1), wake: make(chan struct{}, 1)}
	o.life, o.end = context.WithCancel(context.Background())
	if err := o.enter(ctx); err != nil {
		o.end()
		if !o.beat.IsZero() { // what has been entered must not keep the others waiting
			ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), opts.Life)
			defer cancel()
			_ = o.leave(ctx, false, false) // else it is forgotten by its age
		}
		return nil, err
	}
	o.running.Go(o.run)
	return o, nil
}

// enter tries to be let in until it is, or TakeoverTimeout is over.
func (o *Owner) enter(ctx context.Context) error {
	deadline := time.Now().Add(o.opts.TakeoverTimeout)
	poll := time.NewTicker(o.opts.Life / pollsPerLife)
	defer poll.Stop()
	var told bool
	for {
		if err := o.lock(ctx); err != nil {
			return err
		}
		v, err := o.admit(ctx)
		o.unlock()
		switch {
		case err != nil && !temporary(err):
			return errors.Join(ctx.Err(), err)
		case err != nil:
			v.obstacle = err
		case o.joined: // nobody else has this owner yet
			return nil
		case v.hopeless:
			return v.obstacle
		}
		if time.Now().After(deadline) {
			return v.obstacle
		}
		if !told {
			told = true
			o.opts.Logger.Info("writebehind: waiting for another process on the database", "reason", waitsFor(v.obstacle))
		}
		select {
		case <-poll.C:
		case <-ctx.Done():
			return errors.Join(ctx.Err(), v.obstacle)
		}
	}
}

// waitsFor is an obstacle while it is none to worry about.
func waitsFor(obstacle error) string {
	var dirty *DirtyError
	if errors.As(obstacle, &dirty) && dirty.Live {
		return fmt.Sprintf("the process %d on %s drains", dirty.PID, dirty.Host)
	}
	return obstacle.Error()
}

// verdict is what an attempt to be let in came to.
type verdict struct {
	obstacle error // nil: the process is in
	hopeless bool  // waiting would not help
	adopted  bool  // it goes on with what a process that is gone has left
	lost     *row  // that of an owner whose writes went with its memory
}

// admit is one attempt to be let in: registers the process, so that the others
// see it, and finds out whether it may start. The engine is direct, and has
// nothing that is not in a journal of its own.
func (o *Owner) admit(ctx context.Context) (v verdict, err error) {
	var zombies []int
	var alone bool
	var epoch int64
	err = o.step(ctx, func(tx *sql.Tx, s *scene) error {
		if o.first {
			if err := o.supersede(ctx, tx, s); err != nil {
				return err
			}
		}
		v = o.judge(s)
		if v.obstacle == nil && o.first {
			ids := append([]string{o.opts.Journal}, o.opts.Adopted...)
			if v.lost != nil {
				ids = append(ids, v.lost.Instance)
			}
			var err error
			if zombies, err = flushing(ctx, tx, ids); err != nil {
				return err
			}
			if len(zombies) > 0 {
				v = verdict{obstacle: fmt.Errorf("owner: the server is still at work for a process that is gone (backends %v)", zombies)}
			}
		}
		alone = v.obstacle == nil && (v.adopted || len(s.others) == 0)
		if err := o.writeInstance(ctx, tx, alone); err != nil || v.obstacle != nil {
			return err
		}
		epoch = max(s.row.Epoch, o.epoch.Load()) + 1
		switch {
		case v.adopted:
			return o.writeOwner(ctx, tx, ownership{epoch: epoch, dirty: true, groups: s.row.Groups})
		case v.lost != nil:
			// A flush that is about to begin must find that it is too late.
			if _, err := tx.ExecContext(ctx, abandonCheckpoint, v.lost.Instance); err != nil {
				return err
			}
			return o.writeOwner(ctx, tx, ownership{epoch: epoch})
		case s.row.Dirty: // by this process, which has drained since
			return o.writeOwner(ctx, tx, ownership{epoch: s.row.Epoch})
		}
		return nil
	})
	if err != nil {
		return v, err
	}
	o.terminate(ctx, zombies)
	if v.obstacle != nil {
		o.failure = v.obstacle
		return v, nil //nolint:nilerr // the step has succeeded
	}
	if v.lost != nil {
		o.opts.Logger.Warn("writebehind: the process that owned the database kept its writes in memory and is gone: what it had not flushed is lost",
			"host", v.lost.Host, "pid", v.lost.PID, "groups", v.lost.Groups)
	}
	o.died = o.died || v.adopted || v.lost != nil
	o.first, o.joined, o.alone, o.failure = false, true, alone, nil
	o.dirty = v.adopted
	if v.adopted {
		o.phase = direct // what was adopted is pending
		o.epoch.Store(epoch)
	}
	return v, nil
}

// judge tells whether the process may start.
func (o *Owner) judge(s *scene) verdict {
	var v verdict
	if s.row.Dirty && s.row.Instance != o.opts.Instance {
		owner := s.live(s.row.Instance)
		switch {
		case owner == nil && o.first && s.row.Journal != "" && o.holds(s.row.Journal):
			// Whoever else is registered waits, as this one would.
			return verdict{adopted: true}
		case owner == nil && s.row.Journal == "":
			v.lost = &s.row
		default:
			certain := owner == nil && o.certainlyGone(s.row.Machine, s.row.PID)
			return verdict{obstacle: s.row.dirtyError(owner != nil), hopeless: certain}
		}
	}
	for _, other := range s.others {
		if other.alone {
			return verdict{obstacle: fmt.Errorf("%w: the process %d on %s (%s), last heard of at %s", ErrBusy,
				other.PID, other.Host, other.Application, other.Heartbeat.Format(time.RFC3339))}
		}
	}
	return v
}

// holds tells whether a journal is this process's, which has locked it.
func (o *Owner) holds(journal string) bool {
	return journal == o.opts.Journal || slices.Contains(o.opts.Adopted, journal)
}

// supersede removes earlier processes of this machine whose journal this one has
// locked: they are gone, however young their heartbeats. The lock says nothing of
// another machine, which may share the directory by a file system whose locks do
// not reach that far.
func (o *Owner) supersede(ctx context.Context, tx *sql.Tx, s *scene) error {
	for _, other := range s.others {
		if other.Journal == "" || !o.holds(other.Journal) || !o.here(other.machine) {
			continue
		}
		o.died = true
		if _, err := tx.ExecContext(ctx, dropInstance, other.ID); err != nil {
			return err
		}
		s.others = slices.DeleteFunc(slices.Clone(s.others), func(i Instance) bool { return i.ID == other.ID })
	}
	return nil
}
