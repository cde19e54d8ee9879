package rewrite

import (
	"math"
	"strings"
	"unicode/utf8"
)

// tokenKind is the kind of a token.
type tokenKind uint8

const (
	tokEnd           tokenKind = iota // after the last token; the parser can always look at it
	tokIdent                          // unquoted identifier or keyword
	tokQuoted                         // "…"
	tokUnicodeIdent                   // U&"…"
	tokParam                          // $1
	tokString                         // '…', E'…' or $tag$…$tag$
	tokOtherString                    // B'…', X'…', N'…', U&'…'
	tokInteger                        // digits
	tokDecimal                        // 1.5, .5, 1e3
	tokOtherNumber                    // 0x1F, 1_000: numbers from PostgreSQL 16 on only
	tokOperator                       // operator characters; = and * are among them
	tokTypecast                       // ::
	tokColonEquals                    // :=
	tokEqualsGreater                  // =>
	tokDotDot                         // ..
	tokPunct                          // one of , ( ) [ ] . ; :
	tokBad                            // what no statement can hold
)

// token is a piece of the text between two offsets.
type token struct {
	kind       tokenKind
	keyword         // of a tokIdent
	continued  bool // a string literal of several pieces
	joined     bool // a keyword that is read together with the next one, once parse has looked
	punct      byte // the character of a tokPunct
	start, end int32
}

// maxIdentifier is the longest identifier PostgreSQL keeps, in bytes
// (NAMEDATALEN-1); it cuts longer ones.
const maxIdentifier = 63

// maxOperators is the longest run of operator characters that is looked at.
// It may be several operators (+-), but none is longer than 63 bytes.
const maxOperators = 256

// maxText is the longest text that is looked at, in bytes. PostgreSQL itself
// takes no message above 1 GB.
const maxText = 1 << 30

// lexer cuts a text into tokens as PostgreSQL does with
// standard_conforming_strings on (src/backend/parser/scan.l).
type lexer struct {
	sql    string
	pos    int
	tokens []token
	opaque string // the first reason why names cannot be told
	bad    bool   // the text holds something that is no token
	params int    // the highest parameter
}

// lex cuts sql into tokens, the last of which is a tokEnd.
func lex(sql string) lexer {
	l := lexer{sql: sql}
	if len(sql) > maxText {
		l.fail("text too long")
		l.tokens = []token{{kind: tokEnd}}
		return l
	}
	l.tokens = make([]token, 0, len(sql)/4+8)
	if !utf8.ValidString(sql) || strings.IndexByte(sql, 0) >= 0 {
		l.fail("text is not valid UTF-8")
	}
	for l.pos < len(sql) {
		l.next()
	}
	l.tokens = append(l.tokens, token{kind: tokEnd, start: int32(len(sql)), end: int32(len(sql))})
	return l
}

func (l *lexer) fail(reason string) {
	l.bad = true
	l.obscure(reason)
}

func (l *lexer) obscure(reason string) {
	if l.opaque == "" {
		l.opaque = reason
	}
}

// at returns the byte n places ahead, 0 after the end.
func (l *lexer) at(n int) byte {
	if l.pos+n < len(l.sql) {
		return l.sql[l.pos+n]
	}
	return 0
}

// emit takes the text from the current position to end as a token.
func (l *lexer) emit(kind tokenKind, end int) *token {
	l.tokens = append(l.tokens, token{kind: kind, start: int32(l.pos), end: int32(end)})
	l.pos = end
	return &l.tokens[len(l.tokens)-1]
}

// next takes one token, or the blanks or the comment at the current position.
func (l *lexer) next() {
	c := l.sql[l.pos]
	switch {
	case isSpace(c):
		l.pos++
	case c == '-' && l.at(1) == '-':
		l.pos = lineEnd(l.sql, l.pos)
	case c == '/' && l.at(1) == '*':
		l.blockComment()
	case c == '\'':
		l.quoted(tokString, l.pos, false)
	case c == '"':
		l.quotedIdent(tokQuoted, l.pos)
	case isIdentStart(c):
		l.word(c)
	case isDigit(c), c == '.' && isDigit(l.at(1)):
		l.number()
	case c == '$':
		l.dollar()
	case isOperator(c):
		l.operator()
	case c == ':' && l.at(1) == ':':
		l.emit(tokTypecast, l.pos+2)
	case c == ':' && l.at(1) == '=':
		l.emit(tokColonEquals, l.pos+2)
	case c == '.' && l.at(1) == '.':
		l.emit(tokDotDot, l.pos+2)
	case strings.IndexByte(",()[].;:", c) >= 0:
		l.emit(tokPunct, l.pos+1).punct = c
	default:
		l.fail("unexpected character")
		l.emit(tokBad, l.pos+1)
	}
}

// word takes an identifier, or a literal that starts with a letter.
func (l *lexer) word(c byte) {
	switch c | 0x20 {
	case 'e':
		if l.at(1) == '\'' {
			l.quoted(tokString, l.pos+1, true)
			return
		}
	case 'b', 'x', 'n':
		if l.at(1) == '\'' {
			if n := len(l.tokens); c|0x20 == 'n' && n > 0 && l.tokens[n-1].punct == '.' {
				l.obscure("national string after a point") // names the type nchar of a schema
			}
			l.quoted(tokOtherString, l.pos+1, false)
			return
		}
	case 'u':
		if l.at(1) == '&' && l.at(2) == '\'' {
			l.quoted(tokOtherString, l.pos+2, false)
			return
		}
		if l.at(1) == '&' && l.at(2) == '"' {
			l.obscure("identifier with Unicode escapes")
			l.quotedIdent(tokUnicodeIdent, l.pos+2)
			return
		}
	}
	end := l.pos + 1
	for end < len(l.sql) && isIdentPart(l.sql[end]) {
		end++
	}
	t := l.emit(tokIdent, end)
	if end-int(t.start) > maxIdentifier {
		l.obscure("identifier longer than 63 bytes")
	}
	t.keyword = keywordOf(l.sql[t.start:t.end])
}

// quotedIdent takes an identifier whose opening quote is at open.
func (l *lexer) quotedIdent(kind tokenKind, open int) {
	doubled := 0
	for i := open + 1; i < len(l.sql); i++ {
		if l.sql[i] != '"' {
			continue
		}
		if i+1 < len(l.sql) && l.sql[i+1] == '"' {
			doubled++
			i++
			continue
		}
		if i == open+1 {
			l.fail("empty identifier")
		}
		if i-open-1-doubled > maxIdentifier {
			l.obscure("identifier longer than 63 bytes")
		}
		l.emit(kind, i+1)
		return
	}
	l.fail("unterminated quoted identifier")
	l.emit(tokBad, len(l.sql))
}

// quoted takes a string literal whose opening quote is at open, with the
// pieces that continue it on later lines.
func (l *lexer) quoted(kind tokenKind, open int, escapes bool) {
	continued := false
	for {
		end := closingQuote(l.sql, open, escapes)
		if end < 0 {
			l.fail("unterminated string")
			l.emit(tokBad, len(l.sql))
			return
		}
		next := continuation(l.sql, end)
		if next < 0 {
			l.emit(kind, end).continued = continued
			return
		}
		continued = true
		open = next
	}
}

// closingQuote returns the offset after the quote that closes the one at open,
// -1 if there is none. A doubled quote closes nothing (in B” and X” it does,
// but then the statement is wrong anyway).
func closingQuote(sql string, open int, escapes bool) int {
	for i := open + 1; i < len(sql); i++ {
		switch sql[i] {
		case '\\':
			if escapes {
				i++
			}
		case '\'':
			if i+1 >= len(sql) || sql[i+1] != '\'' {
				return i + 1
			}
			i++
		}
	}
	return -1
}

// continuation returns the offset of the quote that continues the string
// literal that ended before end, -1 if none does: between the two there must
// be blanks with a line end, and -- comments that end on their line.
func continuation(sql string, end int) int {
	newline := false
	for i := end; i < len(sql); {
		switch c := sql[i]; {
		case c == '\n' || c == '\r':
			newline = true
			i++
		case isSpace(c):
			i++
		case c == '-' && i+1 < len(sql) && sql[i+1] == '-':
			i = lineEnd(sql, i)
		case c == '\'' && newline:
			return i
		default:
			return -1
		}
	}
	return -1
}

// lineEnd returns the offset of the line end at or after pos.
func lineEnd(sql string, pos int) int {
	for pos < len(sql) && sql[pos] != '\n' && sql[pos] != '\r' {
		pos++
	}
	return pos
}

// blockComment skips a comment; comments nest.
func (l *lexer) blockComment() {
	depth := 0
	for i := l.pos; i+1 < len(l.sql); i++ {
		switch {
		case l.sql[i] == '/' && l.sql[i+1] == '*':
			depth++
			i++
		case l.sql[i] == '*' && l.sql[i+1] == '/':
			depth--
			i++
			if depth == 0 {
				l.pos = i + 1
				return
			}
		}
	}
	l.fail("unterminated comment")
	l.emit(tokBad, len(l.sql))
}

// dollar takes a parameter or a dollar-quoted string.
func (l *lexer) dollar() {
	if isDigit(l.at(1)) {
		end := digits(l.sql, l.pos+1)
		n := 0
		for i := l.pos + 1; i < end && n <= math.MaxUint16; i++ {
			n = n*10 + int(l.sql[i]-'0')
		}
		for end < len(l.sql) && isIdentPart(l.sql[end]) {
			end++
			n = 0
		}
		if n == 0 || n > math.MaxUint16 {
			l.fail("bad parameter")
			l.emit(tokBad, end)
			return
		}
		l.params = max(l.params, n)
		l.emit(tokParam, end)
		return
	}
	tag := l.pos + 1
	for tag < len(l.sql) && isIdentPart(l.sql[tag]) && l.sql[tag] != '$' {
		tag++
	}
	if tag == len(l.sql) || l.sql[tag] != '$' {
		l.fail("unexpected $")
		l.emit(tokBad, l.pos+1)
		return
	}
	tag++
	closing := strings.Index(l.sql[tag:], l.sql[l.pos:tag])
	if closing < 0 {
		l.fail("unterminated dollar-quoted string")
		l.emit(tokBad, len(l.sql))
		return
	}
	l.emit(tokString, tag+closing+tag-l.pos)
}

// operator takes the longest operator at the current position. A comment ends
// it, and one that is made of the characters of SQL's own operators does not
// end in + or -, so that a=-1 is what it looks like.
func (l *lexer) operator() {
	end := l.pos + 1
	special := false
	for i := l.pos; i < len(l.sql) && isOperator(l.sql[i]); i++ {
		if i > l.pos && i+1 < len(l.sql) &&
			(l.sql[i] == '-' && l.sql[i+1] == '-' || l.sql[i] == '/' && l.sql[i+1] == '*') {
			break
		}
		end = i + 1
	}
	if end-l.pos > maxOperators {
		l.fail("operator too long")
		l.emit(tokBad, end)
		return
	}
	for i := l.pos; i < end-1; i++ {
		special = special || strings.IndexByte("~!@#^&|`?%", l.sql[i]) >= 0
	}
	for !special && end-l.pos > 1 && (l.sql[end-1] == '+' || l.sql[end-1] == '-') {
		end--
	}
	kind := tokOperator
	if l.sql[l.pos:end] == "=>" {
		kind = tokEqualsGreater
	}
	l.emit(kind, end)
}
