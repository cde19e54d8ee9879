// Package writebehind is a database/sql driver that gives an application on
// PostgreSQL transparent write-behind. It stands in front of the real driver,
// github.com/lib/pq.
//
// # Use
//
// The driver name and the parameters of the DSN are all that changes:
//
//	import _ "github.com/writebehind/writebehind"
//
//	db, err := sql.Open("writebehind",
//		"postgres://localhost/shop?writebehind.tables=carts,products&writebehind.journal=/var/lib/shop/journal")
//
// On the tables that writebehind.tables names, an INSERT, UPDATE or DELETE of one
// row by its primary key is acknowledged from memory and a local journal, and
// reaches PostgreSQL a moment later, in a batch with others; a SELECT by primary key is
// answered from memory. Everything else is executed by the real driver, after
// those pending writes that it may see. Going back is changing the name to
// "postgres": PostgreSQL accepts the parameters and ignores them.
//
// The driver is also registered as "postgres-writebehind", for libraries that
// pick the SQL dialect by the prefix of the name. NewConnector, for sql.OpenDB,
// takes what a DSN cannot carry.
//
// # What happens to a statement
//
// It is recognised once per distinct text, and bound to the tables, keys and
// constraints that the catalog knows. Then it is
//
//   - deferred, if it writes one row by its primary key and it is certain that
//     PostgreSQL will accept it: types, ranges, lengths, NOT NULL, CHECK, UNIQUE and
//     foreign keys, and the presence of the row, are checked before it is
//     acknowledged; an INSERT may have many rows, and draw its keys from a sequence;
//   - cached, if it reads rows by their primary keys: from the pending writes,
//     from the cache, or from PostgreSQL into the cache;
//   - direct otherwise: executed at once on the real connection. If it may read
//     an opted-in table it waits until what is pending for that table is in
//     PostgreSQL; if it may write one, until everything is, and until it has
//     ended nothing is deferred or cached on the row that it writes, or, where
//     that is not certain, on the table.
//
// Where the shim is not certain it asks PostgreSQL, so that values, column types,
// numbers of rows and errors are those of the real driver. A transaction at READ
// COMMITTED is kept in memory as long as all of its statements can be; the first one
// that cannot makes it an ordinary transaction of PostgreSQL's. A connection whose
// session was changed by SET or the like is direct until it is again what it was at
// first.
//
//	EXPLAIN WRITEBEHIND <statement>   decision, keyed, table, reason
//	SHOW writebehind.status           what is pending, flushed, cached, failing
//	SHOW writebehind.tables           which tables are opted in, and why others are not
//	SHOW writebehind.settings         the parameters in effect
//	SHOW writebehind.dead_letters     acknowledged writes that PostgreSQL refused
//
// These are statements of SQL for any client code; they never reach PostgreSQL.
// Stats and Flush are the same for Go code, and WithSync marks the context of a
// statement that must be in PostgreSQL when it returns.
//
// # Guarantees
//
// Within one process every statement sees every write that was acknowledged
// before it. Deferred writes reach PostgreSQL in the order in which they were
// acknowledged, across rows and tables, each flush in one transaction that is
// committed with synchronous_commit=on and that also moves the checkpoint, the row
// of writebehind.checkpoint that says how far the journal is applied. So each is
// applied once, whatever crashes when. Pending writes are bounded in rows, bytes
// and journal, and none is dropped to make room.
//
// With writebehind.sync=on, the default, a write is acknowledged once the journal
// is synced to disk: it survives the loss of power. With sync=off it survives the
// end of the process, not of the machine. When a process is started with the
// journal of one that has ended, it goes on where that one stopped, before it
// serves a statement.
//
// One process at a time defers and caches on a database. When another one
// comes, the first drains, and while both are there everything is direct in both.
// If a process with pending writes is gone, others get an error that wraps
// ErrOwned and names its journal, until it is started again or abandoned (Abandon).
//
// A write that PostgreSQL refuses when it is flushed, which takes a change past
// the shim, writebehind.insert=trust or writebehind.unique=trust, becomes a dead letter,
// and with it every later one that was acknowledged on top of it: a row of writebehind.dead_letter,
// written in the transaction that passes over it. It is logged, counted in
// Statistics.RefusedGroups, and told to the handler of WithDeadLetterHandler.
// RetryDeadLetters and DiscardDeadLetters deal with it.
//
// # Limits
//
// WARNING: with writebehind.journal=none acknowledged writes are kept in memory
// alone: those that are not flushed yet are lost when the process dies.
//
// WARNING: no program beside the processes that use this driver may write the
// rows of an opted-in table. A change that was made past the shim is not seen
// until the cache entry has expired (writebehind.cache_ttl), and an UPDATE that
// is based on the older row overwrites it in the columns that it sets. Only what
// SET n = n + 1 adds to an integer, or to a numeric that does not round it, is
// added to what is there by then; a condition beside the key is not looked at
// again.
//
// The role must be able to make, or to use, the schema writebehind in the
// database; the error says what to run if it is not.
//
// Writes to tables that are not opted in are not ordered against deferred ones.
//
// # Parameters
//
// Names begin with "writebehind."; both forms of DSN take them. An unknown or
// malformed one is an error of sql.Open. Sizes have a unit as in PostgreSQL (kB,
// MB, GB), durations as in Go.
//
//	tables             none       names, separated by commas; * for every eligible table
//	journal            required   directory on a local disk, or none: memory only
//	sync               on         on: survives the loss of power; off: the process only
//	max_journal_bytes  4GB        bound on the journal
//	max_delay          100ms      longest wait of a write before its flush begins
//	batch_rows         20000      rows that start a flush before that
//	max_pending_rows   1000000    bound on acknowledged rows not yet in PostgreSQL
//	max_pending_bytes  256MB      the same in bytes
//	overflow           block      at a bound: block, or error (ErrFull)
//	insert             check      look up that a key is free; trust: do not
//	unique             check      look up that the values of a further UNIQUE constraint
//	                              are free; trust: do not; direct: leave it to PostgreSQL
//	cache_size         64MB       memory of the cache; 0: none
//	cache_ttl          10m        how long a cached row answers
//	takeover_timeout   30s        how long to wait for another process to make way
//	close_timeout      20s        longest drain at Close
//	driver             postgres   registered name of the real driver
//
// insert, unique and cache_ttl may be given for one table, as
// writebehind.cache_ttl.<table>. All DSNs of a process for one database must have
// the same settings.
package writebehind
