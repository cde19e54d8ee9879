package writebehind

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"sync"
	"time"

	"github.com/lib/pq"

	"github.com/writebehind/writebehind/internal/pgvalue"
	"github.com/writebehind/writebehind/rewrite"
)

// backend is the real driver with the DSN that is left for it.
type backend struct {
	driver driver.Driver
	dsn    string

	once      sync.Once
	connector driver.Connector // of a driver.DriverContext
	err       error
}

// newBackend finds the registered real driver.
func newBackend(name, dsn string) (*backend, error) {
	db, err := sql.Open(name, dsn)
	if err != nil {
		return nil, fmt.Errorf("real driver %q: %w", name, err)
	}
	defer closeQuietly(db)
	if _, self := db.Driver().(*Driver); self {
		return nil, fmt.Errorf("writebehind.driver=%s names the shim itself; give the real driver, such as postgres", name)
	}
	return &backend{driver: db.Driver(), dsn: dsn}, nil
}

// dial makes a real connection as database/sql would: lib/pq reads DSN and
// environment anew for each, and does not look at ctx.
func (b *backend) dial(ctx context.Context) (driver.Conn, error) {
	conn, err := b.open(ctx)
	if err != nil {
		return nil, withoutPassword(err, b.dsn) // beside an error lib/pq returns a nil pointer
	}
	return conn, nil
}

func (b *backend) open(ctx context.Context) (driver.Conn, error) {
	withContext, ok := b.driver.(driver.DriverContext)
	if !ok {
		return b.driver.Open(b.dsn)
	}
	b.once.Do(func() { b.connector, b.err = withContext.OpenConnector(b.dsn) })
	if b.err != nil {
		return nil, b.err
	}
	return b.connector.Connect(ctx)
}

// isPQ tells whether the real driver is lib/pq itself, whose rules for
// arguments are known.
func (b *backend) isPQ() bool {
	_, ok := b.driver.(*pq.Driver)
	return ok
}

// closeQuietly closes what has not been written to: nothing hangs on how it ends.
func closeQuietly(c interface{ Close() error }) { _ = c.Close() }

// Connect and Driver make the backend a driver.Connector, for the engine's own
// connections. Unlike dial it heeds ctx with lib/pq, too.
func (b *backend) Connect(ctx context.Context) (driver.Conn, error) {
	if !b.isPQ() {
		return b.dial(ctx)
	}
	connector, err := pq.NewConnector(b.dsn)
	if err != nil {
		return nil, withoutPassword(err, b.dsn)
	}
	conn, err := connector.Connect(ctx)
	if err != nil {
		return nil, withoutPassword(err, b.dsn)
	}
	return conn, nil
}

// Driver returns the real driver.
func (b *backend) Driver() driver.Driver { return b.driver }

// binaryParameters tells whether []byte arguments are sent in binary format.
func (b *backend) binaryParameters() bool {
	if !b.isPQ() {
		return false
	}
	config, err := pq.NewConfig(b.dsn)
	return err == nil && config.BinaryParameters
}

// zonesAgree tells whether this machine and the server give a time zone the
// same offsets, so that it is certain how a timestamptz looks when it comes back.
func zonesAgree(ctx context.Context, db *sql.DB, zone *time.Location) (bool, error) {
	probes := pgvalue.ZoneProbes(zone)
	if len(probes) == 0 {
		return true, nil
	}
	var instants rewrite.Array
	for _, p := range probes {
		instants.Append([]byte(p.UTC().Format("2006-01-02 15:04:05Z07:00")))
	}
	rows, err := db.QueryContext(ctx, `SELECT extract(timezone FROM p)::int
		FROM unnest($1::timestamptz[]) WITH ORDINALITY AS u(p, i) ORDER BY i`, string(instants.Bytes()))
	if err != nil {
		return false, err
	}
	defer rows.Close()
	for _, p := range probes {
		var theirs int
		if !rows.Next() {
			return false, rows.Err()
		}
		if err := rows.Scan(&theirs); err != nil {
			return false, err
		}
		if _, ours := p.Zone(); ours != theirs {
			return false, nil
		}
	}
	return true, rows.Err()
}
