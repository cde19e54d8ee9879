package rewrite

// insert takes what follows INSERT.
func (p *parser) insert() bool {
	s := p.statement
	if !p.accept(wInto) || !p.table() || !p.alias(false) {
		return false
	}
	if p.peek().punct == '(' {
		columns, ok := p.columnList()
		if !ok {
			return false
		}
		s.Columns = columns
	}
	switch {
	case p.acceptAll(wDefault, wValues):
		if s.Columns != nil {
			return false
		}
		s.Rows = [][]Value{{}}
	case p.accept(wValues):
		if !p.rows() {
			return false
		}
	default:
		return false
	}
	return p.onConflict() && p.returning()
}

// rows takes the rows of a VALUES list, all of one length.
func (p *parser) rows() bool {
	s := p.statement
	for {
		if !p.acceptPunct('(') {
			return false
		}
		row := make([]Value, 0, len(s.Columns))
		for {
			v, ok := p.valueOrExpression()
			if !ok {
				return false
			}
			row = append(row, v)
			if p.acceptPunct(')') {
				break
			}
			if !p.acceptPunct(',') {
				return false
			}
		}
		if s.Columns != nil && len(row) != len(s.Columns) ||
			len(s.Rows) > 0 && len(row) != len(s.Rows[0]) {
			return false
		}
		s.Rows = append(s.Rows, row)
		if !p.acceptPunct(',') {
			return true
		}
	}
}

// onConflict takes an ON CONFLICT clause, if there is one.
func (p *parser) onConflict() bool {
	if !p.accept(wOn) {
		return true
	}
	if !p.accept(wConflict) {
		return false
	}
	s := p.statement
	s.Conflict = &Conflict{}
	if p.peek().punct == '(' {
		columns, ok := p.columnList()
		if !ok {
			return false
		}
		s.Conflict.Columns = columns
	}
	if !p.accept(wDo) {
		return false
	}
	if p.accept(wNothing) {
		s.Conflict.Nothing = true
		return true
	}
	if s.Conflict.Columns == nil || !p.acceptAll(wUpdate, wSet) ||
		s.Alias == "excluded" || s.Alias == "" && s.Table.Name == "excluded" {
		return false
	}
	p.excluded = true
	set, ok := p.assignments()
	s.Conflict.Set = set
	return ok
}

// update takes what follows UPDATE.
func (p *parser) update() bool {
	s := p.statement
	if !p.table() || !p.alias(true) || !p.accept(wSet) {
		return false
	}
	set, ok := p.assignments()
	s.Set = set
	return ok && p.where() && p.returning()
}

// delete takes what follows DELETE.
func (p *parser) delete() bool {
	return p.accept(wFrom) && p.table() && p.alias(true) && p.where() && p.returning()
}
