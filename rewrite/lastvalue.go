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
	for p.pos < len(p.tokens) {
		begin := p.pos
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
		// A subquery in an expression is named after its column.
		out.WriteString("(SELECT " + strconv.FormatInt(v, 10) + "::pg_catalog.int8 AS " + function + ")")
		done = int(p.tokens[p.pos-1].end)
	}
	return out.String() + sql[done:]
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
