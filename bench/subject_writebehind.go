package main

import (
	"context"
	"database/sql"
	"path/filepath"
	"strings"
	"time"

	"github.com/writebehind/writebehind"
)

// Parameters of writebehind.
const (
	noJournal = "writebehind.journal=none"
	cache     = "writebehind.cache_size=256MB"
)

// Parameters of a subject whose writes stay pending until they are asked for.
var held = []string{"writebehind.max_delay=1h", "writebehind.batch_rows=1000000", "writebehind.max_pending_rows=10000000",
	"writebehind.max_pending_bytes=4GB", "writebehind.close_timeout=10m"}

// The durabilities of a deferred write.
const (
	syncOn      = "on"
	syncOff     = "off"
	journalNone = "none"
)

// promises says what an acknowledged write has reached.
var promises = map[string]string{
	syncOn:      "writebehind, sync=on: in the journal, on disk",
	syncOff:     "writebehind, sync=off: in the journal, in the system's memory",
	journalNone: "writebehind, journal=none: in the process",
}

// shim is writebehind in front of lib/pq, with a cache of 256 MB, named after its
// durability.
func shim(durability, tables string, params ...string) Subject {
	all := append([]string{"writebehind.tables=" + tables, cache}, params...)
	promise := promises[durability]
	if len(params) > 0 {
		promise += "; " + strings.ReplaceAll(strings.Join(params, " "), "writebehind.", "")
	}
	return Subject{Name: "writebehind-" + durability, Promise: promise, Open: func(_ context.Context, at place) (client, error) {
		return openShim(at, durability, all...)
	}}
}

// named gives a subject another name.
func (s Subject) named(name string) Subject { s.Name = name; return s }

func openShim(at place, durability string, params ...string) (client, error) {
	if durability == journalNone {
		params = append(params, noJournal)
	} else {
		params = append(params, "writebehind.sync="+durability, "writebehind.journal="+filepath.Join(at.dir, "journal"))
	}
	db, err := sql.Open("writebehind", at.dsn(params...))
	return shimClient{driverClient{db}}, err
}

type shimClient struct{ driverClient }

func (c shimClient) Caches() bool { return true }

func (c shimClient) Settle(ctx context.Context) error { return writebehind.Flush(ctx, c.db) }

// Lag is how long the oldest write that is not in PostgreSQL has been
// acknowledged.
func (c shimClient) Lag() (time.Duration, error) {
	s, err := writebehind.Stats(c.db)
	if err != nil || s.Oldest.IsZero() {
		return 0, err
	}
	return time.Since(s.Oldest), nil
}
