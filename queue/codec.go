package queue

import (
	"database/sql/driver"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/writebehind/writebehind/cachekeys"
	"github.com/writebehind/writebehind/internal/catalog"
	"github.com/writebehind/writebehind/internal/pgvalue"
	"github.com/writebehind/writebehind/internal/rowimage"
	"github.com/writebehind/writebehind/queue/journal"
)

// A group in the journal is its mutations one after the other, each the number
// of its shape, the length of the image with its deltas, and those. A shape is written into
// the journal as a definition: JSON that says all that is needed to bring the
// mutation to PostgreSQL, whatever the schema is by then.

// definition is a shape as it stands in the journal. The names of its fields
// are persistent.
type definition struct {
	OID     uint32             `json:"oid"`
	Schema  string             `json:"schema"`
	Table   string             `json:"table"`
	Kind    string             `json:"kind"`
	Set     []string           `json:"set,omitempty"`
	Add     []string           `json:"add,omitempty"`
	Key     []string           `json:"key"`
	Columns []definitionColumn `json:"columns"`
}

type definitionColumn struct {
	Name    string       `json:"name"`
	SQLType string       `json:"type"`
	Type    pgvalue.Type `json:"value"`
}

// define returns the definition of a shape.
func define(s *Shape) *journal.Definition {
	d := definition{OID: s.Table.OID, Schema: s.Table.Name.Schema, Table: s.Table.Name.Name, Kind: s.Kind.String()}
	d.Set, d.Add = s.names(s.Set), s.names(s.Add)
	for _, c := range s.Table.Key {
		d.Key = append(d.Key, s.Table.Columns[c].Name)
	}
	for _, c := range s.Table.Columns {
		d.Columns = append(d.Columns, definitionColumn{c.Name, c.SQLType, c.Type})
	}
	text, err := json.Marshal(d)
	if err != nil {
		panic(err) // strings and numbers
	}
	return &journal.Definition{ID: s.id, Text: text}
}

// appendGroup appends the group's form in the journal.
func appendGroup(dst []byte, group []Mutation) []byte {
	for i := range group {
		dst = binary.AppendUvarint(dst, uint64(group[i].Shape.id))
		dst = binary.AppendUvarint(dst, uint64(len(group[i].Image)+len(group[i].Deltas)))
		dst = append(append(dst, group[i].Image...), group[i].Deltas...)
	}
	return dst
}

var errDamagedGroup = errors.New("queue: a group in the journal cannot be read")

// eachMutation calls f for every mutation of a group in the journal.
func eachMutation(payload []byte, f func(shape uint32, image []byte) error) error {
	for len(payload) > 0 {
		id, n := binary.Uvarint(payload)
		if n <= 0 {
			return errDamagedGroup
		}
		payload = payload[n:]
		length, n := binary.Uvarint(payload)
		if n <= 0 || length > uint64(len(payload)-n) {
			return errDamagedGroup
		}
		if err := f(uint32(id), payload[n:n+int(length)]); err != nil {
			return err
		}
		payload = payload[n+int(length):]
	}
	return nil
}

// Resolver returns the table that a definition in the journal is about, as it is
// now, if its key and columns are still those of the definition, else nil.
type Resolver func(name catalog.Name, fits func(*catalog.Relation) bool) *catalog.Relation

// decoder reads groups of a journal.
type decoder struct {
	location *time.Location
	shapes   *shapes
	resolve  Resolver
	hash     func(key []byte) uint64
	known    map[string]decoded // by text of the definition
}

// decoded is a shape from a journal; current says that its table is as it was.
type decoded struct {
	shape   *Shape
	current bool
}

// group decodes a group. current is false if a table of it has changed.
func (d *decoder) group(r journal.Record) (group []Mutation, current bool, err error) {
	current = true
	err = eachMutation(r.Payload, func(id uint32, image []byte) error {
		text := r.Definition(id)
		known, ok := d.known[string(text)]
		if !ok {
			if known, err = d.define(text); err != nil {
				return err
			}
			d.known[string(text)] = known
		}
		key, err := rowKeyOf(known.shape.Table, d.location, image)
		if err != nil {
			return err
		}
		image, deltas, err := rowimage.Split(image, len(known.shape.Table.Columns))
		if err != nil {
			return err
		}
		if _, rest, err := rowimage.Split(deltas, known.shape.deltas()); err != nil || len(rest) > 0 {
			return errDamagedGroup
		}
		current = current && known.current
		group = append(group, Mutation{Shape: known.shape, Key: key, Hash: d.hash(key), Image: image, Deltas: deltas, Blind: true})
		return nil
	})
	if err != nil {
		return nil, false, fmt.Errorf("%w: LSN %d: %w", errDamagedGroup, r.LSN, err)
	}
	return group, current, nil
}

// define makes a shape of a definition.
func (d *decoder) define(text []byte) (decoded, error) {
	var def definition
	if err := json.Unmarshal(text, &def); err != nil {
		return decoded{}, err
	}
	name := catalog.Name{Schema: def.Schema, Name: def.Table}
	if !def.whole() {
		return decoded{}, fmt.Errorf("the definition of %s has no key, or names a column that it does not have", name)
	}
	table := d.resolve(name, def.fits)
	current := table != nil
	if !current {
		table = d.pastTable(&def)
	}
	kind, ok := kindNamed(def.Kind)
	if !ok {
		return decoded{}, fmt.Errorf("the kind %q is not known", def.Kind)
	}
	var set, add []int
	for _, column := range def.Set {
		set = append(set, table.Column(column))
	}
	for _, column := range def.Add {
		add = append(add, table.Column(column))
	}
	return decoded{d.shapes.intern(table, kind, set, add), current}, nil
}

// pastTable makes the table that a definition describes, once per table.
func (d *decoder) pastTable(def *definition) *catalog.Relation {
	for _, known := range d.known {
		if t := known.shape.Table; t.Name.Schema == def.Schema && t.Name.Name == def.Table && def.fits(t) {
			return t
		}
	}
	table := &catalog.Relation{OID: def.OID, Name: catalog.Name{Schema: def.Schema, Name: def.Table}, Kind: 'r', Persistence: 'p'}
	for _, c := range def.Columns {
		table.Columns = append(table.Columns, catalog.Column{Name: c.Name, SQLType: c.SQLType, Type: c.Type})
	}
	for _, name := range def.Key {
		table.Key = append(table.Key, table.Column(name))
	}
	return table
}

// whole says whether the definition has a key and each column that it names.
func (d *definition) whole() bool {
	for _, name := range slices.Concat(d.Key, d.Set, d.Add) {
		if !slices.ContainsFunc(d.Columns, func(c definitionColumn) bool { return c.Name == name }) {
			return false
		}
	}
	return len(d.Key) > 0
}

// fits tells whether a table has the definition's key and columns.
func (d *definition) fits(table *catalog.Relation) bool {
	if len(table.Columns) != len(d.Columns) || len(table.Key) != len(d.Key) || table.OID != d.OID {
		return false
	}
	for i, c := range d.Columns {
		t := &table.Columns[i]
		if t.Name != c.Name || t.SQLType != c.SQLType || t.Type.OID != c.Type.OID || t.Type.Mod != c.Type.Mod || t.Type.Kind != c.Type.Kind {
			return false
		}
	}
	for i, k := range table.Key {
		if table.Columns[k].Name != d.Key[i] {
			return false
		}
	}
	return true
}

func kindNamed(name string) (Kind, bool) {
	for k := Insert; k <= Delete; k++ {
		if k.String() == name {
			return k, true
		}
	}
	return 0, false
}

// rowKeyOf computes the row key from a row image.
func rowKeyOf(table *catalog.Relation, loc *time.Location, image []byte) ([]byte, error) {
	values := make([]driver.Value, len(table.Key))
	if err := rowimage.DecodeColumns(image, loc, table.Key, values); err != nil {
		return nil, err
	}
	key, ok := cachekeys.Append(nil, table, values)
	if !ok {
		return nil, errDamagedGroup
	}
	return key, nil
}
