package main

import (
	"database/sql"

	"github.com/writebehind/writebehind"

	"github.com/writebehind/writebehind/internal/prove/run"
)

// counters reads what the driver under test has counted; nil for a driver that
// counts nothing.
func counters(driver string) func(*sql.DB) (run.Counts, error) {
	if driver != "writebehind" {
		return nil
	}
	return func(db *sql.DB) (run.Counts, error) {
		s, err := writebehind.Stats(db)
		return run.Counts{Deferred: s.Deferred, Cached: s.Cached, Buffered: s.Buffered, MadeReal: s.MadeReal}, err
	}
}
