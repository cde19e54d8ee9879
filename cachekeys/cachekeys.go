// Package cachekeys turns a table and the values of its primary key into the
// canonical row key: the bytes under which a row lies in the memtables and in
// the row cache. Two keys are equal if and only if PostgreSQL takes the rows
// for the same one.
package cachekeys

import (
	"database/sql/driver"
	"encoding/binary"

	"github.com/writebehind/writebehind/internal/catalog"
)

// PrefixSize is the number of bytes before the key values.
const PrefixSize = 4

// Append appends the row key of the row of table whose primary key has these
// canonical values, in key order. ok is false if a value is NULL or of a type
// that cannot be a key: then there is no row key.
//
// The key begins with the table's OID, so that a table that was dropped and
// made again does not meet its namesake's rows.
func Append(dst []byte, table *catalog.Relation, values []driver.Value) (key []byte, ok bool) {
	if len(values) != len(table.Key) {
		return dst, false
	}
	dst = binary.BigEndian.AppendUint32(dst, table.OID)
	for i, v := range values {
		if v == nil {
			return dst, false
		}
		if dst, ok = table.Columns[table.Key[i]].Type.AppendKey(dst, v); !ok {
			return dst, false
		}
	}
	return dst, true
}
