package writebehind

import (
	"cmp"
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/writebehind/writebehind/internal/catalog"
)

// The values that parameters of one word take.
const (
	journalNone = "none"

	overflowBlock overflowMode = "block"
	overflowError overflowMode = "error"

	insertCheck insertMode = "check"
	insertTrust insertMode = "trust"

	uniqueDirect uniqueMode = "direct"
)

type (
	// overflowMode says what a writer meets at a bound: it waits, honouring its
	// context, or gets an error.
	overflowMode string

	// insertMode says how an INSERT with a key of the application's own comes
	// to be deferred: after a look-up that the key is free, or trusting that it is.
	insertMode string

	// uniqueMode says what becomes of an INSERT into a table with a UNIQUE
	// constraint beside its primary key.
	uniqueMode string
)

// settings are the parameters of a DSN that are the shim's own. Each comment
// ends with the default. Values are in range once parseDSN has returned them.
type settings struct {
	// tables are the tables opted in, in the order of the DSN. A Schema of ""
	// is to be found along the search path. Default: none.
	tables []catalog.Name

	// allTables opts in every eligible table ("*" in the list). Default: false.
	allTables bool

	// journal is where acknowledged writes are kept until they are flushed;
	// required with tables.
	//
	// WARNING: with "none", the only value in this version, they are kept in
	// memory alone: when the process dies, those not yet flushed are lost.
	//
	// Default: "", which is possible only without tables.
	journal string

	// maxDelay is the longest wait before an acknowledged write starts to
	// flush; above 0, at most 1h. Default: 100ms.
	maxDelay time.Duration

	// batchRows is the number of rows that starts a flush before maxDelay is
	// over; 1 to 1,000,000. Default: 5000.
	batchRows int

	// maxPendingRows bounds the rows not yet flushed, batches in flight
	// included; 1 to 1,000,000,000. Default: 1000000.
	maxPendingRows int

	// maxPendingBytes bounds their memory, in bytes; 1 B to 1 TB.
	// Default: 256MB.
	maxPendingBytes int64

	// overflow is what happens to a write at one of the two bounds.
	// Default: block.
	overflow overflowMode

	// insert is how an INSERT with an explicit key is deferred.
	//
	// WARNING: with "trust" nothing is looked up; an INSERT of a key that
	// exists is acknowledged and becomes a dead letter.
	//
	// Default: check.
	insert insertMode

	// unique is what becomes of an INSERT into a table with a further UNIQUE
	// constraint. "direct" runs it on the real connection at once; it is the
	// only value in this version. Default: direct.
	unique uniqueMode

	// cacheSize is the memory for clean rows, in bytes; at least 1 MB (the
	// cache's own unit), at most 1 TB; 0 turns caching of clean rows off.
	// Default: 64MB.
	cacheSize int64

	// cacheTTL is how long a clean row answers reads, and so how long a change
	// made past the shim can stay unseen; above 0, at most 720h. Default: 10m.
	cacheTTL time.Duration

	// closeTimeout is how long Close drains before it returns an error with
	// the count left; above 0, at most 24h. Default: 20s.
	closeTimeout time.Duration

	// driver is the name under which the real driver is registered with
	// database/sql. Default: postgres.
	driver string

	// Per table, in place of insert, unique and cacheTTL. Read them through
	// insertFor, uniqueFor and cacheTTLFor. Default: none.
	tableInsert   map[catalog.Name]insertMode
	tableUnique   map[catalog.Name]uniqueMode
	tableCacheTTL map[catalog.Name]time.Duration
}

func defaultSettings() settings {
	return settings{
		maxDelay:        100 * time.Millisecond,
		batchRows:       5000,
		maxPendingRows:  1_000_000,
		maxPendingBytes: 256 << 20,
		overflow:        overflowBlock,
		insert:          insertCheck,
		unique:          uniqueDirect,
		cacheSize:       64 << 20,
		cacheTTL:        10 * time.Minute,
		closeTimeout:    20 * time.Second,
		driver:          "postgres",
	}
}

// parseDSN splits a DSN into the shim's settings and the DSN of the real
// driver, which is the user's own text without our parameters, byte for byte.
// No error carries any other text of the DSN than our parameters' own.
func parseDSN(dsn string) (settings, string, error) {
	rest, params, err := stripDSN(dsn)
	if err != nil {
		return settings{}, "", err
	}
	s, err := newSettings(params)
	if err != nil {
		return settings{}, "", err
	}
	return s, rest, nil
}

func newSettings(params []dsnParam) (settings, error) {
	var (
		s    = defaultSettings()
		seen = make(map[string]bool, len(params))
		per  []overrideOf
	)
	for _, given := range params {
		def, table, perTable, err := lookUpParam(given.name)
		if err != nil {
			return settings{}, err
		}
		name := dsnPrefix + def.name
		if perTable {
			name += "." + quoteTable(table)
			per = append(per, overrideOf{table: table, name: name})
		}
		if seen[name] {
			return settings{}, fmt.Errorf("%s is given twice", showName(name))
		}
		seen[name] = true

		value := strings.TrimSpace(given.value)
		switch {
		case def.later != "":
			err = errors.New(def.later)
		case value == "":
			err = errors.New("has no value; leave it out for the default")
		case perTable:
			err = def.setFor(&s, table, value)
		default:
			err = def.set(&s, value)
		}
		if err != nil {
			return settings{}, fmt.Errorf("%s: %w", showName(name), err)
		}
	}

	if s.optsIn() && s.journal == "" {
		return settings{}, errors.New(`"writebehind.journal" is required with "writebehind.tables": give a directory, ` +
			`or "none" to keep acknowledged writes in memory only (in this version only "none")`)
	}
	for _, o := range per {
		if !s.named(o.table) {
			return settings{}, fmt.Errorf(`%s: the table is not in "writebehind.tables"`, showName(o.name))
		}
	}
	return s, nil
}

// overrideOf is a per-table parameter that was given.
type overrideOf struct {
	table catalog.Name
	name  string
}

// optsIn reports whether any table is opted in.
func (s settings) optsIn() bool { return s.allTables || len(s.tables) > 0 }

// named reports whether table may be one of those opted in. Without the search
// path, a name without a schema may mean a table of any.
func (s settings) named(table catalog.Name) bool {
	return s.allTables || slices.ContainsFunc(s.tables, func(t catalog.Name) bool {
		return t.Name == table.Name && (t.Schema == table.Schema || t.Schema == "" || table.Schema == "")
	})
}

// insertFor is the insert mode of a table given by its full name. visible says
// that its bare name means this table along the search path, so that what was
// given for the bare name counts.
func (s settings) insertFor(table catalog.Name, visible bool) insertMode {
	return forTable(s.tableInsert, table, visible, s.insert)
}

// uniqueFor is the unique mode of a table; parameters as for insertFor.
func (s settings) uniqueFor(table catalog.Name, visible bool) uniqueMode {
	return forTable(s.tableUnique, table, visible, s.unique)
}

// cacheTTLFor is the cache TTL of a table; parameters as for insertFor.
func (s settings) cacheTTLFor(table catalog.Name, visible bool) time.Duration {
	return forTable(s.tableCacheTTL, table, visible, s.cacheTTL)
}

func forTable[T any](given map[catalog.Name]T, table catalog.Name, visible bool, otherwise T) T {
	if v, ok := given[table]; ok {
		return v
	}
	if v, ok := given[catalog.Name{Name: table.Name}]; ok && visible {
		return v
	}
	return otherwise
}

// rows are the names and values of all settings for SHOW writebehind.settings,
// each value as it could stand in a DSN, those per table last.
func (s settings) rows() [][2]string {
	rows := [][2]string{
		{"tables", s.tableList()},
		{"journal", s.journal},
		{"max_delay", formatDuration(s.maxDelay)},
		{"batch_rows", strconv.Itoa(s.batchRows)},
		{"max_pending_rows", strconv.Itoa(s.maxPendingRows)},
		{"max_pending_bytes", formatSize(s.maxPendingBytes)},
		{"overflow", string(s.overflow)},
		{"insert", string(s.insert)},
		{"unique", string(s.unique)},
		{"cache_size", formatSize(s.cacheSize)},
		{"cache_ttl", formatDuration(s.cacheTTL)},
		{"close_timeout", formatDuration(s.closeTimeout)},
		{"driver", s.driver},
	}
	for _, t := range sortedTables(maps.Keys(s.tableInsert)) {
		rows = append(rows, [2]string{"insert." + quoteTable(t), string(s.tableInsert[t])})
	}
	for _, t := range sortedTables(maps.Keys(s.tableUnique)) {
		rows = append(rows, [2]string{"unique." + quoteTable(t), string(s.tableUnique[t])})
	}
	for _, t := range sortedTables(maps.Keys(s.tableCacheTTL)) {
		rows = append(rows, [2]string{"cache_ttl." + quoteTable(t), formatDuration(s.tableCacheTTL[t])})
	}
	for i := range rows {
		rows[i][0] = dsnPrefix + rows[i][0]
	}
	return rows
}

// tableList is the canonical value of writebehind.tables; order means nothing.
func (s settings) tableList() string {
	var names []string
	if s.allTables {
		names = append(names, "*")
	}
	for _, t := range sortedTables(slices.Values(s.tables)) {
		names = append(names, quoteTable(t))
	}
	return strings.Join(names, ",")
}

// fingerprint is the same text for two settings if and only if they mean the
// same, however they were written.
func (s settings) fingerprint() string {
	var b strings.Builder
	for _, row := range s.rows() {
		fmt.Fprintf(&b, "%s=%q\n", row[0], row[1])
	}
	return b.String()
}

// diff names the parameters in which two settings differ, separated by ", "; it
// is empty if and only if their fingerprints are equal.
func (s settings) diff(other settings) string {
	mine, theirs := make(map[string]string), make(map[string]string)
	for _, row := range s.rows() {
		mine[row[0]] = row[1]
	}
	for _, row := range other.rows() {
		theirs[row[0]] = row[1]
	}
	var names []string
	for _, row := range append(s.rows(), other.rows()...) {
		name := row[0]
		a, inMine := mine[name]
		b, inTheirs := theirs[name]
		if (a != b || inMine != inTheirs) && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return strings.Join(names, ", ")
}

func compareTables(a, b catalog.Name) int {
	return cmp.Or(strings.Compare(a.Schema, b.Schema), strings.Compare(a.Name, b.Name))
}

// paramDef is one known parameter. set takes a value that is not empty, and
// setFor the value for one table (nil: it cannot be given per table). later says
// why the parameter cannot be given in this version.
type paramDef struct {
	name   string
	set    func(s *settings, value string) error
	setFor func(s *settings, table catalog.Name, value string) error
	later  string
}

// paramDefs are all parameters, in the order in which they are documented.
var paramDefs = []paramDef{
	{name: "tables", set: setTables},
	{name: "journal", set: setJournal},
	{name: "sync", later: "needs a journal, which is not part of this version; leave it out"},
	durationParam("max_delay", time.Hour, func(s *settings) *time.Duration { return &s.maxDelay }),
	intParam("batch_rows", 1_000_000, func(s *settings) *int { return &s.batchRows }),
	intParam("max_pending_rows", 1_000_000_000, func(s *settings) *int { return &s.maxPendingRows }),
	sizeParam("max_pending_bytes", 1, func(s *settings) *int64 { return &s.maxPendingBytes }),
	{name: "max_journal_bytes", later: "needs a journal, which is not part of this version; leave it out"},
	wordParam("overflow", func(s *settings) *overflowMode { return &s.overflow }, overflowBlock, overflowError),
	perTable(
		wordParam("insert", func(s *settings) *insertMode { return &s.insert }, insertCheck, insertTrust),
		func(s *settings) (*insertMode, *map[catalog.Name]insertMode) { return &s.insert, &s.tableInsert }),
	perTable(
		paramDef{name: "unique", set: setUnique},
		func(s *settings) (*uniqueMode, *map[catalog.Name]uniqueMode) { return &s.unique, &s.tableUnique }),
	cacheSizeParam(),
	perTable(
		durationParam("cache_ttl", 720*time.Hour, func(s *settings) *time.Duration { return &s.cacheTTL }),
		func(s *settings) (*time.Duration, *map[catalog.Name]time.Duration) {
			return &s.cacheTTL, &s.tableCacheTTL
		}),
	{name: "takeover_timeout", later: "belongs to ownership among several processes, which is not part of this version; leave it out"},
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

func setUnique(s *settings, value string) error {
	switch value {
	case string(uniqueDirect):
		s.unique = uniqueDirect
		return nil
	case "check", "trust":
		return fmt.Errorf("%q is not part of this version, in which only %q is", value, uniqueDirect)
	}
	return fmt.Errorf("%s is not known; in this version it must be %q", showValue(value), uniqueDirect)
}

func setJournal(s *settings, value string) error {
	if value != journalNone {
		return errors.New(`a directory is given, but the durable journal is not part of this version; only "none" is, ` +
			"with which acknowledged writes that are not flushed yet are lost when the process dies")
	}
	s.journal = value
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

// parseTable reads a table name, schema-qualified or not, as PostgreSQL does:
// letters of a bare name are folded to lower case, those of a quoted one are
// not. It returns the text after it.
func parseTable(text string) (name catalog.Name, rest string, err error) {
	var parts []string
	for rest = text; ; rest = rest[1:] {
		var part string
		if part, rest, err = parseIdent(rest); err != nil {
			return catalog.Name{}, "", err
		}
		parts = append(parts, part)
		if !strings.HasPrefix(rest, ".") {
			break
		}
	}
	switch len(parts) {
	case 1:
		return catalog.Name{Name: parts[0]}, rest, nil
	case 2:
		return catalog.Name{Schema: parts[0], Name: parts[1]}, rest, nil
	}
	return catalog.Name{}, "", errors.New("a table name has at most two parts, schema and table")
}

// maxIdent is the longest name PostgreSQL keeps, in bytes (NAMEDATALEN - 1).
const maxIdent = 63

func parseIdent(text string) (ident, rest string, err error) {
	if strings.HasPrefix(text, `"`) {
		end := 1
		for {
			i := strings.IndexByte(text[end:], '"')
			if i < 0 {
				return "", "", errors.New("a quoted table name is not terminated")
			}
			end += i + 1
			if !strings.HasPrefix(text[end:], `"`) {
				break
			}
			end++
		}
		ident, rest = strings.ReplaceAll(text[1:end-1], `""`, `"`), text[end:]
	} else {
		end := 0
		for end < len(text) && isIdentByte(text[end], end > 0) {
			end++
		}
		ident, rest = lowerASCII(text[:end]), text[end:]
	}
	switch {
	case ident == "":
		return "", "", errors.New("a table name is missing or does not begin like one (a list with spaces must be quoted)")
	case len(ident) > maxIdent:
		return "", "", fmt.Errorf("a table name is longer than the %d bytes that PostgreSQL keeps", maxIdent)
	case !utf8.ValidString(ident) || strings.ContainsRune(ident, 0):
		return "", "", errors.New("a table name is not valid UTF-8 text")
	}
	return ident, rest, nil
}

// isIdentByte follows ident_start and ident_cont of PostgreSQL's scan.l.
func isIdentByte(c byte, inside bool) bool {
	switch {
	case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', c == '_', c >= 0x80:
		return true
	case '0' <= c && c <= '9', c == '$':
		return inside
	}
	return false
}

// lowerASCII folds as PostgreSQL does in a database in UTF-8: ASCII only.
func lowerASCII(s string) string {
	b := []byte(s)
	for i, c := range b {
		if 'A' <= c && c <= 'Z' {
			b[i] = c + ('a' - 'A')
		}
	}
	return string(b)
}

func sortedTables(tables iter.Seq[catalog.Name]) []catalog.Name {
	return slices.SortedFunc(tables, compareTables)
}

// quoteTable writes a table name so that parseTable reads it back.
func quoteTable(t catalog.Name) string {
	if t.Schema == "" {
		return quoteIdent(t.Name)
	}
	return quoteIdent(t.Schema) + "." + quoteIdent(t.Name)
}

func quoteIdent(ident string) string {
	for i := range len(ident) {
		if c := ident[i]; !isIdentByte(c, i > 0) || 'A' <= c && c <= 'Z' {
			return `"` + strings.ReplaceAll(ident, `"`, `""`) + `"`
		}
	}
	return ident
}

// sizeUnits are the units of a size, largest first; as in PostgreSQL they are
// powers of 1024.
var sizeUnits = []struct {
	name  string
	shift int
}{{"TB", 40}, {"GB", 30}, {"MB", 20}, {"kB", 10}, {"B", 0}}

// parseSize reads a number of bytes, or of a unit in any letter case.
func parseSize(value string) (int64, error) {
	digits := strings.TrimRightFunc(value, func(r rune) bool { return r < '0' || r > '9' })
	unit, shift := strings.TrimSpace(value[len(digits):]), -1
	for _, u := range sizeUnits {
		if unit == "" || strings.EqualFold(unit, u.name) {
			shift = u.shift // for a bare number the last one, bytes
		}
	}
	if !isDigits(digits) || shift < 0 {
		return 0, fmt.Errorf("%s is not a size such as 256MB (B, kB, MB, GB or TB)", showValue(value))
	}
	n, err := strconv.ParseInt(digits, 10, 64)
	if err != nil || n > maxSize>>shift {
		return 0, fmt.Errorf("%s is out of range; it must be at most %s", showValue(value), formatSize(maxSize))
	}
	return n << shift, nil
}

func formatSize(n int64) string {
	if n == 0 {
		return "0"
	}
	for _, u := range sizeUnits {
		if u.shift > 0 && n%(1<<u.shift) == 0 {
			return strconv.FormatInt(n>>u.shift, 10) + u.name
		}
	}
	return strconv.FormatInt(n, 10)
}

// formatDuration is d without the zeros that time.Duration appends: 10m, not
// 10m0s.
func formatDuration(d time.Duration) string {
	text := d.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}

func isDigits(s string) bool {
	return s != "" && strings.Trim(s, "0123456789") == ""
}

// showValue quotes a value for an error message if it is short and made of
// harmless characters alone. In any other, a wrong separator may have put the
// rest of the DSN, the password with it.
func showValue(value string) string {
	harmless := strings.IndexFunc(value, func(r rune) bool {
		return !('a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' ||
			strings.ContainsRune("+-._", r))
	}) < 0
	if len(value) > 24 || !harmless {
		return "the value"
	}
	return strconv.Quote(value)
}
