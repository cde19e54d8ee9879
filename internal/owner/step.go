package owner

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/writebehind/writebehind/internal/pgerr"
)

// readCommitted must come first in a transaction.
const readCommitted = `/* writebehind */ SET TRANSACTION ISOLATION LEVEL READ COMMITTED, READ WRITE`

// settle gives a step its own settings. The owner row must not stay locked by a
// process that is cut off in the middle, and what is committed must last.
const settle = `SELECT pg_catalog.set_config('synchronous_commit', 'on', true),
	pg_catalog.set_config('lock_timeout', $1, true), pg_catalog.set_config('statement_timeout', $1, true),
	pg_catalog.set_config('idle_in_transaction_session_timeout', $1, true)`

const (
	lockOwner = `SELECT o.epoch, o.instance, o.journal, o.dirty, coalesce(o.host, ''), coalesce(o.machine, ''),
		coalesce(o.pid, 0), coalesce(o.path, ''), o.heartbeat, o.groups
		FROM writebehind.owner AS o FOR UPDATE`
	readInstances = `SELECT i.id, i.journal, i.host, i.machine, i.pid, i.path, i.application_name, i.alone, i.heartbeat, i.started,
		i.heartbeat BETWEEN pg_catalog.clock_timestamp() - i.life AND pg_catalog.clock_timestamp() + i.life
		FROM writebehind.instance AS i ORDER BY i.started, i.id`
	writeInstance = `INSERT INTO writebehind.instance AS i
		(id, journal, host, machine, pid, path, application_name, alone, life, heartbeat, started)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9::bigint * interval '1 microsecond', pg_catalog.clock_timestamp(), pg_catalog.clock_timestamp())
		ON CONFLICT (id) DO UPDATE SET alone = EXCLUDED.alone, heartbeat = EXCLUDED.heartbeat`
	dropInstance = `DELETE FROM writebehind.instance AS i WHERE i.id = $1`
	writeOwner   = `UPDATE writebehind.owner AS o SET epoch = $1, dirty = $2, groups = $3, instance = $4, journal = $5,
		host = $6, machine = $7, pid = $8, path = $9, heartbeat = pg_catalog.clock_timestamp()`
	abandonCheckpoint = `UPDATE writebehind.checkpoint AS c SET abandoned = true, updated = pg_catalog.now() WHERE c.journal = $1`
)

// row is the row of writebehind.owner.
type row struct {
	Epoch               int64
	Instance, Journal   string
	Dirty               bool
	Host, Machine, Path string
	PID                 int
	Heartbeat           sql.NullTime
	Groups              int64
}

// scene is what a step finds, with the owner row locked.
type scene struct {
	row    row
	known  bool       // this process's own row is there
	others []Instance // those that live, or may
}

// live returns the live process of that id, other than this one, or nil.
func (s *scene) live(id string) *Instance {
	for i := range s.others {
		if s.others[i].ID == id {
			return &s.others[i]
		}
	}
	return nil
}

// step is one transaction that holds the owner row. The caller has the turn; f
// must write the process's own row. If it succeeds it counts as a heartbeat.
func (o *Owner) step(ctx context.Context, f func(*sql.Tx, *scene) error) error {
	began := time.Now()
	var s scene
	err := o.transact(ctx, &s, f)
	if err != nil {
		return err
	}
	o.beat, o.others = began, s.others
	return nil
}

func (o *Owner) transact(ctx context.Context, s *scene, f func(*sql.Tx, *scene) error) error {
	// Longer than its life a process has no use for the answer.
	ctx, cancel := context.WithTimeout(ctx, o.opts.Life)
	defer cancel()
	tx, err := o.opts.DB.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	// Not deferred: database/sql would wait for itself if the driver panics in a
	// statement. Then the end of ctx rolls back.
	if err = o.look(ctx, tx, s); err == nil {
		err = f(tx, s)
	}
	if err != nil {
		_ = tx.Rollback() // the first error counts
		return err
	}
	return tx.Commit()
}

// look locks the owner row and reads the scene.
func (o *Owner) look(ctx context.Context, tx *sql.Tx, s *scene) error {
	// Each statement must see what those who held the lock before have done. In SQL,
	// since not every driver has the option.
	if _, err := tx.ExecContext(ctx, readCommitted); err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, settle, fmt.Sprintf("%dms", o.opts.Life.Milliseconds())); err != nil {
		return err
	}
	r := &s.row
	err := tx.QueryRowContext(ctx, lockOwner).Scan(&r.Epoch, &r.Instance, &r.Journal, &r.Dirty, &r.Host, &r.Machine,
		&r.PID, &r.Path, &r.Heartbeat, &r.Groups)
	if errors.Is(err, sql.ErrNoRows) {
		return errors.New("owner: the row of writebehind.owner is missing")
	} else if err != nil {
		return err
	}
	dead, err := o.readInstances(ctx, tx, s)
	if err != nil {
		return err
	}
	for _, id := range dead {
		o.died = true
		// Should it live after all, it misses its row.
		if s.row.Dirty && s.row.Instance == id {
			continue
		}
		if _, err := tx.ExecContext(ctx, dropInstance, id); err != nil {
			return err
		}
	}
	return nil
}

// readInstances reads the rows of all processes, and returns those that are dead.
func (o *Owner) readInstances(ctx context.Context, tx *sql.Tx, s *scene) (dead []string, err error) {
	rows, err := tx.QueryContext(ctx, readInstances)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	before := o.heard
	o.heard = make(map[string]sighting, len(before))
	for rows.Next() {
		var i Instance
		var young bool
		if err := rows.Scan(&i.ID, &i.Journal, &i.Host, &i.machine, &i.PID, &i.Path, &i.Application, &i.alone, &i.Heartbeat, &i.Started, &young); err != nil {
			return nil, err
		}
		last, ok := before[i.ID]
		if !ok || !last.heartbeat.Equal(i.Heartbeat) {
			last = sighting{i.Heartbeat, time.Now()}
		}
		o.heard[i.ID] = last
		switch {
		case i.ID == o.opts.Instance:
			s.known = true
		case o.certainlyGone(i.machine, i.PID):
			dead = append(dead, i.ID)
		case young || time.Since(last.first) < o.opts.Life/2:
			// The server's clock alone does not decide: it may be set. After half its
			// life a process relies on nothing any more.
			s.others = append(s.others, i)
		default:
			dead = append(dead, i.ID)
		}
	}
	return dead, rows.Err()
}

// sighting is a heartbeat and when this process first saw it, by its own clock.
type sighting struct{ heartbeat, first time.Time }

// writeInstance writes this process's own row, with a fresh heartbeat.
func (o *Owner) writeInstance(ctx context.Context, tx *sql.Tx, alone bool) error {
	_, err := tx.ExecContext(ctx, writeInstance, o.opts.Instance, o.opts.Journal, o.opts.Host, o.opts.Machine, o.opts.PID,
		o.opts.Path, o.opts.Application, alone, o.opts.Life.Microseconds())
	return err
}

// ownership is what this process writes in the owner row.
type ownership struct {
	epoch  int64
	dirty  bool
	groups int64
}

func (o *Owner) writeOwner(ctx context.Context, tx *sql.Tx, w ownership) error {
	_, err := tx.ExecContext(ctx, writeOwner, w.epoch, w.dirty, w.groups, o.opts.Instance, o.opts.Journal,
		o.opts.Host, o.opts.Machine, o.opts.PID, o.opts.Path)
	return err
}

// temporary tells whether a step failed because others were in its way.
func temporary(err error) bool {
	switch pgerr.Class(err) {
	case "40", "55":
		return true
	}
	return pgerr.State(err) == "57014" // statement_timeout
}
