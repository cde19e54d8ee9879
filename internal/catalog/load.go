package catalog

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
)

// Querier is what a Catalog is loaded through: a *sql.DB, *sql.Conn or *sql.Tx.
type Querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

// Load reads the schema with one query. If nothing has changed since previous,
// which may be nil, it returns previous itself: comparing the pointers tells.
//
// It may wait for DDL that holds its tables locked, as printing an expression
// does in PostgreSQL. An error means that nothing is known; concurrent DDL can
// be the cause, and the next call then succeeds.
func Load(ctx context.Context, q Querier, previous *Catalog) (*Catalog, error) {
	known := ""
	if previous != nil {
		known = previous.fingerprint
	}
	var fingerprint, text string
	if err := queryRow(ctx, q, schemaQuery, []any{known}, &fingerprint, &text); err != nil {
		return nil, fmt.Errorf("load the schema: %w", err)
	}
	if previous != nil && fingerprint == previous.fingerprint {
		return previous, nil
	}

	var s schema
	if err := json.Unmarshal([]byte(text), &s); err != nil {
		return nil, fmt.Errorf("load the schema: %w", err)
	}
	c := s.build()
	c.fingerprint = fingerprint
	if previous != nil && previous.version == c.version {
		c.Builtins, c.SystemRelations = previous.Builtins, previous.SystemRelations
		return c, nil
	}
	if err := c.loadBuiltins(ctx, q); err != nil {
		return nil, fmt.Errorf("load the names of the built-in functions: %w", err)
	}
	return c, nil
}

func (c *Catalog) loadBuiltins(ctx context.Context, q Querier) error {
	var text string
	if err := queryRow(ctx, q, builtinQuery, nil, &text); err != nil {
		return err
	}
	var names struct{ Functions, Relations []string }
	if err := json.Unmarshal([]byte(text), &names); err != nil {
		return err
	}
	c.Builtins, c.SystemRelations = set(names.Functions), set(names.Relations)
	return nil
}

// queryRow scans the one row that a query returns.
func queryRow(ctx context.Context, q Querier, query string, args []any, into ...any) (err error) {
	rows, err := q.QueryContext(ctx, query, args...)
	if err != nil {
		return err
	}
	defer func() {
		if closed := rows.Close(); err == nil {
			err = closed
		}
	}()
	if !rows.Next() {
		if err := rows.Err(); err != nil {
			return err
		}
		return sql.ErrNoRows
	}
	return rows.Scan(into...)
}

func set(names []string) map[string]struct{} {
	s := make(map[string]struct{}, len(names))
	for _, n := range names {
		s[n] = struct{}{}
	}
	return s
}
