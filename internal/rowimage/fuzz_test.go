package rowimage

import (
	"bytes"
	"database/sql/driver"
	"math"
	"reflect"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// FuzzDecode: whatever is in an image, each way of reading it ends, in the same cells
// or in an error, and what was read is written as an image of the same cells.
func FuzzDecode(f *testing.F) {
	image, err := AppendRow(nil, time.UTC, sampleRow(time.UTC))
	require.NoError(f, err)
	f.Add(image)
	f.Add(image[12:])
	f.Add([]byte{kindBytes, 0xff, 0xff, 0xff, 0xff, 0x0f})
	f.Fuzz(func(t *testing.T, image []byte) {
		columns := []int{2, 0, 3, 1}
		dest, chosen := make([]driver.Value, 4), make([]driver.Value, 4)
		err := Decode(image, time.UTC, dest)
		require.Equal(t, err == nil, DecodeColumns(image, time.UTC, columns, chosen) == nil)
		cells, cellsErr := AppendColumns(nil, image, []int{0, 1, 2, 3})
		require.Equal(t, err == nil, cellsErr == nil)
		head, tail, splitErr := Split(image, 4)
		require.Equal(t, err == nil, splitErr == nil)
		if err != nil {
			return
		}
		for i, c := range columns {
			requireSame(t, dest[c], chosen[i])
		}
		require.True(t, bytes.Equal(head, cells))
		require.True(t, bytes.Equal(image, append(head, tail...)))

		again, err := AppendRow(nil, time.UTC, dest)
		require.NoError(t, err)
		second := make([]driver.Value, 4)
		require.NoError(t, Decode(again, time.UTC, second))
		for i := range dest {
			requireSame(t, dest[i], second[i])
		}
		replaced, err := Replace(nil, image, time.UTC, []int{1, 3}, []driver.Value{dest[1], dest[3]})
		require.NoError(t, err)
		require.NoError(t, Decode(replaced, time.UTC, second))
		for i := range dest {
			requireSame(t, dest[i], second[i])
		}
	})
}

// FuzzRow checks that values of all Go types come back as they were, and that each
// cell can be replaced without the others.
func FuzzRow(f *testing.F) {
	f.Add(int64(0), uint64(0), "", []byte{}, int64(0), uint32(0), int32(0), uint8(0))
	f.Add(int64(math.MinInt64), math.Float64bits(math.NaN()), "naïve\x00", []byte{0xff}, int64(-62135596800), uint32(999999999), int32(-57599), uint8(2))
	f.Add(int64(-1), uint64(1), "\xff", []byte("a"), int64(1)<<55, uint32(1), int32(3600), uint8(3))
	berlin, err := time.LoadLocation("Europe/Berlin")
	require.NoError(f, err)
	f.Fuzz(func(t *testing.T, n int64, bits uint64, text string, b []byte, seconds int64, nanoseconds uint32, offset int32, column uint8) {
		if b == nil {
			b = []byte{}
		}
		at := time.Unix(seconds, int64(nanoseconds%1e9))
		row := []driver.Value{
			n, math.Float64frombits(bits), text, b, n%2 == 0, nil, Unknown{},
			at.UTC(), at.In(berlin), at.In(time.FixedZone("", int(offset))),
		}
		image, err := AppendRow(nil, berlin, row)
		require.NoError(t, err)
		got := make([]driver.Value, len(row))
		require.NoError(t, Decode(image, berlin, got))
		for i := range row {
			requireSame(t, row[i], got[i])
		}
		c := int(column) % len(row)
		image, err = Replace(nil, image, berlin, []int{c}, []driver.Value{text})
		require.NoError(t, err)
		row[c] = text
		require.NoError(t, Decode(image, berlin, got))
		for i := range row {
			requireSame(t, row[i], got[i])
		}
	})
}

// requireSame compares two values to the last bit.
func requireSame(t *testing.T, want, got driver.Value) {
	t.Helper()
	if f, ok := want.(float64); ok {
		g, ok := got.(float64)
		require.True(t, ok)
		require.Equal(t, math.Float64bits(f), math.Float64bits(g))
		return
	}
	if at, ok := want.(time.Time); ok {
		back, ok := got.(time.Time)
		require.True(t, ok)
		require.True(t, at.Equal(back), "%v %v", at, back)
		require.Equal(t, at.Location().String(), back.Location().String())
		_, offset := at.Zone()
		_, offsetBack := back.Zone()
		require.Equal(t, offset, offsetBack)
		return
	}
	if !reflect.DeepEqual(want, got) {
		t.Fatalf("%#v became %#v", want, got)
	}
}
