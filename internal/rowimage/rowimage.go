// Package rowimage encodes the values of one row, as the real driver returns
// them, into bytes that hold no pointers: the form in which rows lie in the
// memtables and in the row cache.
//
// A row is its cells one after the other, each a kind byte and a payload. A
// cell can be unknown: PostgreSQL has a value there that the shim has not seen.
package rowimage

import (
	"database/sql/driver"
	"encoding/binary"
	"fmt"
	"math"
	"time"
	"unsafe"
)

// Unknown stands in a row for a value that only PostgreSQL knows.
type Unknown struct{}

// Kinds of cells. They are persistent: never renumber.
const (
	kindNull    = 0
	kindUnknown = 1
	kindFalse   = 2
	kindTrue    = 3
	kindInt     = 4  // zigzag varint
	kindFloat   = 5  // 8 bytes
	kindString  = 6  // uvarint length, bytes
	kindBytes   = 7  // uvarint length, bytes
	kindTimeUTC = 8  // varint seconds, uvarint nanoseconds
	kindTimeLoc = 9  // the same, in the session's location
	kindTimeOff = 10 // the same, then varint offset of a nameless fixed zone
)

// Append appends the encoded cell of one value to dst. Values are those of a
// driver row (int64, float64, bool, string, []byte, time.Time, nil) or
// Unknown; loc is the session's location.
func Append(dst []byte, loc *time.Location, v driver.Value) ([]byte, error) {
	switch v := v.(type) {
	case nil:
		return append(dst, kindNull), nil
	case Unknown:
		return append(dst, kindUnknown), nil
	case bool:
		if v {
			return append(dst, kindTrue), nil
		}
		return append(dst, kindFalse), nil
	case int64:
		return AppendInt(dst, v), nil
	case float64:
		return binary.LittleEndian.AppendUint64(append(dst, kindFloat), math.Float64bits(v)), nil
	case string:
		dst = binary.AppendUvarint(append(dst, kindString), uint64(len(v)))
		return append(dst, v...), nil
	case []byte:
		if v == nil {
			return append(dst, kindNull), nil
		}
		dst = binary.AppendUvarint(append(dst, kindBytes), uint64(len(v)))
		return append(dst, v...), nil
	case time.Time:
		return appendTime(dst, loc, v)
	default:
		return dst, fmt.Errorf("rowimage: no cell can hold a %T", v)
	}
}

func appendTime(dst []byte, loc *time.Location, t time.Time) ([]byte, error) {
	name, offset := t.Zone()
	switch {
	case t.Location() == time.UTC:
		dst = append(dst, kindTimeUTC)
	case loc != nil && t.Location().String() == loc.String(): // each real connection has loaded its own
		dst = append(dst, kindTimeLoc)
	case name == "":
		dst = append(dst, kindTimeOff)
	default:
		return dst, fmt.Errorf("rowimage: time in zone %q, which is not the session's", name)
	}
	kind := dst[len(dst)-1]
	dst = binary.AppendVarint(dst, t.Unix())
	dst = binary.AppendUvarint(dst, uint64(t.Nanosecond()))
	if kind == kindTimeOff {
		dst = binary.AppendVarint(dst, int64(offset))
	}
	return dst, nil
}

// AppendRow appends the encoded cells of a whole row to dst.
func AppendRow(dst []byte, loc *time.Location, row []driver.Value) ([]byte, error) {
	var err error
	for _, v := range row {
		if dst, err = Append(dst, loc, v); err != nil {
			return dst, err
		}
	}
	return dst, nil
}

// Decode reads the first len(dest) cells of image into dest. Strings and byte
// slices are copies.
func Decode(image []byte, loc *time.Location, dest []driver.Value) error {
	for i := range dest {
		n, err := decodeCell(image, loc, &dest[i], false)
		if err != nil {
			return err
		}
		image = image[n:]
	}
	return nil
}

// DecodeColumns reads the cells of the given columns, in their order, into
// dest. It is quickest when columns ascend.
func DecodeColumns(image []byte, loc *time.Location, columns []int, dest []driver.Value) error {
	return decodeColumns(image, loc, columns, dest, false)
}

// DecodeInPlace is DecodeColumns, but that strings and byte slices lie in image, which
// must never change after it.
func DecodeInPlace(image []byte, loc *time.Location, columns []int, dest []driver.Value) error {
	return decodeColumns(image, loc, columns, dest, true)
}

func decodeColumns(image []byte, loc *time.Location, columns []int, dest []driver.Value, inPlace bool) error {
	at := cursor{image: image, rest: image}
	for i, column := range columns {
		if !at.seek(column) {
			return errDamaged
		}
		if _, err := decodeCell(at.rest, loc, &dest[i], inPlace); err != nil {
			return err
		}
	}
	return nil
}

// AppendColumns appends the encoded cells of the given columns to dst without
// decoding them.
func AppendColumns(dst, image []byte, columns []int) ([]byte, error) {
	at := cursor{image: image, rest: image}
	for _, column := range columns {
		if !at.seek(column) {
			return dst, errDamaged
		}
		n := cellSize(at.rest)
		if n <= 0 {
			return dst, errDamaged
		}
		dst = append(dst, at.rest[:n]...)
	}
	return dst, nil
}

// Split cuts image after its first n cells.
func Split(image []byte, n int) (head, tail []byte, err error) {
	at := cursor{image: image, rest: image}
	if !at.seek(n) {
		return nil, nil, errDamaged
	}
	cut := len(image) - len(at.rest)
	return image[:cut:cut], at.rest, nil
}

// Int returns the value of the first cell of image, if it is an integer.
func Int(image []byte) (n int64, ok bool) {
	if len(image) == 0 || image[0] != kindInt {
		return 0, false
	}
	n, size := binary.Varint(image[1:])
	return n, size > 0
}

// AppendInt appends the cell of an integer.
func AppendInt(dst []byte, n int64) []byte {
	return binary.AppendVarint(append(dst, kindInt), n)
}

// cursor stands before the cell of a column.
type cursor struct {
	image, rest []byte
	column      int
}

// seek goes to the cell of a column; false if the image is damaged.
func (c *cursor) seek(column int) bool {
	if column < c.column {
		c.column, c.rest = 0, c.image
	}
	for ; c.column < column; c.column++ {
		n := cellSize(c.rest)
		if n <= 0 {
			return false
		}
		c.rest = c.rest[n:]
	}
	return true
}

// Replace appends image to dst with the cells of the given columns, which
// ascend, replaced by values.
func Replace(dst, image []byte, loc *time.Location, columns []int, values []driver.Value) ([]byte, error) {
	at := cursor{image: image, rest: image}
	for i, column := range columns {
		kept := at.rest
		if !at.seek(column) {
			return dst, errDamaged
		}
		dst = append(dst, kept[:len(kept)-len(at.rest)]...)
		if !at.seek(column + 1) {
			return dst, errDamaged
		}
		var err error
		if dst, err = Append(dst, loc, values[i]); err != nil {
			return dst, err
		}
	}
	return append(dst, at.rest...), nil
}

var errDamaged = fmt.Errorf("rowimage: damaged row image")

// cellSize returns the length of the first cell of b, or 0 if it is damaged.
func cellSize(b []byte) int {
	if len(b) == 0 {
		return 0
	}
	switch b[0] {
	case kindNull, kindUnknown, kindFalse, kindTrue:
		return 1
	case kindInt:
		_, n := binary.Varint(b[1:])
		return sized(1, n)
	case kindFloat:
		if len(b) < 9 {
			return 0
		}
		return 9
	case kindString, kindBytes:
		length, n := binary.Uvarint(b[1:])
		if n <= 0 || length > uint64(len(b)-1-n) {
			return 0
		}
		return 1 + n + int(length)
	case kindTimeUTC, kindTimeLoc, kindTimeOff:
		_, n := binary.Varint(b[1:])
		size := sized(1, n)
		if size == 0 {
			return 0
		}
		_, n = binary.Uvarint(b[size:])
		if size = sized(size, n); size == 0 || b[0] != kindTimeOff {
			return size
		}
		_, n = binary.Varint(b[size:])
		return sized(size, n)
	default:
		return 0
	}
}

// sized adds the length n of a varint to size, or returns 0 if n says that the
// varint is damaged.
func sized(size, n int) int {
	if n <= 0 {
		return 0
	}
	return size + n
}

func decodeCell(b []byte, loc *time.Location, dest *driver.Value, inPlace bool) (int, error) {
	size := cellSize(b)
	if size <= 0 {
		return 0, errDamaged
	}
	switch b[0] {
	case kindNull:
		*dest = nil
	case kindUnknown:
		*dest = Unknown{}
	case kindFalse:
		*dest = false
	case kindTrue:
		*dest = true
	case kindInt:
		v, _ := binary.Varint(b[1:])
		*dest = v
	case kindFloat:
		*dest = math.Float64frombits(binary.LittleEndian.Uint64(b[1:]))
	case kindString:
		_, n := binary.Uvarint(b[1:])
		if text := b[1+n : size]; inPlace {
			*dest = unsafe.String(unsafe.SliceData(text), len(text))
		} else {
			*dest = string(text)
		}
	case kindBytes:
		_, n := binary.Uvarint(b[1:])
		if bytes := b[1+n : size : size]; inPlace {
			*dest = bytes
		} else {
			*dest = append(make([]byte, 0, len(bytes)), bytes...)
		}
	default:
		*dest = decodeTime(b, loc)
	}
	return size, nil
}

func decodeTime(b []byte, loc *time.Location) time.Time {
	sec, n := binary.Varint(b[1:])
	at := 1 + n
	nsec, n := binary.Uvarint(b[at:])
	t := time.Unix(sec, int64(nsec))
	switch b[0] {
	case kindTimeUTC:
		return t.In(time.UTC)
	case kindTimeLoc:
		if loc == nil {
			return t.In(time.UTC)
		}
		return t.In(loc)
	default:
		offset, _ := binary.Varint(b[at+n:])
		if offset == 0 {
			return t.In(zoneZero)
		}
		return t.In(time.FixedZone("", int(offset)))
	}
}

// zoneZero is the zone in which lib/pq returns timestamp and date values.
var zoneZero = time.FixedZone("", 0)
