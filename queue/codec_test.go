package queue

import (
	"database/sql/driver"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/writebehind/writebehind/internal/catalog"
	"github.com/writebehind/writebehind/internal/rowimage"
	"github.com/writebehind/writebehind/queue/journal"
)

// An update without what it adds, and an image of more or fewer cells than the table
// has columns, are errors when they are read, not when they are applied.
func TestImageThatIsNotOfItsShapeIsRefused(t *testing.T) {
	shape := new(shapes).intern(accounts, Update, nil, []int{1})
	row, err := rowimage.AppendRow(nil, time.UTC, []driver.Value{int64(7), []byte("12.50"), "name"})
	require.NoError(t, err)
	delta, err := rowimage.Append(nil, time.UTC, []byte("-1.5"))
	require.NoError(t, err)
	decode := func(image, deltas []byte) error {
		d := decoder{
			location: time.UTC, shapes: new(shapes), known: make(map[string]decoded), hash: func([]byte) uint64 { return 0 },
			resolve: func(catalog.Name, func(*catalog.Relation) bool) *catalog.Relation { return accounts },
		}
		_, _, err := d.group(journal.Record{
			LSN: 1, Payload: appendGroup(nil, []Mutation{{Shape: shape, Image: image, Deltas: deltas}}),
			Definition: func(uint32) []byte { return shape.definition.Text },
		})
		return err
	}
	require.NoError(t, decode(row, delta))
	require.ErrorIs(t, decode(row, nil), errDamagedGroup)
	require.ErrorIs(t, decode(row, append(delta, delta...)), errDamagedGroup)
	require.ErrorIs(t, decode(row[:len(row)-6], nil), errDamagedGroup)
}

// A definition that does not make sense is an error, whether or not its table is there.
func TestDefinitionThatNamesNoColumnOfItsOwnIsRefused(t *testing.T) {
	const columns = `"columns":[{"name":"id","type":"bigint","value":{"OID":20,"Mod":-1}},{"name":"balance","type":"numeric","value":{"OID":1700,"Mod":-1}},{"name":"name","type":"text","value":{"OID":25,"Mod":-1}}]`
	for _, definition := range []string{
		`{"oid":16400,"kind":"update","key":["id"],"set":["gone"],` + columns + `}`,
		`{"oid":16400,"kind":"update","key":["id"],"add":["gone"],` + columns + `}`,
		`{"oid":16400,"kind":"update","key":["gone"],"set":["name"],` + columns + `}`,
		`{"oid":16400,"kind":"delete","key":[],` + columns + `}`,
		`{"oid":16400,"kind":"delete",` + columns + `}`,
		`{}`,
	} {
		for _, there := range []bool{true, false} {
			d := decoder{
				location: time.UTC, shapes: new(shapes), known: make(map[string]decoded), hash: func([]byte) uint64 { return 0 },
				resolve: func(catalog.Name, func(*catalog.Relation) bool) *catalog.Relation {
					if there {
						return accounts
					}
					return nil
				},
			}
			_, _, err := d.group(journal.Record{LSN: 1, Payload: []byte{0, 2, 4, 2}, Definition: func(uint32) []byte { return []byte(definition) }})
			require.ErrorIs(t, err, errDamagedGroup, definition)
		}
	}
}
