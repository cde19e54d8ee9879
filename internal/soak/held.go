package main

import (
	"context"
	"database/sql"
)

// held is a database whose writes are sent once. Database/sql repeats a statement
// whose connection is lost, also when it may have been executed; what a
// connection that is held is told, it does not repeat.
type held struct{ db *sql.DB }

func (h held) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	conn, err := h.db.Conn(ctx)
	if err != nil {
		return nil, err
	}
	result, err := conn.ExecContext(ctx, query, args...)
	_ = conn.Close() // back into the pool; the error, if there is one, is the statement's
	return result, err
}

// BeginTx begins a transaction: that may be repeated, nothing in it is.
func (h held) BeginTx(ctx context.Context, opts *sql.TxOptions) (*sql.Tx, error) {
	return h.db.BeginTx(ctx, opts)
}

func (h held) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	return h.db.QueryRowContext(ctx, query, args...) // a read may be repeated
}
