package main

import (
	"database/sql"

	"github.com/writebehind/writebehind/bench/noop"
	"github.com/writebehind/writebehind/internal/pgtest"
)

// noopSubject is database/sql itself: its driver does nothing.
type noopSubject struct{ immediate }

func (noopSubject) Name() string { return "noop" }

func (noopSubject) Open(*pgtest.Server, string) (*sql.DB, error) { return sql.Open(noop.Name, "") }
