package run

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/writebehind/writebehind/internal/prove/compare"
)

// tables lists the tables of the application.
const tables = `
SELECT format('%I.%I', n.nspname, c.relname)
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p')
	AND n.nspname NOT LIKE 'pg\_%' AND n.nspname NOT IN ('information_schema', 'writebehind')
ORDER BY 1`

// contents compares all rows of all tables, read through the plain driver.
func (b *Bench) contents(ctx context.Context, pairs *compare.Pairs) (*compare.Difference, error) {
	var names [2][][]any
	for i := range names {
		var err error
		if names[i], err = readAll(ctx, b.places[i].admin, tables); err != nil {
			return nil, err
		}
	}
	if d := atEnd(compare.Rows(pairs, names[0], names[1], false), "the list of tables"); d != nil {
		return d, nil
	}
	for _, name := range names[0] {
		var rows [2][][]any
		for i := range rows {
			var err error
			if rows[i], err = readAll(ctx, b.places[i].admin, fmt.Sprintf("SELECT * FROM %s", name[0])); err != nil {
				return nil, err
			}
		}
		if d := atEnd(compare.Rows(pairs, rows[0], rows[1], true), fmt.Sprintf("table %s", name[0])); d != nil {
			return d, nil
		}
	}
	return nil, nil
}

func atEnd(d *compare.Difference, where string) *compare.Difference {
	if d != nil {
		d.Kind, d.Where = compare.Contents, where+", "+d.Where
	}
	return d
}

func readAll(ctx context.Context, db *sql.DB, query string) ([][]any, error) {
	rows, err := db.QueryContext(ctx, query) //nolint:rowserrcheck // ReadRows does
	if err != nil {
		return nil, fmt.Errorf("read the contents: %w", err)
	}
	var out compare.Outcome
	out.ReadRows(rows, 0)
	if out.RowsErr != nil {
		return nil, fmt.Errorf("read the contents: %w", out.RowsErr)
	}
	return out.Sets[0].Rows, nil
}
