package writebehind

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/lib/pq"

	"github.com/writebehind/writebehind/internal/catalog"
	"github.com/writebehind/writebehind/queue"
	"github.com/writebehind/writebehind/rewrite"
)

// DeadLetter is one row of a group that was acknowledged and that PostgreSQL has
// refused for good. It is kept in the table writebehind.dead_letter.
type DeadLetter struct {
	Table    string    // with its schema
	LSN      queue.LSN // of the group
	SQLState string    // of Err; "" if the row was not what it was acknowledged to be
	Err      error     // as PostgreSQL put it; it may quote values of the row
}

// letter is a row of writebehind.dead_letter.
type letter struct {
	id                        int64
	schema, table, kind       string
	set, add                  []string
	key, values               map[string]*string
	at                        time.Time
	journal, sqlState, reason string
	lsn                       int64
}

const selectLetters = `SELECT id, time, journal, lsn, table_schema, table_name, kind, set_columns, add_columns, key::text, new_values::text, sqlstate, message
	FROM writebehind.dead_letter`

func scanLetter(rows *sql.Rows) (l letter, err error) {
	var key, values string
	err = rows.Scan(&l.id, &l.at, &l.journal, &l.lsn, &l.schema, &l.table, &l.kind, (*pq.StringArray)(&l.set), (*pq.StringArray)(&l.add), &key, &values, &l.sqlState, &l.reason)
	if err == nil {
		err = errors.Join(json.Unmarshal([]byte(key), &l.key), json.Unmarshal([]byte(values), &l.values))
	}
	return l, err
}

func queryLetters(ctx context.Context, q querier, where string, args ...any) (letters []letter, err error) {
	rows, err := q.QueryContext(ctx, selectLetters+where, args...)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		l, err := scanLetter(rows)
		if err != nil {
			return nil, err
		}
		letters = append(letters, l)
	}
	return letters, rows.Err()
}

type querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

// RetryDeadLetters writes dead letters, given by the id that
// SHOW writebehind.dead_letters tells, to their tables after all, in one
// transaction and in the order in which they were acknowledged, and removes
// them. If PostgreSQL refuses one again, nothing has happened, and its error is
// returned.
func RetryDeadLetters(ctx context.Context, db *sql.DB, ids ...int64) (err error) {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, tx.Rollback())
		}
	}()
	letters, err := queryLetters(ctx, tx, ` WHERE id = ANY($1::bigint[]) ORDER BY time, lsn, position FOR UPDATE`, pq.Array(ids))
	if err != nil {
		return err
	}
	if err := allFound(ids, len(letters)); err != nil {
		return err
	}
	for _, l := range letters {
		if err := l.retry(ctx, tx); err != nil {
			return fmt.Errorf("writebehind: dead letter %d: %w", l.id, err)
		}
	}
	if _, err := tx.ExecContext(ctx, `DELETE FROM writebehind.dead_letter WHERE id = ANY($1::bigint[])`, pq.Array(ids)); err != nil {
		return err
	}
	return tx.Commit()
}

// DiscardDeadLetters removes dead letters, given by id, for good.
func DiscardDeadLetters(ctx context.Context, db *sql.DB, ids ...int64) error {
	result, err := db.ExecContext(ctx, `DELETE FROM writebehind.dead_letter WHERE id = ANY($1::bigint[])`, pq.Array(ids))
	if err != nil {
		return err
	}
	n, err := result.RowsAffected()
	if err != nil {
		return err
	}
	return allFound(ids, int(n))
}

func allFound(ids []int64, found int) error {
	seen := make(map[int64]bool)
	for _, id := range ids {
		seen[id] = true
	}
	if found != len(seen) {
		return fmt.Errorf("writebehind: dead letters found: %d of %d", found, len(seen))
	}
	return nil
}

// retry does what the letter's mutation should have done.
func (l *letter) retry(ctx context.Context, tx *sql.Tx) error {
	types, err := l.columnTypes(ctx, tx)
	if err != nil {
		return err
	}
	var w letterWriter
	w.types = types
	name := tableName(catalog.Name{Schema: l.schema, Name: l.table})
	var query string
	switch l.kind {
	case "insert", "upsert":
		var columns, values []string
		for _, c := range sortedNames(l.values) {
			columns, values = append(columns, rewrite.Quote(c)), append(values, w.value(c, l.values[c]))
		}
		query = "INSERT INTO " + name + " AS t (" + strings.Join(columns, ", ") + ") VALUES (" + strings.Join(values, ", ") + ")"
		if l.kind == "upsert" {
			var keys, sets []string
			for _, c := range sortedNames(l.key) {
				keys = append(keys, rewrite.Quote(c))
			}
			for _, c := range l.set {
				sets = append(sets, rewrite.Quote(c)+" = EXCLUDED."+rewrite.Quote(c))
			}
			for _, c := range l.add {
				sets = append(sets, rewrite.Quote(c)+" = t."+rewrite.Quote(c)+" + EXCLUDED."+rewrite.Quote(c))
			}
			query += " ON CONFLICT (" + strings.Join(keys, ", ") + ") DO UPDATE SET " + strings.Join(sets, ", ")
		}
	case "update":
		var sets []string
		for _, c := range l.set {
			sets = append(sets, rewrite.Quote(c)+" = "+w.value(c, l.values[c]))
		}
		for _, c := range l.add {
			sets = append(sets, rewrite.Quote(c)+" = "+rewrite.Quote(c)+" + "+w.increment(c, l.values[c]))
		}
		query = "UPDATE " + name + " SET " + strings.Join(sets, ", ") + " WHERE " + w.match(l.key)
	case "delete":
		query = "DELETE FROM " + name + " WHERE " + w.match(l.key)
	default:
		return fmt.Errorf("its kind %q is not known", l.kind)
	}
	if w.unknown != "" {
		return fmt.Errorf("%s has no column %q", name, w.unknown)
	}
	result, err := tx.ExecContext(ctx, query, w.args...)
	if err != nil {
		return err
	}
	if n, err := result.RowsAffected(); err != nil || n != 1 {
		return errors.Join(err, fmt.Errorf("the row of %s that it is about is not there", name))
	}
	return nil
}

func (l *letter) columnTypes(ctx context.Context, tx *sql.Tx) (_ map[string]string, err error) {
	// Type modifiers are left to the column, which refuses what a cast would cut.
	rows, err := tx.QueryContext(ctx, `SELECT a.attname, pg_catalog.format_type(a.atttypid, -1)
		FROM pg_catalog.pg_attribute AS a JOIN pg_catalog.pg_class AS c ON c.oid = a.attrelid
		JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
		WHERE n.nspname = $1 AND c.relname = $2 AND a.attnum > 0 AND NOT a.attisdropped`, l.schema, l.table)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	types := make(map[string]string)
	for rows.Next() {
		var name, typ string
		if err := rows.Scan(&name, &typ); err != nil {
			return nil, err
		}
		types[name] = typ
	}
	return types, rows.Err()
}

// letterWriter writes values as parameters that are cast from text.
type letterWriter struct {
	types   map[string]string
	args    []any
	unknown string
}

func (w *letterWriter) value(column string, v *string) string {
	typ, ok := w.types[column]
	if !ok {
		w.unknown = column
	}
	if v == nil {
		return "NULL"
	}
	w.args = append(w.args, *v)
	return "$" + strconv.Itoa(len(w.args)) + "::text::" + typ
}

// increment is what is added to a column: the sum may need more than its type.
func (w *letterWriter) increment(column string, v *string) string {
	if typ := w.types[column]; typ == "smallint" || typ == "integer" {
		w.args = append(w.args, v)
		return "$" + strconv.Itoa(len(w.args)) + "::text::bigint"
	}
	return w.value(column, v)
}

func (w *letterWriter) match(key map[string]*string) string {
	var all []string
	for _, c := range sortedNames(key) {
		all = append(all, rewrite.Quote(c)+" = "+w.value(c, key[c]))
	}
	return strings.Join(all, " AND ")
}

// showDeadLetters lists the dead letters of the database, the newest first, but
// not the values in them.
func (e *engine) showDeadLetters(ctx context.Context) (*textRows, error) {
	answer := &textRows{names: []string{"id", "time", "journal", "lsn", "table", "kind", "key", "sqlstate", "message"}}
	if e.ownership.row == nil {
		return answer, nil
	}
	letters, err := queryLetters(ctx, e.db, ` ORDER BY id DESC LIMIT 1000`)
	if err != nil {
		return nil, err
	}
	for _, l := range letters {
		key, err := json.Marshal(l.key)
		if err != nil {
			return nil, err
		}
		answer.rows = append(answer.rows, []string{strconv.FormatInt(l.id, 10), l.at.Format(time.RFC3339Nano), l.journal,
			strconv.FormatInt(l.lsn, 10), l.schema + "." + l.table, l.kind, string(key), l.sqlState, l.reason})
	}
	return answer, nil
}
