package main

import (
	"database/sql"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver pgx

	"github.com/writebehind/writebehind/internal/pgtest"
)

// pgxSubject is github.com/jackc/pgx through database/sql. It keeps prepared
// statements, which saves a round trip that lib/pq makes.
type pgxSubject struct {
	immediate
	name   string
	params []string
}

func (s pgxSubject) Name() string { return s.name }

func (s pgxSubject) Open(server *pgtest.Server, database string) (*sql.DB, error) {
	return sql.Open("pgx", server.DSN(database, s.params...))
}
