package owner

import (
	"context"
	"database/sql"
)

// Abandon gives up what the process of a journal has acknowledged and not brought
// to PostgreSQL. It fails while that process lives.
func Abandon(ctx context.Context, db *sql.DB, journal string) error {
	// What died on this machine need not be waited for.
	var id, host string
	var pid int
	err := db.QueryRowContext(ctx, `SELECT i.id, i.host, i.pid FROM writebehind.instance AS i
		WHERE i.journal = $1 ORDER BY i.heartbeat DESC LIMIT 1`, journal).Scan(&id, &host, &pid)
	if err == nil && host == machine(plainHost(host)) && !alive(pid) {
		_, err = db.ExecContext(ctx, dropInstance, id)
	}
	if err != nil && err != sql.ErrNoRows { //nolint:errorlint // Scan returns it bare
		return err
	}
	_, err = db.ExecContext(ctx, `SELECT writebehind.abandon($1)`, journal)
	return err
}
