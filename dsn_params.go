package writebehind

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/writebehind/writebehind/internal/catalog"
)

// paramDef is one known parameter. set takes a value that is not empty, and
// setFor the value for one table (nil: it cannot be given per table).
type paramDef struct {
	name   string
	set    func(s *settings, value string) error
	setFor func(s *settings, table catalog.Name, value string) error
}

// paramDefs are all parameters, in the order in which they are documented.
var paramDefs = []paramDef{
	{name: "tables", set: setTables},
	{name: "journal", set: setJournal},
	wordParam("sync", func(s *settings) *syncMode { return &s.sync }, syncOn, syncOff),
	durationParam("max_delay", time.Hour, func(s *settings) *time.Duration { return &s.maxDelay }),
	intParam("batch_rows", 1_000_000, func(s *settings) *int { return &s.batchRows }),
	intParam("max_pending_rows", 1_000_000_000, func(s *settings) *int { return &s.maxPendingRows }),
	sizeParam("max_pending_bytes", 1, func(s *settings) *int64 { return &s.maxPendingBytes }),
	sizeParam("max_journal_bytes", 256<<20, func(s *settings) *int64 { return &s.maxJournalBytes }),
	wordParam("overflow", func(s *settings) *overflowMode { return &s.overflow }, overflowBlock, overflowError),
	wordParam("transactions", func(s *settings) *transactionsMode { return &s.transactions }, transactionsBuffer, transactionsDirect),
	perTable(
		wordParam("insert", func(s *settings) *insertMode { return &s.insert }, insertCheck, insertTrust),
		func(s *settings) (*insertMode, *map[catalog.Name]insertMode) { return &s.insert, &s.tableInsert }),
	perTable(
		wordParam("unique", func(s *settings) *uniqueMode { return &s.unique }, uniqueCheck, uniqueTrust, uniqueDirect),
		func(s *settings) (*uniqueMode, *map[catalog.Name]uniqueMode) { return &s.unique, &s.tableUnique }),
	cacheSizeParam(),
	perTable(
		durationParam("cache_ttl", 720*time.Hour, func(s *settings) *time.Duration { return &s.cacheTTL }),
		func(s *settings) (*time.Duration, *map[catalog.Name]time.Duration) {
			return &s.cacheTTL, &s.tableCacheTTL
		}),
	durationParam("takeover_timeout", time.Hour, func(s *settings) *time.Duration { return &s.takeoverTimeout }),
	durationParam("close_timeout", 24*time.Hour, func(s *settings) *time.Duration { return &s.closeTimeout }),
	{name: "driver", set: setDriver},
}

// lookUpParam finds the definition of a parameter, and the table if it is given
// for one.
func lookUpParam(given string) (def paramDef, table catalog.Name, perTable bool, err error) {
	name := strings.TrimPrefix(given, dsnPrefix)
	for _, def := range paramDefs {
		if name == def.name {
			return def, catalog.Name{}, false, nil
		}
		suffix, found := strings.CutPrefix(name, def.name+".")
		if !found {
			continue
		}
		if def.setFor == nil {
			return paramDef{}, catalog.Name{}, false, fmt.Errorf(
				`%s: "writebehind.%s" cannot be given per table; insert, unique and cache_ttl can`, showName(given), def.name)
		}
		table, rest, err := parseTable(suffix)
		if err == nil && rest != "" {
			err = errors.New("unexpected text after the table name")
		}
		if err != nil {
			return paramDef{}, catalog.Name{}, false, fmt.Errorf("%s: %w", showName(given), err)
		}
		return def, table, true, nil
	}

	known := make([]string, len(paramDefs))
	for i, def := range paramDefs {
		known[i] = dsnPrefix + def.name
	}
	hint := ""
	if near := nearest(given, known); near != "" {
		hint = fmt.Sprintf(" (did you mean %q?)", near)
	}
	return paramDef{}, catalog.Name{}, false, fmt.Errorf("unknown parameter %s%s; known are %s",
		showName(given), hint, strings.Join(known, ", "))
}

// nearest is the known name that given is most likely a misspelling of, "" if
// it is like none.
func nearest(given string, known []string) string {
	plain := strings.NewReplacer("_", "", "-", "", " ", "")
	given = plain.Replace(strings.ToLower(given))
	best, bestDistance := "", 4
	for _, k := range known {
		if d := editDistance(given, plain.Replace(k)); d < bestDistance {
			best, bestDistance = k, d
		}
	}
	return best
}

// editDistance is the Levenshtein distance of a and b in bytes.
func editDistance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := diagonal
			if a[i] != b[j] {
				change++
			}
			diagonal = row[j+1]
			row[j+1] = min(change, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}

// perTable lets a parameter be given for one table, too. targets returns where
// the general value and those per table are kept.
func perTable[T any](def paramDef, targets func(*settings) (*T, *map[catalog.Name]T)) paramDef {
	def.setFor = func(s *settings, table catalog.Name, value string) error {
		var one settings
		if err := def.set(&one, value); err != nil {
			return err
		}
		parsed, _ := targets(&one)
		_, all := targets(s)
		if *all == nil {
			*all = make(map[catalog.Name]T)
		}
		(*all)[table] = *parsed
		return nil
	}
	return def
}

// durationParam is a Go duration above 0 and up to limit.
func durationParam(name string, limit time.Duration, field func(*settings) *time.Duration) paramDef {
	return paramDef{name: name, set: func(s *settings, value string) error {
		if isDigits(strings.TrimPrefix(value, "-")) {
			return fmt.Errorf("%s is a number without a unit; write a duration such as 100ms, 30s or 10m", showValue(value))
		}
		d, err := time.ParseDuration(value)
		if err != nil {
			return fmt.Errorf("%s is not a duration such as 100ms, 30s or 10m", showValue(value))
		}
		if d <= 0 || d > limit {
			return fmt.Errorf("%s is out of range; it must be above 0 and at most %s", showValue(value), formatDuration(limit))
		}
		*field(s) = d
		return nil
	}}
}

// intParam is a whole number from 1 to limit.
func intParam(name string, limit int, field func(*settings) *int) paramDef {
	return paramDef{name: name, set: func(s *settings, value string) error {
		n, err := strconv.ParseInt(value, 10, 64)
		if err != nil && !errors.Is(err, strconv.ErrRange) {
			return fmt.Errorf("%s is not a whole number", showValue(value))
		}
		if err != nil || n < 1 || n > int64(limit) {
			return fmt.Errorf("%s is out of range; it must be from 1 to %d", showValue(value), limit)
		}
		*field(s) = int(n)
		return nil
	}}
}

// maxSize is the largest size that any parameter takes.
const maxSize = 1 << 40

// sizeParam is a number of bytes from least to maxSize.
func sizeParam(name string, least int64, field func(*settings) *int64) paramDef {
	return paramDef{name: name, set: func(s *settings, value string) error {
		n, err := parseSize(value)
		if err != nil {
			return err
		}
		if n < least || n > maxSize {
			return fmt.Errorf("%s is out of range; it must be from %s to %s",
				showValue(value), formatSize(least), formatSize(maxSize))
		}
		*field(s) = n
		return nil
	}}
}

func cacheSizeParam() paramDef {
	def := sizeParam("cache_size", 1<<20, func(s *settings) *int64 { return &s.cacheSize })
	inRange := def.set
	def.set = func(s *settings, value string) error {
		if n, err := parseSize(value); err == nil && n == 0 {
			s.cacheSize = 0
			return nil
		}
		if err := inRange(s, value); err != nil {
			return fmt.Errorf("%w; 0 turns caching off", err)
		}
		return nil
	}
	return def
}

// wordParam is one of the given words.
func wordParam[T ~string](name string, field func(*settings) *T, words ...T) paramDef {
	return paramDef{name: name, set: func(s *settings, value string) error {
		if !slices.Contains(words, T(value)) {
			return fmt.Errorf("%s is not known; it must be one of %q", showValue(value), words)
		}
		*field(s) = T(value)
		return nil
	}}
}

// setJournal takes a directory; a relative one is where the process was started.
func setJournal(s *settings, value string) error {
	if value == journalNone {
		s.journal = value
		return nil
	}
	path, err := filepath.Abs(value)
	if err != nil {
		return fmt.Errorf("the directory cannot be made absolute: %w", err)
	}
	s.journal = path
	return nil
}

func setDriver(s *settings, value string) error {
	if value == "writebehind" || value == "postgres-writebehind" {
		return fmt.Errorf("%q is this driver itself; name the real one", value)
	}
	s.driver = value
	return nil
}

func setTables(s *settings, value string) error {
	for rest := value; ; {
		if after, found := strings.CutPrefix(rest, "*"); found {
			s.allTables, rest = true, after
		} else {
			table, after, err := parseTable(rest)
			if err != nil {
				return err
			}
			if !slices.Contains(s.tables, table) {
				s.tables = append(s.tables, table)
			}
			rest = after
		}
		rest = strings.TrimSpace(rest)
		if rest == "" {
			return nil
		}
		if rest[0] != ',' {
			return errors.New("table names are separated by commas, and one that is not a plain name needs double quotes")
		}
		rest = strings.TrimSpace(rest[1:])
	}
}
