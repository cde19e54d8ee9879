package writebehind

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"time"
)

// Statistics is a snapshot of what the engine behind a database is doing.
type Statistics struct {
	LSN, FlushedLSN uint64    // newest group acknowledged, newest one in PostgreSQL
	PendingRows     uint64    // acknowledged and not in PostgreSQL yet
	PendingBytes    uint64    // memory they take
	Memtables       uint64    // that hold rows
	Oldest          time.Time // when the oldest pending row was acknowledged; zero without
	Flushes         uint64    // flush transactions committed
	FlushedRows     uint64    // rows they wrote
	Retries         uint64    // attempts to flush that failed and were tried again
	RefusedGroups   uint64    // groups that PostgreSQL refused for good: dead letters
	Paused          bool      // LastError is one that an operator must mend; until then the flush is tried every few seconds
	LastError       string    // of the flush being tried again, without row values; "" if all is well

	Journal       string    // its directory, or "none"
	JournalBytes  uint64    // on disk
	JournalOldest uint64    // LSN of the oldest group in it
	JournalSynced time.Time // when it was last synced to disk; zero if never
	// Ownership is "owner" while writes may be deferred, "clean" while this is the
	// only process and none is, "shared" while others use the database and
	// everything is direct.
	Ownership string

	Deferred     uint64 // writes acknowledged from memory
	Cached       uint64 // reads answered from overlay or cache
	Missed       uint64 // keyed reads that filled the cache
	LookedUp     uint64 // deferred writes that had to ask PostgreSQL something first
	Direct       uint64 // statements that touched opted-in tables and went to PostgreSQL
	Buffered     uint64 // transactions committed from memory
	MadeReal     uint64 // transactions begun in memory that came to need PostgreSQL
	Waiting      uint64 // statements that wait in this process now, for rows that transactions have locked
	CacheEntries uint64 // rows in the cache, stale ones included
}

// Stats returns a snapshot of the engine behind db; the zero value if db opts
// no table in. It sees through drivers that wrap this one if their connections
// have a method Raw or Unwrap that returns the wrapped one.
func Stats(db *sql.DB) (Statistics, error) {
	var st Statistics
	err := withConn(context.Background(), db, "Stats", func(c *Conn) error {
		if e := c.connector.current(); e != nil {
			st = e.stats()
		}
		return nil
	})
	return st, err
}

// Flush returns when everything acknowledged before it on db is in PostgreSQL.
// If the server does not take it, it returns an error that wraps ErrPending; the
// writes are kept and tried again. A db that opts no table in has nothing to
// flush.
func Flush(ctx context.Context, db *sql.DB) error {
	return withConn(ctx, db, "Flush", func(c *Conn) error {
		if e := c.connector.current(); e != nil {
			return e.flush(ctx)
		}
		return nil
	})
}

// withConn calls f with one of our connections of db; what is asked of it is for
// the error if db is another driver's.
func withConn(ctx context.Context, db *sql.DB, what string, f func(*Conn) error) error {
	conn, err := db.Conn(ctx)
	if err != nil {
		return err
	}
	defer closeQuietly(conn)
	return conn.Raw(func(dc any) error {
		c, ok := unwrapConn(dc)
		if !ok {
			return fmt.Errorf("writebehind: %s of a database of another driver (%T)", what, dc)
		}
		return f(c)
	})
}

// unwrapConn finds our connection under those of drivers that wrap it.
func unwrapConn(dc any) (*Conn, bool) {
	for range 16 {
		switch v := dc.(type) {
		case *Conn:
			return v, true
		case interface{ Raw() driver.Conn }:
			dc = v.Raw()
		case interface{ Unwrap() driver.Conn }:
			dc = v.Unwrap()
		default:
			return nil, false
		}
	}
	return nil, false
}

type syncKey struct{}

// WithSync returns a context under which a statement is in PostgreSQL when it
// returns: it is executed directly, after all that was acknowledged before it.
func WithSync(ctx context.Context) context.Context {
	return context.WithValue(ctx, syncKey{}, true)
}

func syncWanted(ctx context.Context) bool { return ctx.Value(syncKey{}) != nil }
