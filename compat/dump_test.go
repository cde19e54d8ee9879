package compat

import (
	"database/sql"
	"fmt"
	"reflect"
	"testing"

	"github.com/stretchr/testify/require"
)

// dump adds the rows of a table, in the order of its first column, as lib/pq has them.
func (tr *trace) dump(t *testing.T, db *sql.DB, table string) {
	t.Helper()
	rows, err := db.Query(fmt.Sprintf("SELECT * FROM %s ORDER BY 1", table))
	require.NoError(t, err)
	defer rows.Close()
	columns, err := rows.Columns()
	require.NoError(t, err)
	for rows.Next() {
		values := make([]any, len(columns))
		into := make([]any, len(columns))
		for i := range values {
			into[i] = &values[i]
		}
		require.NoError(t, rows.Scan(into...))
		line := table + ":"
		for i, v := range values {
			line += " " + columns[i] + "=" + tr.value(table+"."+columns[i], reflect.ValueOf(v))
		}
		tr.lines = append(tr.lines, line)
	}
	require.NoError(t, rows.Err())
}
