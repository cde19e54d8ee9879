package writebehind

import (
	"database/sql/driver"
	"fmt"
	"slices"

	"github.com/writebehind/writebehind/internal/catalog"
	"github.com/writebehind/writebehind/internal/check"
	"github.com/writebehind/writebehind/internal/pgvalue"
	"github.com/writebehind/writebehind/internal/rowimage"
)

// rowCheck is a CHECK constraint that is evaluated here.
type rowCheck struct {
	name string
	*check.Constraint
}

// parseChecks returns the CHECK constraints that can be evaluated here, and the
// others.
func parseChecks(rel *catalog.Relation, session pgvalue.Session) (known []rowCheck, others []catalog.Check) {
	if len(rel.Checks) == 0 {
		return nil, nil
	}
	var columns []check.Column
	for _, c := range rel.Columns {
		columns = append(columns, check.Column{Name: c.Name, Type: c.Type, Bytewise: c.Deterministic})
	}
	for _, k := range rel.Checks {
		parsed, ok := check.Parse(k.Expr, columns, session)
		if !ok || k.OwnOperators || !containsAll(k.Columns, parsed.Columns) {
			others = append(others, k)
			continue
		}
		known = append(known, rowCheck{k.Name, parsed})
	}
	return known, others
}

func containsAll(all, some []int) bool {
	for _, c := range some {
		if !slices.Contains(all, c) {
			return false
		}
	}
	return true
}

// checkOf returns the first CHECK constraint, of those evaluated here, that looks
// at one of the columns; nil without.
func (t *table) checkOf(columns []int) *rowCheck {
	for i := range t.checks {
		if slices.ContainsFunc(columns, func(c int) bool { return slices.Contains(t.checks[i].Columns, c) }) {
			return &t.checks[i]
		}
	}
	return nil
}

// whileItHolds says under which condition a write is deferred.
func (k *rowCheck) whileItHolds() string {
	return fmt.Sprintf("by primary key, if the CHECK constraint %q certainly holds for the new row", k.name)
}

// admits tells whether it is certain that the checks take the row of an INSERT,
// whose cells are those of all columns.
func (a *attempt) admits(row []driver.Value) bool {
	for i := range a.table.checks {
		k := &a.table.checks[i]
		a.checked = a.checked[:0]
		for _, c := range k.Columns {
			a.checked = append(a.checked, row[c])
		}
		if k.Eval(a.checked) != check.Holds {
			return false
		}
	}
	return true
}

// admitsChange tells whether it is certain that the checks take a.next, which
// differs from a.image in some of the columns. A check that looks at none of those
// says what it has said of the row before, for it is valid and looks at the row
// alone.
func (a *attempt) admitsChange(columns []int, old, fresh []driver.Value) (bool, error) {
	location := a.engine.values.Location
	for i := range a.table.checks {
		k := &a.table.checks[i]
		changes := false
		for j, c := range columns {
			changes = changes || slices.Contains(k.Columns, c) && !same(location, old[j], fresh[j])
		}
		if !changes {
			continue
		}
		a.checked = slices.Grow(a.checked[:0], len(k.Columns))[:len(k.Columns)]
		if err := rowimage.DecodeColumns(a.next, location, k.Columns, a.checked); err != nil {
			return false, err
		}
		if k.Eval(a.checked) != check.Holds {
			return false, nil
		}
	}
	return true, nil
}
