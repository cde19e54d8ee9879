//go:build !cgo

package parser

import "testing"

func TestParserAgrees(t *testing.T) {
	t.Skip("PostgreSQL's parser is built with cgo, and there is no C compiler")
}
