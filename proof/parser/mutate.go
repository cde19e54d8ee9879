//go:build cgo

package parser

import (
	"regexp"
	"slices"
	"strings"
)

// tokenPattern cuts a text into tokens, roughly: they only have to be what is
// worth deleting and moving.
var tokenPattern = regexp.MustCompile(`(?s)[eEnNbBxXuU]?&?'(?:[^']|'')*'|"(?:[^"]|"")*"|\$\w*\$.*?\$\w*\$|\$\d+|[\pL\pN_$]+|::|[<>=!~]+|\S`)

// Tokens cuts a text into tokens.
func Tokens(sql string) []string { return tokenPattern.FindAllString(sql, -1) }

// keywords are put into statements.
var keywords = strings.Fields(`ALL AND ANY ARRAY AS ASC BETWEEN BY CASE CAST COALESCE COLLATE CONFLICT CURRENT_TIMESTAMP DEFAULT DELETE DESC
	DISTINCT DO EXCEPT EXISTS FETCH FOR FROM GROUP HAVING ILIKE IN INSERT INTO IS ISNULL JOIN KEY LATERAL LIKE LIMIT LOCKED NATURAL NO NOT
	NOTHING NOTNULL NOWAIT NULL NULLS OF OFFSET ON ONLY OPERATOR OR ORDER OVER OVERRIDING PARTITION RECURSIVE RETURNING ROW ROWS SELECT SET SHARE
	SIMILAR SKIP SOME SYSTEM TABLE TABLESAMPLE TEMP TEMPORARY TIME TO TRUE UNION UNLOGGED UPDATE USING VALUE VALUES VARIADIC VARYING WHEN WHERE
	WINDOW WITH WITHIN WITHOUT WORK ZONE ANALYZE EXPLAIN BEGIN COMMIT DOUBLE PRECISION INTERVAL ESCAPE FILTER UESCAPE SYMMETRIC MERGE MATERIALIZED
	( ) [ ] , . ; : :: = <> < > + - * || -> ->> => := .. ! @ # % ? 1 0 '' $1 "t" t id ( ( ) )`)

// mutate changes a few tokens.
func (g *Generator) mutate(tokens []string) []string {
	if len(tokens) < 2 {
		return tokens
	}
	i := g.r.IntN(len(tokens))
	switch g.r.IntN(7) {
	case 0:
		return slices.Delete(tokens, i, i+1)
	case 1:
		return slices.Insert(tokens, i, tokens[i])
	case 2:
		j := g.r.IntN(len(tokens))
		tokens[i], tokens[j] = tokens[j], tokens[i]
	case 3:
		return slices.Insert(tokens, i, pick(g.r, keywords))
	case 4:
		tokens[i] = pick(g.r, keywords)
	case 5:
		if strings.HasPrefix(tokens[i], "$") {
			tokens[i] = g.param()
			return tokens
		}
		return slices.Insert(tokens, i, g.name())
	case 6:
		j := min(len(tokens), i+1+g.r.IntN(4))
		return slices.Insert(tokens, i, append([]string{"("}, append(slices.Clone(tokens[i:j]), ")")...)...)
	}
	return tokens
}

// Shrink cuts a text down to a short one that bad is still true of. Each token
// keeps the blanks before it.
func Shrink(sql string, bad func(string) bool) string {
	var tokens []string
	end := 0
	for _, place := range tokenPattern.FindAllStringIndex(sql, -1) {
		tokens = append(tokens, sql[end:place[1]])
		end = place[1]
	}
	for size := max(1, len(tokens)/2); size > 0; {
		removed := false
		for i := 0; i+size <= len(tokens); {
			less := slices.Concat(tokens[:i], tokens[i+size:])
			if joined := strings.Join(less, ""); bad(joined) {
				tokens, sql, removed = less, joined, true
			} else {
				i++
			}
		}
		if !removed || size > len(tokens) {
			size /= 2
		}
	}
	return sql
}
