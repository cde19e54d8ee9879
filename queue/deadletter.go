package queue

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/writebehind/writebehind/internal/pgerr"
	"github.com/writebehind/writebehind/internal/rowimage"
	"github.com/writebehind/writebehind/rewrite"
)

// A dead letter is a group that PostgreSQL refused for good. It is kept, a row
// per mutation, in writebehind.dead_letter, by the transaction that moves the
// checkpoint over it.

const insertLetter = `INSERT INTO writebehind.dead_letter
	(journal, lsn, position, table_schema, table_name, key, kind, set_columns, add_columns, new_values, sqlstate, message)
	VALUES ($1, $2, $3, $4, $5, $6::jsonb, $7, $8::text[], $9::text[], $10::jsonb, $11, $12)`

// bury writes the dead letter of a group.
func (f *flush) bury(ctx context.Context, q *Queue, tx *sql.Tx, group []logged, cause error) error {
	state, message := pgerr.State(cause), cause.Error()
	if state == "" {
		state = "P0002" // no_data_found: the row was not what it was acknowledged to be
	}
	for position, r := range group {
		shape := q.shapes.get(r.shape)
		cells := make([]driver.Value, len(shape.params))
		if err := rowimage.Decode(r.cells, q.opts.Location, cells); err != nil {
			return err
		}
		key, values, err := shape.asJSON(cells)
		if err != nil {
			return err
		}
		set, add := shape.nameArray(shape.Set), shape.nameArray(shape.Add)
		name := shape.Table.Name
		if _, err := tx.ExecContext(ctx, insertLetter, q.opts.Checkpoint, int64(r.lsn), position, name.Schema, name.Name,
			string(key), shape.Kind.String(), set, add, string(values), state, message); err != nil {
			return fmt.Errorf("queue: writing a dead letter: %w", err)
		}
	}
	return nil
}

// nameArray returns the names of columns as an array in text form.
func (s *Shape) nameArray(columns []int) string {
	var a rewrite.Array
	for _, name := range s.names(columns) {
		a.Append([]byte(name))
	}
	return string(a.Bytes())
}

// asJSON returns the key and the values of a mutation as objects of column names
// and values in PostgreSQL's text form, or null; of an update's Add, what is added.
// cells are those of params.
func (s *Shape) asJSON(cells []driver.Value) (key, values []byte, err error) {
	keys, all := make(map[string]any), make(map[string]any)
	for i, v := range cells {
		c, t, expected := s.param(i)
		if expected {
			continue
		}
		column := &s.Table.Columns[c]
		var text any
		if v != nil {
			form, ok := t.AppendText(nil, v)
			if !ok {
				return nil, nil, fmt.Errorf("queue: column %q of %s: no text form for a %T", column.Name, s.Table.Name, v)
			}
			text = string(form)
		}
		all[column.Name] = text
		if slices.Contains(s.Table.Key, c) {
			keys[column.Name] = text
		}
	}
	if s.Kind == Delete {
		all = map[string]any{}
	}
	key, errKey := json.Marshal(keys)
	values, errValues := json.Marshal(all)
	return key, values, errors.Join(errKey, errValues)
}

// errTooMany pauses the flush: so many dead letters are the sign of a mistake
// that an operator should see before more are made.
var errTooMany = errors.New("queue: too many dead letters at once")

// letterBound is how many dead letters may be made within letterSpan.
const (
	letterBound = 100
	letterSpan  = time.Minute
)

// letterRate counts dead letters. Only the flusher touches it.
type letterRate struct {
	since time.Time
	made  int
}

// exceeded tells whether n more would be too many.
func (r *letterRate) exceeded(n int) bool {
	if time.Since(r.since) > letterSpan {
		r.since, r.made = time.Now(), 0
	}
	return r.made+n > letterBound
}

// RefusePaused turns what holds a paused flusher up into dead letters: groups
// that no longer fit the schema, or more refusals than are let through
// unasked. It returns false if the flusher is not paused.
func (q *Queue) RefusePaused() bool {
	if _, failed := q.progress.state(); !failed.paused {
		return false
	}
	q.giveUp.Store(true)
	q.wake()
	return true
}
