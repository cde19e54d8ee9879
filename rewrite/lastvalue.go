package rewrite

import (
	"strconv"
	"strings"
)

// LastValue is a call of lastval() or currval(…), which ask what the session has last
// drawn from any sequence, or from one.
type LastValue struct {
	// Sequence is the text that names the sequence. Of currval(pg_get_serial_sequence(…))
	// Table and Column are set instead; of lastval() nothing is.
	Sequence      string
	Table, Column string
}

// WithLastValues returns the text with its calls of lastval and currval replaced by
// values, in a way that gives the columns of a result the same names and types. It leaves
// calls alone whose argument is no literal, and those for which value returns false.
func WithLastValues(sql string, value func(LastValue) (int64, bool)) string {
	l := lex(sql)
	p := parser{sql: sql, tokens: l.tokens}
	var out strings.Builder
	done := 0
	at := places{{query: true}}
	for p.pos < len(p.tokens) {
		begin := p.pos
		from := at.next(&p)
		function, call, ok := p.lastValue()
		if !ok {
			p.pos = begin + 1
			continue
		}
		v, ok := value(call)
		if !ok {
			continue
		}
		out.WriteString(sql[done:p.tokens[begin].start])
		done = int(p.tokens[p.pos-1].end)
		// A subquery in an expression is named after its column; the column of a function
		// in FROM after its alias.
		name, alias := function, ""
		if from {
			name, alias = p.functionAlias(function)
		}
		out.WriteString("(SELECT " + strconv.FormatInt(v, 10) + "::pg_catalog.int8 AS " + name + ")" + alias)
	}
	return out.String() + sql[done:]
}

// places are the parentheses around a token, the innermost last.
type places []struct {
	query bool // its FROM begins a list of relations
	list  bool // it is in that list
}

// next looks at the next token, without taking it, and tells whether a relation begins
// with it.
func (a *places) next(p *parser) (relation bool) {
	t, previous := p.peek(), token{kind: tokEnd}
	if p.pos > 0 {
		previous = p.peekAt(-1)
	}
	top := &(*a)[len(*a)-1]
	relation = top.list && (previous.word == wFrom || previous.word == wJoin || previous.word == wUsing || previous.punct == ',' || previous.punct == '(' ||
		previous.kind == tokIdent && p.name(previous) == "lateral")
	switch {
	case t.punct == '(':
		inner := p.peekAt(1).word
		*a = append(*a, places{{query: relation || inner == wSelect || inner == wWith, list: relation}}...)
	case t.punct == ')' && len(*a) > 1:
		*a = (*a)[:len(*a)-1]
	case t.kind != tokIdent || previous.punct == '.':
	case t.word == wFrom || t.word == wUsing && !top.list:
		top.list = top.query && previous.word != wDistinct
	case t.word == wSelect || t.word == wWhere || t.word == wGroup || t.word == wOrder || t.word == wLimit || t.word == wReturning || t.word == wSet:
		top.list = false
	}
	return relation
}

// functionAlias returns, for a call of a function in FROM that was just taken, the name
// of its column, if the alias that follows gives it none, and an alias if none follows.
func (p *parser) functionAlias(function string) (column, alias string) {
	begin := p.pos
	defer func() { p.pos = begin }()
	if as := p.accept(wAs); !isName(p.peek()) || !as && p.peek().word == wSet {
		return function, " AS " + function
	}
	return p.text(p.next()), ""
}

// lastValue takes a call.
func (p *parser) lastValue() (function string, call LastValue, ok bool) {
	if p.pos > 0 && p.peekAt(-1).punct == '.' {
		return "", call, false // of another schema, as far as is known
	}
	if p.peekAt(1).punct == '.' {
		if !isName(p.peek()) || p.name(p.peek()) != "pg_catalog" {
			return "", call, false
		}
		p.pos += 2
	}
	t := p.next()
	if !isName(t) || !p.acceptPunct('(') {
		return "", call, false
	}
	switch function = p.name(t); function {
	case "lastval":
		return function, call, p.acceptPunct(')')
	case "currval":
		ok = p.sequenceArgument(&call)
		return function, call, ok && p.acceptPunct(')')
	}
	return "", call, false
}

// sequenceArgument takes what currval is given.
func (p *parser) sequenceArgument(call *LastValue) (ok bool) {
	if t := p.peek(); t.kind == tokString {
		call.Sequence, ok = p.plainString()
	} else if isName(t) && p.name(t) == "pg_get_serial_sequence" && p.peekAt(1).punct == '(' {
		p.pos += 2
		if call.Table, ok = p.plainString(); ok && p.acceptPunct(',') {
			call.Column, ok = p.plainString()
			ok = ok && p.acceptPunct(')')
		} else {
			ok = false
		}
	}
	if ok && p.peek().kind == tokTypecast {
		p.pos++
		cast, named := p.typeName()
		ok = named && strings.TrimPrefix(cast, "pg_catalog.") == "regclass"
	}
	return ok
}

func (p *parser) plainString() (string, bool) {
	t := p.next()
	if t.kind != tokString {
		return "", false
	}
	return decodeString(p.text(t), t.continued)
}
