package rewrite

import (
	"strconv"
	"strings"
)

// value takes a constant or parameter with at most one cast, now() or
// CURRENT_TIMESTAMP. It does not look at what follows: an operator after it
// makes it a part of an expression.
func (p *parser) value() (Value, bool) { return p.valueAt(0) }

func (p *parser) valueAt(depth int) (Value, bool) {
	v, ok := p.plain(depth)
	if !ok || p.peek().kind != tokTypecast {
		return v, ok
	}
	if v.Kind == Now || v.Cast != "" {
		return v, false
	}
	p.pos++
	v.Cast, ok = p.typeName()
	return v, ok && p.peek().kind != tokTypecast
}

// plain takes a value without a :: cast after it.
func (p *parser) plain(depth int) (Value, bool) {
	t := p.peek()
	switch {
	case t.punct == '(':
		p.pos++
		if depth > maxDepth {
			return Value{}, false
		}
		v, ok := p.valueAt(depth + 1)
		return v, ok && p.acceptPunct(')')
	case t.kind == tokParam:
		p.pos++
		n, err := strconv.Atoi(p.text(t)[1:])
		return Value{Kind: Param, Index: n}, err == nil
	case t.kind == tokString:
		p.pos++
		text, ok := decodeString(p.text(t), t.continued)
		return Value{Kind: String, Text: text}, ok
	case t.kind == tokInteger, t.kind == tokDecimal:
		p.pos++
		return numeric(t.kind, p.text(t)), true
	case p.isOperator(t, "-"):
		digits := p.peekAt(1)
		if digits.kind != tokInteger && digits.kind != tokDecimal || p.peekAt(2).kind == tokTypecast {
			return Value{}, false // a cast binds tighter than the sign
		}
		p.pos += 2
		return numeric(digits.kind, "-"+p.text(digits)), true
	}
	switch t.word {
	case wTrue, wFalse:
		p.pos++
		return Value{Kind: Bool, Text: fold(p.text(t))}, true
	case wNull:
		p.pos++
		return Value{Kind: Null}, true
	case wCurrentTimestamp:
		p.pos++
		return Value{Kind: Now}, p.peek().punct != '('
	case wCast:
		return p.cast(depth)
	}
	if p.peekAt(1).punct == '(' && p.peekAt(2).punct == ')' && isName(t) && p.name(t) == "now" {
		p.pos += 3
		return Value{Kind: Now}, true
	}
	return p.typedString()
}

// numeric returns the value of a numeric literal. An integer that does
// not fit 64 bits is a numeric to PostgreSQL.
func numeric(kind tokenKind, text string) Value {
	if kind == tokInteger {
		if _, err := strconv.ParseInt(text, 10, 64); err == nil {
			return Value{Kind: Integer, Text: text}
		}
	}
	return Value{Kind: Decimal, Text: text}
}

// cast takes CAST(value AS type).
func (p *parser) cast(depth int) (Value, bool) {
	p.pos++
	if depth > maxDepth || !p.acceptPunct('(') {
		return Value{}, false
	}
	v, ok := p.valueAt(depth + 1)
	if !ok || v.Kind == Now || v.Cast != "" || !p.accept(wAs) {
		return v, false
	}
	v.Cast, ok = p.typeName()
	return v, ok && p.acceptPunct(')')
}

// typedString takes type 'string', a cast of a literal.
func (p *parser) typedString() (Value, bool) {
	cast, ok := p.typeName()
	t := p.next()
	if !ok || t.kind != tokString || strings.HasSuffix(cast, "[]") {
		return Value{}, false
	}
	switch cast {
	case "bit", "char", "character", "nchar":
		return Value{}, false // any length, and not 1 as in a cast
	}
	text, ok := decodeString(p.text(t), t.continued)
	return Value{Kind: String, Text: text, Cast: cast}, ok
}

// typeName takes the name of a type and writes it in one way: lower case
// unless quoted, no blanks but those between words.
func (p *parser) typeName() (string, bool) {
	t := p.next()
	if t.kind != tokQuoted && (t.kind != tokIdent || t.category == reserved) {
		return "", false
	}
	name := p.typePart(t)
	if t.category == colName {
		return p.builtinType(name)
	}
	if t.kind == tokIdent && isLaterKeyword(name) {
		return "", false
	}
	if t.kind == tokIdent && name == "json" {
		return p.arraySuffix(name) // no schema, and no modifier follows, from PostgreSQL 17 on
	}
	if t.word == wDouble && p.accept(wPrecision) {
		return p.arraySuffix("double precision")
	}
	if p.acceptPunct('.') {
		if !isLabel(p.peek()) {
			return "", false
		}
		name += "." + p.typePart(p.next())
	}
	modifier, ok := p.typeModifier()
	if !ok {
		return "", false
	}
	return p.arraySuffix(name + modifier)
}

// isLaterKeyword tells whether a name is no name of a type from PostgreSQL 16 or 17 on.
func isLaterKeyword(name string) bool {
	switch name {
	case "json_array", "json_arrayagg", "json_exists", "json_object", "json_objectagg", "json_query", "json_scalar",
		"json_serialize", "json_table", "json_value", "merge_action":
		return true
	}
	return false
}

// builtinType takes the rest of a type whose name is a keyword.
func (p *parser) builtinType(name string) (string, bool) {
	switch name {
	case "bigint", "boolean", "int", "integer", "real", "smallint":
		return p.arraySuffix(name)
	case "bit", "char", "character", "nchar":
		if p.accept(wVarying) {
			name += " varying"
		}
	case "float":
		modifier, ok := p.typeModifier()
		if bits, _ := strconv.Atoi(strings.Trim(modifier, "()")); !ok || modifier != "" && (bits < 1 || bits > 53) {
			return "", false
		}
		return p.arraySuffix(name + modifier)
	case "dec", "decimal", "numeric", "varchar":
	case "time", "timestamp":
		return p.timeType(name)
	default:
		return "", false
	}
	modifier, ok := p.typeModifier()
	if !ok {
		return "", false
	}
	return p.arraySuffix(name + modifier)
}

func (p *parser) typePart(t token) string {
	if t.kind == tokQuoted {
		return Quote(p.name(t))
	}
	return p.name(t)
}

// timeType takes the rest of a time or timestamp type.
func (p *parser) timeType(name string) (string, bool) {
	modifier, ok := p.typeModifier()
	if !ok {
		return "", false
	}
	name += modifier
	switch {
	case p.acceptAll(wWith, wTime, wZone):
		name += " with time zone"
	case p.acceptAll(wWithout, wTime, wZone):
		name += " without time zone"
	}
	return p.arraySuffix(name)
}

// typeModifier takes the (10,2) of a type, if there is one.
func (p *parser) typeModifier() (string, bool) {
	if !p.acceptPunct('(') {
		return "", true
	}
	modifier := "("
	for {
		t := p.next()
		if t.kind != tokInteger {
			return "", false
		}
		modifier += p.text(t)
		if p.acceptPunct(')') {
			return modifier + ")", true
		}
		if !p.acceptPunct(',') {
			return "", false
		}
		modifier += ","
	}
}

// arraySuffix takes the [] of an array type. PostgreSQL ignores how many there
// are and what is in them.
func (p *parser) arraySuffix(name string) (string, bool) {
	if p.accept(wArray) {
		if p.acceptPunct('[') && (!p.arrayBound() || !p.acceptPunct(']')) {
			return "", false
		}
		return name + "[]", p.peek().punct != '['
	}
	array := false
	for p.acceptPunct('[') {
		array = true
		if p.peek().punct != ']' && !p.arrayBound() || !p.acceptPunct(']') {
			return "", false
		}
	}
	if array {
		name += "[]"
	}
	return name, true
}

// arrayBound takes the number in the [] of an array type: an integer of 32 bits, as larger
// ones are of another kind to PostgreSQL's grammar.
func (p *parser) arrayBound() bool {
	t := p.next()
	_, err := strconv.ParseInt(p.text(t), 10, 32)
	return t.kind == tokInteger && err == nil
}

// valueOrExpression takes what stands between here and the end of an element
// of a list: a value if that is all there is, else an expression.
func (p *parser) valueOrExpression() (Value, bool) {
	start := p.pos
	if p.accept(wDefault) && p.atElementEnd() {
		return Value{Kind: DefaultKey}, true
	}
	p.pos = start
	if v, ok := p.value(); ok && p.atElementEnd() {
		return v, true
	}
	p.pos = start
	return p.expression()
}

// atElementEnd tells whether an element of a SET or VALUES list ends here.
func (p *parser) atElementEnd() bool {
	t := p.peek()
	return t.kind == tokEnd || t.punct == ',' || t.punct == ')' ||
		t.word == wWhere || t.word == wFrom || t.word == wReturning
}

// expression takes the tokens up to the end of an element of a SET or VALUES
// list. They may be anything but a subquery.
func (p *parser) expression() (Value, bool) {
	if p.atElementEnd() {
		return Value{}, false
	}
	start := p.pos
	depth := 0
	for !p.atEnd() {
		t := p.peek()
		if depth == 0 && p.pos > start && p.tokens[p.pos-1].punct != '.' && p.atElementEnd() {
			break
		}
		switch {
		case t.punct == '(' || t.punct == '[':
			depth++
		case t.punct == ')' || t.punct == ']':
			depth--
		}
		if depth < 0 || p.isSubquery() {
			return Value{}, false
		}
		p.pos++
	}
	if depth != 0 {
		return Value{}, false
	}
	text := p.sql[p.tokens[start].start:p.tokens[p.pos-1].end]
	return Value{Kind: Expression, Text: text}, true
}

// isSubquery tells whether a query may start here, or something else that is
// no part of an expression.
func (p *parser) isSubquery() bool {
	switch p.peek().word {
	case wSelect, wValues, wTable, wInto:
		return true
	case wWith:
		return p.peekAt(1).word != wTime
	}
	return false
}
