package check

import "database/sql/driver"

// condition is a boolean expression over the cells of a constraint's columns.
type condition interface {
	eval(cells []driver.Value) truth
}

// fixed is a condition whose value does not depend on the row.
type fixed truth

func (f fixed) eval([]driver.Value) truth { return truth(f) }

type every []condition

func (e every) eval(cells []driver.Value) truth {
	result := isTrue
	for _, c := range e {
		result = result.and(c.eval(cells))
	}
	return result
}

type some []condition

func (s some) eval(cells []driver.Value) truth {
	result := isFalse
	for _, c := range s {
		result = result.or(c.eval(cells))
	}
	return result
}

type negation struct{ condition }

func (n negation) eval(cells []driver.Value) truth { return n.condition.eval(cells).not() }

// test is IS TRUE and its kin.
type test struct {
	condition
	wanted truth
}

func (t test) eval(cells []driver.Value) truth { return t.condition.eval(cells).is(t.wanted) }

// flag is a boolean column.
type flag struct{ operand }

func (f flag) eval(cells []driver.Value) truth {
	switch v, state := f.get(cells); state {
	case null:
		return isNull
	case present:
		if b, ok := v.(bool); ok {
			return truthOf(b)
		}
	}
	return anyTruth
}

// nullTest is IS NULL of a value.
type nullTest struct{ operand }

func (n nullTest) eval(cells []driver.Value) truth {
	switch _, state := n.get(cells); state {
	case null:
		return isTrue
	case present:
		return isFalse
	}
	return isTrue | isFalse
}
