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
		n.expect = previous.word != wDistinct
		n.list[top] = n.expect
	case wJoin, wInto:
		n.expect = true
	case wTable:
		n.expect, n.list[top] = true, true
	case wUpdate:
		n.expect = previous.word != wFor && previous.word != wDo && previous.word != wKey && previous.word != wOn
	case wUsing:
		n.expect = n.summary.Verb != "CREATE" && n.summary.Verb != "ALTER" && n.p.peek().punct != '('
		n.list[top] = n.expect
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
	case wTemp, wTemporary:
		return previous.word == wInto && isLabel(n.p.peek())
	case wIf:
		return n.expect && (n.p.peek().word == wNot || n.p.peek().word == wExists)
	case wNot, wExists:
		// IF [NOT] EXISTS, perhaps.
	case wSet:
		if previous.word != wUpdate {
			return false
		}
		n.expect = false // DO UPDATE SET, THEN UPDATE SET
	case wWhere, wGroup, wOrder, wSelect, wLimit, wReturning:
		n.expect, n.list[top] = false, false
	default:
		if t.category != reserved {
			return false
		}
		n.expect = false
	}
	return true
}
