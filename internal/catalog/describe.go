package catalog

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Describe returns a copy of a relation with what only the real driver can
// tell: Column.Meta, and the values of constant defaults. A default that does
// not evaluate to what an INSERT would store becomes a DefaultOther.
//
// q should not be inside a transaction that still matters: a default that
// PostgreSQL refuses is an error to it.
func (c *Catalog) Describe(ctx context.Context, q Querier, r *Relation) (*Relation, error) {
	described := *r
	described.Columns = slices.Clone(r.Columns)
	if err := described.loadMeta(ctx, q); err != nil {
		return nil, fmt.Errorf("describe the columns of %s: %w", r.Name, err)
	}
	if err := described.loadDefaults(ctx, q); err != nil {
		return nil, fmt.Errorf("evaluate the defaults of %s: %w", r.Name, err)
	}
	return &described, nil
}

func (r *Relation) loadMeta(ctx context.Context, q Querier) error {
	if len(r.Columns) == 0 {
		return nil
	}
	names := make([]string, len(r.Columns))
	for i, c := range r.Columns {
		names[i] = quote(c.Name)
	}
	metas, err := metasOf(ctx, q, "SELECT "+strings.Join(names, ", ")+
		" FROM "+quote(r.Name.Schema)+"."+quote(r.Name.Name)+" WHERE false")
	if err != nil {
		return err
	}
	if len(metas) != len(r.Columns) {
		return fmt.Errorf("%d columns instead of %d", len(metas), len(r.Columns))
	}
	for i := range metas {
		r.Columns[i].Meta = metas[i]
	}
	return nil
}

// metasOf returns what the real driver tells of the columns of a query, and reads its
// row, if it has one.
func metasOf(ctx context.Context, q Querier, query string, into ...any) (metas []Meta, err error) {
	rows, err := q.QueryContext(ctx, query)
	if err != nil {
		return nil, err
	}
	defer func() {
		if closed := rows.Close(); err == nil {
			err = closed
		}
	}()
	types, err := rows.ColumnTypes()
	if err != nil {
		return nil, err
	}
	for _, t := range types {
		m := Meta{DatabaseType: t.DatabaseTypeName(), ScanType: t.ScanType()}
		m.Length, m.HasLength = t.Length()
		m.Precision, m.Scale, m.HasPrecision = t.DecimalSize()
		metas = append(metas, m)
	}
	if rows.Next() {
		err = rows.Scan(into...)
	}
	return metas, errors.Join(err, rows.Err())
}

// Existence is what the real driver tells of the columns of statements that ask
// whether a row is there.
type Existence struct {
	Known                   bool // it gives them as int64, int64 and bool
	Constant, Count, Exists Meta // of SELECT 1, SELECT count(*) and SELECT EXISTS
}

// DescribeExistence finds them out.
func DescribeExistence(ctx context.Context, q Querier) (e Existence, err error) {
	var constant, count, exists any
	metas, err := metasOf(ctx, q, "SELECT 1, 1::pg_catalog.int8, true", &constant, &count, &exists)
	if err != nil || len(metas) != 3 {
		return e, err
	}
	e.Constant, e.Count, e.Exists = metas[0], metas[1], metas[2]
	e.Known = constant == any(int64(1)) && count == any(int64(1)) && exists == any(true)
	return e, nil
}

// loadDefaults evaluates all constant defaults at once, or one by one if one of
// them is refused.
func (r *Relation) loadDefaults(ctx context.Context, q Querier) error {
	var constants []*Column
	for i := range r.Columns {
		if r.Columns[i].Default.Kind == DefaultConstant {
			constants = append(constants, &r.Columns[i])
		}
	}
	if len(constants) == 0 || evaluate(ctx, q, constants) == nil {
		return nil
	}
	for _, c := range constants {
		if evaluate(ctx, q, []*Column{c}) != nil {
			if err := ctx.Err(); err != nil {
				return err
			}
			c.Default.Kind = DefaultOther
		}
	}
	return nil
}

// evaluate sets the values of constant defaults. An INSERT refuses a string that
// is too long for its column, which an explicit cast cuts off: so each is
// compared with what it was before the cast.
func evaluate(ctx context.Context, q Querier, constants []*Column) error {
	var list []string
	for _, c := range constants {
		list = append(list, fmt.Sprintf("(%s)::%s", c.Default.Expr, c.fullType), fmt.Sprintf("(%s)::text", c.Default.Expr))
	}
	values := make([]any, len(constants))
	texts := make([]sql.NullString, len(constants))
	var into []any
	for i := range constants {
		into = append(into, &values[i], &texts[i])
	}
	if err := queryRow(ctx, q, "SELECT "+strings.Join(list, ", "), nil, into...); err != nil {
		return err
	}
	for i, c := range constants {
		if !whole(c.Type.OID, values[i], texts[i]) {
			c.Default.Kind = DefaultOther
			continue
		}
		c.Default.Value = values[i]
	}
	return nil
}

// whole says whether a cast to the type of a column has cut nothing off.
func whole(oid uint32, value any, before sql.NullString) bool {
	var text string
	switch v := value.(type) {
	case string:
		text = v
	case []byte:
		text = string(v)
	default:
		return true
	}
	switch oid {
	case 18, 1043: // "char", varchar
		return text == before.String
	case 1042: // bpchar
		return strings.TrimRight(text, " ") == strings.TrimRight(before.String, " ")
	}
	return true
}
