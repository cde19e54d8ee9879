package rewrite

// parser recognises one statement. Its methods return false where the text is
// not of the shape they look for; the position is then of no meaning unless
// the caller kept one to go back to.
type parser struct {
	sql       string
	tokens    []token
	end       token
	pos       int
	statement *Statement
	excluded  bool // in ON CONFLICT DO UPDATE, where EXCLUDED names a row
}

// maxDepth bounds the nesting of parentheses that is followed.
const maxDepth = 20

func (p *parser) parse() bool {
	for i := range p.tokens {
		if t := p.tokens[i]; t.category != reserved && p.systemName(t) {
			return false
		}
		p.tokens[i].joined = p.joins(i)
	}
	ok := false
	switch p.next().word {
	case wInsert:
		p.statement.Form = Insert
		ok = p.insert()
	case wUpdate:
		p.statement.Form = Update
		ok = p.update()
	case wDelete:
		p.statement.Form = Delete
		ok = p.delete()
	case wSelect:
		p.statement.Form = Select
		ok = p.selectOrExists()
	}
	return ok && p.atEnd()
}

// joins tells whether PostgreSQL reads a keyword together with the next one, so
// that it is no name, wherever it stands (base_yylex in src/backend/parser/parser.c).
func (p *parser) joins(i int) bool {
	if i+1 >= len(p.tokens) || p.tokens[i].kind != tokIdent || p.tokens[i+1].kind != tokIdent {
		return false
	}
	t, next := p.tokens[i], p.tokens[i+1]
	switch t.word {
	case wNot:
		return next.word == wBetween || next.word == wIn || next.word == wLike || next.word == wIlike || next.word == wSimilar
	case wNulls:
		return next.word == wFirst || next.word == wLast
	case wWith:
		return next.word == wTime || fold(p.text(next)) == "ordinality"
	case wWithout:
		return next.word == wTime
	}
	return next.end-next.start == 4 && fold(p.text(next)) == "json" && fold(p.text(t)) == "format" // from version 16 on
}

// systemName tells whether a token is the name of a system column, or of what
// is a function without parentheses in some versions only.
func (p *parser) systemName(t token) bool {
	if t.kind != tokIdent && t.kind != tokQuoted || t.end-t.start < 4 || t.end-t.start > 11 {
		return false
	}
	switch p.sql[t.start] | 0x20 {
	case 'c', 'x', 't', 's', '"':
	default:
		return false
	}
	switch p.name(t) {
	case "ctid", "xmin", "xmax", "cmin", "cmax", "tableoid":
		return true
	case "system_user":
		return t.kind == tokIdent
	}
	return false
}

func (p *parser) peek() token { return p.peekAt(0) }

func (p *parser) peekAt(n int) token {
	if p.pos+n < len(p.tokens) {
		return p.tokens[p.pos+n]
	}
	return p.end
}

func (p *parser) next() token {
	t := p.peek()
	p.pos++
	return t
}

func (p *parser) atEnd() bool { return p.pos >= len(p.tokens) }

func (p *parser) text(t token) string { return p.sql[t.start:t.end] }

// accept takes the next token if it is the keyword w.
func (p *parser) accept(w word) bool {
	if p.peek().word != w {
		return false
	}
	p.pos++
	return true
}

// acceptAll takes the next tokens if they are the keywords in words.
func (p *parser) acceptAll(words ...word) bool {
	for i, w := range words {
		if p.peekAt(i).word != w {
			return false
		}
	}
	p.pos += len(words)
	return true
}

func (p *parser) acceptPunct(c byte) bool {
	if p.peek().punct != c {
		return false
	}
	p.pos++
	return true
}

func (p *parser) isOperator(t token, op string) bool {
	return t.kind == tokOperator && p.text(t) == op
}

func (p *parser) acceptOperator(op string) bool {
	if !p.isOperator(p.peek(), op) {
		return false
	}
	p.pos++
	return true
}

// name returns the stored form of an identifier.
func (p *parser) name(t token) string {
	if t.kind == tokQuoted {
		return unquoteIdent(p.text(t))
	}
	return fold(p.text(t))
}

// isName tells whether a token can name a table or column (ColId).
func isName(t token) bool {
	return t.kind == tokQuoted ||
		t.kind == tokIdent && t.category != reserved && t.category != typeFuncName && !t.joined
}

// isLabel tells whether a token can stand after a dot or AS (ColLabel).
func isLabel(t token) bool { return t.kind == tokQuoted || t.kind == tokIdent && !t.joined }

// isBareLabel tells whether a token can name an output column without AS.
func isBareLabel(t token) bool {
	return t.kind == tokQuoted || t.kind == tokIdent && (t.category == noKeyword || t.bare) && !t.joined
}

// table takes the name of the statement's table.
func (p *parser) table() bool {
	if !isName(p.peek()) {
		return false
	}
	p.statement.Table = Ident{Name: p.name(p.next())}
	if p.acceptPunct('.') {
		if !isLabel(p.peek()) {
			return false
		}
		p.statement.Table = Ident{Schema: p.statement.Table.Name, Name: p.name(p.next())}
	}
	return p.peek().punct != '.'
}

// alias takes the alias of the table, if there is one. With bare it may lack
// AS, and is then not SET.
func (p *parser) alias(bare bool) bool {
	if p.accept(wAs) {
		if !isName(p.peek()) {
			return false
		}
	} else if !bare || !isName(p.peek()) || p.peek().word == wSet {
		return true
	}
	p.statement.Alias = p.name(p.next())
	return p.statement.Alias != ""
}

// qualified takes a possibly qualified name and returns its last part, or "*"
// with star for t.*. Only names that can mean nothing but a column of the
// statement's table are taken: under an alias the table's own name is hidden,
// and a schema must be written the same way on both sides.
func (p *parser) qualified() (name string, star, ok bool) {
	if !isName(p.peek()) {
		return "", false, false
	}
	parts := [3]string{p.name(p.next())}
	n := 1
	for p.acceptPunct('.') {
		if p.isOperator(p.peek(), "*") {
			p.pos++
			return "", true, p.names(parts[:n])
		}
		if n == len(parts) || !isLabel(p.peek()) {
			return "", false, false
		}
		parts[n] = p.name(p.next())
		n++
	}
	if c := p.peek().punct; c == '(' || c == '[' {
		return "", false, false
	}
	return parts[n-1], false, p.names(parts[:n-1])
}

// names tells whether the parts of a qualifier name the statement's table.
func (p *parser) names(qualifier []string) bool {
	s := p.statement
	switch len(qualifier) {
	case 0:
		return true
	case 1:
		if s.Alias != "" {
			return qualifier[0] == s.Alias
		}
		return qualifier[0] == s.Table.Name
	case 2:
		return s.Alias == "" && s.Table.Schema != "" &&
			qualifier[0] == s.Table.Schema && qualifier[1] == s.Table.Name
	}
	return false
}

// column takes a possibly qualified column of the statement's table.
func (p *parser) column() (string, bool) {
	name, star, ok := p.qualified()
	return name, ok && !star
}

// columnList takes a parenthesised list of plain column names, none of them
// twice.
func (p *parser) columnList() ([]string, bool) {
	if !p.acceptPunct('(') {
		return nil, false
	}
	var columns []string
	for {
		if !isName(p.peek()) {
			return nil, false
		}
		columns = append(columns, p.name(p.next()))
		if p.acceptPunct(')') {
			return columns, !repeated(columns)
		}
		if !p.acceptPunct(',') {
			return nil, false
		}
	}
}

// repeated tells whether a name occurs twice.
func repeated(names []string) bool {
	if len(names) > 40 {
		seen := make(map[string]struct{}, len(names))
		for _, name := range names {
			seen[name] = struct{}{}
		}
		return len(seen) < len(names)
	}
	for i, name := range names {
		for _, other := range names[:i] {
			if name == other {
				return true
			}
		}
	}
	return false
}

// returning takes a RETURNING clause, if there is one.
func (p *parser) returning() bool {
	return !p.accept(wReturning) || p.items()
}

// items takes a list of plain columns.
func (p *parser) items() bool {
	for {
		item, ok := p.item()
		if !ok {
			return false
		}
		p.statement.Items = append(p.statement.Items, item)
		if !p.acceptPunct(',') {
			return true
		}
	}
}

func (p *parser) item() (item Item, ok bool) {
	if p.acceptOperator("*") {
		return Item{Star: true}, true
	}
	item.Column, item.Star, ok = p.qualified()
	if !ok || item.Star {
		return item, ok
	}
	item.As, ok = p.label()
	return item, ok
}

// label takes the output name of a column, if one is written.
func (p *parser) label() (string, bool) {
	if p.accept(wAs) {
		if !isLabel(p.peek()) {
			return "", false
		}
	} else if !isBareLabel(p.peek()) {
		return "", true
	}
	return p.name(p.next()), true
}
