package owner

import "time"

// Role is what a process is on the database.
type Role string

// The roles of a process.
const (
	RoleOwner  Role = "owner"  // it may defer; nobody else is let in before it has drained
	RoleClean  Role = "clean"  // it is the only one and may cache; nothing is pending
	RoleShared Role = "shared" // others are there: everything is direct, or is about to be
	RoleLost   Role = "lost"   // it was overtaken, and is to be let in again
)

// Instance is a process on the database.
type Instance struct {
	ID, Journal             string
	Host, Path, Application string
	PID                     int
	Heartbeat, Started      time.Time // by the server's clock

	machine string
	alone   bool // it may answer from its cache
}

// State is for people.
type State struct {
	Role    Role
	Epoch   int64
	Others  []Instance    // live, as of the last heartbeat
	Age     time.Duration // of the last heartbeat
	Failure error         // why the process is not in, or its last heartbeat failed
}

// view is what can be read without the turn.
type view struct {
	State
	beat   time.Time
	joined bool
	alone  bool
	exempt bool // from having a young heartbeat: nobody is let in meanwhile
}

func (o *Owner) publish() {
	v := &view{
		State:  State{Epoch: o.epoch.Load(), Others: o.others, Failure: o.failure},
		beat:   o.beat,
		joined: o.joined,
		alone:  o.alone,
		// Whoever kept its writes in memory is not waited for beyond its life.
		exempt: o.dirty && o.opts.Journal != "",
	}
	switch {
	case !o.joined:
		v.Role = RoleLost
	case o.dirty && len(o.others) == 0 && o.phase != yielding:
		v.Role = RoleOwner
	case o.alone && len(o.others) == 0 && o.phase != yielding:
		v.Role = RoleClean
	default:
		v.Role = RoleShared
	}
	o.view.Store(v)
}

// State tells what the process is on the database.
func (o *Owner) State() State {
	v := o.view.Load()
	s := v.State
	s.Age = age(time.Now(), v.beat)
	return s
}

// Fresh tells whether the process can rely on being alone, so that what it has
// cached is not written by others; now is the time. It is cheap, for every read from
// the cache.
func (o *Owner) Fresh(now time.Time) bool {
	if o == nil {
		return false
	}
	v := o.view.Load()
	return v.alone && (v.exempt || age(now, v.beat) < o.opts.Life/2)
}

// known tells whether the others can be relied on to know of the process.
func (o *Owner) known() bool {
	v := o.view.Load()
	return v.joined && age(time.Now(), v.beat) < o.opts.Life/2
}

// age is how long before now t was. The monotonic clock stands still while a machine
// sleeps, and the other one can be set back: the longer one counts.
func age(now, t time.Time) time.Duration {
	return max(now.Sub(t), now.Round(0).Sub(t.Round(0)))
}
