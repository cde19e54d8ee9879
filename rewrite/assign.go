package rewrite

// assignments takes a SET list that sets no column twice.
func (p *parser) assignments() ([]Assignment, bool) {
	var set []Assignment
	for {
		var ok bool
		if p.peek().punct == '(' {
			set, ok = p.multiAssignment(set)
		} else {
			set, ok = p.assignment(set)
		}
		if !ok {
			return nil, false
		}
		if !p.acceptPunct(',') {
			break
		}
	}
	columns := make([]string, len(set))
	for i := range set {
		columns[i] = set[i].Column
	}
	return set, !repeated(columns)
}

// assignment takes column = value. A qualified column would be a field of a
// composite one.
func (p *parser) assignment(set []Assignment) ([]Assignment, bool) {
	t := p.next()
	if !isName(t) || !p.acceptOperator("=") {
		return nil, false
	}
	column := p.name(t)
	start := p.pos
	if a, ok := p.change(column); ok && p.atElementEnd() {
		return append(set, a), true
	}
	p.pos = start
	if v, ok := p.excludedColumn(); ok && p.atElementEnd() {
		return append(set, Assignment{Column: column, Value: v}), true
	}
	p.pos = start
	v, ok := p.valueOrExpression()
	return append(set, Assignment{Column: column, Value: v}), ok
}

// multiAssignment takes (a, b) = (x, y) or (a, b) = ROW (x, y).
func (p *parser) multiAssignment(set []Assignment) ([]Assignment, bool) {
	columns, ok := p.columnList()
	if !ok || !p.acceptOperator("=") {
		return nil, false
	}
	// In parentheses alone, one value makes no row.
	if !p.accept(wRow) && len(columns) == 1 || !p.acceptPunct('(') {
		return nil, false
	}
	for i, column := range columns {
		if i > 0 && !p.acceptPunct(',') {
			return nil, false
		}
		start := p.pos
		v, ok := p.excludedColumn()
		if !ok || !p.atElementEnd() {
			p.pos = start
			if v, ok = p.valueOrExpression(); !ok {
				return nil, false
			}
		}
		set = append(set, Assignment{Column: column, Value: v})
	}
	return set, p.acceptPunct(')')
}

// change takes c + value, value + c or c - value, where c is the column that
// is set, or COALESCE(c, 0).
func (p *parser) change(column string) (Assignment, bool) {
	a := Assignment{Column: column, Op: Add}
	start := p.pos
	var ok bool
	if a.OrZero, ok = p.ownTerm(column); ok {
		if p.acceptOperator("-") {
			a.Op = Subtract
		} else if !p.acceptOperator("+") {
			return a, false
		}
		start = p.pos
		v, ok := p.excludedColumn()
		if !ok || a.Op == Subtract {
			p.pos = start
			v, ok = p.summand()
		}
		a.Value = v
		return a, ok
	}
	p.pos = start
	a.OrZero = false
	v, ok := p.excludedColumn()
	if !ok {
		p.pos = start
		v, ok = p.summand()
	}
	a.Value = v
	return a, ok && p.acceptOperator("+") && p.ownColumn(column)
}

// ownTerm takes the column that is set, or COALESCE of it and 0.
func (p *parser) ownTerm(column string) (orZero, ok bool) {
	if !p.accept(wCoalesce) {
		return false, p.ownColumn(column)
	}
	if !p.acceptPunct('(') || !p.ownColumn(column) || !p.acceptPunct(',') {
		return true, false
	}
	zero, ok := p.value()
	return true, ok && zero == Value{Kind: Integer, Text: "0"} && p.acceptPunct(')')
}

// summand takes a constant or parameter.
func (p *parser) summand() (Value, bool) {
	v, ok := p.value()
	return v, ok && v.Kind != Now
}

// ownColumn takes the name of a column of the row that is updated. In ON
// CONFLICT DO UPDATE an unqualified one would be ambiguous.
func (p *parser) ownColumn(column string) bool {
	bare := p.peekAt(1).punct != '.'
	name, ok := p.column()
	return ok && name == column && !(p.excluded && bare)
}

// excludedColumn takes EXCLUDED.column in ON CONFLICT DO UPDATE.
func (p *parser) excludedColumn() (Value, bool) {
	if !p.excluded || !isName(p.peek()) || p.name(p.peek()) != "excluded" || p.peekAt(1).punct != '.' {
		return Value{}, false
	}
	t := p.peekAt(2)
	if !isLabel(t) {
		return Value{}, false
	}
	p.pos += 3
	return Value{Kind: Excluded, Text: p.name(t)}, true
}
