package rewrite

import "strings"

// number takes a numeric literal. What PostgreSQL refuses as trailing junk
// since version 15, and took for two tokens before, makes the text opaque.
func (l *lexer) number() {
	kind := tokInteger
	i := digits(l.sql, l.pos)
	if i < len(l.sql) && l.sql[i] == '.' && !strings.HasPrefix(l.sql[i:], "..") {
		kind = tokDecimal
		i = digits(l.sql, i+1)
	}
	if i < len(l.sql) && l.sql[i]|0x20 == 'e' {
		j := i + 1
		if j < len(l.sql) && (l.sql[j] == '+' || l.sql[j] == '-') {
			j++
		}
		if k := digits(l.sql, j); k > j {
			kind, i = tokDecimal, k
		}
	}
	end := i
	for end < len(l.sql) && isIdentPart(l.sql[end]) {
		end++
	}
	if end > i {
		kind = tokOtherNumber
		if !isNewNumber(l.sql[l.pos:end]) {
			l.fail("trailing junk after a number")
			kind = tokBad
		}
	}
	l.emit(kind, end)
}

// isNewNumber tells whether s is an integer as PostgreSQL 16 and later also
// read it: 0x1F, 0o17, 0b11, with _ between digits.
func isNewNumber(s string) bool {
	allowed := "0123456789"
	if len(s) > 2 && s[0] == '0' {
		switch s[1] | 0x20 {
		case 'x':
			allowed, s = "0123456789abcdefABCDEF", s[2:]
		case 'o':
			allowed, s = "01234567", s[2:]
		case 'b':
			allowed, s = "01", s[2:]
		}
	}
	for i := 0; i < len(s); i++ {
		if s[i] == '_' && i+1 < len(s) {
			i++
		}
		if strings.IndexByte(allowed, s[i]) < 0 {
			return false
		}
	}
	return len(s) > 0
}

func digits(s string, i int) int {
	for i < len(s) && isDigit(s[i]) {
		i++
	}
	return i
}

func isSpace(c byte) bool {
	return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f'
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

func isIdentStart(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_' || c >= 0x80
}

func isIdentPart(c byte) bool { return isIdentStart(c) || isDigit(c) || c == '$' }

func isOperator(c byte) bool {
	switch c {
	case '~', '!', '@', '#', '^', '&', '|', '`', '?', '+', '-', '*', '/', '%', '<', '>', '=':
		return true
	}
	return false
}
