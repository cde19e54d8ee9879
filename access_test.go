package writebehind_test

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// access is a way to send a statement.
type access string

const (
	execText  access = "exec"     // Exec for writes, Query for SELECT
	queryText access = "query"    // Query for everything
	prepared  access = "prepared" // through a prepared statement
)

// forEachAccess runs a test over the matrix of ways to send a statement and of
// formats of its parameters, each with a fresh database. The time zones
// alternate, so that each way and each format meets both.
func forEachAccess(t *testing.T, ddl string, test func(h *harness, via access)) {
	t.Helper()
	zones := []string{"UTC", "Europe/Berlin"}
	for i, format := range []string{"", " binary_parameters=yes"} {
		for j, via := range []access{execText, queryText, prepared} {
			zone := zones[(i+j)%len(zones)]
			t.Run(string(via)+format+" "+zone, func(t *testing.T) {
				t.Parallel()
				params := format + " timezone=" + zone
				h := newHarness(t, ddl, params)
				h.session = params
				h.binary = format != ""
				h.past = h.open("postgres", h.dsn+params)
				test(h, via)
			})
		}
	}
}

// sender is a *sql.DB, *sql.Conn or *sql.Tx.
type sender interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	PrepareContext(ctx context.Context, query string) (*sql.Stmt, error)
}

// run sends a statement and reads all that comes back, printed. affected is -1 if the way does not tell.
func (via access) run(db sender, query string, args ...any) (rows []string, affected int64, err error) {
	ctx := context.Background()
	upper := strings.ToUpper(query)
	returns := strings.Contains(upper, "SELECT") || strings.Contains(upper, "RETURNING")
	exec := func(args ...any) (sql.Result, error) { return db.ExecContext(ctx, query, args...) }
	ask := func(args ...any) (*sql.Rows, error) { return db.QueryContext(ctx, query, args...) }
	if via == prepared {
		stmt, err := db.PrepareContext(ctx, query)
		if err != nil {
			return nil, -1, err
		}
		defer stmt.Close()
		exec = func(args ...any) (sql.Result, error) { return stmt.ExecContext(ctx, args...) }
		ask = func(args ...any) (*sql.Rows, error) { return stmt.QueryContext(ctx, args...) }
	}
	if !returns && via != queryText {
		result, err := exec(args...)
		if err != nil {
			return nil, -1, err
		}
		affected, err = result.RowsAffected()
		return nil, affected, err
	}
	answer, err := ask(args...)
	if err != nil {
		return nil, -1, err
	}
	defer answer.Close()
	rows, err = allValues(answer)
	return rows, -1, err
}

// allValues reads a result and prints it, row by row, each value with the type
// that the driver gave it.
func allValues(rows *sql.Rows) (all []string, err error) {
	columns, err := rows.Columns()
	if err != nil {
		return nil, err
	}
	for rows.Next() {
		row := make([]any, len(columns))
		into := make([]any, len(columns))
		for i := range row {
			into[i] = &row[i]
		}
		if err := rows.Scan(into...); err != nil {
			return nil, err
		}
		var line strings.Builder
		for i, v := range row {
			switch v := v.(type) {
			case []byte:
				fmt.Fprintf(&line, "%s: %T(%q, %v)\n", columns[i], v, v, v == nil)
			default:
				fmt.Fprintf(&line, "%s: %T(%#v)\n", columns[i], v, v)
			}
		}
		all = append(all, line.String())
	}
	return all, rows.Err()
}

// metadata describes the columns of a result in all that database/sql tells.
func metadata(t require.TestingT, rows *sql.Rows) (columns []string) {
	types, err := rows.ColumnTypes()
	require.NoError(t, err)
	for _, c := range types {
		length, hasLength := c.Length()
		precision, scale, hasPrecision := c.DecimalSize()
		nullable, knowsNull := c.Nullable()
		columns = append(columns, fmt.Sprint(c.Name(), " ", c.DatabaseTypeName(), " ", c.ScanType(), " ",
			length, hasLength, precision, scale, hasPrecision, nullable, knowsNull))
	}
	return columns
}
