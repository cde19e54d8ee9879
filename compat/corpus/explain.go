package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"

	_ "github.com/lib/pq" // the driver that loads the schema

	_ "github.com/writebehind/writebehind" // the driver that is asked
	"github.com/writebehind/writebehind/internal/pgtest"
)

// answer is what EXPLAIN WRITEBEHIND says of a statement.
type answer struct {
	decision string
	keyed    bool
	table    string
	reason   string
}

// database is the one in which the schema is loaded.
const database = "corpus"

// explainAll asks for every statement in a new database with the schema.
func explainAll(ctx context.Context, schema string, statements []statement) (answers []answer, err error) {
	server, err := pgtest.Start(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, server.Close()) }()
	if err := server.AddDatabase(ctx, database); err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, server.DropDatabase(context.Background(), database)) }()
	if err := load(ctx, server.DSN(database), schema); err != nil {
		return nil, err
	}
	db, err := sql.Open("writebehind", server.DSN(database, "writebehind.tables=*", "writebehind.journal=none"))
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	answers = make([]answer, len(statements))
	for i := range statements {
		a := &answers[i]
		row := db.QueryRowContext(ctx, "EXPLAIN WRITEBEHIND "+statements[i].SQL)
		if err := row.Scan(&a.decision, &a.keyed, &a.table, &a.reason); err != nil {
			return nil, fmt.Errorf("corpus: EXPLAIN WRITEBEHIND %s: %w", statements[i].SQL, err)
		}
	}
	return answers, nil
}

// load runs the schema through the real driver.
func load(ctx context.Context, dsn, schema string) (err error) {
	text, err := os.ReadFile(schema)
	if err != nil {
		return fmt.Errorf("corpus: %w", err)
	}
	db, err := sql.Open("postgres", dsn)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if _, err := db.ExecContext(ctx, string(text)); err != nil {
		return fmt.Errorf("corpus: %s: %w", schema, err)
	}
	return nil
}
