package owner

import (
	"errors"
	"fmt"
	"time"
)

var (
	// ErrShared says that other processes live on the database, so that nothing may
	// be deferred.
	ErrShared = errors.New("owner: other processes use the database")
	// ErrBusy says that another live process has not given way.
	ErrBusy = errors.New("owner: another process uses the database and has not given way")
	// ErrLost says that the process was overtaken, and is not let in again yet.
	ErrLost = errors.New("owner: this process has lost its place on the database")
	// ErrClosed says that the process has left.
	ErrClosed = errors.New("owner: closed")
)

// DirtyError says that another process has acknowledged writes that are not in
// PostgreSQL, and neither drains them nor is there to do it.
type DirtyError struct {
	Journal, Instance, Host, Path string
	PID                           int
	Heartbeat                     time.Time // the last one, by the server's clock
	Groups                        int64     // pending then
	Live                          bool      // it has been heard of within its life
}

func (e *DirtyError) Error() string {
	who := fmt.Sprintf("the process %d on %s, last heard of at %s, has acknowledged writes that are not in PostgreSQL (groups pending then: %d)",
		e.PID, e.Host, e.Heartbeat.Format(time.RFC3339), e.Groups)
	if e.Journal == "" {
		return "owner: " + who + "; it keeps them in memory, and has neither brought them there nor been silent for long enough to be gone"
	}
	who += fmt.Sprintf("; they are in its journal %s in %s on that host", e.Journal, e.Path)
	if e.Live {
		return fmt.Sprintf("owner: %s; it seems to live, and has not brought them there in time: see what keeps it. "+
			"Once it is gone, start it again with that journal, or %s", who, e.wayOut())
	}
	return fmt.Sprintf("owner: %s. Start it again with that journal, or %s", who, e.wayOut())
}

func (e *DirtyError) wayOut() string {
	return fmt.Sprintf("give them up: writebehind.Abandon(ctx, db, %q), or SELECT writebehind.abandon('%s')", e.Journal, e.Journal)
}

func (r *row) dirtyError(live bool) *DirtyError {
	return &DirtyError{
		Journal: r.Journal, Instance: r.Instance, Host: r.Host, Path: r.Path, PID: r.PID,
		Heartbeat: r.Heartbeat.Time, Groups: r.Groups, Live: live,
	}
}
