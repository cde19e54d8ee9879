package check

import "strings"

// tokenKind tells what a token is.
type tokenKind uint8

const (
	keyword    tokenKind = iota // in capitals, as PostgreSQL prints its keywords
	name                        // not in quotes, in small letters
	quotedName                  // text is decoded
	number                      // digits, maybe with a point
	text                        // text is decoded
	sign                        // an operator or a punctuation mark
)

type token struct {
	kind tokenKind
	text string
}

// scan splits a definition into tokens. ok is false for what it does not know.
func scan(s string) (tokens []token, ok bool) {
	for s = strings.TrimLeft(s, " "); s != ""; s = strings.TrimLeft(s, " ") {
		t, size := next(s)
		if size == 0 {
			return nil, false
		}
		tokens, s = append(tokens, t), s[size:]
	}
	return tokens, true
}

// next returns the first token and its length, 0 if there is none.
func next(s string) (token, int) {
	switch c := s[0]; {
	case capital(c):
		n := span(s, capital)
		return token{keyword, s[:n]}, whole(s, n)
	case small(c):
		n := span(s, func(c byte) bool { return small(c) || digit(c) || c == '$' })
		return token{name, s[:n]}, whole(s, n)
	case digit(c):
		n := span(s, func(c byte) bool { return digit(c) || c == '.' })
		return token{number, s[:n]}, whole(s, n)
	case c == '"':
		decoded, n := quoted(s)
		return token{quotedName, decoded}, n
	case c == '\'':
		decoded, n := quoted(s)
		if strings.IndexByte(decoded, '\\') >= 0 {
			return token{}, 0 // it is printed according to a setting of the session
		}
		return token{text, decoded}, n
	case strings.HasPrefix(s, "::"):
		return token{sign, s[:2]}, 2
	case strings.IndexByte("()[],.", c) >= 0:
		return token{sign, s[:1]}, 1
	case operatorCharacter(c):
		n := span(s, operatorCharacter)
		return token{sign, s[:n]}, n
	}
	return token{}, 0
}

// whole returns n, or 0 if what follows the n bytes goes on as part of a word.
func whole(s string, n int) int {
	if n < len(s) && (capital(s[n]) || small(s[n]) || digit(s[n]) || s[n] == '\'' || s[n] == '"' || s[n] == '$') {
		return 0
	}
	return n
}

func capital(c byte) bool           { return 'A' <= c && c <= 'Z' }
func small(c byte) bool             { return 'a' <= c && c <= 'z' || c == '_' }
func digit(c byte) bool             { return '0' <= c && c <= '9' }
func operatorCharacter(c byte) bool { return strings.IndexByte("+-*/<>=~!@#%^&|`?", c) >= 0 }

// span counts the bytes at the start that are in the class.
func span(s string, class func(byte) bool) int {
	n := 0
	for n < len(s) && class(s[n]) {
		n++
	}
	return n
}

// quoted decodes what begins with a quote, which is doubled inside, and returns
// its length with the quotes, 0 if it does not end.
func quoted(s string) (decoded string, size int) {
	quote := s[0]
	var b strings.Builder
	for i := 1; i < len(s); i++ {
		if s[i] == quote {
			if i+1 == len(s) || s[i+1] != quote {
				return b.String(), i + 1
			}
			i++
		}
		b.WriteByte(s[i])
	}
	return "", 0
}
