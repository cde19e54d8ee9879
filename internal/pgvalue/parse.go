package pgvalue

import (
	"database/sql/driver"
	"encoding/hex"
	"slices"
	"strconv"
	"strings"

	"github.com/lib/pq/oid"
)

// parse returns the value that t's input function makes of text, for the strict
// forms that are known. orig is the value that text was taken from if it holds
// exactly that text, else nil; it is returned where it is canonical.
func (t Type) parse(s Session, text string, orig driver.Value, assign bool) (driver.Value, bool) {
	if len(text) > maxWidth || !s.knownText(text) {
		return nil, false
	}
	if t.Kind == Enum {
		if !slices.Contains(t.Labels, text) {
			return nil, false
		}
		return asBytes(orig, text), true
	}
	if lo, hi, ok := t.integerRange(); ok {
		n, ok := parseInteger(text)
		return n, ok && lo <= n && n <= hi
	}
	switch oid.Oid(t.OID) {
	case oid.T_bool:
		b, ok := parseBool(text)
		return b, ok
	case oid.T_text, oid.T_varchar, oid.T_bpchar:
		return t.fitText(text, orig, assign)
	case oid.T_numeric:
		text, ok := t.fitNumeric(text, assign)
		if !ok {
			return nil, false
		}
		return asBytes(orig, text), true
	case oid.T_float8:
		f, ok := parseFloat8(text)
		return f, ok
	case oid.T_float4:
		f, ok := parseFloat4(text)
		return f, ok
	case oid.T_bytea:
		return parseBytea(text)
	case oid.T_uuid:
		u, ok := parseUUID(text)
		if !ok {
			return nil, false
		}
		return asBytes(orig, u), true
	case oid.T_json:
		if !s.knownJSON(text) {
			return nil, false
		}
		return asBytes(orig, text), true
	case oid.T_date, oid.T_timestamp, oid.T_timestamptz:
		return t.parseTime(s, text, assign)
	}
	return nil, false
}

// asString returns text as a driver.Value, orig itself if it is that string.
func asString(orig driver.Value, text string) driver.Value {
	if o, ok := orig.(string); ok && o == text {
		return orig
	}
	return text
}

// asBytes returns text as a []byte, orig itself if it holds those bytes.
func asBytes(orig driver.Value, text string) driver.Value {
	if o, ok := orig.([]byte); ok && string(o) == text {
		return orig
	}
	return []byte(text)
}

// parseInteger reads what all versions' integer input functions read alike:
// digits after an optional minus sign.
func parseInteger(text string) (int64, bool) {
	digits := strings.TrimPrefix(text, "-")
	if digits == "" || len(digits) > 19 || !allDigits(digits) {
		return 0, false
	}
	n, err := strconv.ParseInt(text, 10, 64)
	return n, err == nil
}

func allDigits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}

func parseBool(text string) (value, ok bool) {
	switch text {
	case "true", "t", "yes", "y", "on", "1", "TRUE":
		return true, true
	case "false", "f", "no", "n", "off", "0", "FALSE":
		return false, true
	}
	return false, false
}

// parseBytea reads the hex format, and the escape format where it escapes nothing.
func parseBytea(text string) (driver.Value, bool) {
	if digits, ok := strings.CutPrefix(text, `\x`); ok {
		b, err := hex.DecodeString(digits)
		return b, err == nil
	}
	if strings.IndexByte(text, '\\') >= 0 {
		return nil, false
	}
	return []byte(text), true
}

// parseUUID returns the canonical text of a uuid written with 32 hexadecimal
// digits, with hyphens in the usual places or without any.
func parseUUID(text string) (string, bool) {
	switch len(text) {
	case 36:
		if text[8] != '-' || text[13] != '-' || text[18] != '-' || text[23] != '-' {
			return "", false
		}
	case 32:
		text = text[:8] + "-" + text[8:12] + "-" + text[12:16] + "-" + text[16:20] + "-" + text[20:]
	default:
		return "", false
	}
	lower := true
	for i := range len(text) {
		if i == 8 || i == 13 || i == 18 || i == 23 {
			if text[i] != '-' {
				return "", false
			}
			continue
		}
		switch c := text[i]; {
		case '0' <= c && c <= '9', 'a' <= c && c <= 'f':
		case 'A' <= c && c <= 'F':
			lower = false
		default:
			return "", false
		}
	}
	if !lower {
		text = strings.ToLower(text)
	}
	return text, true
}
