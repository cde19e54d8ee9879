// Package rewrite knows SQL text: it tells what a statement of the application
// says, and writes the set-based statements with which changes are flushed.
//
// Parse cuts a text into tokens as PostgreSQL does and recognises the few
// shapes a keyed statement can have; everything else is Other, with a Summary
// of what the text may touch. It knows no catalog and no connection, so it says
// nothing about types, and not whether the key is really fixed. Where it is not
// certain, it says less: a shape is recognised only if each token of the text
// is accounted for.
//
// Two settings of the session decide how text is read. The package assumes
// standard_conforming_strings=on and a database in a multi-byte encoding such
// as UTF8; on any other session its answers mean nothing.
package rewrite

// Parse tells what sql says. It never returns nil, takes any text, and keeps
// parts of it in what it returns. It is safe for concurrent use.
func Parse(sql string) *Statement {
	l := lex(sql)
	s := &Statement{}
	body, several := split(sql, l.tokens)
	summarize(&s.Summary, &l, body, several)
	if s.Several || s.Opaque != "" || len(body) == 0 {
		return s
	}
	p := parser{sql: sql, tokens: body, end: l.tokens[len(l.tokens)-1], statement: s}
	if s.Transaction != NoTransaction {
		p.step()
		return s
	}
	if !p.parse() {
		*s = Statement{Summary: s.Summary}
	}
	return s
}
