package writebehind

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/writebehind/writebehind/internal/catalog"
)

// The values that parameters of one word take.
const (
	journalNone = "none"

	syncOn  syncMode = "on"
	syncOff syncMode = "off"

	transactionsDirect transactionsMode = "direct"
	transactionsBuffer transactionsMode = "buffer"

	overflowBlock overflowMode = "block"
	overflowError overflowMode = "error"

	insertCheck insertMode = "check"
	insertTrust insertMode = "trust"

	uniqueCheck  uniqueMode = "check"
	uniqueTrust  uniqueMode = "trust"
	uniqueDirect uniqueMode = "direct"
)

type (
	// syncMode says what an acknowledged write survives: the machine, or only the
	// process.
	syncMode string

	// transactionsMode says whether transactions are buffered.
	transactionsMode string
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

	// journal is the directory in which acknowledged writes are kept until they
	// are flushed; required with tables. It belongs to one database, and must be
	// on a local disk. Made with mode 0700 if it is missing.
	//
	// WARNING: with "none" they are kept in memory alone: when the process dies,
	// those not yet flushed are lost.
	//
	// Default: "", which is possible only without tables.
	journal string

	// sync says when a write is acknowledged: "on", once the journal is synced to
	// disk, so that it survives the loss of power; "off", once it is in the
	// journal, so that it survives the end of the process, but not of the machine.
	// Without a journal it means nothing. Default: on.
	sync syncMode

	// maxJournalBytes bounds the journal on disk, in bytes; 256 MB to 1 TB. One hot
	// row can write a lot of journal while one row is pending. Default: 4GB.
	maxJournalBytes int64

	// takeoverTimeout is how long a process that is new to the database waits for
	// another one that has acknowledged writes and does not answer; above 0, at
	// most 1h. Default: 30s.
	takeoverTimeout time.Duration

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

	// transactions says whether transactions are buffered until they need PostgreSQL.
	transactions transactionsMode
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
	// constraint. "check" looks its values up; "direct" runs it on the real
	// connection at once.
	//
	// WARNING: with "trust" nothing is looked up; an INSERT of values that another
	// row has is acknowledged and becomes a dead letter.
	//
	// Default: check.
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
		sync:            syncOn,
		maxJournalBytes: 4 << 30,
		takeoverTimeout: 30 * time.Second,
		maxDelay:        100 * time.Millisecond,
		batchRows:       20_000,
		maxPendingRows:  1_000_000,
		maxPendingBytes: 256 << 20,
		overflow:        overflowBlock,
		transactions:    transactionsBuffer,
		insert:          insertCheck,
		unique:          uniqueCheck,
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
		return settings{}, errors.New(`"writebehind.journal" is required with "writebehind.tables": name a directory on a ` +
			`local disk, or write "none" to keep acknowledged writes in memory only`)
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

// keepsJournal reports whether acknowledged writes are kept on disk.
func (s settings) keepsJournal() bool { return s.journal != "" && s.journal != journalNone }

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
		{"sync", string(s.sync)},
		{"max_journal_bytes", formatSize(s.maxJournalBytes)},
		{"max_delay", formatDuration(s.maxDelay)},
		{"batch_rows", strconv.Itoa(s.batchRows)},
		{"max_pending_rows", strconv.Itoa(s.maxPendingRows)},
		{"max_pending_bytes", formatSize(s.maxPendingBytes)},
		{"overflow", string(s.overflow)},
		{"transactions", string(s.transactions)},
		{"insert", string(s.insert)},
		{"unique", string(s.unique)},
		{"cache_size", formatSize(s.cacheSize)},
		{"cache_ttl", formatDuration(s.cacheTTL)},
		{"takeover_timeout", formatDuration(s.takeoverTimeout)},
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
