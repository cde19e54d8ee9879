package writebehind

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
	"unicode"
	"unicode/utf8"
)

// dsnPrefix begins the name of every DSN parameter that is the shim's own.
const dsnPrefix = "writebehind."

// dsnSpace is the ASCII white space at which a misplaced parameter of ours is
// looked for; words are separated by what unicode.IsSpace says, as in lib/pq.
const dsnSpace = " \t\r\n\v\f"

// dsnParam is one parameter of ours as found in a DSN: decoded and unquoted,
// not yet understood.
type dsnParam struct {
	name  string // as written, prefix included
	value string
}

// stripDSN takes the shim's own parameters out of a DSN. What is left is the
// user's own text, byte for byte, without those parameters and the separators
// that belonged to them: some drivers take a DSN as an opaque key.
//
// Three shapes are known, told apart by their beginning:
//
//   - scheme://…?a=b&writebehind.x=y, read as lib/pq reads it (net/url);
//   - key=value, by the rules of libpq's conninfo_parse as lib/pq implements
//     them; words that are not key=value are another driver's business and stay;
//   - anything?a=b&writebehind.x=y, for drivers with a DSN of their own.
//
// A parameter of ours where the real driver would silently overlook it is an
// error. No error repeats any text of the DSN but names of our own parameters,
// since all else may be, or be part of, a password.
func stripDSN(dsn string) (rest string, params []dsnParam, err error) {
	if hasScheme(dsn) {
		// As net/url does it: the fragment is cut off first.
		end := len(dsn)
		if i := strings.IndexByte(dsn, '#'); i >= 0 {
			end = i
		}
		return stripQuery(dsn, strings.IndexByte(dsn[:end], '?'), end)
	}

	opaque := opaqueQuery(dsn) >= 0
	rest, params, err = stripKeyValue(dsn, opaque)
	if err != nil || !opaque {
		return rest, params, err
	}
	rest, more, err := stripQuery(rest, opaqueQuery(rest), len(rest))
	return rest, append(params, more...), err
}

// hasScheme reports whether dsn begins with a URL scheme and "://". lib/pq takes
// only postgres and postgresql for a URL; no other driver's URL is key=value.
func hasScheme(dsn string) bool {
	scheme, _, found := strings.Cut(dsn, "://")
	if !found || scheme == "" {
		return false
	}
	return strings.IndexFunc(scheme, func(r rune) bool {
		return !('a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' ||
			r == '+' || r == '-' || r == '.')
	}) < 0
}

// opaqueQuery returns where the query of a DSN without a scheme begins, -1 if
// it has none. A name with a question mark is no setting of PostgreSQL, so one
// before the first equals sign tells such a DSN from key=value.
func opaqueQuery(dsn string) int {
	text := strings.TrimLeftFunc(dsn, unicode.IsSpace)
	i := strings.IndexFunc(text, func(r rune) bool {
		return r == '?' || r == '=' || r == '\'' || unicode.IsSpace(r)
	})
	if i < 0 || text[i] != '?' {
		return -1
	}
	return len(dsn) - len(text) + i
}

// isOurs reports whether a parameter's name begins with our prefix, in any
// letter case: PostgreSQL would accept WriteBehind.tables and ignore it.
func isOurs(name string) bool {
	return len(name) >= len(dsnPrefix) && strings.EqualFold(name[:len(dsnPrefix)], dsnPrefix)
}

// errStray is for a parameter of ours that no parser of a DSN would find.
var errStray = errors.New(`a parameter that begins with "writebehind." stands where no parameter is read; ` +
	`in a URL the first is separated by "?" and the others by "&", in key=value form all by spaces ` +
	`(text that is not meant as a parameter must be percent-encoded or quoted)`)

// hasStray reports whether a parameter of ours follows one of the separators
// somewhere in text.
func hasStray(text, separators string) bool {
	for i := 0; i+len(dsnPrefix) < len(text); i++ {
		if strings.IndexByte(separators, text[i]) >= 0 && isOurs(text[i+1:]) {
			return true
		}
	}
	return false
}

// stripQuery takes our parameters out of the query that begins with the
// question mark at start (-1: there is none) and ends before end.
func stripQuery(dsn string, start, end int) (string, []dsnParam, error) {
	rest := dsn
	var params []dsnParam
	if start >= 0 {
		var kept []string
		for _, pair := range strings.Split(dsn[start+1:end], "&") {
			param, ours, err := parsePair(pair)
			switch {
			case err != nil:
				return "", nil, err
			case ours:
				params = append(params, param)
			default:
				kept = append(kept, pair)
			}
		}
		switch {
		case params == nil:
		case kept == nil:
			rest = dsn[:start] + dsn[end:]
		default:
			rest = dsn[:start+1] + strings.Join(kept, "&") + dsn[end:]
		}
	}
	if hasStray(rest, "?&;#"+dsnSpace) {
		return "", nil, errStray
	}
	return rest, params, nil
}

// parsePair reads one key=value pair of a query. The real driver ignores pairs
// with a semicolon or a broken escape; for ours both are errors.
func parsePair(pair string) (param dsnParam, ours bool, err error) {
	if strings.Contains(pair, ";") {
		for _, part := range strings.Split(pair, ";") {
			key, _, _ := strings.Cut(part, "=")
			if name := unescapeLoosely(key); isOurs(name) {
				return dsnParam{}, false, fmt.Errorf(
					`%s is next to a semicolon: parameters are separated by "&", and a semicolon in a value is written %%3B`,
					showName(name))
			}
		}
		return dsnParam{}, false, nil
	}

	rawKey, rawValue, _ := strings.Cut(pair, "=")
	param.name = unescapeLoosely(rawKey)
	if !isOurs(param.name) {
		if hasStray(param.name, dsnSpace) {
			return dsnParam{}, false, errStray
		}
		return dsnParam{}, false, nil
	}
	if _, err = url.QueryUnescape(rawKey); err != nil {
		return dsnParam{}, false, fmt.Errorf("%s: invalid percent-encoding in the name", showName(param.name))
	}
	if param.value, err = url.QueryUnescape(rawValue); err != nil {
		return dsnParam{}, false, fmt.Errorf("%s: invalid percent-encoding in the value", showName(param.name))
	}
	return param, true, nil
}

// unescapeLoosely decodes the percent-encoding of a name as far as it is valid,
// and keeps the rest. Space around a name means nothing to lib/pq, which goes
// from the URL to the key=value form.
func unescapeLoosely(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '%' && i+3 <= len(s) {
			if c, err := url.QueryUnescape(s[i : i+3]); err == nil {
				b.WriteString(c)
				i += 2
				continue
			}
		}
		if s[i] == '+' {
			b.WriteByte(' ')
			continue
		}
		b.WriteByte(s[i])
	}
	return strings.TrimSpace(b.String())
}

// kvScanner reads a key=value DSN. It follows (*pq.Config).fromDSN of lib/pq
// step by step, white space as unicode.IsSpace sees it included, but keeps
// positions so that the text can be put together again.
type kvScanner struct {
	text string
	pos  int
}

// peek returns the rune at the position and its width, which is 0 at the end.
func (s *kvScanner) peek() (rune, int) {
	if s.pos >= len(s.text) {
		return 0, 0
	}
	return utf8.DecodeRuneInString(s.text[s.pos:])
}

// until moves on to the first rune for which stop is true, or to the end, and
// returns what it passed.
func (s *kvScanner) until(stop func(rune) bool) string {
	from := s.pos
	for r, width := s.peek(); width > 0 && !stop(r); r, width = s.peek() {
		s.pos += width
	}
	return s.text[from:s.pos]
}

func (s *kvScanner) spaces() string {
	return s.until(func(r rune) bool { return !unicode.IsSpace(r) })
}

// value reads a value, quoted or not. ok is false if it ends inside a quoted
// string or after a backslash.
func (s *kvScanner) value() (value string, quoted, ok bool) {
	var b strings.Builder
	if quoted = strings.HasPrefix(s.text[s.pos:], "'"); quoted {
		s.pos++
	}
	for {
		r, width := s.peek()
		switch {
		case width == 0:
			return b.String(), quoted, !quoted
		case quoted && r == '\'':
			s.pos += width
			return b.String(), true, true
		case !quoted && unicode.IsSpace(r):
			return b.String(), false, true
		case r == '\\':
			s.pos += width
			if _, width = s.peek(); width == 0 {
				return "", quoted, false
			}
		}
		b.WriteString(s.text[s.pos : s.pos+width])
		s.pos += width
	}
}

// dsnWord is a setting, or another driver's word, and the white space before it.
type dsnWord struct {
	lead, text string
	ours       bool
}

// stripKeyValue takes our parameters out of a key=value DSN. lenient is for a
// DSN that has a query, too, in which ours may still follow.
func stripKeyValue(dsn string, lenient bool) (string, []dsnParam, error) {
	var (
		s      = kvScanner{text: dsn}
		words  []dsnWord
		params []dsnParam
	)
	for {
		lead := s.spaces()
		start := s.pos
		if start == len(dsn) {
			if params == nil {
				return dsn, nil, nil
			}
			if rest := joinWords(words); rest != "" {
				return rest + lead, params, nil
			}
			return "", params, nil
		}

		param, ours, err := s.setting(lenient)
		if err != nil {
			return "", nil, err
		}
		if ours {
			params = append(params, param)
		}
		words = append(words, dsnWord{lead: lead, text: dsn[start:s.pos], ours: ours})
	}
}

// setting reads one setting; a word that is not followed by an equals sign is
// taken alone.
func (s *kvScanner) setting(lenient bool) (param dsnParam, ours bool, err error) {
	start := s.pos
	key := s.until(func(r rune) bool { return r == '=' || unicode.IsSpace(r) })
	ours = isOurs(key)
	if !lenient && hasStray(key, "?&;") {
		return dsnParam{}, false, errStray
	}

	keyEnd := s.pos
	s.spaces()
	if !strings.HasPrefix(s.text[s.pos:], "=") {
		if ours {
			return dsnParam{}, false, fmt.Errorf(`missing "=" after %s`, showName(key))
		}
		s.pos = keyEnd
		return dsnParam{}, false, nil
	}

	s.pos++
	valueStart := s.pos
	spaced := s.spaces() != ""
	if s.pos == len(s.text) { // no value is an empty one, as in libpq
		s.pos = valueStart
		return dsnParam{name: key}, ours, nil
	}

	// libpq looks for the value beyond white space, so that a value left empty
	// swallows the next setting.
	rawStart := s.pos
	value, quoted, ok := s.value()
	raw := s.text[rawStart:s.pos]
	swallows := spaced && !quoted && strings.Contains(raw, "=")
	switch {
	case ours && !ok:
		return dsnParam{}, false, fmt.Errorf("%s: the value ends inside a quoted string or after a backslash", showName(key))
	case ours && swallows:
		return dsnParam{}, false, fmt.Errorf("%s has no value, so that the next setting is read as its value", showName(key))
	case swallows && isOurs(value):
		name, _, _ := strings.Cut(value, "=")
		return dsnParam{}, false, fmt.Errorf(
			"%s is read as the value of the setting before it, which has none; write '' for an empty value", showName(name))
	case !ours && !ok && hasStray(raw, dsnSpace+"'"):
		return dsnParam{}, false, errors.New(`a quoted string is not terminated, and a parameter that begins with "writebehind." follows`)
	case !ours && !quoted && !lenient && !strings.HasSuffix(s.text[start:keyEnd], "password") && hasStray(raw, "?&;"):
		return dsnParam{}, false, errStray
	}
	return dsnParam{name: key, value: value}, ours, nil
}

// joinWords puts the words that are not ours together again. Of the white space
// around those that go, what stood before the next word stays; if that was none
// (after a quoted value libpq needs none), the first there is, so that two
// words never grow together.
func joinWords(words []dsnWord) string {
	var (
		b     strings.Builder
		first = true
		space string // the first white space since the last word written
	)
	for i, w := range words {
		if space == "" {
			space = w.lead
		}
		if w.ours {
			continue
		}
		switch {
		case first:
			b.WriteString(words[0].lead)
		case w.lead != "" || !words[i-1].ours:
			b.WriteString(w.lead)
		default:
			b.WriteString(space)
		}
		b.WriteString(w.text)
		first, space = false, ""
	}
	return b.String()
}

// showName quotes the name of a parameter of ours for an error message. It ends
// where the text stops looking like one: beyond a wrong separator there may be
// anything.
func showName(name string) string {
	if i := strings.IndexFunc(name, func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune(`._-$"`, r)
	}); i >= 0 {
		name = name[:i]
	}
	return `"` + name + `"`
}
