package rewrite

// split returns the tokens of the first statement of a text, without
// semicolons, and whether there is another one.
func split(sql string, tokens []token) (body []token, several bool) {
	tokens = tokens[:len(tokens)-1]
	for len(tokens) > 0 && tokens[0].punct == ';' {
		tokens = tokens[1:]
	}
	s := splitter{sql: sql}
	for i := range tokens {
		if !s.ends(tokens, i) {
			continue
		}
		for _, t := range tokens[i:] {
			several = several || t.punct != ';'
		}
		return tokens[:i], several
	}
	return tokens, false
}

// splitter finds the ends of statements: semicolons outside of parentheses
// (CREATE RULE … DO (…; …)) and of the body of a routine (BEGIN ATOMIC …; END).
type splitter struct {
	sql         string
	start       int // of the statement, as an index of its first token
	parentheses int
	blocks      int  // open BEGIN ATOMIC and CASE
	bodies      bool // there was a BEGIN ATOMIC
}

// ends tells whether the token with index i, the next one, ends a statement.
func (s *splitter) ends(tokens []token, i int) bool {
	t := tokens[i]
	switch t.punct {
	case '(':
		s.parentheses++
	case ')':
		s.parentheses--
	case ';':
		if s.parentheses > 0 || s.blocks > 0 {
			return false
		}
		s.start, s.parentheses = i+1, 0
		return true
	}
	if t.kind == tokIdent && t.end-t.start <= int32(len("atomic")) {
		s.block(tokens, i)
	}
	return false
}

// block follows the body of a routine.
func (s *splitter) block(tokens []token, i int) {
	var previous token
	if i > s.start {
		previous = tokens[i-1]
	}
	switch t := tokens[i]; {
	case s.blocks == 0:
		if s.is(t, "atomic") && s.is(previous, "begin") && s.is(tokens[s.start], "create") {
			s.blocks, s.bodies = 1, true
		}
	case previous.word == wAs, previous.punct == '.':
		// A name.
	case t.word == wCase && !endsOperand(previous):
		s.blocks++
	case s.is(t, "end"):
		s.blocks--
	}
}

func (s *splitter) is(t token, keyword string) bool {
	return t.kind == tokIdent && fold(s.sql[t.start:t.end]) == keyword
}

// endsOperand tells whether a token ends an operand, so that a CASE after it is
// the name of an output column.
func endsOperand(t token) bool {
	switch t.kind {
	case tokQuoted, tokParam, tokString, tokOtherString, tokInteger, tokDecimal, tokOtherNumber:
		return true
	case tokIdent:
		return t.category == noKeyword
	}
	return t.punct == ')' || t.punct == ']'
}
