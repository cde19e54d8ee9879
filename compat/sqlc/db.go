// Package sqlc is what sqlc makes of the shop's queries, in its shape: a struct
// Queries over a pool or a transaction, with statements prepared ahead or not.
package sqlc

import (
	"context"
	"database/sql"
)

// DBTX is a pool, a connection or a transaction.
type DBTX interface {
	ExecContext(context.Context, string, ...any) (sql.Result, error)
	PrepareContext(context.Context, string) (*sql.Stmt, error)
	QueryContext(context.Context, string, ...any) (*sql.Rows, error)
	QueryRowContext(context.Context, string, ...any) *sql.Row
}

// Queries are the shop's queries.
type Queries struct {
	db       DBTX
	tx       *sql.Tx
	prepared map[string]*sql.Stmt
}

// New returns the queries on db, each sent as text.
func New(db DBTX) *Queries { return &Queries{db: db} }

// Prepare returns the queries on db, prepared.
func Prepare(ctx context.Context, db DBTX) (*Queries, error) {
	q := &Queries{db: db, prepared: map[string]*sql.Stmt{}}
	for _, query := range queries {
		stmt, err := db.PrepareContext(ctx, query) //nolint:sqlclosecheck // Close closes it
		if err != nil {
			return nil, err
		}
		q.prepared[query] = stmt
	}
	return q, nil
}

// WithTx returns the same queries in a transaction.
func (q *Queries) WithTx(tx *sql.Tx) *Queries {
	return &Queries{db: tx, tx: tx, prepared: q.prepared}
}

// Close closes what is prepared.
func (q *Queries) Close() error {
	for _, stmt := range q.prepared {
		if err := stmt.Close(); err != nil {
			return err
		}
	}
	return nil
}

func (q *Queries) exec(ctx context.Context, query string, args ...any) (int64, error) {
	var result sql.Result
	var err error
	switch stmt := q.prepared[query]; {
	case stmt != nil && q.tx != nil:
		result, err = q.tx.StmtContext(ctx, stmt).ExecContext(ctx, args...) //nolint:sqlclosecheck // its transaction closes it
	case stmt != nil:
		result, err = stmt.ExecContext(ctx, args...)
	default:
		result, err = q.db.ExecContext(ctx, query, args...)
	}
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}

func (q *Queries) queryRow(ctx context.Context, query string, args ...any) *sql.Row {
	switch stmt := q.prepared[query]; {
	case stmt != nil && q.tx != nil:
		return q.tx.StmtContext(ctx, stmt).QueryRowContext(ctx, args...) //nolint:sqlclosecheck // its transaction closes it
	case stmt != nil:
		return stmt.QueryRowContext(ctx, args...)
	}
	return q.db.QueryRowContext(ctx, query, args...)
}

func (q *Queries) query(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	switch stmt := q.prepared[query]; {
	case stmt != nil && q.tx != nil:
		return q.tx.StmtContext(ctx, stmt).QueryContext(ctx, args...) //nolint:sqlclosecheck // its transaction closes it
	case stmt != nil:
		return stmt.QueryContext(ctx, args...)
	}
	return q.db.QueryContext(ctx, query, args...)
}
