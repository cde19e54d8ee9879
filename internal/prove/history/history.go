// Package history holds what the differential tester runs: a schema, the
// settings of one application, and the statements it sends one after another,
// on one connection or on several.
//
// A History is plain data. It can be generated, run, cut down, and printed as
// Go source that makes the same History again.
package history

import (
	"database/sql"
	"time"
)

// History is one application's life on one database.
type History struct {
	Settings   Settings
	Schema     []string // SQL run through the plain driver on an empty database
	Statements []Statement
}

// Settings tell how the application opens its database. The zero value is the
// plain case: a sql.DB of one connection, every default.
type Settings struct {
	Tables    string        // writebehind.tables; default "*"
	MaxDelay  time.Duration // writebehind.max_delay; default that of the driver
	BatchRows int           // writebehind.batch_rows; default that of the driver
	CacheSize string        // writebehind.cache_size; default that of the driver
	Binary    bool          // binary_parameters=yes, for both drivers
	TimeZone  string        // TimeZone of both sessions; default that of the server
	URL       bool          // the DSN has the URL form
	Conn      bool          // statements go to one held sql.Conn, not to the sql.DB
	Deadline  bool          // every statement gets a context that can end
	Sync      string        // writebehind.sync, with a journal on disk; default: no journal
	Real      bool          // writebehind.transactions=direct
}

// Call tells which method of database/sql a Statement is sent with.
type Call uint8

// The calls. Begin inside a transaction, and Commit and Rollback outside one,
// do nothing, so that any part of a history is a history.
const (
	Exec Call = iota
	Query
	Begin
	Commit
	Rollback
	Reopen // close the sql.DB, open another one with the same DSN
	Copy   // a COPY FROM STDIN, executed once for each Columns of the Args
)

// Prepared tells whether and how long a Statement is prepared.
type Prepared uint8

// The ways to prepare. A statement that is Kept is found again by its text
// when it comes a second time; all of them are closed when the schema changes
// (Statement.DDL).
const (
	Direct Prepared = iota
	Once
	Kept
)

// Statement is one call of the application.
type Statement struct {
	Call     Call
	SQL      string
	Args     []any
	Prepared Prepared
	// Unordered says that rows may come in any order, and that of several rows
	// any one may be the first to fail.
	Unordered bool
	// Read is the number of rows the application takes before it closes the
	// rows; 0 means all.
	Read int
	// Columns is the number of columns of a Copy.
	Columns int
	// DDL says that the statement changes the schema. Statements kept prepared
	// are closed before it.
	DDL bool

	// For Begin.
	Isolation sql.IsolationLevel
	ReadOnly  bool

	// Conn is the number of the connection, from 0. If any statement of a
	// history names another one than 0, all connections are held sql.Conns.
	Conn int
}

// Connections is the number of connections that a history needs.
func (h History) Connections() int {
	n := 1
	for i := range h.Statements {
		n = max(n, h.Statements[i].Conn+1)
	}
	return n
}
