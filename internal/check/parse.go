package check

import (
	"slices"

	"github.com/lib/pq/oid"

	"github.com/writebehind/writebehind/internal/pgvalue"
)

// maxDepth is how deep parentheses and NOTs may be nested.
const maxDepth = 100

// parser reads an expression from its tokens, by recursive descent.
type parser struct {
	tokens  []token
	columns []Column
	session pgvalue.Session
	used    []int // the columns mentioned so far
	depth   int
}

// term is what a part of an expression stands for: a condition; or an array; or
// else an operand.
type term struct {
	condition condition
	array     []operand
	operand   operand
}

// asCondition returns the term as a condition. ok is false if it is not boolean.
func (t *term) asCondition() (c condition, ok bool) {
	switch {
	case t.condition != nil:
		return t.condition, true
	case t.array != nil || !t.operand.is(oid.T_bool):
		return nil, false
	case t.operand.column < 0:
		return fixed(flag{t.operand}.eval(nil)), true
	}
	return flag{t.operand}, true
}

func (t *term) isOperand() bool { return t.condition == nil && t.array == nil }

func (p *parser) is(kind tokenKind, text string) bool {
	return len(p.tokens) > 0 && p.tokens[0] == token{kind, text}
}

func (p *parser) accept(kind tokenKind, text string) bool {
	if !p.is(kind, text) {
		return false
	}
	p.tokens = p.tokens[1:]
	return true
}

func (p *parser) word(w string) bool { return p.accept(keyword, w) }

func (p *parser) sign(s string) bool { return p.accept(sign, s) }

// expression takes conditions joined by OR.
func (p *parser) expression() (term, bool) {
	return p.joined("OR", p.conjunction, func(parts []condition) condition { return some(parts) })
}

func (p *parser) conjunction() (term, bool) {
	return p.joined("AND", p.negation, func(parts []condition) condition { return every(parts) })
}

func (p *parser) joined(by string, part func() (term, bool), join func([]condition) condition) (term, bool) {
	t, ok := part()
	if !ok || !p.is(keyword, by) {
		return t, ok
	}
	var parts []condition
	for {
		c, isCondition := t.asCondition()
		if !isCondition {
			return term{}, false
		}
		parts = append(parts, c)
		if !p.word(by) {
			return term{condition: join(parts)}, true
		}
		if t, ok = part(); !ok {
			return term{}, false
		}
	}
}

func (p *parser) negation() (term, bool) {
	if !p.word("NOT") {
		return p.predicate()
	}
	if p.depth++; p.depth > maxDepth {
		return term{}, false
	}
	defer func() { p.depth-- }()
	t, ok := p.negation()
	if !ok {
		return term{}, false
	}
	c, ok := t.asCondition()
	return term{condition: negation{c}}, ok
}

// predicate takes a value, or one that is tested or compared.
func (p *parser) predicate() (term, bool) {
	left, ok := p.value()
	if !ok {
		return term{}, false
	}
	if p.word("IS") {
		return p.test(&left)
	}
	if len(p.tokens) == 0 || p.tokens[0].kind != sign || !operatorCharacter(p.tokens[0].text[0]) {
		return left, true
	}
	op := p.tokens[0].text
	p.tokens = p.tokens[1:]
	isAny, isAll := p.word("ANY"), p.word("ALL")
	if isAny && isAll {
		return term{}, false
	}
	right, ok := p.value()
	if !ok || !left.isOperand() {
		return term{}, false
	}
	if isAny || isAll {
		return p.list(op, left.operand, right.array, isAny)
	}
	if !right.isOperand() {
		return term{}, false
	}
	c, ok := compare(op, left.operand, right.operand, p.session)
	return term{condition: c}, ok
}

// list compares a value with those of an array.
func (p *parser) list(op string, left operand, array []operand, isAny bool) (term, bool) {
	if array == nil {
		return term{}, false
	}
	var parts []condition
	for _, right := range array {
		c, ok := compare(op, left, right, p.session)
		if !ok {
			return term{}, false
		}
		parts = append(parts, c)
	}
	if isAny {
		return term{condition: some(parts)}, true
	}
	return term{condition: every(parts)}, true
}

// test takes what follows IS.
func (p *parser) test(left *term) (term, bool) {
	not := p.word("NOT")
	c, ok := p.tested(left)
	if not {
		c = negation{c}
	}
	return term{condition: c}, ok
}

func (p *parser) tested(left *term) (condition, bool) {
	if p.word("DISTINCT") {
		if !p.word("FROM") || !left.isOperand() {
			return nil, false
		}
		right, ok := p.value()
		if !ok || !right.isOperand() {
			return nil, false
		}
		c, ok := compare("<>", left.operand, right.operand, p.session)
		if !ok {
			return nil, false
		}
		return &distinct{*c}, true
	}
	if p.word("NULL") {
		if left.isOperand() {
			// A composite value IS NULL if all its parts are.
			o := left.operand
			return nullTest{o}, o.form == typed && o.typ.Kind != pgvalue.Other
		}
		c, ok := left.asCondition()
		return test{c, isNull}, ok
	}
	c, ok := left.asCondition()
	switch {
	case !ok:
	case p.word("TRUE"):
		return test{c, isTrue}, true
	case p.word("FALSE"):
		return test{c, isFalse}, true
	case p.word("UNKNOWN"):
		return test{c, isNull}, true
	}
	return nil, false
}

// value takes what can be compared, with the casts that follow it.
func (p *parser) value() (term, bool) {
	if p.depth++; p.depth > maxDepth {
		return term{}, false
	}
	defer func() { p.depth-- }()
	t, ok := p.primary()
	for ok && p.sign("::") {
		t, ok = p.cast(&t)
	}
	return t, ok
}

func (p *parser) cast(t *term) (term, bool) {
	to, ok := p.typeName()
	if !ok || t.condition != nil || to.array != (t.array != nil) {
		return term{}, false
	}
	if t.array == nil {
		o, ok := t.operand.cast(to, p.session)
		return term{operand: o}, ok
	}
	var array []operand
	for _, o := range t.array {
		o, ok := o.cast(to, p.session)
		if !ok {
			return term{}, false
		}
		array = append(array, o)
	}
	return term{array: array}, true
}

func (p *parser) primary() (term, bool) {
	if len(p.tokens) == 0 {
		return term{}, false
	}
	first := p.tokens[0]
	p.tokens = p.tokens[1:]
	switch first.kind {
	case sign:
		if first.text != "(" {
			return term{}, false
		}
		t, ok := p.expression()
		return t, ok && p.sign(")")
	case number:
		return p.number(first.text)
	case text:
		return constant(operand{value: first.text, form: bare}), true
	case keyword:
		switch {
		case first.text == "NULL":
			return constant(operand{form: bare, bytewise: true}), true
		case first.text == "ARRAY" && p.sign("["):
			return p.array()
		}
		return term{}, false
	case name:
		if first.text == "true" || first.text == "false" {
			return constant(operand{value: first.text == "true", typ: base(oid.T_bool)}), true
		}
	}
	return p.column(first.text)
}

func constant(o operand) term {
	o.column = -1
	return term{operand: o}
}

// number takes an integer or a decimal number. PostgreSQL writes those that are
// not of type integer or numeric as texts with a cast.
func (p *parser) number(digits string) (term, bool) {
	typ, kind := base(oid.T_int4), pgvalue.LiteralInteger
	if slices.Contains([]byte(digits), '.') {
		typ, kind = base(oid.T_numeric), pgvalue.LiteralDecimal
	}
	v, ok := typ.Literal(p.session, kind, digits, true)
	return constant(operand{value: v, typ: typ}), ok
}

// array takes the values of ARRAY[…]. An empty one is not known.
func (p *parser) array() (term, bool) {
	var array []operand
	for {
		t, ok := p.value()
		if !ok || !t.isOperand() {
			return term{}, false
		}
		array = append(array, t.operand)
		if p.sign("]") {
			return term{array: array}, true
		}
		if !p.sign(",") {
			return term{}, false
		}
	}
}

func (p *parser) column(name string) (term, bool) {
	if p.is(sign, "(") || p.is(sign, ".") {
		return term{}, false // a function, or a field
	}
	i := slices.IndexFunc(p.columns, func(c Column) bool { return c.Name == name })
	if i < 0 {
		return term{}, false
	}
	at := slices.Index(p.used, i)
	if at < 0 {
		at = len(p.used)
		p.used = append(p.used, i)
	}
	return term{operand: operand{column: at, typ: p.columns[i].Type, bytewise: p.columns[i].Bytewise}}, true
}
