//go:build cgo

package parser

import (
	"errors"
	"fmt"
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
	tree, err := pg.Parse(sql)
	if err != nil {
		if v.Recognised || s.Step != rewrite.NoStep {
			v.Wrong = fmt.Errorf("refused: PostgreSQL says %w", err)
		}
		return v
	}
	v.Parsed = true
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

// Readings describes both readings of a text, for a message.
func Readings(sql string) string {
	tree, err := pg.Parse(sql)
	theirs := fmt.Sprint(tree)
	if err != nil {
		theirs = err.Error()
	}
	return fmt.Sprintf("text        %q\nrewrite     %+v\nPostgreSQL  %s", sql, *rewrite.Parse(sql), theirs)
}
