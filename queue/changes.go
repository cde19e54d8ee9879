package queue

import (
	"database/sql/driver"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/writebehind/writebehind/internal/catalog"
	"github.com/writebehind/writebehind/internal/rowimage"
	"github.com/writebehind/writebehind/queue/journal"
)

// Change is a mutation of a group in a journal, for people. Its JSON form has the
// columns of writebehind.dead_letter.
type Change struct {
	Schema string   `json:"table_schema"`
	Table  string   `json:"table_name"`
	Kind   string   `json:"kind"`                  // insert, update, upsert or delete
	Set    []string `json:"set_columns,omitempty"` // columns that an update, or an upsert in conflict, sets
	Add    []string `json:"add_columns,omitempty"` // columns that it adds to
	// Key and Values are objects of column names and values in PostgreSQL's text
	// form, or null. Times with a zone are in UTC. The values of an update are the
	// key's, those set and those added, of a delete none, else all of the row.
	Key    json.RawMessage `json:"key"`
	Values json.RawMessage `json:"new_values"`
}

// Changes decodes the groups of a journal, without a database.
type Changes struct{ decoder decoder }

// NewChanges returns a decoder for one journal.
func NewChanges() *Changes {
	return &Changes{decoder{
		location: time.UTC, shapes: new(shapes), known: make(map[string]decoded),
		resolve: func(catalog.Name, func(*catalog.Relation) bool) *catalog.Relation { return nil },
		hash:    func([]byte) uint64 { return 0 },
	}}
}

// Of returns what a group does.
func (c *Changes) Of(r journal.Record) ([]Change, error) {
	group, _, err := c.decoder.group(r)
	if err != nil {
		return nil, err
	}
	changes := make([]Change, len(group))
	for i, m := range group {
		s := m.Shape
		cells := make([]driver.Value, len(s.params))
		if err := rowimage.DecodeColumns(slices.Concat(m.Image, m.Deltas), time.UTC, s.params, cells); err != nil {
			return nil, fmt.Errorf("%w: LSN %d: %w", errDamagedGroup, r.LSN, err)
		}
		change := Change{Schema: s.Table.Name.Schema, Table: s.Table.Name.Name, Kind: s.Kind.String(), Set: s.names(s.Set), Add: s.names(s.Add)}
		if change.Key, change.Values, err = s.asJSON(cells); err != nil {
			return nil, err
		}
		changes[i] = change
	}
	return changes, nil
}
