// Package compare records what an application sees of a statement and tells
// two such records apart.
//
// Everything that database/sql hands out is recorded. What may differ between
// two databases is listed, with reasons, in tolerance.go; nothing else may.
package compare

import (
	"database/sql"
	"fmt"
	"reflect"
	"strconv"
)

// Outcome is what an application sees of one statement.
type Outcome struct {
	// Err is what the call itself returned.
	Err error
	// Panic is what the call panicked with; nil if it did not.
	Panic any
	// Result is set by Exec.
	Result *Result
	// Sets are the result sets of Query, as far as they were read.
	Sets []ResultSet
	// RowsErr is the error after the last row, CloseErr that of Rows.Close.
	RowsErr, CloseErr error
	// Afterwards is what the transaction in which the statement has failed says to
	// another statement; nil also if it was not asked.
	Afterwards error
}

// String tells of an outcome in short.
func (o *Outcome) String() string {
	switch {
	case o.Panic != nil:
		return fmt.Sprintf("panic: %v", o.Panic)
	case o.Err != nil:
		return describeError(o.Err)
	case o.Result != nil:
		return fmt.Sprintf("%d rows affected", o.Result.Affected)
	case len(o.Sets) > 0:
		return describeRows(o.Sets[0].Rows)
	}
	return "no error"
}

// Result is what a sql.Result says.
type Result struct {
	Affected    int64
	AffectedErr error
	LastID      int64
	LastIDErr   error
}

// ResultSet is what a sql.Rows says until NextResultSet.
type ResultSet struct {
	Columns    []string
	ColumnsErr error
	Types      []ColumnType
	TypesErr   error
	Rows       [][]any
	ScanErr    error
}

// ColumnType is what a sql.ColumnType says.
type ColumnType struct {
	Name         string
	DatabaseType string
	ScanType     reflect.Type
	Length       int64
	HasLength    bool
	Precision    int64
	Scale        int64
	HasPrecision bool
	Nullable     bool
	HasNullable  bool
}

// ReadResult records a sql.Result.
func ReadResult(r sql.Result) *Result {
	var res Result
	res.Affected, res.AffectedErr = r.RowsAffected()
	res.LastID, res.LastIDErr = r.LastInsertId()
	return &res
}

// ReadRows records rows and closes them. With most above 0 it reads no more
// than that many rows, and no further result set.
func (o *Outcome) ReadRows(rows *sql.Rows, most int) {
	for {
		set := readSet(rows, most)
		o.Sets = append(o.Sets, set)
		if most > 0 || set.ScanErr != nil || !rows.NextResultSet() {
			break
		}
	}
	if most > 0 {
		o.CloseErr = rows.Close()
		return
	}
	o.RowsErr = rows.Err()
	o.CloseErr = rows.Close()
}

func readSet(rows *sql.Rows, most int) ResultSet {
	var set ResultSet
	set.Columns, set.ColumnsErr = rows.Columns()
	types, err := rows.ColumnTypes()
	set.TypesErr = err
	for _, t := range types {
		set.Types = append(set.Types, readType(t))
	}
	for (most == 0 || len(set.Rows) < most) && rows.Next() {
		row := make([]any, len(set.Columns))
		into := make([]any, len(row))
		for i := range row {
			into[i] = &row[i]
		}
		if set.ScanErr = rows.Scan(into...); set.ScanErr != nil {
			break
		}
		set.Rows = append(set.Rows, row)
	}
	return set
}

func readType(t *sql.ColumnType) ColumnType {
	c := ColumnType{Name: t.Name(), DatabaseType: named(t.DatabaseTypeName()), ScanType: t.ScanType()}
	c.Length, c.HasLength = t.Length()
	c.Precision, c.Scale, c.HasPrecision = t.DecimalSize()
	c.Nullable, c.HasNullable = t.Nullable()
	return c
}

// named takes out the OID by which pgx names a type that it does not know: it differs
// between databases.
func named(databaseType string) string {
	if _, err := strconv.ParseUint(databaseType, 10, 32); err == nil {
		return "<oid>"
	}
	return databaseType
}
