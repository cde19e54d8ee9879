package compare

import (
	"database/sql/driver"
	"errors"
	"fmt"
	"math"
	"reflect"
	"testing"
	"time"

	"github.com/lib/pq"
	"github.com/stretchr/testify/require"

	"github.com/writebehind/writebehind/internal/prove/history"
)

func rowsOf(rows ...[]any) Outcome { return Outcome{Sets: []ResultSet{{Rows: rows}}} }

func TestWhatAnApplicationCouldTellApartDiffers(t *testing.T) {
	at := time.Date(2001, 2, 3, 4, 5, 6, 0, time.UTC)
	berlin := history.Zone("Europe/Berlin")
	cell := func(v any) Outcome { return rowsOf([]any{v}) }
	typed := func(c ColumnType) Outcome { return Outcome{Sets: []ResultSet{{Types: []ColumnType{c}}}} }
	failed := func(err error) Outcome { return Outcome{Err: err} }
	for name, test := range map[string]struct {
		ref, sub Outcome
		kind     Kind
	}{
		"number":             {cell(int64(1)), cell(int64(2)), Value},
		"integer or float":   {cell(int64(1)), cell(1.0), Value},
		"text or bytes":      {cell("a"), cell([]byte("a")), Value},
		"NULL or empty":      {cell(nil), cell(""), Value},
		"nil bytes or empty": {cell([]byte(nil)), cell([]byte{}), Value},
		"sign of zero":       {cell(0.0), cell(math.Copysign(0, -1)), Value},
		"padding":            {cell("ab  "), cell("ab"), Value},
		"scale":              {cell([]byte("1.50")), cell([]byte("1.5")), Value},
		"moment":             {cell(at), cell(at.Add(time.Microsecond)), Value},
		"zone":               {cell(at), cell(at.In(berlin)), Value},
		"UTC or offset 0":    {cell(at), cell(at.In(time.FixedZone("", 0))), Value},
		"UTC by name":        {cell(at), cell(at.In(time.FixedZone("UTC", 0))), Value},
		"number of rows":     {rowsOf([]any{int64(1)}), rowsOf(), RowCount},
		"number of sets":     {rowsOf(), Outcome{}, RowCount},
		"column name": {
			Outcome{Sets: []ResultSet{{Columns: []string{"a"}}}}, Outcome{Sets: []ResultSet{{Columns: []string{"A"}}}}, Columns,
		},
		"type name":   {typed(ColumnType{DatabaseType: "INT8"}), typed(ColumnType{DatabaseType: "INT4"}), Types},
		"scan type":   {typed(ColumnType{ScanType: reflect.TypeFor[int64]()}), typed(ColumnType{ScanType: reflect.TypeFor[int32]()}), Types},
		"length":      {typed(ColumnType{Length: 8, HasLength: true}), typed(ColumnType{}), Types},
		"scale known": {typed(ColumnType{Precision: 8, Scale: 2, HasPrecision: true}), typed(ColumnType{Precision: 8, Scale: 3, HasPrecision: true}), Types},
		"nullable":    {typed(ColumnType{}), typed(ColumnType{HasNullable: true}), Types},
		"affected":    {Outcome{Result: &Result{Affected: 1}}, Outcome{Result: &Result{}}, ResultDiffers},
		"no result":   {Outcome{Result: &Result{}}, Outcome{}, ResultDiffers},
		"LastInsertId": {
			Outcome{Result: &Result{LastIDErr: errors.New("no LastInsertId available")}}, Outcome{Result: &Result{}}, ErrorDiffers,
		},
		"error or none":   {failed(errors.New("x")), Outcome{}, ErrorDiffers},
		"text of error":   {failed(errors.New("x")), failed(errors.New("y")), ErrorDiffers},
		"wrapped error":   {failed(&pq.Error{Code: "23505"}), failed(fmt.Errorf("%w", &pq.Error{Code: "23505"})), ErrorDiffers},
		"code of error":   {failed(&pq.Error{Code: "23505"}), failed(&pq.Error{Code: "23503"}), ErrorDiffers},
		"detail of error": {failed(&pq.Error{Detail: "Key (id)=(1)"}), failed(&pq.Error{Detail: "Key (id)=(2)"}), ErrorDiffers},
		"line of error":   {failed(&pq.Error{Line: "1"}), failed(&pq.Error{Line: "2"}), ErrorDiffers},
		"rows error":      {Outcome{RowsErr: driver.ErrBadConn}, Outcome{}, ErrorDiffers},
		"panic":           {Outcome{}, Outcome{Panic: "x"}, Panicked},
	} {
		t.Run(name, func(t *testing.T) {
			d := Outcomes(NewPairs(), test.ref, test.sub, false)
			require.NotNil(t, d)
			require.Equal(t, test.kind, d.Kind)
			require.NotEqual(t, d.Reference, d.Subject, "the report must show the difference")
			require.Nil(t, Outcomes(NewPairs(), test.ref, test.ref, false), "it does not differ from itself")
		})
	}
}

func TestNaNIsTheSameAsItself(t *testing.T) {
	require.Nil(t, Outcomes(NewPairs(), rowsOf([]any{math.NaN()}), rowsOf([]any{math.NaN()}), false))
}

func TestOrderCountsOnlyWhereItIsDefined(t *testing.T) {
	a, b := []any{int64(1), "x"}, []any{int64(2), nil}
	require.NotNil(t, Outcomes(NewPairs(), rowsOf(a, b), rowsOf(b, a), false))
	require.Nil(t, Outcomes(NewPairs(), rowsOf(a, b), rowsOf(b, a), true))
	require.NotNil(t, Outcomes(NewPairs(), rowsOf(a, a), rowsOf(a, b), true))
}

func TestErrorMayBeAboutAnotherRowOnlyWhereOrderIsUndefined(t *testing.T) {
	one, two := &pq.Error{Code: "23514", Detail: "row 1"}, &pq.Error{Code: "22003", Detail: "row 2"}
	require.Nil(t, Errors("", one, two, true))
	require.NotNil(t, Errors("", one, two, false))
	require.NotNil(t, Errors("", one, nil, true))
	require.NotNil(t, Errors("", one, &pq.Error{Code: "42601"}, true))
}
