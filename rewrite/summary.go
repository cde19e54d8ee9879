package rewrite

import "strings"

// summarize fills in what can be said of any text. body holds the tokens of
// its first statement.
func summarize(s *Summary, l *lexer, body []token, several bool) {
	s.Opaque = l.opaque
	s.Params = l.params
	s.Several = several
	c := classifier{sql: l.sql}
	k := c.classify(body)
	s.Verb, s.Effect, s.Session, s.Transaction, s.DDL = k.verb, k.effect, k.session, k.transaction, k.ddl
	s.Local = k.local && !several && l.opaque == ""
	// One alone is not understood. It may be the start of a new transaction.
	s.LeavesOpen = k.transaction == MixedTransaction
	if several {
		c.combine(s, l.tokens)
	}
	if l.bad {
		s.Effect = Unknown
	}
	collectNames(s, l)
	for _, f := range s.Functions {
		s.Session = s.Session || f.Name == "set_config"
	}
	for _, id := range s.Identifiers {
		s.Session = s.Session || strings.HasPrefix(id.Name, "pg_temp") || strings.HasPrefix(id.Schema, "pg_temp") ||
			id.Name == "pg_settings" && s.Effect >= Writes // an UPDATE of it is a SET
	}
}

// class is what the keywords of one statement say of it.
type class struct {
	verb        string
	effect      Effect
	session     bool
	local       bool
	transaction Transaction
	ddl         bool
}

type classifier struct{ sql string }

// combine says of several statements what all of them may do.
func (c classifier) combine(s *Summary, tokens []token) {
	s.Effect = Unknown
	s.Transaction, s.LeavesOpen = NoTransaction, false
	ends := splitter{sql: c.sql}
	start := 0
	for i, t := range tokens {
		if !ends.ends(tokens, i) && t.kind != tokEnd {
			continue
		}
		k := c.classify(tokens[start:i])
		s.Session = s.Session || k.session
		s.DDL = s.DDL || k.ddl
		if k.transaction != NoTransaction {
			s.Transaction = MixedTransaction
			s.LeavesOpen = k.transaction != EndTransaction
		}
		start = i + 1
	}
	// Where the body of a routine ends is not certain: END may be a name in it.
	s.LeavesOpen = s.LeavesOpen || ends.bodies && s.Transaction != NoTransaction
}

func (c classifier) classify(tokens []token) class {
	inside := false
	for len(tokens) > 0 && tokens[0].punct == '(' {
		tokens, inside = tokens[1:], true
	}
	if len(tokens) == 0 {
		return class{}
	}
	if tokens[0].kind != tokIdent {
		return class{effect: Unknown}
	}
	k := class{effect: Unknown}
	k.verb = strings.ToUpper(c.sql[tokens[0].start:tokens[0].end])
	rest := tokens[1:]
	switch k.verb {
	case "SELECT", "VALUES", "TABLE", "WITH":
		c.query(&k, tokens)
		return k
	}
	if inside {
		return k // PostgreSQL refuses it
	}
	switch k.verb {
	case "INSERT", "UPDATE", "DELETE", "MERGE":
		k.effect = Writes
	case "TRUNCATE":
		if !holds(rest, wCascade) {
			k.effect = Writes
		}
	case "EXPLAIN":
		c.explain(&k, rest)
	case "SHOW":
		k.effect = NoEffect
	case "SET":
		k.session = true
		// SET CONSTRAINTS may run deferred triggers.
		if first(rest) != wConstraints {
			k.effect = NoEffect
		}
		k.local = (first(rest) == wLocal || first(rest) == wTransaction) && !isSetting(rest)
	case "DISCARD":
		k.session = true // DISCARD ALL also releases advisory locks
	case "RESET", "LISTEN", "UNLISTEN", "DEALLOCATE", "CLOSE":
		k.effect, k.session = NoEffect, true
	case "DECLARE", "EXECUTE", "FETCH", "MOVE", "LOAD", "DO", "CALL":
		k.session = true
	case "CREATE", "ALTER", "DROP", "COMMENT", "GRANT", "REVOKE", "SECURITY", "IMPORT", "REASSIGN":
		k.ddl = true
		k.session = holds(rest, wTemp, wTemporary)
	default:
		c.transaction(&k, rest)
	}
	return k
}

// isSetting tells whether what SET is followed by is the name of a setting, even
// if it is a keyword: SET local.a = 1.
func isSetting(tokens []token) bool {
	if len(tokens) < 2 {
		return false
	}
	t := tokens[1]
	return t.punct == '.' || t.word == wTo || t.word == wFrom || t.kind == tokOperator
}

// query judges a statement that starts like a read.
func (c classifier) query(k *class, tokens []token) {
	k.effect = Reads
	depth, selects := 0, k.verb != "WITH"
	for i, t := range tokens {
		switch t.punct {
		case '(':
			depth++
		case ')':
			depth--
		}
		switch t.word {
		case wSelect:
			selects = selects || depth == 0
		case wInsert, wUpdate, wDelete, wMerge:
			k.effect = Writes
		case wInto:
			k.effect = Writes
			if !writesInto(tokens[:i], selects) {
				k.ddl = true
				k.session = k.session || holds(tokens[i:], wTemp, wTemporary)
			}
		case wFor:
			switch first(tokens[i+1:]) {
			case wUpdate, wNo, wShare, wKey:
				k.effect = Writes
			}
		}
	}
}

// writesInto tells whether the INTO after tokens is that of INSERT or MERGE, which
// may also name an output column of a SELECT. That they cannot do where a
// statement starts: after a parenthesis opens, or before the SELECT that follows WITH.
func writesInto(tokens []token, selects bool) bool {
	last := len(tokens) - 1
	if !takesInto(tokens[last]) {
		return false
	}
	before := tokens[max(0, last-1)].punct
	return before == '(' || before == ')' && !selects
}

// takesInto tells whether t is a verb that INTO belongs to.
func takesInto(t token) bool { return t.word == wInsert || t.word == wMerge }

// explain judges an EXPLAIN: with ANALYZE it does what its statement does.
func (c classifier) explain(k *class, rest []token) {
	analyze := false
	if len(rest) > 1 && rest[0].punct == '(' {
		if !startsQuery(rest[1:]) {
			for len(rest) > 0 && rest[0].punct != ')' {
				// Option names may be quoted.
				word := strings.ToLower(strings.Trim(c.sql[rest[0].start:rest[0].end], `"`))
				analyze = analyze || word == "analyze" || word == "analyse" || rest[0].kind == tokUnicodeIdent
				rest = rest[1:]
			}
			rest = rest[min(1, len(rest)):]
		}
	} else {
		for len(rest) > 0 && (rest[0].word == wAnalyze || rest[0].word == wAnalyse || rest[0].word == wVerbose) {
			analyze = analyze || rest[0].word != wVerbose
			rest = rest[1:]
		}
	}
	inner := c.classify(rest)
	switch inner.verb {
	case "SELECT", "VALUES", "TABLE", "WITH", "INSERT", "UPDATE", "DELETE", "MERGE":
		k.effect = Reads
		if analyze {
			k.effect = inner.effect
		}
	}
	if analyze {
		k.session, k.ddl = inner.session, inner.ddl
	}
}

// startsQuery tells whether tokens, after a parenthesis, are a query and not options
// of EXPLAIN, of which VALUES may be one.
func startsQuery(tokens []token) bool {
	switch tokens[0].word {
	case wSelect, wTable, wWith:
		return true
	case wValues:
		return len(tokens) > 1 && tokens[1].punct == '('
	}
	return tokens[0].punct == '('
}

// transaction judges the statements that control transactions.
func (c classifier) transaction(k *class, rest []token) {
	switch k.verb {
	case "BEGIN":
		k.effect, k.transaction = NoEffect, BeginTransaction
	case "START":
		if first(rest) == wTransaction {
			k.effect, k.transaction = NoEffect, BeginTransaction
		}
	case "SAVEPOINT", "RELEASE":
		k.effect, k.transaction = NoEffect, InTransaction
	case "PREPARE":
		if len(rest) > 1 && rest[0].word == wTransaction && (rest[1].kind == tokString || rest[1].kind == tokOtherString) {
			k.transaction = EndTransaction
		} else {
			k.session = true
		}
	case "COMMIT", "END", "ROLLBACK", "ABORT":
		if w := first(rest); w == wWork || w == wTransaction {
			rest = rest[1:]
		}
		var words [4]word
		for i := range min(len(rest), len(words)) {
			words[i] = rest[i].word
		}
		switch {
		case len(rest) == 0, len(rest) == 3 && words == [4]word{wAnd, wNo, wChain}:
			k.effect, k.transaction = NoEffect, EndTransaction
		case len(rest) == 2 && words == [4]word{wAnd, wChain}, k.verb == "ROLLBACK" && words[0] == wTo:
			k.effect, k.transaction = NoEffect, InTransaction
		case words[0] == wPrepared:
		default:
			k.transaction = MixedTransaction
		}
	}
}

func first(tokens []token) word {
	if len(tokens) == 0 {
		return noWord
	}
	return tokens[0].word
}

func holds(tokens []token, words ...word) bool {
	for _, t := range tokens {
		for _, w := range words {
			if t.word == w {
				return true
			}
		}
	}
	return false
}
