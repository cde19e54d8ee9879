package main

import (
	"context"
	"database/sql"

	"github.com/writebehind/writebehind/internal/pgtest"
)

// Subject is a driver with its settings.
type Subject interface {
	// Name is short and fit for a regular expression.
	Name() string
	// Open returns a handle on the given database of the server. The tables of
	// all operations exist by then.
	Open(server *pgtest.Server, database string) (*sql.DB, error)
	// Caches tells whether reads are answered from memory once they were made.
	Caches() bool
	// Settle returns when everything acknowledged through db is in PostgreSQL.
	Settle(ctx context.Context, db *sql.DB) error
}

// subjects lists all subjects in the order in which they are measured.
func subjects() []Subject {
	return []Subject{
		noopSubject{},
		pqSubject{name: "pq"},
		pqSubject{name: "pq-async", params: []string{asyncCommit}},
		pgxSubject{name: "pgx"},
		pgxSubject{name: "pgx-async", params: []string{asyncCommit}},
		writebehindSubject{name: "writebehind", params: []string{"writebehind.tables=hot,large", noJournal, cache}},
		shortcutSubject{},
		writebehindSubject{name: "shim-noop", params: []string{"writebehind.driver=noop"}},
		writebehindSubject{name: "shim-shortcut", params: []string{"writebehind.tables=hot", noJournal, cache, "writebehind.driver=" + shortcutDriver}},
	}
}

// asyncCommit acknowledges a commit before it is on disk: the honest rival of
// deferred writes.
const asyncCommit = "synchronous_commit=off"

// immediate is for subjects that have nothing left to do once they have
// answered.
type immediate struct{}

func (immediate) Caches() bool                          { return false }
func (immediate) Settle(context.Context, *sql.DB) error { return nil }
