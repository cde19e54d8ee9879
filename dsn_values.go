package writebehind

import (
	"errors"
	"fmt"
	"iter"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/writebehind/writebehind/internal/catalog"
)

// parseTable reads a table name, schema-qualified or not, as PostgreSQL does:
// letters of a bare name are folded to lower case, those of a quoted one are
// not. It returns the text after it.
func parseTable(text string) (name catalog.Name, rest string, err error) {
	var parts []string
	for rest = text; ; rest = rest[1:] {
		var part string
		if part, rest, err = parseIdent(rest); err != nil {
			return catalog.Name{}, "", err
		}
		parts = append(parts, part)
		if !strings.HasPrefix(rest, ".") {
			break
		}
	}
	switch len(parts) {
	case 1:
		return catalog.Name{Name: parts[0]}, rest, nil
	case 2:
		return catalog.Name{Schema: parts[0], Name: parts[1]}, rest, nil
	}
	return catalog.Name{}, "", errors.New("a table name has at most two parts, schema and table")
}

// maxIdent is the longest name PostgreSQL keeps, in bytes (NAMEDATALEN - 1).
const maxIdent = 63

func parseIdent(text string) (ident, rest string, err error) {
	if strings.HasPrefix(text, `"`) {
		end := 1
		for {
			i := strings.IndexByte(text[end:], '"')
			if i < 0 {
				return "", "", errors.New("a quoted table name is not terminated")
			}
			end += i + 1
			if !strings.HasPrefix(text[end:], `"`) {
				break
			}
			end++
		}
		ident, rest = strings.ReplaceAll(text[1:end-1], `""`, `"`), text[end:]
	} else {
		end := 0
		for end < len(text) && isIdentByte(text[end], end > 0) {
			end++
		}
		ident, rest = lowerASCII(text[:end]), text[end:]
	}
	switch {
	case ident == "":
		return "", "", errors.New("a table name is missing or does not begin like one (a list with spaces must be quoted)")
	case len(ident) > maxIdent:
		return "", "", fmt.Errorf("a table name is longer than the %d bytes that PostgreSQL keeps", maxIdent)
	case !utf8.ValidString(ident) || strings.ContainsRune(ident, 0):
		return "", "", errors.New("a table name is not valid UTF-8 text")
	}
	return ident, rest, nil
}

// isIdentByte follows ident_start and ident_cont of PostgreSQL's scan.l.
func isIdentByte(c byte, inside bool) bool {
	switch {
	case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', c == '_', c >= 0x80:
		return true
	case '0' <= c && c <= '9', c == '$':
		return inside
	}
	return false
}

// lowerASCII folds as PostgreSQL does in a database in UTF-8: ASCII only.
func lowerASCII(s string) string {
	b := []byte(s)
	for i, c := range b {
		if 'A' <= c && c <= 'Z' {
			b[i] = c + ('a' - 'A')
		}
	}
	return string(b)
}

func sortedTables(tables iter.Seq[catalog.Name]) []catalog.Name {
	return slices.SortedFunc(tables, compareNames)
}

// quoteTable writes a table name so that parseTable reads it back.
func quoteTable(t catalog.Name) string {
	if t.Schema == "" {
		return quoteIdent(t.Name)
	}
	return quoteIdent(t.Schema) + "." + quoteIdent(t.Name)
}

func quoteIdent(ident string) string {
	for i := range len(ident) {
		if c := ident[i]; !isIdentByte(c, i > 0) || 'A' <= c && c <= 'Z' {
			return `"` + strings.ReplaceAll(ident, `"`, `""`) + `"`
		}
	}
	return ident
}

// sizeUnits are the units of a size, largest first; as in PostgreSQL they are
// powers of 1024.
var sizeUnits = []struct {
	name  string
	shift int
}{{"TB", 40}, {"GB", 30}, {"MB", 20}, {"kB", 10}, {"B", 0}}

// parseSize reads a number of bytes, or of a unit in any letter case.
func parseSize(value string) (int64, error) {
	digits := strings.TrimRightFunc(value, func(r rune) bool { return r < '0' || r > '9' })
	unit, shift := strings.TrimSpace(value[len(digits):]), -1
	for _, u := range sizeUnits {
		if unit == "" || strings.EqualFold(unit, u.name) {
			shift = u.shift // for a bare number the last one, bytes
		}
	}
	if !isDigits(digits) || shift < 0 {
		return 0, fmt.Errorf("%s is not a size such as 256MB (B, kB, MB, GB or TB)", showValue(value))
	}
	n, err := strconv.ParseInt(digits, 10, 64)
	if err != nil || n > maxSize>>shift {
		return 0, fmt.Errorf("%s is out of range; it must be at most %s", showValue(value), formatSize(maxSize))
	}
	return n << shift, nil
}

func formatSize(n int64) string {
	if n == 0 {
		return "0"
	}
	for _, u := range sizeUnits {
		if u.shift > 0 && n%(1<<u.shift) == 0 {
			return strconv.FormatInt(n>>u.shift, 10) + u.name
		}
	}
	return strconv.FormatInt(n, 10)
}

// formatDuration is d without the zeros that time.Duration appends: 10m, not
// 10m0s.
func formatDuration(d time.Duration) string {
	text := d.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}

func isDigits(s string) bool {
	return s != "" && strings.Trim(s, "0123456789") == ""
}

// showValue quotes a value for an error message if it is short and made of
// harmless characters alone. In any other, a wrong separator may have put the
// rest of the DSN, the password with it.
func showValue(value string) string {
	harmless := strings.IndexFunc(value, func(r rune) bool {
		return !('a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' ||
			strings.ContainsRune("+-._", r))
	}) < 0
	if len(value) > 24 || !harmless {
		return "the value"
	}
	return strconv.Quote(value)
}
