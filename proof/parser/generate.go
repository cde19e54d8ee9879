//go:build cgo

package parser

import (
	"math/rand/v2"
	"strconv"
	"strings"
)

// Generator makes up statements: in and around the forms that rewrite
// recognises, and of all other kinds, in many spellings. One seed gives one
// sequence.
type Generator struct {
	r      *rand.Rand
	corpus [][]string // tokens of statements from elsewhere
}

// NewGenerator returns a generator that also changes the statements in corpus.
func NewGenerator(seed uint64, corpus []string) *Generator {
	g := &Generator{r: rand.New(rand.NewPCG(seed, 0))}
	for _, sql := range corpus {
		g.corpus = append(g.corpus, Tokens(sql))
	}
	return g
}

// Next returns the next statement.
func (g *Generator) Next() string {
	var tokens []string
	switch n := g.r.IntN(20); {
	case n < 5 && len(g.corpus) > 0:
		tokens = append(tokens, g.corpus[g.r.IntN(len(g.corpus))]...)
	case n < 15:
		tokens = g.keyed()
	default:
		tokens = g.fill(pick(g.r, others))
	}
	for g.one(2) {
		tokens = g.mutate(tokens)
	}
	return g.join(tokens)
}

// one is true once in n times.
func (g *Generator) one(n int) bool { return g.r.IntN(n) == 0 }

func pick[T any](r *rand.Rand, list []T) T { return list[r.IntN(len(list))] }

// fill puts generated parts in the places of a template: its words are tokens,
// and those in braces name a part.
func (g *Generator) fill(template string) []string {
	var tokens []string
	for word := range strings.FieldsSeq(template) {
		switch word {
		case "{n}":
			tokens = append(tokens, g.name())
		case "{r}":
			tokens = append(tokens, g.table()...)
		case "{c}":
			tokens = append(tokens, g.column()...)
		case "{v}":
			tokens = append(tokens, g.value(0)...)
		case "{t}":
			tokens = append(tokens, g.typeName()...)
		case "{e}":
			tokens = append(tokens, g.expression(0)...)
		case "{w}":
			tokens = append(tokens, g.where()...)
		case "{q}":
			tokens = append(tokens, g.fill(pick(g.r, queries))...)
		case "{k}":
			tokens = append(tokens, g.keyed()...)
		default:
			tokens = append(tokens, word)
		}
	}
	return tokens
}

// keyed returns a statement of one of the recognised forms.
func (g *Generator) keyed() []string {
	switch g.r.IntN(4) {
	case 0:
		return g.insert()
	case 1:
		t := append([]string{"UPDATE"}, g.table()...)
		t = append(g.alias(t), "SET")
		return g.returning(append(g.set(t), g.where()...))
	case 2:
		t := g.alias(append([]string{"DELETE", "FROM"}, g.table()...))
		return g.returning(append(t, g.where()...))
	}
	if g.one(5) {
		t := append([]string{"SELECT", "EXISTS", "("}, g.selects()...)
		return g.label(append(t, ")"))
	}
	return g.selects()
}

func (g *Generator) selects() []string {
	t := []string{"SELECT"}
	switch g.r.IntN(6) {
	case 0:
		t = append(t, pick(g.r, [][]string{{"1"}, {"'a'"}, {"NULL"}, {"count", "(", "*", ")"}, {"COUNT", "(", "1", ")"}, {"-", "2"}, {"true"}})...)
		t = g.label(t)
	default:
		t = g.items(t)
	}
	t = g.alias(append(append(t, "FROM"), g.table()...))
	t = append(t, g.where()...)
	if g.one(3) {
		t = append(append(t, "ORDER", "BY"), g.column()...)
		t = append(t, pick(g.r, [][]string{nil, {"ASC"}, {"DESC"}, {"NULLS", "FIRST"}, {"DESC", "NULLS", "LAST"}, {",", "id"}})...)
	}
	lock := g.one(4)
	if lock && g.one(2) {
		t, lock = g.lock(t), false
	}
	if g.one(3) {
		t = append(append(t, "LIMIT"), g.value(0)...)
	}
	if lock {
		t = g.lock(t)
	}
	return t
}

func (g *Generator) lock(t []string) []string {
	t = append(append(t, "FOR"), pick(g.r, [][]string{{"UPDATE"}, {"SHARE"}, {"NO", "KEY", "UPDATE"}, {"KEY", "SHARE"}})...)
	if g.one(4) {
		t = append(t, "OF", g.name())
	}
	return append(t, pick(g.r, [][]string{nil, nil, {"NOWAIT"}, {"SKIP", "LOCKED"}})...)
}

func (g *Generator) insert() []string {
	t := append([]string{"INSERT", "INTO"}, g.table()...)
	if g.one(5) {
		t = append(t, "AS", g.name())
	}
	if g.one(12) {
		t = append(t, "DEFAULT", "VALUES")
	} else {
		width := 1 + g.r.IntN(3)
		if !g.one(6) {
			t = append(t, "(")
			for i := range width {
				if i > 0 {
					t = append(t, ",")
				}
				t = append(t, g.name())
			}
			t = append(t, ")")
		}
		t = append(t, "VALUES")
		for row := range 1 + g.r.IntN(2) {
			if row > 0 {
				t = append(t, ",")
			}
			t = g.tuple(t, width)
		}
	}
	if g.one(3) {
		t = append(t, "ON", "CONFLICT")
		if !g.one(6) {
			t = append(t, "(", g.name(), ")")
		}
		if g.one(2) {
			t = append(t, "DO", "NOTHING")
		} else {
			t = g.set(append(t, "DO", "UPDATE", "SET"))
		}
	}
	return g.returning(t)
}

// tuple adds a row of values or expressions.
func (g *Generator) tuple(t []string, width int) []string {
	t = append(t, "(")
	for i := range width {
		if i > 0 {
			t = append(t, ",")
		}
		switch g.r.IntN(8) {
		case 0:
			t = append(t, "DEFAULT")
		case 1:
			t = append(t, g.expression(0)...)
		default:
			t = append(t, g.value(0)...)
		}
	}
	return append(t, ")")
}

func (g *Generator) set(t []string) []string {
	for more := true; more; more = g.one(3) {
		if t[len(t)-1] != "SET" {
			t = append(t, ",")
		}
		name := g.name()
		if g.one(10) {
			t = append(t, "(", name, ",", g.name(), ")", "=")
			if g.one(3) {
				t = append(t, "ROW")
			}
			t = g.tuple(t, 2)
			continue
		}
		t = append(t, name, "=")
		own := []string{name}
		if g.one(3) {
			own = []string{pick(g.r, simpleNames), ".", name}
		}
		if g.one(5) {
			own = append(append([]string{"COALESCE", "("}, own...), ",", "0", ")")
		}
		switch g.r.IntN(6) {
		case 0:
			t = append(append(t, own...), pick(g.r, []string{"+", "-", "*", "||"}))
			t = append(t, g.value(0)...)
		case 1:
			t = append(append(append(t, g.value(0)...), "+"), own...)
		case 2:
			t = append(t, "EXCLUDED", ".", g.name())
		case 3:
			t = append(t, g.expression(0)...)
		default:
			t = append(t, g.value(0)...)
		}
	}
	return t
}

func (g *Generator) returning(t []string) []string {
	if g.one(3) {
		t = g.items(append(t, "RETURNING"))
	}
	return t
}

func (g *Generator) items(t []string) []string {
	for first := true; first || g.one(2); first = false {
		if !first {
			t = append(t, ",")
		}
		switch g.r.IntN(6) {
		case 0:
			t = append(t, "*")
		case 1:
			t = append(t, g.name(), ".", "*")
		default:
			t = g.label(append(t, g.column()...))
		}
	}
	return t
}

func (g *Generator) label(t []string) []string {
	switch g.r.IntN(6) {
	case 0:
		return append(t, "AS", g.name())
	case 1:
		return append(t, g.name())
	}
	return t
}

func (g *Generator) alias(t []string) []string { return g.label(t) }

func (g *Generator) where() []string {
	t := []string{"WHERE"}
	for more := true; more; more = g.one(2) {
		if t[len(t)-1] != "WHERE" {
			t = append(t, "AND")
		}
		condition := g.condition()
		if g.one(6) {
			condition = append(append([]string{"("}, condition...), ")")
		}
		t = append(t, condition...)
	}
	return t
}

// conditions are templates of what may stand between ANDs.
var conditions = []string{
	"{c} = {v}", "{c} = {v}", "{c} = {v}", "{c} = {v}", "{v} = {c}", "{c} IS NULL", "{c} IS NOT NULL", "{c} ISNULL", "{c} NOTNULL",
	"{c} IN ( {v} )", "{c} IN ( {v} , {v} , {v} )", "{c} = ANY ( {v} )", "{c} = SOME ( {v} )", "{c} = ANY ( ARRAY [ 1 , {v} ] )",
	"{c} = ANY ( ARRAY [ {v} , {v} ] :: {t} [ ] )", "( {c} , {c} ) = ( {v} , {v} )", "ROW ( {c} , {c} ) = ROW ( {v} , {v} )",
	"( {c} , {c} ) IN ( ( {v} , {v} ) , ( {v} , {v} ) )", "ROW ( {c} ) = ROW ( {v} )", "( {v} , {c} ) = ( {c} , {v} )",
	"{c} > now ( )", "{c} <= CURRENT_TIMESTAMP", "now ( ) < {c}", "CURRENT_TIMESTAMP >= {c}", "( {c} = {v} AND {c} = {v} )",
	"{c} = {v} OR {c} = {v}", "NOT {c} = {v}", "{c} <> {v}", "{c} LIKE {v}", "{c} NOT IN ( {v} )", "{c} = ALL ( {v} )",
	"{c} BETWEEN {v} AND {v}", "{e}", "EXISTS ( {q} )", "{c} IN ( {q} )", "( {c} , {c} ) IS NULL", "{c} = {v} IS TRUE",
	"{c} IS NOT DISTINCT FROM {v}", "{c} = {v} + 1", "{c} = {v} :: {t}", "{c} OPERATOR ( pg_catalog . = ) {v}",
}

func (g *Generator) condition() []string { return g.fill(pick(g.r, conditions)) }

func (g *Generator) value(depth int) []string {
	if depth > 3 {
		return []string{"1"}
	}
	switch g.r.IntN(22) {
	case 0, 1, 2, 3, 4, 5:
		return []string{"$" + strconv.Itoa(1+g.r.IntN(12))}
	case 6, 7:
		return []string{strconv.Itoa(g.r.IntN(300))}
	case 8, 9, 10:
		return []string{g.text()}
	case 11:
		return []string{"-", pick(g.r, numbers)}
	case 12:
		return []string{pick(g.r, numbers)}
	case 13:
		return append(append(g.value(depth+1), "::"), g.typeName()...)
	case 14:
		return append(append(append([]string{"CAST", "("}, g.value(depth+1)...), "AS"), append(g.typeName(), ")")...)
	case 15:
		return append(g.typeName(), g.text())
	case 16:
		return append(append([]string{"("}, g.value(depth+1)...), ")")
	case 17:
		return []string{"now", "(", ")"}
	case 18:
		return []string{pick(g.r, []string{"CURRENT_TIMESTAMP", "current_timestamp", "CURRENT_DATE", "LOCALTIMESTAMP", "DEFAULT"})}
	case 19:
		return []string{pick(g.r, []string{"true", "FALSE", "True"})}
	}
	return []string{"NULL"}
}

// expressions are templates of what may stand where a value does.
var expressions = []string{
	"{v}", "{c}", "{c} + {v}", "{v} || {v}", "f ( {v} , {e} )", "s . f ( )", "COALESCE ( {e} , {v} )", "( {e} )", "{c} . {n}", "( {c} ) . {n}",
	"CASE WHEN {e} THEN {v} ELSE {v} END", "CASE {e} WHEN {v} THEN {v} END", "ARRAY [ {v} , {v} ]", "{c} [ 1 ]", "{c} [ {v} : {v} ]",
	"( {q} )", "ARRAY ( {q} )", "NOT {e}", "- {e}", "{e} AT TIME ZONE {v}", "{e} COLLATE {n}", "{e} IS DISTINCT FROM {e}", "nullif ( {v} , {v} )",
	"extract ( year FROM {e} )", "substring ( {e} FROM 1 FOR 2 )", "substring ( {e} for 2 )", "trim ( both FROM {e} )", "position ( {v} IN {v} )",
	"overlay ( {v} placing {v} from 2 )", "{e} BETWEEN SYMMETRIC {v} AND {v}", "{e} NOT ILIKE {v} ESCAPE {v}", "{e} SIMILAR TO {v}",
	"( {v} , {v} ) OVERLAPS ( {v} , {v} )", "ROW ( {v} , {e} )", "GREATEST ( {v} , {v} )", "interval {v} day to second", "{v} :: {t} :: {t}",
	"sum ( {e} ) FILTER ( WHERE {e} ) OVER ( PARTITION BY {e} ORDER BY {e} )", "count ( DISTINCT {e} )", "{n} ( {v} )", "{n} . {n} ( {v} )", "{e} IS JSON",
	"percentile_cont ( 0.5 ) WITHIN GROUP ( ORDER BY {e} )", "f ( a => {v} , b := {v} )", "f ( VARIADIC {v} )", "{e} IS NORMALIZED",
	"treat ( {e} AS {t} )", "xmlelement ( name {n} , {v} )", "grouping ( {c} )", "{e} OPERATOR ( {n} . + ) {v}", "current_user", "{v} :: timestamp with time zone",
	"coalesce ( {c} , 0 ) + {v}", "{e} <= ALL ( {v} )", "{e} ~* {v}", "@ {v}", "{v} != {v}", "normalize ( {e} , NFC )", "{c} . *", "collation for ( {e} )",
	"xmlparse ( document {v} )", "xmlserialize ( content {v} as {t} )", "json_object ( {v} : {v} )", "{e} IS DOCUMENT", "set_config ( 'a' , 'b' , false )",
}

func (g *Generator) expression(depth int) []string {
	if depth > 2 {
		return g.value(2)
	}
	var t []string
	for word := range strings.FieldsSeq(pick(g.r, expressions)) {
		if word == "{e}" {
			t = append(t, g.expression(depth+1)...)
			continue
		}
		t = append(t, g.fill(word)...)
	}
	return t
}
