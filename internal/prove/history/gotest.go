package history

import (
	"database/sql"
	"fmt"
	"go/format"
	"strings"
	"time"
)

// GoTest returns the history as the Go source of a test function that can be
// pasted into any test file which registers the driver under test and imports
// package prove.
func (h History) GoTest(name string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "func %s(t *testing.T) {\n\tprove.Replay(t, prove.History{\n", name)
	if s := h.Settings.fields(); s != "" {
		fmt.Fprintf(&b, "\t\tSettings: prove.Settings{%s},\n", s)
	}
	b.WriteString("\t\tSchema: []string{\n")
	for _, s := range h.Schema {
		fmt.Fprintf(&b, "\t\t\t%s,\n", goString(s))
	}
	b.WriteString("\t\t},\n\t\tStatements: []prove.Statement{\n")
	for _, s := range h.Statements {
		fmt.Fprintf(&b, "\t\t\t{%s},\n", s.fields())
	}
	b.WriteString("\t\t},\n\t})\n}\n")
	src, err := format.Source([]byte(b.String()))
	if err != nil {
		return b.String()
	}
	return string(src)
}

func (s Settings) fields() string {
	var f fieldList
	f.add(s.Tables != "", "Tables: %q", s.Tables)
	f.add(s.MaxDelay != 0, "MaxDelay: %d * time.Millisecond", s.MaxDelay/time.Millisecond)
	f.add(s.BatchRows != 0, "BatchRows: %d", s.BatchRows)
	f.add(s.CacheSize != "", "CacheSize: %q", s.CacheSize)
	f.add(s.Binary, "Binary: true")
	f.add(s.TimeZone != "", "TimeZone: %q", s.TimeZone)
	f.add(s.URL, "URL: true")
	f.add(s.Conn, "Conn: true")
	f.add(s.Deadline, "Deadline: true")
	f.add(s.Sync != "", "Sync: %q", s.Sync)
	f.add(s.Real, "Real: true")
	return f.String()
}

func (s Statement) fields() string {
	var f fieldList
	f.add(s.Conn != 0, "Conn: %d", s.Conn)
	f.add(s.Call != Exec, "Call: prove.%s", s.Call)
	f.add(s.SQL != "", "SQL: %s", goString(s.SQL))
	if len(s.Args) > 0 {
		args := make([]string, len(s.Args))
		for i, a := range s.Args {
			args[i] = goLiteral(a)
		}
		f.add(true, "Args: []any{%s}", strings.Join(args, ", "))
	}
	f.add(s.Prepared != Direct, "Prepared: prove.%s", s.Prepared)
	f.add(s.Unordered, "Unordered: true")
	f.add(s.Columns != 0, "Columns: %d", s.Columns)
	f.add(s.Read != 0, "Read: %d", s.Read)
	f.add(s.DDL, "DDL: true")
	f.add(s.Isolation != sql.LevelDefault, "Isolation: sql.IsolationLevel(%d)", int(s.Isolation))
	f.add(s.ReadOnly, "ReadOnly: true")
	return f.String()
}

// String is the name of the constant.
func (c Call) String() string {
	return [...]string{"Exec", "Query", "Begin", "Commit", "Rollback", "Reopen", "Copy"}[c]
}

// String is the name of the constant.
func (p Prepared) String() string { return [...]string{"Direct", "Once", "Kept"}[p] }

// String is the statement as GoTest writes it.
func (s Statement) String() string { return "{" + s.fields() + "}" }

type fieldList []string

func (f *fieldList) add(when bool, layout string, args ...any) {
	if when {
		*f = append(*f, fmt.Sprintf(layout, args...))
	}
}

func (f fieldList) String() string { return strings.Join(f, ", ") }
