// Package wbschema keeps the schema writebehind of the target database: the
// checkpoints of journals, the processes that use the database, which of them
// owns it, and dead letters.
package wbschema

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/writebehind/writebehind/internal/pgerr"
)

// Name is the name of the schema.
const Name = "writebehind"

// look tells what of the schema is there and whether the role may use it. It
// asks the catalog, since even to_regclass fails for a role without USAGE.
const look = `SELECT
	pg_catalog.quote_ident(current_user),
	pg_catalog.has_schema_privilege(n.oid, 'USAGE'),
	(SELECT pg_catalog.count(*) FROM pg_catalog.pg_class AS c WHERE c.relnamespace = n.oid
		AND c.relname IN ('checkpoint', 'instance', 'owner', 'dead_letter')) = 4
	AND EXISTS (SELECT FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_attribute AS a ON a.attrelid = c.oid
		WHERE c.relnamespace = n.oid AND c.relname = 'dead_letter' AND a.attname = 'add_columns')
	AND EXISTS (SELECT FROM pg_catalog.pg_proc AS p WHERE p.pronamespace = n.oid AND p.proname = 'abandon')
	AND pg_catalog.obj_description(n.oid, 'pg_namespace') LIKE 'writebehind schema _%',
	(SELECT pg_catalog.bool_and(pg_catalog.has_table_privilege(c.oid, p)) FROM pg_catalog.pg_class AS c,
		pg_catalog.unnest('{SELECT,INSERT,UPDATE,DELETE}'::text[]) AS p WHERE c.relnamespace = n.oid
		AND c.relname IN ('checkpoint', 'instance', 'owner', 'dead_letter'))
	FROM (SELECT) AS one LEFT JOIN pg_catalog.pg_namespace AS n ON n.nspname = 'writebehind'`

// readCommitted, whatever the role's default: behind the lock a process must see
// what the one before it has made. In SQL, since not every driver has the option.
const readCommitted = `/* writebehind */ SET TRANSACTION ISOLATION LEVEL READ COMMITTED, READ WRITE`

// lock is the key of the advisory lock under which the schema is made.
const lock = `SELECT pg_catalog.pg_advisory_xact_lock(8532497621904156)`

// querier is a database or a transaction.
type querier interface {
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

type state struct {
	role                string
	usage, whole, table sql.NullBool // NULL without a schema
}

func read(ctx context.Context, q querier) (s state, err error) {
	err = q.QueryRowContext(ctx, look).Scan(&s.role, &s.usage, &s.whole, &s.table)
	return s, err
}

// ready tells whether nothing is missing. It returns an error if all is there
// and the role may not use it.
func (s state) ready() (bool, error) {
	switch {
	case !s.whole.Bool:
		return false, nil
	case !s.usage.Bool || !s.table.Bool:
		return true, fmt.Errorf("the role %s may not use the schema %s; an administrator must run:\n%s", s.role, Name, Grants(s.role))
	}
	return true, nil
}

// Ensure creates what is missing of the schema. If it is whole, that costs one
// query. Several processes may call it at once. A role that may not create it,
// or not use it, gets an error with the SQL that an administrator must run.
func Ensure(ctx context.Context, db *sql.DB) error {
	s, err := read(ctx, db)
	if err != nil {
		return fmt.Errorf("looking for the schema %s: %w", Name, err)
	}
	ready, err := s.ready()
	if ready || err != nil {
		return err
	}
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }()
	if err := create(ctx, tx); err != nil {
		if pgerr.State(err) == "42501" { // insufficient_privilege
			return fmt.Errorf("the role %s may not create the schema %s (%w); an administrator must run:\n%s%s",
				s.role, Name, err, DDL, Grants(s.role))
		}
		return fmt.Errorf("creating the schema %s: %w", Name, err)
	}
	return tx.Commit()
}

func create(ctx context.Context, tx *sql.Tx) error {
	if _, err := tx.ExecContext(ctx, readCommitted); err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, lock); err != nil {
		return err
	}
	s, err := read(ctx, tx)
	if err != nil {
		return err
	}
	if ready, err := s.ready(); ready || err != nil {
		return err
	}
	// As one command: some drivers prepare whatever they execute.
	_, err = tx.ExecContext(ctx, `DO LANGUAGE plpgsql $writebehind$ BEGIN `+DDL+` END $writebehind$`)
	return err
}

// Grants returns the SQL that lets a role, quoted if it needs to be, use the
// schema.
func Grants(role string) string {
	return fmt.Sprintf("GRANT USAGE ON SCHEMA %[1]s TO %[2]s;\n"+
		"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA %[1]s TO %[2]s;\n", Name, role)
}
