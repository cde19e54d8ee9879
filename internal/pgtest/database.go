package pgtest

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/lib/pq"
)

// AddDatabase creates an empty database. The name may be anything that
// PostgreSQL accepts as an identifier.
func (s *Server) AddDatabase(ctx context.Context, name string) error {
	// The pristine template has no sessions that could be in the way.
	return s.exec(ctx, "CREATE DATABASE "+pq.QuoteIdentifier(name)+" TEMPLATE template0")
}

// DropDatabase drops a database and ends the sessions in it. Dropping what is
// not there is no error.
func (s *Server) DropDatabase(ctx context.Context, name string) error {
	return s.exec(ctx, "DROP DATABASE IF EXISTS "+pq.QuoteIdentifier(name)+" WITH (FORCE)")
}

// exec runs one statement as superuser on the maintenance database.
func (s *Server) exec(ctx context.Context, query string) (err error) {
	db, err := sql.Open("postgres", s.DSN(s.maintenanceDB()))
	if err != nil {
		return fmt.Errorf("pgtest: %w", err)
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if _, err := db.ExecContext(ctx, query); err != nil {
		return fmt.Errorf("pgtest: %s: %w", query, err)
	}
	return nil
}

// maintenanceDB is the database that PGTEST_DSN names, else the one that every
// cluster has.
func (s *Server) maintenanceDB() string {
	if db := s.base["dbname"]; db != "" {
		return db
	}
	return "postgres"
}

// external returns the server that PGTEST_DSN names.
func external(ctx context.Context, dsn string, o options) (*Server, error) {
	if o.needsControl() {
		return nil, ErrExternal
	}
	base, err := parseDSN(dsn)
	if err != nil {
		return nil, err
	}
	s := &Server{opts: o, base: base}
	if err := s.exec(ctx, "SELECT 1"); err != nil {
		return nil, fmt.Errorf("%s: %w", EnvDSN, err)
	}
	return s, nil
}
