package generate

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

// writer puts the text of one statement together, in one of the many ways to
// write it. What the text looks like depends on shape alone, so that the same
// shape gives the same text again with other arguments.
type writer struct {
	shape  *rand.Rand
	values *rand.Rand
	table  *table

	tokens []string
	args   []any

	lower, loose, comments, quotes, qualify, semicolon bool
	literals                                           bool   // all values are inlined
	tame                                               bool   // nothing is cast
	plainness                                          int    // one argument in so many has another type
	alias                                              string // "" for none
}

func newWriter(shape, values *rand.Rand, t *table) *writer {
	one := func(of int) bool { return shape.IntN(of) == 0 }
	w := &writer{shape: shape, values: values, table: t, plainness: 4}
	w.lower, w.loose, w.comments = one(3), one(6), one(10)
	w.quotes, w.qualify, w.semicolon = one(4), one(6), one(10)
	w.literals = one(9)
	if one(5) {
		w.alias = []string{"t", "x", `"T"`, "id"}[shape.IntN(4)]
	}
	return w
}

// word writes keywords and punctuation, separated by blanks in the argument.
func (w *writer) word(words string) {
	for _, s := range strings.Fields(words) {
		if w.lower {
			s = strings.ToLower(s)
		}
		w.tokens = append(w.tokens, s)
	}
}

// raw writes a piece of SQL as it is.
func (w *writer) raw(s string) { w.tokens = append(w.tokens, s) }

// name writes the table's name and its alias.
func (w *writer) name(alias bool) {
	t := w.table
	s := w.ident(t.name)
	switch {
	case t.schema != "":
		s = w.ident(t.schema) + "." + s
	case w.qualify:
		s = w.ident("public") + "." + s
	}
	w.raw(s)
	if !alias {
		w.alias = ""
		return
	}
	if w.alias != "" {
		if w.shape.IntN(2) == 0 {
			w.word("AS")
		}
		w.raw(w.alias)
	}
}

func (w *writer) ident(name string) string {
	if w.quotes || strings.ContainsAny(name, ` "`) || strings.ToLower(name) != name {
		return quote(name)
	}
	if w.shape.IntN(12) == 0 {
		return strings.ToUpper(name)
	}
	return name
}

// column writes a column where an expression stands.
func (w *writer) column(c *column) {
	s := w.ident(c.name)
	switch {
	case w.alias != "":
		if w.shape.IntN(2) == 0 || w.alias == "id" {
			s = w.alias + "." + s
		}
	case w.shape.IntN(8) == 0:
		s = w.ident(w.table.name) + "." + s
	}
	w.raw(s)
}

// target writes a column where it is assigned to.
func (w *writer) target(c *column) { w.raw(w.ident(c.name)) }

// param adds an argument and returns its place.
func (w *writer) param(arg any) string {
	w.args = append(w.args, arg)
	return fmt.Sprintf("$%d", len(w.args))
}

// value writes a value for a column, as a parameter or as a literal.
func (w *writer) value(k *kind, v value) {
	arg := v.args[0]
	if len(v.args) > 1 && w.values.IntN(w.plainness) == 0 {
		arg = v.args[w.values.IntN(len(v.args))]
	}
	form := w.shape.IntN(20)
	if w.literals {
		form = 19
	}
	if w.tame {
		form = 0
	}
	typ := strings.TrimSuffix(k.name, ` COLLATE "C"`)
	switch {
	case v.lit == "" || form < 14:
		w.raw(w.param(arg))
	case form == 14:
		w.raw(w.param(arg) + "::" + typ)
	case form == 15:
		w.raw("CAST(" + w.param(arg) + " AS " + typ + ")")
	case form == 16:
		w.raw(parenthesised(v.lit) + "::" + typ)
	default:
		w.raw(v.lit)
	}
}

// parenthesised protects a sign from a cast, which binds tighter.
func parenthesised(lit string) string {
	if strings.HasPrefix(lit, "-") {
		return "(" + lit + ")"
	}
	return lit
}

// list writes items with commas between them.
func list[T any](w *writer, items []T, write func(T)) {
	for i, item := range items {
		if i > 0 {
			w.raw(",")
		}
		write(item)
	}
}

// text joins the tokens.
func (w *writer) text() string {
	var b strings.Builder
	for i, s := range w.tokens {
		if i > 0 {
			b.WriteString(w.gap(w.tokens[i-1], s))
		}
		b.WriteString(s)
	}
	if w.semicolon {
		b.WriteString(";")
	}
	return b.String()
}

func (w *writer) gap(before, after string) string {
	if w.comments && w.shape.IntN(6) == 0 {
		return []string{" /* it's */ ", " -- a; b\n", "/* /* nested */ ? */", "\n\t"}[w.shape.IntN(4)]
	}
	if w.loose {
		return []string{" ", "  ", "\n", "\t"}[w.shape.IntN(4)]
	}
	if after == "," || after == ")" || before == "(" {
		return ""
	}
	return " "
}
