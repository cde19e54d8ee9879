package owner

import (
	"cmp"
	"errors"
	"fmt"
)

// lostError ends a step that finds the process overtaken.
type lostError struct{ reason string }

func (e *lostError) Error() string { return "owner: " + e.reason }

func (*lostError) Unwrap() error { return ErrLost }

func lostErr(err error) bool {
	var lost *lostError
	return errors.As(err, &lost)
}

// overtaken tells why what this process believes is not so any more; "" if it is.
func (o *Owner) overtaken(s *scene) string {
	mine := s.row.Dirty && s.row.Instance == o.opts.Instance
	switch {
	case o.dirty && (!mine || s.row.Epoch != o.epoch.Load()):
		return "the ownership of the database was taken from this process, or its journal was abandoned"
	case s.row.Dirty && !mine:
		return "another process has become the owner of the database"
	case !s.known:
		return "this process is not registered in writebehind.instance any more"
	}
	for _, other := range s.others {
		if other.alone {
			return "another process has found itself alone on the database"
		}
	}
	return ""
}

// rewound tells whether the server has lost the Take of this process (a failover
// to an asynchronous standby) and nobody has come since. Then the process is the
// owner as before.
func (o *Owner) rewound(s *scene) bool {
	return o.dirty && s.row.Epoch < o.epoch.Load() && len(s.others) == 0 &&
		(!s.row.Dirty || s.row.Instance == o.opts.Instance)
}

// lose notes that the process is overtaken: it must yield and be let in again.
// What it has cached may be stale, and what is pending cannot be flushed unless
// the owner row is still its own.
func (o *Owner) lose(s *scene, reason string) error {
	if !s.row.Dirty || s.row.Instance != o.opts.Instance || s.row.Epoch != o.epoch.Load() {
		o.dirty = false
	}
	o.joined, o.alone = false, false
	if o.phase == active {
		o.phase = direct
	}
	err := &lostError{reason}
	o.failure = err
	o.opts.Logger.Warn("writebehind: everything is direct until the process has taken its place on the database again", "reason", reason)
	o.nudge()
	return err
}

// lostBecause is ErrLost with what stands against being let in again.
func lostBecause(failure error) error {
	if failure == nil || errors.Is(failure, ErrLost) {
		return cmp.Or(failure, ErrLost)
	}
	return fmt.Errorf("%w: %w", ErrLost, failure)
}
