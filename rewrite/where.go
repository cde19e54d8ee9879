package rewrite

import "strings"

// where takes a WHERE clause: a conjunction of conditions on the columns of
// the statement's table.
func (p *parser) where() bool {
	return p.accept(wWhere) && p.conjunction(0)
}

func (p *parser) conjunction(depth int) bool {
	for {
		if !p.condition(depth) {
			return false
		}
		if !p.accept(wAnd) {
			return true
		}
	}
}

// condition takes one condition, or a conjunction in parentheses. What starts
// with a parenthesis is first taken for an operand in parentheses.
func (p *parser) condition(depth int) bool {
	start, found := p.pos, len(p.statement.Where)
	if p.predicate() {
		return true
	}
	p.pos, p.statement.Where = start, p.statement.Where[:found]
	return depth < maxDepth && p.acceptPunct('(') && p.conjunction(depth+1) && p.acceptPunct(')')
}

// operand is one side of a comparison: a column, a value, or a row of them.
type operand struct {
	column string // "" for a value
	value  Value
	row    []operand // nil unless a row
}

// operandAt takes an operand, in any number of parentheses.
func (p *parser) operandAt(depth int) (o operand, ok bool) {
	if depth > maxDepth {
		return o, false
	}
	t := p.peek()
	if t.word == wRow && p.peekAt(1).punct == '(' {
		p.pos += 2
		o.row, ok = p.operands(depth + 1)
		return o, ok
	}
	if start := p.pos; t.punct == '(' {
		p.pos++
		list, ok := p.operands(depth + 1)
		switch {
		case ok && len(list) > 1:
			return operand{row: list}, true
		case ok && p.peek().kind != tokTypecast:
			return list[0], true
		}
		p.pos = start // perhaps ($1)::text
	} else if isName(t) {
		start := p.pos
		if o.column, ok = p.column(); ok && p.peek().kind != tokString {
			return o, p.peek().kind != tokTypecast
		}
		p.pos = start // perhaps bigint '1'
	}
	o = operand{}
	o.value, ok = p.value()
	return o, ok && o.value.Kind != Now
}

// operands takes operands up to the closing parenthesis.
func (p *parser) operands(depth int) ([]operand, bool) {
	var list []operand
	for {
		o, ok := p.operandAt(depth)
		if !ok {
			return nil, false
		}
		list = append(list, o)
		if p.acceptPunct(')') {
			return list, true
		}
		if !p.acceptPunct(',') {
			return nil, false
		}
	}
}

// predicate takes one condition that is not in parentheses as a whole. An
// operator after it is left standing, and no caller goes on with one.
func (p *parser) predicate() bool {
	start := p.pos
	if c, ok := p.againstNow(); ok {
		return p.add(c)
	}
	p.pos = start
	left, ok := p.operandAt(0)
	if !ok {
		return false
	}
	switch t := p.next(); {
	case t.word == wIs:
		op := IsNull
		if p.accept(wNot) {
			op = IsNotNull
		}
		return p.accept(wNull) && p.nullTest(left, op)
	case t.word == wIsnull:
		return p.nullTest(left, IsNull)
	case t.word == wNotnull:
		return p.nullTest(left, IsNotNull)
	case t.word == wIn:
		return p.in(left)
	case p.isOperator(t, "="):
		if w := p.peek().word; w == wAny || w == wSome {
			p.pos++
			return p.anyOf(left)
		}
		right, ok := p.operandAt(0)
		return ok && p.equal(left, right)
	}
	return false
}

// againstNow takes a comparison of a column with now(), either way round.
func (p *parser) againstNow() (c Condition, ok bool) {
	start := p.pos
	if v, ok := p.value(); ok && v.Kind == Now {
		op := comparedWithNow[flipped[p.operator()]]
		column, ok := p.column()
		return Condition{Columns: []string{column}, Op: op}, ok && op != Equals
	}
	p.pos = start
	column, ok := p.column()
	if !ok {
		return c, false
	}
	op := comparedWithNow[p.operator()]
	if op == Equals {
		return c, false
	}
	v, ok := p.value()
	return Condition{Columns: []string{column}, Op: op}, ok && v.Kind == Now
}

// operator takes an operator; "" if there is none.
func (p *parser) operator() string {
	if t := p.next(); t.kind == tokOperator {
		return p.text(t)
	}
	return ""
}

// comparedWithNow says what column <operator> now() is, and flipped how an operator
// reads from the other side.
var (
	comparedWithNow = map[string]ConditionOp{"<": BeforeNow, "<=": NotAfterNow, ">": AfterNow, ">=": NotBeforeNow}
	flipped         = map[string]string{"<": ">", "<=": ">=", ">": "<", ">=": "<="}
)

func (p *parser) add(c Condition) bool {
	p.statement.Where = append(p.statement.Where, c)
	return true
}

func (p *parser) nullTest(o operand, op ConditionOp) bool {
	return o.column != "" && p.add(Condition{Columns: []string{o.column}, Op: op})
}

// equal adds one condition for each column of a comparison.
func (p *parser) equal(left, right operand) bool {
	if left.row != nil || right.row != nil {
		if len(left.row) != len(right.row) {
			return false
		}
		for i := range left.row {
			if left.row[i].row != nil || !p.equal(left.row[i], right.row[i]) {
				return false
			}
		}
		return true
	}
	if left.column == "" {
		left, right = right, left
	}
	return left.column != "" && right.column == "" &&
		p.add(Condition{Columns: []string{left.column}, Rows: [][]Value{{right.value}}})
}

// in adds the condition of an IN list.
func (p *parser) in(left operand) bool {
	if !p.acceptPunct('(') {
		return false
	}
	list, ok := p.operands(1)
	if !ok {
		return false
	}
	columns := left.row
	if columns == nil {
		columns = []operand{left}
	}
	c := Condition{Op: In, Rows: make([][]Value, 0, len(list))}
	for _, o := range columns {
		if o.column == "" {
			return false
		}
		c.Columns = append(c.Columns, o.column)
	}
	for _, o := range list {
		values := o.row
		if left.row == nil {
			values = []operand{o}
		}
		if len(values) != len(columns) {
			return false
		}
		row := make([]Value, len(values))
		for i, v := range values {
			if v.column != "" || v.row != nil {
				return false
			}
			row[i] = v.value
		}
		c.Rows = append(c.Rows, row)
	}
	return p.add(c)
}

// anyOf adds the condition of = ANY (…).
func (p *parser) anyOf(left operand) bool {
	if left.column == "" || !p.acceptPunct('(') {
		return false
	}
	if p.accept(wArray) {
		return p.anyElement(left.column) && p.acceptPunct(')')
	}
	v, ok := p.value()
	if !ok || v.Kind != Param && v.Kind != String || !p.acceptPunct(')') {
		return false
	}
	return p.add(Condition{Columns: []string{left.column}, Op: Any, Rows: [][]Value{{v}}})
}

// anyElement takes the rest of ARRAY[…] with an optional cast and adds it as
// an IN list. The cast is that of each element. Without one PostgreSQL gives
// the elements a type of their own before it compares, so only integers mean
// the same in both.
func (p *parser) anyElement(column string) bool {
	if !p.acceptPunct('[') {
		return false
	}
	c := Condition{Columns: []string{column}, Op: In}
	for more := true; more; more = p.acceptPunct(',') {
		v, ok := p.value()
		if !ok || v.Kind == Now {
			return false
		}
		c.Rows = append(c.Rows, []Value{v})
	}
	if !p.acceptPunct(']') {
		return false
	}
	if p.peek().kind != tokTypecast {
		for _, row := range c.Rows {
			if row[0].Kind != Integer || row[0].Cast != "" {
				return false
			}
		}
		return p.add(c)
	}
	p.pos++
	array, ok := p.typeName()
	element, isArray := strings.CutSuffix(array, "[]")
	if !ok || !isArray || p.peek().kind == tokTypecast {
		return false
	}
	for _, row := range c.Rows {
		if row[0].Cast != "" {
			return false
		}
		row[0].Cast = element
	}
	return p.add(c)
}
