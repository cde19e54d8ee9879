package writebehind

import (
	"database/sql/driver"
	"slices"
	"strconv"

	"github.com/writebehind/writebehind/internal/catalog"
	"github.com/writebehind/writebehind/rewrite"
)

// existence is what a statement returns that only asks whether its row is there.
type existence struct {
	form  rewrite.Existence // Rows: the row itself
	value int64             // of a ConstantRow
}

// row returns the row of the result; nil for none.
func (x existence) row(found bool) []driver.Value {
	switch {
	case x.form == rewrite.ExistsRow:
		return []driver.Value{found}
	case x.form == rewrite.CountRows && found:
		return []driver.Value{int64(1)}
	case x.form == rewrite.CountRows:
		return []driver.Value{int64(0)}
	case found:
		return []driver.Value{x.value}
	}
	return nil
}

// rows returns the rows of the result where there are found rows of a list of keys.
func (x existence) rows(found int) [][]driver.Value {
	switch x.form {
	case rewrite.ExistsRow:
		return [][]driver.Value{{found > 0}}
	case rewrite.CountRows:
		return [][]driver.Value{{int64(found)}}
	}
	return slices.Repeat([][]driver.Value{{x.value}}, found)
}

// existence binds SELECT 1, count(*) and EXISTS. It returns the reason if that cannot
// be answered.
func (b *binding) existence(r *readPlan) string {
	item, e := b.plan.stmt.Items[0], &b.engine.exists
	if !e.Known {
		return "the real driver gives numbers or truth values in types of its own"
	}
	r.exists.form = b.plan.stmt.Existence
	metas := map[rewrite.Existence]*catalog.Meta{
		rewrite.ConstantRow: &e.Constant, rewrite.CountRows: &e.Count, rewrite.ExistsRow: &e.Exists,
	}
	r.result = &resultColumns{names: []string{item.As}, metas: []*catalog.Meta{metas[r.exists.form]}}
	if r.exists.form != rewrite.ConstantRow {
		return ""
	}
	n, err := strconv.ParseInt(item.Value.Text, 10, 32)
	if item.Value.Kind != rewrite.Integer || err != nil || n < 0 { // the least integer is written with a bigint
		return "its constant is none of the type integer"
	}
	r.exists.value = n
	return ""
}
