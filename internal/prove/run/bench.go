// Package run lets two drivers live through the same history, each on a
// database of its own, and compares all that the application sees.
package run

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	_ "github.com/lib/pq" // the reference driver

	"github.com/writebehind/writebehind/internal/pgtest"
)

// Reference is the name of the driver that is always right.
const Reference = "postgres"

// Counts tell how many statements a driver has answered itself: writes it
// deferred, and reads it knew the answer to.
// Transactions it has begun without PostgreSQL are Buffered if they were
// committed so, MadeReal if not.
type Counts struct{ Deferred, Cached, Buffered, MadeReal uint64 }

// Add returns the sums.
func (c Counts) Add(d Counts) Counts {
	return Counts{c.Deferred + d.Deferred, c.Cached + d.Cached, c.Buffered + d.Buffered, c.MadeReal + d.MadeReal}
}

// Bench is a pair of databases of one server. It runs one history at a time.
type Bench struct {
	// Patience is how long the driver under test may owe an answer that the
	// reference has given before it counts as never answered. Default: 20s.
	Patience time.Duration
	// Counts, if set, reads the counters of the driver under test; it is called
	// before each Close of a sql.DB.
	Counts func(*sql.DB) (Counts, error)
	// Real is the name of the driver on one side, and of the real one behind the driver
	// under test. Default: Reference.
	Real string

	server  *pgtest.Server
	subject string // name of the driver under test
	places  [2]place
}

// place is the database of one side.
type place struct {
	name  string
	admin *sql.DB
}

// NewBench creates the two databases. The caller must Close the Bench.
func NewBench(ctx context.Context, server *pgtest.Server, subject string) (*Bench, error) {
	b := &Bench{Patience: 20 * time.Second, Real: Reference, server: server, subject: subject}
	unique := strings.ToLower(rand.Text()[:10])
	for i, side := range []string{"ref", "sub"} {
		p := &b.places[i]
		// Names of one length, as they may come up in messages.
		name := "prove_" + side + "_" + unique
		if err := server.AddDatabase(ctx, name); err != nil {
			return nil, errors.Join(err, b.Close())
		}
		p.name = name
		if err := hurryDeadlocks(ctx, server, name); err != nil {
			return nil, errors.Join(err, b.Close())
		}
		var err error
		if p.admin, err = sql.Open(Reference, server.DSN(name, "lock_timeout=20s")); err != nil {
			return nil, errors.Join(err, b.Close())
		}
		p.admin.SetMaxOpenConns(1)
	}
	return b, nil
}

// hurryDeadlocks has the server look for deadlocks early.
func hurryDeadlocks(ctx context.Context, server *pgtest.Server, name string) error {
	db, err := sql.Open(Reference, server.DSN(name))
	if err != nil {
		return err
	}
	_, err = db.ExecContext(ctx, "ALTER DATABASE "+name+" SET deadlock_timeout = '50ms'")
	return errors.Join(err, db.Close())
}

// Under returns a Bench on the same two databases for another driver. It must
// not be closed, nor used at the same time as the first one.
func (b *Bench) Under(subject string) *Bench {
	c := *b
	c.subject = subject
	return &c
}

// Close drops the two databases.
func (b *Bench) Close() error {
	var errs []error
	for i := range b.places {
		p := &b.places[i]
		if p.admin != nil {
			errs = append(errs, p.admin.Close())
		}
		if p.name != "" {
			errs = append(errs, b.server.DropDatabase(context.Background(), p.name))
		}
	}
	return errors.Join(errs...)
}

// wipe drops everything that a history can have left behind.
const wipe = `
SET client_min_messages = error;
DO $$
DECLARE s text;
BEGIN
	FOR s IN SELECT quote_ident(nspname) FROM pg_namespace
		WHERE nspname NOT LIKE 'pg\_%' AND nspname <> 'information_schema'
	LOOP
		EXECUTE 'DROP SCHEMA ' || s || ' CASCADE';
	END LOOP;
END $$;
CREATE SCHEMA public;
`

// ErrSchema means that the schema of a history is not valid SQL, or does not
// load on an empty database.
var ErrSchema = errors.New("the schema does not load")

// reset empties both databases and loads the schema.
func (b *Bench) reset(ctx context.Context, schema []string) error {
	errs := [2]error{}
	both(func(i int) {
		if _, err := b.places[i].admin.ExecContext(ctx, wipe); err != nil {
			errs[i] = fmt.Errorf("reset database %s: %w", b.places[i].name, err)
			return
		}
		if len(schema) == 0 {
			return
		}
		if _, err := b.places[i].admin.ExecContext(ctx, strings.Join(schema, ";\n")); err != nil {
			errs[i] = fmt.Errorf("%w: %w", ErrSchema, err)
		}
	})
	return errors.Join(errs[0], errs[1])
}

// both runs a function for both sides at the same time.
func both(f func(side int)) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		f(1)
	}()
	f(0)
	<-done
}
