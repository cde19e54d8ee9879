//go:build cgo

package parser

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	pg "github.com/pganalyze/pg_query_go/v6"

	"github.com/writebehind/writebehind/rewrite"
)

// Verdict is what came of the comparison of one text.
type Verdict struct {
	Recognised bool // by rewrite, as one of its forms
	Parsed     bool // by PostgreSQL
	// Wrong says where the two disagree; nil if they do not.
	Wrong error
}

// Compare holds what rewrite says of a text against PostgreSQL's parse tree.
func Compare(sql string) Verdict {
	s := rewrite.Parse(sql)
	v := Verdict{Recognised: s.Form != rewrite.Other}
	if !utf8.ValidString(sql) || strings.IndexByte(sql, 0) >= 0 {
		// No server takes it, and the parser alone reads up to the NUL.
		if v.Recognised || s.Step != rewrite.NoStep {
			v.Wrong = errors.New("refused: not a text to PostgreSQL")
		}
		return v
	}
	tree, err := parse(sql)
	if err != nil {
		if v.Recognised && !holdsExpression(s) || s.Step != rewrite.NoStep {
			v.Wrong = fmt.Errorf("refused: PostgreSQL says %w", err)
		}
		return v
	}
	v.Parsed = true
	if s.Opaque == "bad parameter" || s.Opaque != "" && s.Effect == rewrite.Unknown && strings.Contains(sql, "\v") {
		return v
	}
	if v.Wrong = summary(s, tree); v.Wrong != nil || !v.Recognised {
		return v
	}
	if len(tree.GetStmts()) != 1 {
		v.Wrong = fmt.Errorf("several: recognised, and there are %d statements", len(tree.GetStmts()))
		return v
	}
	v.Wrong = statement(s, tree.GetStmts()[0].GetStmt())
	return v
}

// parse returns PostgreSQL's parse tree. The wrapped parser trips over comments in
// a few places where PostgreSQL does not (between the pieces of a string literal,
// after NULLS), so what it refuses is tried without them.
//
// It also takes $1AND for two tokens, which no server does, and a vertical tab for
// a blank, which servers do from version 16 on.
func parse(sql string) (*pg.ParseResult, error) {
	tree, err := pg.Parse(sql)
	if err == nil || !strings.Contains(sql, "--") && !strings.Contains(sql, "/*") {
		return tree, err
	}
	tokens, failed := pg.Scan(sql)
	if failed != nil {
		return nil, err
	}
	var b strings.Builder
	end := int32(0)
	for _, t := range tokens.GetTokens() {
		if t.GetToken() == pg.Token_SQL_COMMENT || t.GetToken() == pg.Token_C_COMMENT {
			b.WriteString(sql[end:t.GetStart()])
			b.WriteString(" ")
			end = t.GetEnd()
		}
	}
	b.WriteString(sql[end:])
	if tree, failed = pg.Parse(b.String()); failed != nil {
		return nil, err
	}
	return tree, nil
}

// holdsExpression tells whether a part of the statement is not understood. Such a
// statement is not deferred, so that PostgreSQL refuses it itself.
func holdsExpression(s *rewrite.Statement) bool {
	set := s.Set
	if s.Conflict != nil {
		set = slices.Concat(set, s.Conflict.Set)
	}
	is := func(v rewrite.Value) bool { return v.Kind == rewrite.Expression }
	return slices.ContainsFunc(set, func(a rewrite.Assignment) bool { return is(a.Value) }) ||
		slices.ContainsFunc(s.Rows, func(row []rewrite.Value) bool { return slices.ContainsFunc(row, is) })
}

// Readings describes both readings of a text, for a message.
func Readings(sql string) string {
	tree, err := parse(sql)
	theirs := fmt.Sprint(tree)
	if err != nil {
		theirs = err.Error()
	}
	return fmt.Sprintf("text        %q\nrewrite     %+v\nPostgreSQL  %s", sql, *rewrite.Parse(sql), theirs)
}
