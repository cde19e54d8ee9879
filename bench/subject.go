package main

import (
	"context"
	"database/sql"

	"github.com/writebehind/writebehind/internal/pgtest"
)

// Subject is a way to reach PostgreSQL, with its settings.
type Subject struct {
	// Name is short and fit for a regular expression.
	Name string
	// Promise says what an acknowledged write has reached, and the settings.
	Promise string
	// Open returns the subject ready for use. The tables of all operations
	// exist by then.
	Open func(ctx context.Context, at place) (client, error)
	// Local tells that it needs no database.
	Local bool
	// Forgets tells that nothing of what it acknowledges is in its database.
	Forgets bool
}

// place is where a subject finds its tables.
type place struct {
	server   *pgtest.Server
	database string
	network  []string // parameters of the DSN that lead through a delay
	dir      string   // an empty directory of its own, on a local disk
}

func (p place) dsn(params ...string) string {
	return p.server.DSN(p.database, append(params, p.network...)...)
}

// client is an open subject.
type client interface {
	// DB takes any statement; nil if the subject is no driver.
	DB() *sql.DB
	// Table returns how rows of a table are read and written by key.
	Table(name string) rows
	// Caches tells whether reads are answered from memory once they were made.
	Caches() bool
	// Settle returns when everything acknowledged is in PostgreSQL.
	Settle(ctx context.Context) error
	Close() error
}

// rows are the rows of one table, by key. Every method fails unless exactly one
// row is read or written.
type rows interface {
	Read(ctx context.Context, key int64) error
	// Set sets the column price.
	Set(ctx context.Context, key, price int64) error
	// Add adds to the column n.
	Add(ctx context.Context, key, n int64) error
}

// The subjects that appear in more than one suite.
var (
	noopDriver = Subject{Name: "noop", Promise: "database/sql over a driver that does nothing", Open: openNoop, Local: true}
	syncPQ     = Subject{Name: "pq", Promise: "lib/pq, synchronous_commit=on", Open: openDriver("postgres")}
	asyncPQ    = Subject{Name: "pq-async", Promise: "lib/pq, synchronous_commit=off", Open: openDriver("postgres", asyncCommit)}
	syncPgx    = Subject{Name: "pgx", Promise: "pgx stdlib, synchronous_commit=on", Open: openDriver("pgx")}
	asyncPgx   = Subject{Name: "pgx-async", Promise: "pgx stdlib, synchronous_commit=off", Open: openDriver("pgx", asyncCommit)}
)

// asyncCommit acknowledges a commit before it is on disk: the honest rival of
// deferred writes.
const asyncCommit = "synchronous_commit=off"
