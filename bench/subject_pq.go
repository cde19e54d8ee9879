package main

import (
	"database/sql"

	_ "github.com/lib/pq" // the driver postgres

	"github.com/writebehind/writebehind/internal/pgtest"
)

// pqSubject is github.com/lib/pq, the driver that writebehind stands in front of.
type pqSubject struct {
	immediate
	name   string
	params []string
}

func (s pqSubject) Name() string { return s.name }

func (s pqSubject) Open(server *pgtest.Server, database string) (*sql.DB, error) {
	return sql.Open("postgres", server.DSN(database, s.params...))
}
