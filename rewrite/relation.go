package rewrite

// punct follows the punctuation that decides where a relation may stand.
func (n *names) punct(t token) {
	switch t.punct {
	case '(':
		// A join in parentheses, or a subquery: then its SELECT says so.
		n.list = append(n.list, n.expect)
	case ')':
		if len(n.list) > 1 {
			n.list = n.list[:len(n.list)-1]
		}
		n.expect = false
	case ',':
		n.expect = n.list[len(n.list)-1]
	case ';':
		n.list = append(n.list[:0], false)
		n.expect = false
	}
}

// grammar takes a word as a part of the grammar, if it is one there, and notes
// whether a relation follows.
func (n *names) grammar(t, previous token) bool {
	if t.kind != tokIdent || previous.punct == '.' {
		return false
	}
	top := len(n.list) - 1
	start := previous.kind == tokEnd || previous.punct == ';'
	switch t.word {
	case wFrom:
		if n.expect = !n.isDistinctFrom(); n.expect {
			n.list[top] = true
		}
	case wJoin, wInto:
		n.expect = true
	case wTable:
		n.expect, n.list[top] = true, true
	case wUpdate:
		if n.expect {
			return false // a table of that name
		}
		n.expect = previous.word != wFor && previous.word != wDo && previous.word != wKey && previous.word != wOn
	case wUsing:
		n.expect = n.summary.Verb != "CREATE" && n.summary.Verb != "ALTER" && (n.p.peek().punct != '(' || n.usingRelations())
		n.list[top] = n.list[top] || n.expect
	case wOn:
		// CREATE INDEX … ON t, but not ON DELETE.
		n.expect = n.summary.Verb == "CREATE" && n.p.peek().word != wDelete && n.p.peek().word != wUpdate
	case wTruncate, wLock, wCopy, wAnalyze:
		if !start {
			return false
		}
		n.expect = true
		n.list[top] = t.word != wCopy
	case wOnly:
		// What came before it still holds.
	case wTemp, wTemporary, wUnlogged:
		next := n.p.peek()
		if previous.word != wInto || !isName(next) && next.word != wTable {
			return false
		}
		if takesInto(n.before(3)) {
			// A table of that name; or INSERT names an output column, and it is the next one.
			n.relations.add(Ident{Name: n.p.name(t)})
		}
	case wIf:
		return n.expect && (n.p.peek().word == wNot || n.p.peek().word == wExists)
	case wNot:
		// IF NOT EXISTS, perhaps.
	case wExists:
		if n.expect && previous.word != wIf && previous.word != wNot {
			return false // a table of that name
		}
	case wSet:
		// DO UPDATE SET, THEN UPDATE SET; not UPDATE set SET.
		if previous.word != wUpdate || n.expect && !n.then(3) {
			return false
		}
		n.expect = false
	case wGroup:
		n.expect = false
		if n.p.peek().word == wBy { // not WITHIN GROUP
			n.list[top] = false
		}
	case wWhere, wOrder, wSelect, wLimit, wReturning:
		n.expect, n.list[top] = false, false
	default:
		if t.category != reserved {
			return false
		}
		n.expect = false
	}
	return true
}

// usingRelations tells whether the parenthesis after the USING before the current token
// holds relations, as after DELETE and MERGE, and not the columns of a join.
func (n *names) usingRelations() bool {
	for places := 2; places < 20; places++ {
		switch n.before(places).word {
		case wDelete, wMerge:
			return true
		case wJoin:
			return false
		}
	}
	return false
}

// isDistinctFrom tells whether the FROM before the current token is that of IS [NOT]
// DISTINCT FROM. DISTINCT may also name an output column.
func (n *names) isDistinctFrom() bool {
	before := n.before(3)
	return n.before(2).word == wDistinct && (before.word == wIs || before.word == wNot && n.before(4).word == wIs)
}

// then tells whether the token places before the current one is THEN.
func (n *names) then(places int) bool {
	t := n.before(places)
	return t.kind == tokIdent && t.category == reserved && fold(n.p.text(t)) == "then"
}
