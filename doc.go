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
//		"postgres://localhost/shop?writebehind.tables=carts,products&writebehind.journal=none")
//
// On the tables that writebehind.tables names, an INSERT, UPDATE or DELETE of one
// row by its primary key is acknowledged from memory and reaches PostgreSQL a
// moment later, in a batch with others; a SELECT of one row by its primary key is
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
//     PostgreSQL will accept it: types, ranges, lengths, NOT NULL and the presence
//     of the row are checked before it is acknowledged;
//   - cached, if it reads one row by its primary key: from the pending writes,
//     from the cache, or from PostgreSQL into the cache;
//   - direct otherwise: executed at once on the real connection. If it may read
//     an opted-in table it waits until what is pending for that table is in
//     PostgreSQL; if it may write one, until everything is, and until it has
//     ended nothing is deferred or cached on that table.
//
// Where the shim is not certain it asks PostgreSQL, so that values, column types,
// numbers of rows and errors are those of the real driver. A transaction, and a
// connection on which SET or the like was executed, is direct throughout.
//
//	EXPLAIN WRITEBEHIND <statement>   decision, keyed, table, reason
//	SHOW writebehind.status           what is pending, flushed, cached, failing
//	SHOW writebehind.tables           which tables are opted in, and why others are not
//	SHOW writebehind.settings         the parameters in effect
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
// committed with synchronous_commit=on. If the answer to its COMMIT is lost,
// PostgreSQL is asked what became of it, so that nothing is applied twice. Pending
// writes are bounded in rows and bytes, and none is dropped to make room.
//
// # Limits
//
// WARNING: in this version acknowledged writes are kept in memory alone, which
// writebehind.journal=none says. Those that are not flushed yet, as a rule those
// of the last writebehind.max_delay, are lost when the process dies, and while
// PostgreSQL cannot be reached there are more of them. Close the sql.DB before the
// program ends.
//
// WARNING: one process at a time may opt a table in, and no other program may
// write its rows meanwhile. Nothing checks that in this version. A change that was
// made past the shim is not seen until the cache entry has expired
// (writebehind.cache_ttl), and an UPDATE that is based on the older row overwrites
// it in the columns that it sets, also with SET n = n + 1.
//
// A write that PostgreSQL refuses when it is flushed, which takes a change past
// the shim or writebehind.insert=trust, is lost: it is logged with its table and
// LSN at level ERROR, without its values, and counted in
// Statistics.RefusedGroups. Flush, and everything that waits for pending writes,
// does not report it.
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
//	journal            required   none
//	max_delay          100ms      longest wait of a write before its flush begins
//	batch_rows         5000       rows that start a flush before that
//	max_pending_rows   1000000    bound on acknowledged rows not yet in PostgreSQL
//	max_pending_bytes  256MB      the same in bytes
//	overflow           block      at a bound: block, or error (ErrFull)
//	insert             check      look up that a key is free; trust: do not
//	unique             direct     an INSERT with a further UNIQUE constraint is direct
//	cache_size         64MB       memory of the cache; 0: none
//	cache_ttl          10m        how long a cached row answers
//	close_timeout      20s        longest drain at Close
//	driver             postgres   registered name of the real driver
//
// insert, unique and cache_ttl may be given for one table, as
// writebehind.cache_ttl.<table>. All DSNs of a process for one database must have
// the same settings.
package writebehind
