package rewrite

import (
	"bytes"
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// corpusLine is a statement as a Go library sent it, with what it should be
// taken for: expect is insert, upsert, update, delete, select or pass; a tag
// [either:x] says that x would be right too.
type corpusLine struct {
	Lib    string
	SQL    string
	Expect string
	Keyed  bool
	Tags   string
}

func corpus(t testing.TB) []corpusLine {
	t.Helper()
	text, err := os.ReadFile("testdata/orm_sql.jsonl")
	require.NoError(t, err)
	var lines []corpusLine
	for line := range bytes.Lines(text) {
		var l corpusLine
		require.NoError(t, json.Unmarshal(line, &l))
		lines = append(lines, l)
	}
	require.Greater(t, len(lines), 100)
	return lines
}

// primaryKeys are those of testdata/schema.sql.
var primaryKeys = map[string][]string{
	"users": {"id"}, "teams": {"id"}, "memberships": {"user_id", "team_id"}, "documents": {"id"},
	"app_settings": {"key"}, "orders": {"id"}, "order_items": {"order_id", "line_no"},
	"invoices": {"id"}, "Account": {"Id"}, "schema_migrations": {"version"}, "jobs": {"id"},
}

// keyedAs says what a statement is as a keyed one, given the primary key of
// its table; "" if it is none.
func keyedAs(s *Statement, key []string) string {
	if key == nil || s.Existence == ExistsRow || s.Lock != "" {
		return ""
	}
	switch s.Form {
	case Insert:
		return keyedInsert(s, key)
	case Update:
		setsKey := slices.ContainsFunc(s.Set, func(a Assignment) bool { return slices.Contains(key, a.Column) })
		if !setsKey && fixes(s, key, Equals) {
			return "update"
		}
	case Delete:
		if fixes(s, key, Equals) {
			return "delete"
		}
	case Select:
		ordered := slices.ContainsFunc(s.OrderBy, func(o Order) bool { return !slices.Contains(key, o.Column) })
		if !ordered && fixes(s, key, Equals, In, Any) {
			return "select"
		}
	}
	return ""
}

func fixes(s *Statement, key []string, ops ...ConditionOp) bool {
	fixed := map[string]bool{}
	for _, c := range s.Where {
		if slices.Contains(ops, c.Op) && c.Rows[0][0].Kind != Null {
			for _, column := range c.Columns {
				fixed[column] = true
			}
		}
	}
	return !slices.ContainsFunc(key, func(k string) bool { return !fixed[k] })
}

func keyedInsert(s *Statement, key []string) string {
	for i, k := range key {
		at := slices.Index(s.Columns, k)
		if s.Columns == nil {
			at = i // the tables of the corpus start with their keys
		}
		for _, row := range s.Rows {
			if at < 0 || at >= len(row) || row[at].Kind > Bool {
				return ""
			}
		}
	}
	if s.Conflict == nil {
		return "insert"
	}
	if target := slices.Sorted(slices.Values(s.Conflict.Columns)); target != nil &&
		!slices.Equal(target, slices.Sorted(slices.Values(key))) {
		return ""
	}
	return "upsert"
}

func TestStatementsOfLibrariesAreTakenForWhatTheyAre(t *testing.T) {
	for _, line := range corpus(t) {
		s := Parse(line.SQL)
		got := keyedAs(s, primaryKeys[s.Table.Name])
		either := strings.Contains(line.Tags, "[either:"+got+"]") ||
			got == "" && strings.Contains(line.Tags, "[either:pass]")
		switch {
		case line.Keyed && !either:
			require.Equal(t, line.Expect, got, "%s: %s", line.Lib, line.SQL)
		case !line.Keyed && !either:
			require.Empty(t, got, "%s: %s %s", line.Lib, line.Tags, line.SQL)
		}
	}
}
