package rewrite

// selectOrExists takes what follows the SELECT of a read of one table, or of
// SELECT EXISTS (…) around one. In the latter a list of columns is not taken:
// nobody would see whether they exist.
func (p *parser) selectOrExists() bool {
	if !p.accept(wExists) {
		return p.selectFrom()
	}
	if !p.acceptPunct('(') || !p.accept(wSelect) || !p.selectFrom() || !p.acceptPunct(')') {
		return false
	}
	s := p.statement
	if s.Existence != ConstantRow && (len(s.Items) != 1 || s.Items[0] != Item{Star: true}) {
		return false
	}
	as, ok := p.label()
	if as == "" {
		as = "exists"
	}
	s.Existence = ExistsRow
	s.Items = []Item{{As: as}}
	return ok
}

// selectFrom takes a select list, one table, a condition, and the clauses after
// it. The table comes first, because the columns of the list are looked up in
// it.
func (p *parser) selectFrom() bool {
	list := p.pos
	for p.peek().word != wFrom {
		if p.atEnd() {
			return false
		}
		p.pos++
	}
	from := p.pos
	p.pos++
	if !p.table() || !p.alias(true) {
		return false
	}
	rest := p.pos
	p.pos = list
	if !p.selectList() || p.pos != from {
		return false
	}
	p.pos = rest
	return p.where() && p.orderBy() && p.limitAndLock() && p.consistent()
}

// selectList takes plain columns, or one of the lists of an existence form.
func (p *parser) selectList() bool {
	if count, ok := p.count(); ok {
		p.statement.Existence = CountRows
		p.statement.Items = []Item{count}
		return true
	}
	start := p.pos
	if v, ok := p.value(); ok {
		item := Item{Value: v}
		if item.As, ok = p.label(); !ok || v.Cast != "" {
			return false
		}
		switch v.Kind {
		case String, Integer, Decimal, Null:
			if item.As == "" {
				item.As = "?column?"
			}
		case Bool:
			if item.As == "" {
				return false // ?column? or bool, by version
			}
		default:
			return false
		}
		p.statement.Existence = ConstantRow
		p.statement.Items = []Item{item}
		return true
	}
	p.pos = start
	return p.items()
}

// count takes count(*) or count(1), which is the same.
func (p *parser) count() (Item, bool) {
	start := p.pos
	t := p.next()
	if !isName(t) || p.name(t) != "count" || !p.acceptPunct('(') {
		p.pos = start
		return Item{}, false
	}
	if what := p.next(); what.kind != tokInteger && !p.isOperator(what, "*") || !p.acceptPunct(')') {
		p.pos = start
		return Item{}, false
	}
	as, ok := p.label()
	if as == "" {
		as = "count"
	}
	return Item{As: as}, ok
}

// orderBy takes an ORDER BY clause of plain columns, if there is one.
func (p *parser) orderBy() bool {
	if !p.accept(wOrder) {
		return true
	}
	if !p.accept(wBy) {
		return false
	}
	for {
		bare := p.peekAt(1).punct != '.'
		column, ok := p.column()
		if !ok || bare && p.hidden(column) {
			return false
		}
		o := Order{Column: column}
		if p.accept(wDesc) {
			o.Descending, o.NullsFirst = true, true
		} else {
			p.accept(wAsc)
		}
		if p.accept(wNulls) {
			o.NullsFirst = p.accept(wFirst)
			if !o.NullsFirst && !p.accept(wLast) {
				return false
			}
		}
		p.statement.OrderBy = append(p.statement.OrderBy, o)
		if !p.acceptPunct(',') {
			return true
		}
	}
}

// hidden tells whether an unqualified name in ORDER BY means an output column
// other than the table's column of that name.
func (p *parser) hidden(name string) bool {
	for _, item := range p.statement.Items {
		if item.As == name && item.Column != name {
			return true
		}
	}
	return false
}

// limitAndLock takes LIMIT and one locking clause, in either order.
func (p *parser) limitAndLock() bool {
	if p.peek().word == wFor {
		return p.lock() && p.limit()
	}
	return p.limit() && p.lock()
}

func (p *parser) limit() bool {
	if !p.accept(wLimit) {
		return true
	}
	v, ok := p.value()
	p.statement.Limit = &v
	return ok && (v.Kind == Param || v.Kind == Integer)
}

// lock takes a locking clause, if there is one. OF can only name the one table.
func (p *parser) lock() bool {
	if !p.accept(wFor) {
		return true
	}
	lock := "FOR "
	switch {
	case p.accept(wUpdate):
		lock += "UPDATE"
	case p.accept(wShare):
		lock += "SHARE"
	case p.acceptAll(wNo, wKey, wUpdate):
		lock += "NO KEY UPDATE"
	case p.acceptAll(wKey, wShare):
		lock += "KEY SHARE"
	default:
		return false
	}
	if p.accept(wOf) {
		t := p.next()
		if !isName(t) || !p.names([]string{p.name(t)}) {
			return false
		}
	}
	switch {
	case p.accept(wNowait):
		lock += " NOWAIT"
	case p.acceptAll(wSkip, wLocked):
		lock += " SKIP LOCKED"
	}
	p.statement.Lock = lock
	return true
}

// consistent refuses what PostgreSQL refuses or reads differently: clauses
// after the WHERE of a count work on its one row.
func (p *parser) consistent() bool {
	s := p.statement
	return s.Existence != CountRows || s.OrderBy == nil && s.Limit == nil && s.Lock == ""
}
