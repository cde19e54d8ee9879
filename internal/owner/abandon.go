package owner

import (
	"context"
	"database/sql"
)

const (
	instancesOf = `SELECT i.id, i.machine, i.pid FROM writebehind.instance AS i WHERE i.journal = $1`
	abandon     = `SELECT writebehind.abandon($1)`
)

// Abandon gives up the journal of a process that is gone: what it had
// acknowledged and not flushed is lost, and the database is clean. It fails while
// that process lives, and for a journal that the database does not know. In SQL:
// SELECT writebehind.abandon(journal), which cannot tell that a process has ended
// before its heartbeat is old.
func Abandon(ctx context.Context, db *sql.DB, journal string) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }()
	if _, err := tx.ExecContext(ctx, readCommitted); err != nil {
		return err
	}
	gone, err := goneOf(ctx, tx, journal)
	if err != nil {
		return err
	}
	for _, id := range gone {
		if _, err := tx.ExecContext(ctx, dropInstance, id); err != nil {
			return err
		}
	}
	if _, err := tx.ExecContext(ctx, abandon, journal); err != nil {
		return err
	}
	return tx.Commit()
}

// goneOf returns the instances of a journal that have certainly ended.
func goneOf(ctx context.Context, tx *sql.Tx, journal string) (gone []string, err error) {
	here := &Owner{opts: Options{Machine: thisMachine()}}
	rows, err := tx.QueryContext(ctx, instancesOf, journal)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var id, machine string
		var pid int
		if err := rows.Scan(&id, &machine, &pid); err != nil {
			return nil, err
		}
		if here.certainlyGone(machine, pid) {
			gone = append(gone, id)
		}
	}
	return gone, rows.Err()
}
