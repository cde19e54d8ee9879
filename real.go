package writebehind

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
)

// execReal executes a statement on a real connection.
func execReal(ctx context.Context, real driver.Conn, query string, args []driver.NamedValue) (driver.Result, error) {
	if execer, ok := real.(driver.ExecerContext); ok {
		return execer.ExecContext(ctx, query, args)
	}
	if execer, ok := real.(driver.Execer); ok { //nolint:staticcheck // a real driver may have no other
		values, err := unnamed(args)
		if err != nil {
			return nil, err
		}
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		return execer.Exec(query, values)
	}
	return nil, driver.ErrSkip
}

// queryReal executes a query on a real connection.
func queryReal(ctx context.Context, real driver.Conn, query string, args []driver.NamedValue) (driver.Rows, error) {
	if queryer, ok := real.(driver.QueryerContext); ok {
		return queryer.QueryContext(ctx, query, args)
	}
	if queryer, ok := real.(driver.Queryer); ok { //nolint:staticcheck // as above
		values, err := unnamed(args)
		if err != nil {
			return nil, err
		}
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		return queryer.Query(query, values)
	}
	return nil, driver.ErrSkip
}

// execAnyhow is execReal on a real connection that may be able to execute
// prepared statements only.
func execAnyhow(ctx context.Context, real driver.Conn, query string, args []driver.NamedValue) (driver.Result, error) {
	result, err := execReal(ctx, real, query, args)
	if err != driver.ErrSkip { //nolint:errorlint // a sentinel that is never wrapped
		return result, err
	}
	stmt, err := prepareReal(ctx, real, query)
	if err != nil {
		return nil, err
	}
	result, err = (&Stmt{real: stmt}).execReal(ctx, args)
	return result, errors.Join(err, stmt.Close())
}

// insist executes a statement whatever has become of ctx. What comes of it does not
// matter: an error that counts is on its way already, or none does.
func insist(ctx context.Context, real driver.Conn, query string) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), reloadTimeout)
	defer cancel()
	_, _ = execAnyhow(ctx, real, query, nil)
}

// queryAnyhow is queryReal on a real connection that may be able to query
// prepared statements only.
func queryAnyhow(ctx context.Context, real driver.Conn, query string, args []driver.NamedValue) (driver.Rows, error) {
	rows, err := queryReal(ctx, real, query, args)
	if err != driver.ErrSkip { //nolint:errorlint // a sentinel that is never wrapped
		return rows, err
	}
	stmt, err := prepareReal(ctx, real, query)
	if err != nil {
		return nil, err
	}
	if rows, err = (&Stmt{real: stmt}).queryReal(ctx, args); err != nil {
		return nil, errors.Join(err, stmt.Close())
	}
	return &stmtRows{Rows: rows, stmt: stmt}, nil
}

// stmtRows are rows that take their statement with them.
type stmtRows struct {
	driver.Rows
	stmt driver.Stmt
}

func (r *stmtRows) Close() error { return errors.Join(r.Rows.Close(), r.stmt.Close()) }

func named(args []driver.Value) []driver.NamedValue {
	out := make([]driver.NamedValue, len(args))
	for i, v := range args {
		out[i] = driver.NamedValue{Ordinal: i + 1, Value: v}
	}
	return out
}

func unnamed(args []driver.NamedValue) ([]driver.Value, error) {
	out := make([]driver.Value, len(args))
	for i, a := range args {
		if a.Name != "" {
			return nil, fmt.Errorf("writebehind: the real driver takes no named arguments (%q)", a.Name)
		}
		out[i] = a.Value
	}
	return out, nil
}
