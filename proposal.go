package writebehind

import (
	"context"
	"database/sql/driver"
	"slices"
)

// proposal is a row that an INSERT proposes.
type proposal struct {
	cells []driver.Value
	fresh *sequence // that its key was drawn from; nil if it was not

	doubtful bool // it was, and a row may have it
}

func (r *proposal) cell(column int) driver.Value { return r.cells[column] }

// propose makes the attempt one at a row that an INSERT proposes.
func (a *attempt) propose(r *proposal) (ok bool) {
	a.cells, a.fresh, a.doubtful = append(a.cells[:0], r.cells...), r.fresh, r.doubtful
	return a.locateProposed()
}

// proposeRow computes the row that an INSERT proposes. ok is false if PostgreSQL must.
func (c *Conn) proposeRow(ctx context.Context, values []source, args []driver.NamedValue) (ok bool) {
	a := &c.attempt
	a.cells, a.fresh, a.doubtful = a.cells[:0], nil, false
	for i := range values {
		var v driver.Value
		if values[i].draw == drawSequence {
			v, ok = a.drawNext(ctx, i)
		} else {
			v, ok = a.value(&values[i], args)
		}
		if !ok || !a.storable(i, v) {
			return false
		}
		a.cells = append(a.cells, v)
	}
	if s := a.table.keySequence(); s != nil && values[s.column].draw != drawSequence {
		s.burn(a.cells[s.column])
	}
	return a.locateProposed()
}

// proposeRows computes all rows that an INSERT proposes.
func (c *Conn) proposeRows(ctx context.Context, rows [][]source, args []driver.NamedValue) (all []proposal, ok bool) {
	for i := range rows {
		if !c.proposeRow(ctx, rows[i], args) {
			return nil, false
		}
		all = append(all, proposal{slices.Clone(c.attempt.cells), c.attempt.fresh, c.attempt.doubtful})
	}
	return all, true
}

// drawNext draws the value of a column from its sequence.
func (a *attempt) drawNext(ctx context.Context, column int) (v driver.Value, ok bool) {
	s := a.table.sequences[column]
	if a.table.state.direct.Load() > 0 || a.engine.ownership.state.Load() == shared {
		return nil, false // PostgreSQL will draw another one
	}
	n, ok := s.next(ctx, a)
	if !ok {
		return nil, false
	}
	a.drew = true
	a.draws = append(a.draws, drawnValue{a.table.rel.Columns[column].Default.Sequence, n})
	if s.isNew(n) {
		a.fresh = s
	} else {
		a.doubtful = a.doubtful || s.alone
	}
	return a.table.rel.Columns[column].Type.Argument(a.engine.values, n)
}

// locateProposed computes the key of the proposed row.
func (a *attempt) locateProposed() bool {
	a.values = a.values[:0]
	for _, k := range a.table.rel.Key {
		a.values = append(a.values, a.cells[k])
	}
	return a.locate()
}
