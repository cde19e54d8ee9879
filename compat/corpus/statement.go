package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"strings"
)

// statement is a labelled statement as a library sent it.
type statement struct {
	Lib   string
	SQL   string
	Keyed bool
	Note  string // tags in brackets, then free text
	Tags  string // the same
}

// either tells whether the label leaves open what the statement may be taken for.
func (s *statement) either() bool {
	return strings.Contains(s.Note, "[either:") || strings.Contains(s.Tags, "[either:")
}

// longestLine is how many bytes a line of the file may have.
const longestLine = 16 << 20

func readStatements(name string) ([]statement, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, fmt.Errorf("corpus: %w", err)
	}
	defer f.Close()
	var all []statement
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, longestLine)
	for n := 1; lines.Scan(); n++ {
		var s statement
		if err := json.Unmarshal(lines.Bytes(), &s); err != nil {
			return nil, fmt.Errorf("corpus: %s:%d: %w", name, n, err)
		}
		all = append(all, s)
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("corpus: %s: %w", name, err)
	}
	return all, nil
}
