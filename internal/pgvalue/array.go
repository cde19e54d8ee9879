package pgvalue

import (
	"database/sql/driver"
	"strings"
)

// Array returns what lib/pq's argument v, or a literal in quotes, is as an array
// whose elements are compared with a column of type t: nil is a NULL element, and
// each other value is as that of Compare. An array that is NULL as a whole
// has no elements: nothing is equal to one of it.
//
// Known is the text that lib/pq's array types make: one dimension without bounds
// and without white space between the elements (PostgreSQL documentation, 8.15.6:
// Array Input and Output Syntax). ok is false for all else, and where an element
// is not known or there are more than limit.
func (t Type) Array(s Session, v driver.Value, limit int) (elements []driver.Value, ok bool) {
	if t.Kind != Base || !t.hasEquality() {
		return nil, false
	}
	var text string
	switch v := v.(type) {
	case nil:
		return nil, true
	case string:
		text = v
	case []byte:
		if v == nil && !s.Strict {
			return nil, true
		}
		if s.BinaryParameters || s.Strict { // it would be sent as an array in binary format
			return nil, false
		}
		text = string(v)
	default:
		if s.Strict {
			return t.sureArray(s, v, limit)
		}
		return nil, false
	}
	if len(text) > maxWidth || !s.knownText(text) {
		return nil, false
	}
	list, found := strings.CutPrefix(text, "{")
	if !found {
		return nil, false
	}
	if list == "}" {
		return nil, true
	}
	for {
		element, isNull, rest, ok := cutElement(list)
		if !ok || len(elements) == limit {
			return nil, false
		}
		var value driver.Value
		if !isNull {
			if value, ok = t.parse(s, element, nil, false); !ok {
				return nil, false
			}
		}
		elements = append(elements, value)
		if rest == "}" {
			return elements, true
		}
		if list, ok = strings.CutPrefix(rest, ","); !ok {
			return nil, false
		}
	}
}

// cutElement takes the first element of an array's text, without what follows it.
func cutElement(list string) (element string, null bool, rest string, ok bool) {
	if quoted, is := strings.CutPrefix(list, `"`); is {
		element, rest, ok = cutQuoted(quoted)
		return element, false, rest, ok
	}
	end := strings.IndexAny(list, ",}")
	if end <= 0 || strings.ContainsAny(list[:end], "\"\\{ \t\n\r\v\f") {
		return "", false, "", false
	}
	return list[:end], strings.EqualFold(list[:end], "NULL"), list[end:], true
}

// cutQuoted takes an element up to its closing quote. A backslash stands before a
// character that means itself.
func cutQuoted(text string) (element, rest string, ok bool) {
	var plain []byte
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '"':
			return string(plain), text[i+1:], true
		case '\\':
			if i++; i == len(text) {
				return "", "", false
			}
		}
		plain = append(plain, text[i])
	}
	return "", "", false
}
