package main

import (
	"context"
	"database/sql"

	"github.com/lib/pq"

	"github.com/writebehind/writebehind/bench/noop"
)

// What a statement on a table that is not opted in costs is measured with inner
// drivers that answer in the process.
var (
	shortcut = Subject{Name: "shortcut", Promise: "lib/pq, marked statements answered in the process", Open: openDriver(shortcutDriver)}
	// shimShortcut is to be compared with shortcut.
	shimShortcut = Subject{Name: "shim-shortcut", Promise: "writebehind with one opted-in table in front of shortcut",
		Open: openDriver("writebehind", "writebehind.tables=hot", noJournal, cache, "writebehind.driver="+shortcutDriver)}
	// shimNoop is to be compared with noop.
	shimNoop = Subject{Name: "shim-noop", Promise: "writebehind without opted-in tables in front of noop", Open: openShimNoop, Local: true}
)

// shortcutDriver is lib/pq, but statements that begin with noop.Marker are
// answered at once.
const shortcutDriver = "pq-shortcut"

func init() { sql.Register(shortcutDriver, noop.Shortcut{Driver: &pq.Driver{}}) }

func openShimNoop(context.Context, place) (client, error) {
	db, err := sql.Open("writebehind", "writebehind.driver="+noop.Name)
	return driverClient{db}, err
}
