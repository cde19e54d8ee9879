package main

import (
	"database/sql"

	"github.com/lib/pq"

	"github.com/writebehind/writebehind/bench/noop"
	"github.com/writebehind/writebehind/internal/pgtest"
)

// shortcutDriver is lib/pq, but statements that begin with noop.Marker are
// answered at once.
const shortcutDriver = "pq-shortcut"

func init() { sql.Register(shortcutDriver, noop.Shortcut{Driver: &pq.Driver{}}) }

// shortcutSubject is what shim-shortcut is compared with: the same inner driver
// without writebehind in front.
type shortcutSubject struct{ immediate }

func (shortcutSubject) Name() string { return "shortcut" }

func (shortcutSubject) Open(server *pgtest.Server, database string) (*sql.DB, error) {
	return sql.Open(shortcutDriver, server.DSN(database))
}
