package writebehind

import (
	"database/sql/driver"

	"github.com/writebehind/writebehind/rewrite"
)

// A statement in PostgreSQL that has to wait for a row looks at it twice: as it was
// committed last when the statement began, and, locked, as it is when the wait is over. A
// row that is not there at the first look, or does not meet the conditions, is not waited
// for. One that does not meet them at the second stays locked to the end of the transaction,
// although nothing happens to it. (PostgreSQL's documentation, 13.2.1: Read Committed
// Isolation Level; ExecUpdate and ExecLockRows in its source.)

// misses is the first look at the row of an attempt, which somebody has locked: it tells
// whether it is certain that a statement with these conditions, and this SET list, finds
// nothing.
func (a *attempt) misses(set []assignment, conditions []condition, args []driver.NamedValue) bool {
	a.stamp()
	if a.blocked() {
		return false
	}
	if known, stale := a.look(); !known || stale {
		return false
	}
	if a.found {
		if hold, err := a.conditions(conditions, args); err != nil || hold {
			return false
		}
	}
	return argumentsCertain(set, conditions, a.engine.values, args) && a.Valid()
}

// letBe ends the second look of a transaction at a row that it has found nothing to do
// with: it stays locked if it was waited for and is still there. kept is how many rows the
// transaction had locked before, and lock the clause that locks it in PostgreSQL.
func (b *buffer) letBe(a *attempt, kept int, lock string) error {
	if !a.late || !a.found || len(b.kept) == kept {
		b.unkeep(kept)
		return nil
	}
	item := lookupBatch{table: a.table, items: []*lookupItem{newLookupItem(a.key, a.values)}}
	args, err := item.args()
	if err != nil {
		return err
	}
	b.note(bufferedOp{query: rewrite.Lookup(a.table.rel) + " " + lock, args: args, rows: 1, reads: true})
	return nil
}

// lock is the clause for the lock that an UPDATE that changes no key, or a DELETE, takes on
// a row.
func (w *writePlan) lock() string {
	if w.kind == rewrite.Delete {
		return "FOR UPDATE"
	}
	return "FOR NO KEY UPDATE"
}
