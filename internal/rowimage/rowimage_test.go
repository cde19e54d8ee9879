package rowimage

import (
	"database/sql/driver"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func sampleRow(loc *time.Location) []driver.Value {
	at := time.Date(2024, 2, 29, 23, 59, 59, 123456000, time.UTC)
	return []driver.Value{
		nil, Unknown{}, true, false, int64(math.MinInt64), int64(7), 1.5, math.Inf(-1),
		"", "naïve", []byte{}, []byte{0, 1, 255}, at, at.In(loc), at.In(time.FixedZone("", 0)),
		at.In(time.FixedZone("", -5400)),
	}
}

func TestRowComesBackAsItWas(t *testing.T) {
	loc, err := time.LoadLocation("Europe/Berlin")
	require.NoError(t, err)
	row := sampleRow(loc)
	image, err := AppendRow(nil, loc, row)
	require.NoError(t, err)

	got := make([]driver.Value, len(row))
	require.NoError(t, Decode(image, loc, got))
	require.Equal(t, row, got)

	columns := []int{2, 5, 13, 4, 0}
	some := make([]driver.Value, len(columns))
	require.NoError(t, DecodeColumns(image, loc, columns, some))
	for i, c := range columns {
		require.Equal(t, row[c], some[i])
	}

	cells, err := AppendColumns(nil, image, columns)
	require.NoError(t, err)
	require.NoError(t, Decode(cells, loc, some))
	for i, c := range columns {
		require.Equal(t, row[c], some[i])
	}
}

func TestDecodedBytesAreCopies(t *testing.T) {
	image, err := AppendRow(nil, nil, []driver.Value{[]byte("abc")})
	require.NoError(t, err)
	got := make([]driver.Value, 1)
	require.NoError(t, Decode(image, nil, got))
	clear(image)
	require.Equal(t, []byte("abc"), got[0])
}

func TestReplaceChangesOnlyTheGivenColumns(t *testing.T) {
	row := sampleRow(time.UTC)
	image, err := AppendRow(nil, time.UTC, row)
	require.NoError(t, err)
	row[0], row[5], row[15] = "first", nil, int64(3)
	image, err = Replace([]byte("kept"), image, time.UTC, []int{0, 5, 15}, []driver.Value{"first", nil, int64(3)})
	require.NoError(t, err)
	require.Equal(t, "kept", string(image[:4]))
	got := make([]driver.Value, len(row))
	require.NoError(t, Decode(image[4:], time.UTC, got))
	require.Equal(t, row, got)
}

func TestForeignValuesAreRefused(t *testing.T) {
	_, err := Append(nil, time.UTC, int32(1))
	require.Error(t, err)
	_, err = Append(nil, time.UTC, time.Now().In(time.FixedZone("XST", 3600)))
	require.Error(t, err)
}

func BenchmarkDecodeColumns(b *testing.B) {
	image, err := AppendRow(nil, time.UTC, []driver.Value{int64(1), "name", int64(300), []byte("12.50"), time.Unix(1700000000, 0).UTC()})
	require.NoError(b, err)
	dest := make([]driver.Value, 3)
	b.ReportAllocs()
	for b.Loop() {
		if err := DecodeColumns(image, time.UTC, []int{1, 2, 3}, dest); err != nil {
			b.Fatal(err)
		}
	}
}

func TestSplitCutsBetweenCells(t *testing.T) {
	image, err := AppendRow(nil, nil, []driver.Value{int64(7), "text", nil})
	if err != nil {
		t.Fatal(err)
	}
	head, tail, err := Split(image, 2)
	if err != nil || string(head)+string(tail) != string(image) || len(tail) != 1 {
		t.Errorf("%v %v %v", head, tail, err)
	}
	if n, ok := Int(head); n != 7 || !ok {
		t.Errorf("%d %v", n, ok)
	}
	if _, ok := Int(tail); ok {
		t.Error("NULL is no integer")
	}
	if _, _, err := Split(image, 4); err == nil {
		t.Error("there are three cells")
	}
}
