package rewrite

import "slices"

// names collects the names of a text in one pass over its tokens.
type names struct {
	p       parser
	summary *Summary

	relations   set[Ident]
	ctes        set[string]
	identifiers set[Ident]
	functions   set[Ident]
	operators   set[string]

	// Relation position.
	expect bool   // a relation may come next
	list   []bool // per depth of parentheses: a comma brings another relation

	// An expression may start after a closing parenthesis.
	afterParenthesis bool
}

// set is a slice without duplicates.
type set[T comparable] struct {
	slice []T
	seen  map[T]struct{}
}

func (s *set[T]) has(v T) bool {
	if s.seen != nil {
		_, ok := s.seen[v]
		return ok
	}
	return slices.Contains(s.slice, v)
}

func (s *set[T]) add(v T) {
	if s.has(v) {
		return
	}
	if len(s.slice) == 32 {
		s.seen = make(map[T]struct{}, 128)
		for _, old := range s.slice {
			s.seen[old] = struct{}{}
		}
	}
	if s.seen != nil {
		s.seen[v] = struct{}{}
	}
	s.slice = append(s.slice, v)
}

func collectNames(s *Summary, l *lexer) {
	n := names{p: parser{sql: l.sql, tokens: l.tokens, end: l.tokens[len(l.tokens)-1]}, summary: s}
	n.list = append(make([]bool, 0, 8), false)
	n.identifiers.slice = make([]Ident, 0, 12)
	n.afterParenthesis = n.expressionAfterParenthesis()
	for n.p.peek().kind != tokEnd {
		t := n.p.peek()
		switch t.kind {
		case tokIdent, tokQuoted:
			n.chain()
			continue
		case tokOperator:
			op := n.p.text(t)
			if op == "!=" {
				op = "<>"
			}
			n.operators.add(op)
		case tokPunct:
			n.punct(t)
		}
		n.p.pos++
	}
	s.Identifiers, s.Functions, s.Operators = n.identifiers.slice, n.functions.slice, n.operators.slice
	s.Relations = slices.DeleteFunc(n.relations.slice, func(r Ident) bool {
		return r.Schema == "" && n.ctes.has(r.Name)
	})
	if len(s.Relations) == 0 {
		s.Relations = nil
	}
}

// before returns the token n places before the current one.
func (n *names) before(places int) token {
	if i := n.p.pos - places; i >= 0 {
		return n.p.tokens[i]
	}
	return token{}
}

// implied returns the operators that a keyword of the grammar stands for.
func implied(w word) []string {
	switch w {
	case wLike:
		return []string{"~~", "!~~"}
	case wIlike:
		return []string{"~~*", "!~~*"}
	case wSimilar:
		return []string{"~", "!~"}
	case wBetween:
		return []string{">=", "<=", "<", ">"}
	case wIn:
		return []string{"=", "<>"}
	case wNullif, wDistinct, wCase, wUsing, wNatural:
		return []string{"="}
	}
	return nil
}

// chain takes an identifier with the ones that dots join to it.
func (n *names) chain() {
	start := n.p.pos
	first := n.p.peek()
	for _, op := range implied(first.word) {
		n.operators.add(op)
	}
	previous, schema, name := n.before(1), "", ""
	n.p.pos++
	nameable := isName(first) || previous.punct == '.'
	called := n.p.peek().punct == '('
	if nameable || called {
		name = n.p.name(first)
	}
	if nameable || n.isType(first, previous) {
		n.identifiers.add(Ident{Name: n.p.name(first)})
	}
	for nameable && n.p.peek().punct == '.' && isLabel(n.p.peekAt(1)) {
		schema, name = name, n.p.name(n.p.peekAt(1))
		n.identifiers.add(Ident{Schema: schema, Name: name})
		n.p.pos += 2
	}
	qualified := n.p.pos > start+1
	called = n.p.peek().punct == '(' && n.isFunction(first, start, qualified)
	if called {
		n.functions.add(Ident{Schema: schema, Name: name})
	}
	if !qualified && n.grammar(first, previous) {
		return
	}
	if !nameable {
		return
	}
	if !qualified && n.isCTE(previous) {
		n.ctes.add(name)
	}
	if n.expect && !called {
		n.relations.add(Ident{Schema: schema, Name: name})
	}
	n.expect = false
}

// isType tells whether a keyword that cannot name a relation names a type: in
// x::left, CAST(x AS left) and left '…'.
func (n *names) isType(t, previous token) bool {
	return t.category == typeFuncName && (previous.kind == tokTypecast || previous.word == wAs || n.p.peek().kind == tokString)
}

// isFunction tells whether the name that starts at first and is followed by a
// parenthesis may be that of a function. What precedes it rules that out in
// many places; in doubt it is one.
func (n *names) isFunction(first token, start int, qualified bool) bool {
	if !qualified && first.kind == tokIdent && (first.category == reserved || first.category == colName && !n.callable(first)) {
		return false
	}
	if start == 0 {
		return false // a verb
	}
	previous := n.p.tokens[start-1]
	var earlier token
	if start > 1 {
		earlier = n.p.tokens[start-2]
	}
	switch previous.word {
	case wInto, wTable, wAs, wWith, wRecursive:
		return false // a table, a type or an alias, a common table expression
	case wOrder, wGroup, wPartition:
		return first.word != wBy
	case wGrouping:
		return first.word != wSets
	case wNot:
		return !(first.word == wMaterialized && earlier.word == wAs)
	case wUpdate:
		return first.word != wSet
	case wOn:
		return !(first.word == wConflict && n.closing(n.p.pos).word == wDo)
	}
	switch {
	case previous.kind == tokTypecast:
		return false
	case first.word == wJoin && previous.kind == tokIdent && isJoinKind(n.p.text(previous)):
		return false
	case previous.punct == ')', previous.punct == ']':
		return n.afterParenthesis
	}
	// No function call directly follows an operand.
	return previous.kind != tokQuoted && (previous.kind != tokIdent || previous.category != noKeyword) &&
		previous.kind != tokParam && previous.kind != tokString &&
		previous.kind != tokInteger && previous.kind != tokDecimal
}

// callable tells whether a keyword of the grammar can also be called like a
// function, one of the user's perhaps.
func (n *names) callable(t token) bool {
	name := fold(n.p.text(t))
	return name == "substring" || name == "overlay"
}

func isJoinKind(keyword string) bool {
	switch fold(keyword) {
	case "left", "right", "full", "outer", "inner", "cross", "natural":
		return true
	}
	return false
}

// expressionAfterParenthesis tells whether the text holds one of the few
// constructs in which an expression follows a closing parenthesis: DISTINCT ON
// (…), OPERATOR(…), RETURNING WITH (…).
func (n *names) expressionAfterParenthesis() bool {
	for i, t := range n.p.tokens {
		if i == 0 {
			continue
		}
		switch before := n.p.tokens[i-1].word; {
		case t.word == wOperator, t.word == wOn && before == wDistinct, t.word == wWith && before == wReturning:
			return true
		}
	}
	return false
}

// closing returns the token after the parenthesis that closes the one at open.
func (n *names) closing(open int) token {
	depth := 0
	for i := open; i < len(n.p.tokens) && i < open+200; i++ {
		switch n.p.tokens[i].punct {
		case '(':
			depth++
		case ')':
			if depth--; depth == 0 {
				return n.p.tokens[min(i+1, len(n.p.tokens)-1)]
			}
		}
	}
	return token{}
}

// isCTE tells whether the name before the current token is one that WITH
// gives: name [(columns)] AS [[NOT] MATERIALIZED] (.
func (n *names) isCTE(previous token) bool {
	if previous.word != wWith && previous.word != wRecursive && previous.punct != ',' {
		return false
	}
	if n.p.peek().punct == '(' {
		return n.closing(n.p.pos).word == wAs && previous.punct != ','
	}
	if n.p.peek().word != wAs {
		return false
	}
	switch n.p.peekAt(1).word {
	case wMaterialized:
		return n.p.peekAt(2).punct == '('
	case wNot:
		return n.p.peekAt(2).word == wMaterialized && n.p.peekAt(3).punct == '('
	}
	return n.p.peekAt(1).punct == '('
}
