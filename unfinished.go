package writebehind

import (
	"context"
	"errors"
	"time"

	"github.com/writebehind/writebehind/internal/catalog"
	"github.com/writebehind/writebehind/internal/owner"
	"github.com/writebehind/writebehind/internal/pgerr"
)

// A statement outlives the process that has sent it, and a connection that was
// lost. Whoever caches what is there before it has ended would go on answering it
// afterwards. So tables that the transactions of other sessions may yet change
// stay direct until those have ended.

// locksOfOthers finds the transactions of other sessions that hold, or wait for,
// a lock with which they can change rows, by relation; prepared ones, too. What
// only reads, or is VACUUM or ANALYZE, does not count, nor does a flush by this
// process. ($1 is its name, as in owner.FlushName.)
const locksOfOthers = `SELECT l.virtualtransaction, l.relation::bigint
	FROM pg_catalog.pg_locks AS l LEFT JOIN pg_catalog.pg_stat_get_activity(NULL) AS a ON a.pid = l.pid
	WHERE l.locktype = 'relation' AND l.mode NOT IN ('AccessShareLock', 'ShareUpdateExclusiveLock')
	AND l.database = (SELECT d.oid FROM pg_catalog.pg_database AS d WHERE d.datname = pg_catalog.current_database())
	AND l.pid IS DISTINCT FROM pg_catalog.pg_backend_pid()
	AND a.application_name IS DISTINCT FROM pg_catalog.substr($1, 1, 63)`

// statementsOfOthers finds besides, as relation 0, all transactions that execute a
// statement: a function or a cascade may lock later. Of the sessions of other roles
// only a monitoring role sees whether they do.
const statementsOfOthers = locksOfOthers + ` UNION ALL
	SELECT l.virtualtransaction, 0
	FROM pg_catalog.pg_locks AS l JOIN pg_catalog.pg_stat_get_activity(NULL) AS a ON a.pid = l.pid
	WHERE l.locktype = 'virtualxid' AND l.mode = 'ExclusiveLock' AND a.usesysid IS NOT NULL
	AND a.datid = (SELECT d.oid FROM pg_catalog.pg_database AS d WHERE d.datname = pg_catalog.current_database())
	AND (a.state IS NULL OR a.state NOT LIKE 'idle%')
	AND l.pid <> pg_catalog.pg_backend_pid() AND a.application_name IS DISTINCT FROM pg_catalog.substr($1, 1, 63)`

// transactionsThere finds every transaction of the cluster: each holds a lock on
// itself.
const transactionsThere = `SELECT DISTINCT l.virtualtransaction, 0 FROM pg_catalog.pg_locks AS l`

// lockHeld is a transaction and a relation that it has locked; 0 for any.
type lockHeld struct {
	transaction string
	relation    uint32
}

// unfinished are held tables and the transactions that may yet change them.
type unfinished struct {
	engine *engine
	find   string // the query that finds those transactions
	held   map[*tableState]map[string]bool
	known  bool // they have been looked for
}

// releaseFinished releases held tables once the transactions of other sessions
// that may change them now have ended. died says that these may not have locked
// the tables yet.
func (e *engine) releaseFinished(held []*tableState, died bool) {
	if len(held) == 0 {
		return
	}
	u := &unfinished{engine: e, find: locksOfOthers, held: make(map[*tableState]map[string]bool, len(held))}
	if died {
		u.find = statementsOfOthers
	}
	for _, t := range held {
		u.held[t] = make(map[string]bool)
	}
	if u.over() {
		return
	}
	e.logger.Info("writebehind: tables stay direct until transactions of other sessions have ended", "tables", len(u.held))
	e.working.Go(func() { e.patiently(u.over) })
}

// patiently asks again and again until the answer is yes, or the engine ends: then
// it returns false.
func (e *engine) patiently(over func() bool) bool {
	for pause := 10 * time.Millisecond; !over(); pause = min(2*pause, time.Second) {
		select {
		case <-e.lifetime.Done():
			return false
		case <-time.After(pause):
		}
	}
	return true
}

// over looks once, releases what can be, and tells whether all is.
func (u *unfinished) over() bool {
	err := u.look()
	if err != nil {
		u.engine.logger.Debug("writebehind: the locks of other sessions could not be read", "error", pgerr.ForLog(err))
	}
	if !u.known {
		return false
	}
	var free []*tableState
	for t, transactions := range u.held {
		if len(transactions) == 0 {
			free = append(free, t)
			delete(u.held, t)
		}
	}
	if len(free) > 0 {
		u.engine.release(free)
	}
	return len(u.held) == 0
}

func (u *unfinished) look() error {
	if !u.known {
		locks, err := u.engine.locksHeld(u.find, u.engine.flushName())
		if err == nil {
			u.known = true
			u.note(locks)
		}
		return err
	}
	there, err := u.engine.locksHeld(transactionsThere)
	if err != nil {
		return err
	}
	alive := make(map[string]bool, len(there))
	for _, l := range there {
		alive[l.transaction] = true
	}
	for _, transactions := range u.held {
		for id := range transactions {
			if !alive[id] {
				delete(transactions, id)
			}
		}
	}
	return nil
}

// note writes down which tables the holders of locks may change.
func (u *unfinished) note(locks []lockHeld) {
	s := u.engine.schema.Load()
	relations := make(map[uint32]*catalog.Relation, len(s.catalog.Relations))
	for _, rel := range s.catalog.Relations {
		relations[rel.OID] = rel
	}
	for _, l := range locks {
		rel := relations[l.relation]
		switch {
		case l.relation == 0:
			u.noteAll(l.transaction)
		case rel == nil: // it is the system's, or nobody else's
		default:
			tables, others := s.changedWith(rel)
			if others {
				u.noteAll(l.transaction)
			}
			for _, t := range states(tables) {
				if transactions, held := u.held[t]; held {
					transactions[l.transaction] = true
				}
			}
		}
	}
}

func (u *unfinished) noteAll(transaction string) {
	for _, transactions := range u.held {
		transactions[transaction] = true
	}
}

// flushName is the name of the sessions in which the engine flushes.
func (e *engine) flushName() string {
	if e.journal != nil {
		return owner.FlushName(e.journal.ID())
	}
	return owner.FlushName(e.id)
}

// locksHeld runs one of the queries for locks.
func (e *engine) locksHeld(query string, args ...any) (locks []lockHeld, err error) {
	ctx, cancel := context.WithTimeout(e.lifetime, reloadTimeout)
	defer cancel()
	rows, err := e.db.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var l lockHeld
		if err := rows.Scan(&l.transaction, &l.relation); err != nil {
			return nil, err
		}
		locks = append(locks, l)
	}
	return locks, rows.Err()
}
