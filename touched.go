package writebehind

import (
	"context"
	"slices"
	"strings"

	"github.com/writebehind/writebehind/internal/catalog"
	"github.com/writebehind/writebehind/rewrite"
)

// A transaction that has so much as read a table holds a lock on it in PostgreSQL,
// and ALTER, TRUNCATE and LOCK wait for its end. A buffered one is known to those who
// send such statements, and made real for them.

// tableLock is the lock that a statement takes on its table. (PostgreSQL's
// documentation, 13.3.1: Table-Level Locks.)
type tableLock uint8

const (
	accessShare  tableLock = iota // SELECT
	rowShare                      // SELECT … FOR UPDATE and the like
	rowExclusive                  // INSERT, UPDATE, DELETE
	tableLocks
)

func (l tableLock) String() string {
	return [...]string{"ACCESS SHARE", "ROW SHARE", "ROW EXCLUSIVE"}[l]
}

// touchedTable is a table that a buffered transaction has used.
type touchedTable struct {
	state *tableState
	lock  tableLock
}

// touch notes that the transaction has used the table of an attempt. It returns false
// if somebody came before whom that concerns.
func (b *buffer) touch(a *attempt, lock tableLock) bool {
	return b.touchTable(a.table.state, lock) || !a.blocked()
}

// touchTable notes that the transaction has used a table, and tells whether it had
// before.
func (b *buffer) touchTable(s *tableState, lock tableLock) (again bool) {
	i := slices.IndexFunc(b.touched, func(t touchedTable) bool { return t.state == s })
	if i >= 0 {
		b.touched[i].lock = max(b.touched[i].lock, lock)
		return true
	}
	b.touched = append(b.touched, touchedTable{s, lock})
	b.engine.queue.Exclusive(func() {
		if s.users == nil {
			s.users = make(map[*buffer]struct{})
		}
		s.users[b] = struct{}{}
	})
	return false
}

// lockTouched takes in PostgreSQL the locks that the transaction would have had on
// the tables that it has used.
func (b *buffer) lockTouched(ctx context.Context) error {
	for lock := range tableLocks {
		var names []string
		for _, t := range b.touched {
			if t.lock == lock {
				names = append(names, tableName(t.state.name))
			}
		}
		if len(names) == 0 {
			continue
		}
		if _, err := execAnyhow(ctx, b.real.conn, "LOCK TABLE "+strings.Join(names, ", ")+" IN "+lock.String()+" MODE", nil); err != nil {
			return err
		}
	}
	return nil
}

// tableName is the name of a table in SQL.
func tableName(n catalog.Name) string { return rewrite.Quote(n.Schema) + "." + rewrite.Quote(n.Name) }

// locksOutReaders tells whether a direct statement may wait for all who have used a
// table.
func (p *plan) locksOutReaders() bool {
	return p.reach.why != "" || p.reach.ddl || p.stmt.Verb == "TRUNCATE"
}
