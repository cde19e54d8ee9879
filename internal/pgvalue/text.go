package pgvalue

import (
	"database/sql/driver"
	"encoding/json"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/lib/pq/oid"
)

// modHeader is what PostgreSQL adds to the length in a type modifier (VARHDRSZ).
const modHeader = 4

// knownText says whether text reaches the server as it is and is accepted there.
func (s Session) knownText(text string) bool {
	if strings.IndexByte(text, 0) >= 0 {
		return false
	}
	if s.UTF8 {
		return utf8.ValidString(text)
	}
	for i := range len(text) {
		if text[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// fitText stores text in a text, varchar or char column: on assignment, what
// exceeds the length must be spaces, and char is padded.
func (t Type) fitText(text string, orig driver.Value, assign bool) (driver.Value, bool) {
	if !assign || t.is(oid.T_text) || t.Mod < modHeader {
		return asString(orig, text), true
	}
	limit := int(t.Mod) - modHeader
	n := utf8.RuneCountInString(text)
	switch {
	case n > limit:
		end := 0
		for range limit {
			_, size := utf8.DecodeRuneInString(text[end:])
			end += size
		}
		if strings.Trim(text[end:], " ") != "" {
			return nil, false
		}
		return text[:end], true
	case n < limit && t.is(oid.T_bpchar):
		return text + strings.Repeat(" ", limit-n), true
	}
	return asString(orig, text), true
}

// maxJSONDepth is far below the nesting that any server's stack allows.
const maxJSONDepth = 100

// knownJSON says whether PostgreSQL's json type accepts text, which it then
// keeps verbatim. Go's grammar is the same but for nesting; escaped NULs and
// surrogates are left to PostgreSQL.
func (s Session) knownJSON(text string) bool {
	depth, inString := 0, false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '\\' && inString:
			if i+5 < len(text) && text[i+1] == 'u' {
				code, err := strconv.ParseUint(text[i+2:i+6], 16, 16)
				if err != nil || code == 0 || 0xd800 <= code && code <= 0xdfff || !s.UTF8 {
					return false
				}
			}
			i++
		case c == '"':
			inString = !inString
		case inString:
		case c == '{', c == '[':
			if depth++; depth > maxJSONDepth {
				return false
			}
		case c == '}', c == ']':
			depth--
		}
	}
	return json.Valid([]byte(text))
}
