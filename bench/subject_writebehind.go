package main

import (
	"context"
	"database/sql"

	"github.com/writebehind/writebehind"

	"github.com/writebehind/writebehind/internal/pgtest"
)

// Parameters of writebehind.
const (
	noJournal = "writebehind.journal=none"
	cache     = "writebehind.cache_size=256MB"
)

// writebehindSubject is writebehind in front of lib/pq or of the driver that
// the parameters name.
type writebehindSubject struct {
	name   string
	params []string
}

func (s writebehindSubject) Name() string { return s.name }

func (s writebehindSubject) Open(server *pgtest.Server, database string) (*sql.DB, error) {
	return sql.Open("writebehind", server.DSN(database, s.params...))
}

func (writebehindSubject) Caches() bool { return true }

func (writebehindSubject) Settle(ctx context.Context, db *sql.DB) error {
	return writebehind.Flush(ctx, db)
}
