package compare

import (
	"fmt"
	"slices"
)

// Kind says in which respect two outcomes differ.
type Kind string

// The kinds of differences.
const (
	Panicked      Kind = "panic"
	ErrorDiffers  Kind = "error"
	ResultDiffers Kind = "result"
	Columns       Kind = "columns"
	Types         Kind = "column types"
	RowCount      Kind = "number of rows"
	Value         Kind = "value"
	Hang          Kind = "no answer"
	Waiting       Kind = "waiting for a lock"
	Contents      Kind = "contents at the end"
)

// Difference is the first thing in which the subject's outcome is not the
// reference's.
type Difference struct {
	Kind      Kind
	Where     string // the part of the outcome, in words
	Reference string
	Subject   string
}

func (d *Difference) String() string {
	return fmt.Sprintf("%s: %s\n  reference: %s\n  subject:   %s", d.Kind, d.Where, d.Reference, d.Subject)
}

// Outcomes compares what two applications saw of the same statement; nil means
// no difference. Unordered as in history.Statement. Values that may differ are
// paired in the Pairs, which must be the same for a whole history.
func Outcomes(pairs *Pairs, ref, sub Outcome, unordered bool) *Difference {
	if ref.Panic != nil || sub.Panic != nil {
		return differ(Panicked, "the call", ref.Panic, sub.Panic)
	}
	for _, e := range []struct {
		where    string
		ref, sub error
	}{
		{"error of the call", ref.Err, sub.Err},
		{"error after the rows", ref.RowsErr, sub.RowsErr},
		{"error of Close", ref.CloseErr, sub.CloseErr},
		{"error of the transaction afterwards", ref.Afterwards, sub.Afterwards},
	} {
		if d := Errors(e.where, e.ref, e.sub, unordered); d != nil {
			return d
		}
	}
	if d := results(ref.Result, sub.Result); d != nil {
		return d
	}
	if len(ref.Sets) != len(sub.Sets) {
		return differ(RowCount, "number of result sets", len(ref.Sets), len(sub.Sets))
	}
	for i := range ref.Sets {
		if d := sets(pairs, ref.Sets[i], sub.Sets[i], unordered); d != nil {
			return d
		}
	}
	return nil
}

func results(ref, sub *Result) *Difference {
	if (ref == nil) != (sub == nil) {
		return differ(ResultDiffers, "whether there is a result", ref != nil, sub != nil)
	}
	if ref == nil {
		return nil
	}
	if ref.Affected != sub.Affected {
		return differ(ResultDiffers, "RowsAffected", ref.Affected, sub.Affected)
	}
	if d := Errors("error of RowsAffected", ref.AffectedErr, sub.AffectedErr, false); d != nil {
		return d
	}
	if ref.LastID != sub.LastID {
		return differ(ResultDiffers, "LastInsertId", ref.LastID, sub.LastID)
	}
	return Errors("error of LastInsertId", ref.LastIDErr, sub.LastIDErr, false)
}

func sets(pairs *Pairs, ref, sub ResultSet, unordered bool) *Difference {
	if d := Errors("error of Columns", ref.ColumnsErr, sub.ColumnsErr, false); d != nil {
		return d
	}
	if !slices.Equal(ref.Columns, sub.Columns) {
		return differ(Columns, "column names", ref.Columns, sub.Columns)
	}
	if d := Errors("error of ColumnTypes", ref.TypesErr, sub.TypesErr, false); d != nil {
		return d
	}
	for i := range min(len(ref.Types), len(sub.Types)) {
		if ref.Types[i] != sub.Types[i] {
			return differ(Types, fmt.Sprintf("type of column %d", i), ref.Types[i], sub.Types[i])
		}
	}
	if len(ref.Types) != len(sub.Types) {
		return differ(Types, "number of column types", len(ref.Types), len(sub.Types))
	}
	if d := Errors("error of Scan", ref.ScanErr, sub.ScanErr, false); d != nil {
		return d
	}
	return Rows(pairs, ref.Rows, sub.Rows, unordered)
}

// Rows compares rows of the same columns.
func Rows(pairs *Pairs, ref, sub [][]any, unordered bool) *Difference {
	if len(ref) != len(sub) {
		return differ(RowCount, "number of rows", describeRows(ref), describeRows(sub))
	}
	if unordered {
		ref, sub = pairs.sorted(ref, false), pairs.sorted(sub, true)
	}
	for i := range ref {
		for j := range ref[i] {
			if !pairs.same(ref[i][j], sub[i][j]) {
				return differ(Value, fmt.Sprintf("row %d, column %d of\n  reference row: %s\n  subject row:   %s",
					i, j, describeRow(ref[i]), describeRow(sub[i])), describe(ref[i][j]), describe(sub[i][j]))
			}
		}
	}
	return nil
}

func differ(kind Kind, where string, ref, sub any) *Difference {
	return &Difference{Kind: kind, Where: where, Reference: show(ref), Subject: show(sub)}
}
