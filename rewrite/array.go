package rewrite

import "strings"

// Array builds the text form of a one-dimensional PostgreSQL array, element by
// element. The zero value is an empty array; Reset makes it one again and keeps
// the memory. It is not safe for concurrent use.
//
// The delimiter is the comma of all built-in types but box.
type Array struct {
	buf []byte
	n   int
}

// Append adds an element by its text form.
func (a *Array) Append(text []byte) { appendElement(a, text) }

// AppendString adds an element by its text form.
func (a *Array) AppendString(text string) { appendElement(a, text) }

// AppendNull adds a NULL.
func (a *Array) AppendNull() {
	a.separate()
	a.buf = append(a.buf, "NULL"...)
}

// Len returns the number of elements.
func (a *Array) Len() int { return a.n }

// Bytes returns the array. The slice is valid until the next call of another
// method; elements may be added after it.
func (a *Array) Bytes() []byte {
	if a.n == 0 {
		return append(a.buf[:0], '{', '}')
	}
	a.buf = append(a.buf, '}')
	closed := a.buf
	a.buf = a.buf[:len(a.buf)-1] // the next element takes the place of the brace
	return closed
}

// Reset empties the array.
func (a *Array) Reset() { a.buf, a.n = a.buf[:0], 0 }

func (a *Array) separate() {
	if a.n == 0 {
		a.buf = append(a.buf[:0], '{')
	} else {
		a.buf = append(a.buf, ',')
	}
	a.n++
}

func appendElement[T []byte | string](a *Array, text T) {
	a.separate()
	if isPlainElement(text) {
		a.buf = append(a.buf, text...)
		return
	}
	a.buf = append(a.buf, '"')
	for i := range len(text) {
		if text[i] == '"' || text[i] == '\\' {
			a.buf = append(a.buf, '\\')
		}
		a.buf = append(a.buf, text[i])
	}
	a.buf = append(a.buf, '"')
}

// isPlainElement tells whether an element needs no quotes.
func isPlainElement[T []byte | string](text T) bool {
	if len(text) == 0 || len(text) == 4 && strings.EqualFold(string(text), "null") {
		return false
	}
	for i := range len(text) {
		switch c := text[i]; {
		case c >= '0' && c <= '9', c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z',
			c == '-', c == '+', c == '.', c == ':', c == '_':
		default:
			return false
		}
	}
	return true
}
