package owner

import (
	"context"
	"database/sql"
	"time"

	"github.com/writebehind/writebehind/internal/pgerr"
)

// run beats until the owner is closed.
func (o *Owner) run() {
	timer := time.NewTimer(o.opts.Life / beatsPerLife)
	defer timer.Stop()
	for {
		select {
		case <-o.life.Done():
			return
		case <-timer.C:
		case <-o.wake:
		}
		joined, err := o.round()
		if err != nil {
			return // closed
		}
		if joined {
			timer.Reset(o.opts.Life / beatsPerLife)
		} else {
			timer.Reset(o.opts.Life / pollsPerLife)
		}
	}
}

// round is one heartbeat, or one attempt to be let in again, and what follows
// from it for the engine. It fails if the owner is closed.
func (o *Owner) round() (joined bool, err error) {
	if err := o.lock(o.life); err != nil {
		return false, err
	}
	defer o.unlock()
	switch {
	case o.joined:
		o.report(o.pulse(o.life, true))
	case o.phase == drained:
		_, err := o.admit(o.life)
		o.report(err)
	}
	o.act()
	return o.joined, nil
}

// report logs the first of several failed heartbeats, and that they are over.
func (o *Owner) report(err error) {
	switch {
	case o.life.Err() != nil:
	case err != nil:
		if !o.away {
			o.opts.Logger.Warn("writebehind: the process cannot show the others on the database that it lives", "error", pgerr.ForLog(err))
		}
		o.away, o.failure = true, err
	case o.away:
		o.opts.Logger.Info("writebehind: the process can show the others on the database again that it lives")
		o.away = false
		if o.joined {
			o.failure = nil
		}
	}
}

// nudge has the loop look at once.
func (o *Owner) nudge() {
	select {
	case o.wake <- struct{}{}:
	default:
	}
}

// act tells the engine what follows from the last step.
func (o *Owner) act() {
	if !o.started || o.life.Err() != nil {
		return
	}
	crowd := !o.joined || len(o.others) > 0
	switch {
	case crowd && (o.phase == active || o.phase == direct):
		o.phase = yielding
		o.running.Go(o.yield)
	case !crowd && o.alone && (o.phase == drained || o.phase == direct):
		o.phase = active
		o.opts.Engine.Resume(o.died)
		o.died = false
	}
}

// yield has the engine drain, while the heartbeats go on.
func (o *Owner) yield() {
	err := o.opts.Engine.Yield(o.life)
	if o.lock(o.life) != nil {
		return // closed
	}
	defer o.unlock()
	if err != nil {
		// The next heartbeat tries again, or finds that there is no need any more.
		o.opts.Logger.Warn("writebehind: what is pending could not be flushed for another process on the database", "error", pgerr.ForLog(err))
		o.phase = direct
		return
	}
	o.phase = drained
	o.nudge() // the others wait
}

// pulse is one heartbeat: shows that the process lives, finds out who else does,
// and writes down what has become of this one since. The caller has the turn, and
// the process is in.
func (o *Owner) pulse(ctx context.Context, ask bool) error {
	if ask && o.dirty && o.phase == active && len(o.others) == 0 && o.opts.Engine.Idle() || o.phase == drained {
		// From here on the engine needs Take again, whether or not the step that
		// cleans the database succeeds.
		if o.dirty = false; o.view.Load().exempt {
			o.publish() // before others can be let in
		}
	}
	var groups int64
	if o.dirty && o.started {
		groups = int64(o.opts.Engine.Pending())
	}
	var alone bool
	err := o.step(ctx, func(tx *sql.Tx, s *scene) error {
		mine := s.row.Dirty && s.row.Instance == o.opts.Instance
		again := o.rewound(s)
		if reason := o.overtaken(s); reason != "" && !again {
			return o.lose(s, reason)
		}
		if alone = o.alone; o.phase == drained {
			alone = len(s.others) == 0
		}
		if err := o.writeInstance(ctx, tx, alone); err != nil || !mine && !again {
			return err
		}
		w := ownership{epoch: s.row.Epoch, dirty: o.dirty, groups: groups}
		if o.dirty {
			w.epoch = o.epoch.Load()
			if !o.started {
				w.groups = s.row.Groups
			}
		}
		return o.writeOwner(ctx, tx, w)
	})
	if lostErr(err) {
		return nil
	}
	if err == nil {
		o.alone = alone
	}
	return err
}
