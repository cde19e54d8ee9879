package catalog

import (
	"slices"
	"strings"
)

// defaultOf classifies the default of a column from what pg_get_expr prints.
// That leaves implicit casts out, so the column's type decides with it.
func defaultOf(row columnRow, c *Column, draws []*table) Default {
	if c.Identity != 0 && len(draws) == 1 {
		return Default{Kind: DefaultSequence, Sequence: draws[0].Name}
	}
	d := Default{Kind: DefaultOther, Expr: row.Expr}
	if row.Calls != "" {
		d.Opaque = "the default of column " + quote(c.Name) + callsOf(row.Calls)
	}
	switch {
	case c.Generated:
		return Default{Expr: row.Expr, Opaque: d.Opaque}
	case row.TypeExpr != "":
		d.Expr = row.TypeExpr
	case row.Expr == "":
		return Default{}
	case row.Calls != "":
	case isNextval(row.Expr) && isInteger(row.Type) && len(draws) == 1 && draws[0].May("USAGE"):
		d.Kind, d.Sequence = DefaultSequence, draws[0].Name
	case row.Type == timestamptzOID && slices.Contains([]string{"now()", "CURRENT_TIMESTAMP", "transaction_timestamp()"}, row.Expr):
		d.Kind = DefaultNow
	case row.Type == uuidOID && row.Expr == "gen_random_uuid()":
		d.Kind = DefaultUUID
	case isConstant(row, c):
		d.Kind = DefaultConstant
	}
	return d
}

const (
	timestamptzOID = 1184
	uuidOID        = 2950
)

func isInteger(oid uint32) bool { return oid == 20 || oid == 21 || oid == 23 }

// isNextval recognises nextval('…'::regclass).
func isNextval(expr string) bool {
	rest, found := strings.CutPrefix(expr, "nextval(")
	if !found {
		return false
	}
	_, rest, found = cutString(rest)
	return found && rest == "::regclass)"
}

// isConstant says whether a default is a literal, with casts that give the same
// value at any time and in any session.
func isConstant(row columnRow, c *Column) bool {
	l, ok := parseLiteral(row.Expr)
	if !ok {
		return false
	}
	switch strings.ToLower(strings.TrimSpace(l.text)) {
	case "now", "today", "tomorrow", "yesterday":
		return false
	}
	switch {
	case row.Category == "A":
		// The elements of any other array would have to be of a type whose
		// text means the same at any time.
		return l.quoted && l.text == "{}" && len(l.casts) == 1 && row.Kind == "b"
	case row.Kind == "e":
		return l.null || l.quoted && len(l.casts) == 1
	case row.Kind != "b":
		return false
	case isTemporal(row.Type):
		// PostgreSQL has already made it a value if its cast is of the very
		// type of the column, whatever it was written as.
		return l.null || l.quoted && len(l.casts) == 1 && (l.casts[0] == c.SQLType || l.casts[0] == c.fullType)
	case !isPlain(row.Type):
		return false
	}
	for _, cast := range l.casts {
		name, _, _ := strings.Cut(cast, "(")
		if !slices.Contains(plainCasts, name) {
			return false
		}
	}
	return true
}

// isTemporal: date, time, timestamp, timestamptz, interval, timetz.
func isTemporal(oid uint32) bool {
	return slices.Contains([]uint32{1082, 1083, 1114, 1184, 1186, 1266}, oid)
}

// isPlain: bool, bytea, "char", int8, int2, int4, text, json, float4, float8,
// inet, cidr, bpchar, varchar, numeric, uuid, jsonb.
func isPlain(oid uint32) bool {
	return slices.Contains([]uint32{16, 17, 18, 20, 21, 23, 25, 114, 700, 701, 869, 650, 1042, 1043, 1700, 2950, 3802}, oid)
}

// plainCasts are the same types as format_type prints them.
var plainCasts = []string{
	"boolean", "bytea", `"char"`, "bigint", "smallint", "integer", "text", "json", "real", "double precision",
	"inet", "cidr", "bpchar", "character", "character varying", "numeric", "uuid", "jsonb",
}

// literal is a constant with its casts, innermost first.
type literal struct {
	text   string // without quotes
	quoted bool
	null   bool
	casts  []string
}

// parseLiteral recognises a literal, with any casts and parentheses, and
// nothing else.
func parseLiteral(expr string) (literal, bool) {
	l, rest, ok := cutLiteral(expr)
	return l, ok && rest == ""
}

func cutLiteral(s string) (l literal, rest string, ok bool) {
	switch {
	case strings.HasPrefix(s, "("):
		if l, rest, ok = cutLiteral(s[1:]); !ok || !strings.HasPrefix(rest, ")") {
			return l, s, false
		}
		rest = rest[1:]
	case strings.HasPrefix(s, "'"):
		if l.text, rest, ok = cutString(s); !ok {
			return l, s, false
		}
		l.quoted = true
	default:
		n := len(s) - len(strings.TrimLeft(s, "+-.0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"))
		l.text, rest = s[:n], s[n:]
		l.null = l.text == "NULL"
		if !l.null && l.text != "true" && l.text != "false" && !isNumber(l.text) {
			return l, s, false
		}
	}
	for strings.HasPrefix(rest, "::") {
		cast, after, ok := cutType(rest[2:])
		if !ok {
			return l, s, false
		}
		l.casts, rest = append(l.casts, cast), after
	}
	return l, rest, true
}

// cutString cuts a quoted string off the front of s and decodes it.
func cutString(s string) (text, rest string, ok bool) {
	if !strings.HasPrefix(s, "'") {
		return "", s, false
	}
	var b strings.Builder
	for i := 1; i < len(s); i++ {
		switch {
		case s[i] != '\'':
			b.WriteByte(s[i])
		case i+1 < len(s) && s[i+1] == '\'':
			b.WriteByte('\'')
			i++
		default:
			return b.String(), s[i+1:], true
		}
	}
	return "", s, false
}

// isNumber recognises digits with an optional sign and one optional point.
func isNumber(s string) bool {
	s = strings.TrimPrefix(s, "-")
	whole, fraction, _ := strings.Cut(s, ".")
	digits := whole + fraction
	return digits != "" && strings.Trim(digits, "0123456789") == ""
}

// cutType cuts a type name, as format_type prints it, off the front of s:
// words, quoted names, dots, one list of modifiers, brackets.
func cutType(s string) (name, rest string, ok bool) {
	i, quoted, depth := 0, false, 0
	for ; i < len(s); i++ {
		c := s[i]
		switch {
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '(':
			depth++
		case c == ')' && depth > 0:
			depth--
		case c == ')' || c == ':':
			return s[:i], s[i:], i > 0 && depth == 0
		case c == '_' || c == ' ' || c == '.' || c == '[' || c == ']' || c == ',' ||
			'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c >= 0x80:
		default:
			return "", s, false
		}
	}
	return s, "", i > 0 && !quoted && depth == 0
}
