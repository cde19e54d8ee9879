//go:build cgo

package parser

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

var (
	statements = flag.Int("statements", usual, "number of generated statements to compare")
	seed       = flag.Uint64("seed", 0, "seed of the statements; 0: from the clock")
	most       = flag.Int("most", 5, "stop after this many disagreements")
)

// corpus returns the statements that Go libraries sent.
func corpus(t testing.TB) []string {
	t.Helper()
	text, err := os.ReadFile("../../rewrite/testdata/orm_sql.jsonl")
	require.NoError(t, err)
	var list []string
	for line := range bytes.Lines(text) {
		var statement struct{ SQL string }
		require.NoError(t, json.Unmarshal(line, &statement))
		list = append(list, statement.SQL)
	}
	require.NotEmpty(t, list)
	return list
}

// agree requires that rewrite and PostgreSQL agree about a text.
func agree(t *testing.T, sql string) Verdict {
	t.Helper()
	v := Compare(sql)
	if v.Wrong != nil {
		t.Errorf("%v\n%s", v.Wrong, Readings(sql))
	}
	return v
}

func TestParserAgreesAboutLibraries(t *testing.T) {
	recognised := 0
	for _, sql := range corpus(t) {
		if agree(t, sql).Recognised {
			recognised++
		}
	}
	require.Greater(t, recognised, 500)
}

// TestParserAgreesAboutScripts reads what PostgreSQL is installed with: the scripts
// of the information schema, of the system views and of extensions.
func TestParserAgreesAboutScripts(t *testing.T) {
	var files []string
	for _, pattern := range []string{"/usr/share/postgresql/*/*.sql", "/usr/share/postgresql/*/extension/*.sql"} {
		found, err := filepath.Glob(pattern)
		require.NoError(t, err)
		files = append(files, found...)
	}
	if len(files) == 0 {
		t.Skip("no scripts of an installation in /usr/share/postgresql")
	}
	read := 0
	for _, file := range files {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		for _, sql := range Split(string(text)) {
			if agree(t, sql).Parsed {
				read++
			}
		}
	}
	t.Logf("oracle: %d statements of %d scripts", read, len(files))
}

// result is what a number of statements came to.
type result struct {
	statements, recognised, parsed, disagreements int
}

// TestParserAgreesAboutGeneratedStatements compares the number of statements that
// the flag says. Each worker has a seed of its own.
func TestParserAgreesAboutGeneratedStatements(t *testing.T) {
	start := *seed
	if start == 0 {
		start = uint64(time.Now().UnixNano())
	}
	libraries := corpus(t)
	var (
		mu    sync.Mutex
		total result
		group sync.WaitGroup
		seen  = map[string]bool{}
	)
	workers := min(runtime.GOMAXPROCS(0), 8)
	for worker := range workers {
		group.Go(func() {
			g := NewGenerator(start+uint64(worker), libraries)
			for range *statements / workers {
				sql := g.Next()
				v := Compare(sql)
				mu.Lock()
				total.add(v)
				enough := total.disagreements >= *most
				mu.Unlock()
				if v.Wrong == nil {
					continue
				}
				class, _, _ := strings.Cut(v.Wrong.Error(), ":")
				short := Shrink(sql, func(s string) bool {
					w := Compare(s).Wrong
					return w != nil && strings.HasPrefix(w.Error(), class)
				})
				mu.Lock()
				if !seen[short] {
					seen[short] = true
					t.Errorf("%v\nof          %q\n%s", Compare(short).Wrong, sql, Readings(short))
				}
				mu.Unlock()
				if enough {
					return
				}
			}
		})
	}
	group.Wait()
	fmt.Printf("oracle: seed %d parsed %d\noracle: statements %d recognised %d disagreements %d\n",
		start, total.parsed, total.statements, total.recognised, total.disagreements)
	require.Greater(t, total.recognised*20, total.statements, "the generator no longer meets the forms")
}

func (r *result) add(v Verdict) {
	r.statements++
	if v.Recognised {
		r.recognised++
	}
	if v.Parsed {
		r.parsed++
	}
	if v.Wrong != nil {
		r.disagreements++
	}
}

func FuzzParserAgrees(f *testing.F) {
	for _, sql := range corpus(f) {
		f.Add(sql)
	}
	g := NewGenerator(1, nil)
	for range 500 {
		f.Add(g.Next())
	}
	f.Fuzz(func(t *testing.T, sql string) {
		if len(sql) > 10_000 {
			t.Skip("longer texts say nothing new")
		}
		agree(t, sql)
	})
}
