package owner

import (
	"context"
	"database/sql"
	"fmt"
	"time"
)

const (
	lockOwner = `SELECT o.instance, o.journal, o.dirty, coalesce(o.host, ''), coalesce(o.pid, 0), coalesce(o.path, ''), coalesce(o.heartbeat::text, ''), o.groups, o.epoch,
		EXISTS (SELECT FROM writebehind.checkpoint AS c WHERE c.journal = $1 AND c.abandoned) FROM writebehind.owner AS o FOR UPDATE`
	instances = `SELECT i.id, i.host, i.pid, NOT i.alone, extract(epoch FROM pg_catalog.clock_timestamp() - i.heartbeat)::float8 FROM writebehind.instance AS i`
	register  = `INSERT INTO writebehind.instance AS i (id, journal, host, pid, path, application_name, life, heartbeat, started)
		VALUES ($1, $2, $3, $4, $5, $6, $7::float8 * interval '1 second', pg_catalog.clock_timestamp(), pg_catalog.clock_timestamp())
		ON CONFLICT (id) DO UPDATE SET heartbeat = EXCLUDED.heartbeat`
	dropInstance = `DELETE FROM writebehind.instance AS i WHERE i.id = $1`
	shareSQL     = `UPDATE writebehind.instance AS i SET alone = NOT $2 WHERE i.id = $1 AND i.alone = $2`
	takeOwner    = `UPDATE writebehind.owner AS o SET epoch = o.epoch + 1, instance = $1, journal = $2, host = $3, pid = $4, path = $5,
		dirty = true, groups = 0, heartbeat = pg_catalog.clock_timestamp() RETURNING o.epoch`
	beatOwner  = `UPDATE writebehind.owner AS o SET heartbeat = pg_catalog.clock_timestamp(), groups = $1`
	cleanOwner = `UPDATE writebehind.owner AS o SET dirty = false, groups = 0`
)

// state is what a step finds, with the owner row locked.
type state struct {
	instance, journal, host, path, heartbeat string
	dirty                                    bool
	pid                                      int
	groups                                   uint64
	epoch                                    int64
	abandoned                                bool // this process's journal
	ownerLives                               bool
	others                                   []string // live instances beside this one
	ignorant                                 []string // those that do not know that they share
}

// step is one transaction that holds the owner row, shows that this process
// lives, and does f.
func (o *Owner) step(ctx context.Context, f func(*sql.Tx, *state) error) (err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	began := time.Since(o.start)
	tx, err := o.opts.DB.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = tx.Rollback() // the first error counts
		}
	}()
	s := &state{}
	if err := tx.QueryRowContext(ctx, lockOwner, o.opts.Journal).Scan(&s.instance, &s.journal, &s.dirty, &s.host, &s.pid, &s.path,
		&s.heartbeat, &s.groups, &s.epoch, &s.abandoned); err != nil {
		return fmt.Errorf("owner: %w", err)
	}
	gone, err := o.look(ctx, tx, s)
	if err != nil {
		return fmt.Errorf("owner: %w", err)
	}
	for _, id := range gone {
		if _, err := tx.ExecContext(ctx, dropInstance, id); err != nil {
			return fmt.Errorf("owner: %w", err)
		}
	}
	if !o.closed {
		if _, err := tx.ExecContext(ctx, register, o.opts.Instance, o.opts.Journal, o.opts.Host, o.opts.PID, o.opts.Path, o.opts.Application, o.opts.Life.Seconds()); err != nil {
			return fmt.Errorf("owner: %w", err)
		}
	}
	if err := f(tx, s); err != nil {
		return err
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("owner: %w", err)
	}
	o.beat.Store(int64(began))
	return nil
}

// look finds the other instances and returns those that are gone.
func (o *Owner) look(ctx context.Context, tx *sql.Tx, s *state) (gone []string, err error) {
	rows, err := tx.QueryContext(ctx, instances)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var id, host string
		var pid int
		var shared bool
		var age float64
		if err := rows.Scan(&id, &host, &pid, &shared, &age); err != nil {
			return nil, err
		}
		switch {
		case id == o.opts.Instance:
		case age > o.opts.Life.Seconds(), host == o.opts.Host && !alive(pid):
			gone = append(gone, id)
		default:
			s.others = append(s.others, id)
			if !shared {
				s.ignorant = append(s.ignorant, fmt.Sprintf("%d on %s", pid, plainHost(host)))
			}
			s.ownerLives = s.ownerLives || id == s.instance
		}
	}
	return gone, rows.Err()
}

func clean(ctx context.Context, tx *sql.Tx) error {
	_, err := tx.ExecContext(ctx, cleanOwner)
	return err
}

func setShared(ctx context.Context, tx *sql.Tx, instance string, shared bool) error {
	_, err := tx.ExecContext(ctx, shareSQL, instance, shared)
	return err
}
