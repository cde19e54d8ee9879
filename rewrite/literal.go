package rewrite

import (
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// Quote writes a name as a quoted SQL identifier.
func Quote(ident string) string {
	return `"` + strings.ReplaceAll(ident, `"`, `""`) + `"`
}

// fold gives an unquoted identifier its stored form. PostgreSQL folds ASCII
// letters only where the encoding is a multi-byte one.
func fold(s string) string {
	for i := 0; i < len(s); i++ {
		if s[i] >= 'A' && s[i] <= 'Z' {
			b := []byte(s)
			for ; i < len(b); i++ {
				if b[i] >= 'A' && b[i] <= 'Z' {
					b[i] += 'a' - 'A'
				}
			}
			return string(b)
		}
	}
	return s
}

// unquoteIdent gives a quoted identifier its stored form.
func unquoteIdent(s string) string {
	s = s[1 : len(s)-1]
	if strings.Contains(s, `""`) {
		return strings.ReplaceAll(s, `""`, `"`)
	}
	return s
}

// decodeString returns the value of a string literal; false if PostgreSQL
// would refuse it, or if it is not certain what it would make of it.
func decodeString(s string, continued bool) (string, bool) {
	if s[0] == '$' {
		tag := strings.IndexByte(s[1:], '$') + 2
		return s[tag : len(s)-tag], true
	}
	escapes := s[0] != '\''
	if escapes {
		s = s[1:]
	}
	if !continued && !escapes {
		s = s[1 : len(s)-1]
		if strings.Contains(s, "''") {
			s = strings.ReplaceAll(s, "''", "'")
		}
		return s, true
	}
	var b strings.Builder
	for open := 0; open >= 0; {
		end := closingQuote(s, open, escapes)
		piece := s[open+1 : end-1]
		if !escapes {
			b.WriteString(strings.ReplaceAll(piece, "''", "'"))
		} else if !unescape(&b, piece) {
			return "", false
		}
		open = -1
		if end < len(s) {
			open = continuation(s, end)
		}
	}
	return b.String(), utf8.ValidString(b.String())
}

// unescape writes the value of a piece of an E'…' literal.
func unescape(b *strings.Builder, s string) bool {
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '\'':
			i++
			b.WriteByte('\'')
		case s[i] != '\\':
			b.WriteByte(s[i])
		case i+1 == len(s):
			return false
		default:
			n := unescapeOne(b, s[i:])
			if n == 0 {
				return false
			}
			i += n - 1
		}
	}
	return true
}

// unescapeOne writes the value of the escape sequence at the start of s and
// returns its length, 0 if it is none.
func unescapeOne(b *strings.Builder, s string) int {
	switch c := s[1]; c {
	case 'b':
		b.WriteByte('\b')
	case 'f':
		b.WriteByte('\f')
	case 'n':
		b.WriteByte('\n')
	case 'r':
		b.WriteByte('\r')
	case 't':
		b.WriteByte('\t')
	case 'v':
		return 0 // a vertical tab or a plain v, by version
	case '0', '1', '2', '3', '4', '5', '6', '7':
		v, n := number(s[1:], 8, 3)
		if v&0xff == 0 {
			return 0
		}
		b.WriteByte(byte(v))
		return 1 + n
	case 'x':
		v, n := number(s[2:], 16, 2)
		if v == 0 {
			// No digit, a plain x; or a NUL, which PostgreSQL refuses.
			if n > 0 {
				return 0
			}
			b.WriteByte('x')
			return 2
		}
		b.WriteByte(byte(v))
		return 2 + n
	case 'u', 'U':
		return unescapeUnicode(b, s)
	default:
		b.WriteByte(c)
	}
	return 2
}

// unescapeUnicode writes the value of \uXXXX, of \UXXXXXXXX, or of two of them
// that make a surrogate pair.
func unescapeUnicode(b *strings.Builder, s string) int {
	first, n := codePoint(s)
	if n == 0 {
		return 0
	}
	if utf16.IsSurrogate(first) {
		second, m := codePoint(s[n:])
		first = utf16.DecodeRune(first, second)
		if m == 0 || first == utf8.RuneError {
			return 0
		}
		n += m
	}
	if first == 0 || !utf8.ValidRune(first) {
		return 0
	}
	b.WriteRune(first)
	return n
}

// codePoint reads \uXXXX or \UXXXXXXXX and returns its length, 0 if there is
// none.
func codePoint(s string) (rune, int) {
	if len(s) < 2 || s[0] != '\\' || s[1]|0x20 != 'u' {
		return 0, 0
	}
	width := 4
	if s[1] == 'U' {
		width = 8
	}
	v, n := number(s[2:], 16, width)
	if n != width || v > utf8.MaxRune {
		return 0, 0
	}
	return rune(v), 2 + n
}

// number reads up to width digits and returns their value and how many there
// were.
func number(s string, base, width int) (value, n int) {
	for n < width && n < len(s) {
		d := strings.IndexByte("0123456789abcdef", s[n]|0x20)
		if d < 0 || d >= base || s[n] < '0' {
			break
		}
		value = value*base + d
		n++
	}
	return value, n
}
