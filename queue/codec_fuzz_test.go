package queue

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/lib/pq/oid"
	"github.com/stretchr/testify/require"

	"github.com/writebehind/writebehind/internal/catalog"
	"github.com/writebehind/writebehind/internal/pgvalue"
	"github.com/writebehind/writebehind/internal/rowimage"
	"github.com/writebehind/writebehind/queue/journal"
)

// accounts is the table of the groups that FuzzGroup begins with.
var accounts = &catalog.Relation{
	OID: 16400, Name: catalog.Name{Schema: "public", Name: "accounts"}, Kind: 'r', Persistence: 'p', Key: []int{0},
	Columns: []catalog.Column{
		{Name: "id", SQLType: "bigint", Type: pgvalue.Type{OID: uint32(oid.T_int8), Mod: -1}},
		{Name: "balance", SQLType: "numeric", Type: pgvalue.Type{OID: uint32(oid.T_numeric), Mod: -1}},
		{Name: "name", SQLType: "text", Type: pgvalue.Type{OID: uint32(oid.T_text), Mod: -1}},
	},
}

// FuzzGroup: whatever a group and its definition hold, reading them ends with what
// they say or with an error, and what was read can be applied and is written as it was.
func FuzzGroup(f *testing.F) {
	interned := new(shapes)
	image := func(values ...any) (cells []byte) {
		for _, v := range values {
			var err error
			cells, err = rowimage.Append(cells, time.UTC, v)
			require.NoError(f, err)
		}
		return cells
	}
	row := image(int64(7), []byte("12.50"), "name")
	for _, m := range []Mutation{
		{Shape: interned.intern(accounts, Insert, nil, nil), Image: row},
		{Shape: interned.intern(accounts, Update, []int{2}, nil), Image: row},
		{Shape: interned.intern(accounts, Update, []int{2}, []int{1}), Image: row, Deltas: image([]byte("-1.5"))},
		{Shape: interned.intern(accounts, Upsert, []int{2}, []int{1}), Image: row},
		{Shape: interned.intern(accounts, Delete, nil, nil), Image: row},
	} {
		f.Add(string(m.Shape.definition.Text), appendGroup(nil, []Mutation{m}), true)
		f.Add(strings.ReplaceAll(string(m.Shape.definition.Text), "accounts", "renamed"), appendGroup(nil, []Mutation{m, m}), false)
	}
	f.Add(`{}`, []byte{0, 0}, false)
	f.Add(`{"kind":"update","key":["a"],"add":["a"],"columns":[{"name":"a"}]}`, []byte{0, 2, 4, 2}, true)

	f.Fuzz(func(t *testing.T, definition string, payload []byte, known bool) {
		record := journal.Record{LSN: 1, Payload: payload, Definition: func(uint32) []byte { return []byte(definition) }}
		if changes, err := NewChanges().Of(record); err == nil {
			for _, c := range changes {
				require.True(t, json.Valid(c.Key) && json.Valid(c.Values), "%s %s", c.Key, c.Values)
			}
		}
		d := decoder{
			location: time.UTC, shapes: new(shapes), known: make(map[string]decoded), hash: func([]byte) uint64 { return 0 },
			resolve: func(_ catalog.Name, fits func(*catalog.Relation) bool) *catalog.Relation {
				if known && fits(accounts) {
					return accounts
				}
				return nil
			},
		}
		group, _, err := d.group(record)
		if err != nil {
			require.ErrorIs(t, err, errDamagedGroup)
			return
		}
		overlay := newMemtable(0)
		for lsn := range LSN(2) {
			for i := range group {
				overlay.apply(d.shapes, lsn+1, &group[i])
			}
		}
		var images [][]byte
		require.NoError(t, eachMutation(payload, func(_ uint32, image []byte) error {
			images = append(images, image)
			return nil
		}))
		again := appendGroup(nil, group)
		require.Len(t, group, len(images))
		i := 0
		require.NoError(t, eachMutation(again, func(id uint32, image []byte) error {
			require.Equal(t, group[i].Shape.id, id)
			require.True(t, bytes.Equal(images[i], image))
			i++
			return nil
		}))
	})
}
