package writebehind_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// A transaction deletes a row and inserts it again: who waits for the row meanwhile
// waits for the old one, and finds that it is gone.

const (
	deleteOne   = `DELETE FROM items WHERE id = 1`
	insertAgain = `INSERT INTO items (id, name, stock) VALUES (1, 'again', 100)`
)

// replacing are the statements with which the row is wanted, what each gets, and what is
// left of the row.
var replacing = map[string][2]string{
	addOne:    {"0", "1:100 2:20"},
	deleteOne: {"0", "1:100 2:20"},
	`UPDATE items SET stock = 5 WHERE id = 1 AND stock = 10`:                                                          {"0", "1:100 2:20"},
	`UPDATE items SET stock = stock + 5 WHERE id = 1 RETURNING stock`:                                                 {"[]", "1:100 2:20"},
	`DELETE FROM items WHERE id = 1 RETURNING stock`:                                                                  {"[]", "1:100 2:20"},
	`SELECT stock FROM items WHERE id = 1 FOR UPDATE`:                                                                 {"[]", "1:100 2:20"},
	`SELECT stock FROM items WHERE id = 1 FOR SHARE`:                                                                  {"[]", "1:100 2:20"},
	`UPDATE items SET stock = stock + 1 WHERE stock < 15`:                                                             {"0", "1:100 2:20"},
	`INSERT INTO items (id, stock) VALUES (1, 5)`:                                                                     {"23505", "1:100 2:20"},
	`INSERT INTO items (id, stock) VALUES (1, 5) ON CONFLICT (id) DO NOTHING`:                                         {"0", "1:100 2:20"},
	`INSERT INTO items (id, stock) VALUES (1, 5) ON CONFLICT (id) DO UPDATE SET stock = items.stock + EXCLUDED.stock`: {"1", "1:105 2:20"},
}

func (c *session) over(want string) {
	c.Helper()
	if failed(want) {
		c.rollback()
	} else {
		c.commit()
	}
}

// The row is gone before it is wanted, and comes back while it is.
func TestARowThatIsReplacedWhileItIsWanted(t *testing.T) {
	play(t, itemsTable, "", func(s *scene) {
		for query, want := range replacing {
			for _, within := range []bool{false, true} {
				s.reset()
				a, b := s.begin(deleteOne), s.session()
				if within {
					b = s.begin(addTwo)
				}
				b.starts(query)
				s.waiting(1)
				a.does("1", insertAgain)
				a.commit()
				require.Equal(s, want[0], b.outcome(), query)
				left := want[1]
				if within {
					b.over(want[0])
					if !failed(want[0]) {
						left = left[:len(left)-len("20")] + "21"
					}
				}
				s.leaves(left)
			}
		}
	})
}

// It is wanted already when the transaction, which has locked it, deletes it.
func TestARowThatIsReplacedByWhoHasLockedIt(t *testing.T) {
	play(t, itemsTable, "", func(s *scene) {
		for query, want := range replacing {
			for _, lock := range []string{addOne, `SELECT stock FROM items WHERE id = 1 FOR UPDATE`} {
				if lock != addOne && strings.HasPrefix(query, "INSERT") && !strings.Contains(query, "DO UPDATE") {
					continue // it does not wait: the row is there, and stays
				}
				s.reset()
				made := s.stats().MadeReal
				a, b := s.begin(lock), s.session()
				b.starts(query)
				s.waiting(1)
				a.does("1", deleteOne)
				if s.real || s.stats().MadeReal > made {
					s.waitsInPostgreSQL()
				}
				a.does("1", insertAgain)
				a.commit()
				require.Equal(s, want[0], b.outcome(), query)
				s.leaves(want[1])
			}
		}
	})
}

// waitsInPostgreSQL waits until a session waits there for what is real.
func (s *scene) waitsInPostgreSQL() {
	s.Helper()
	s.eventually("it waits in PostgreSQL", func() bool {
		return s.value(s.past, `SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()`).(int64) > 0
	})
}

// A savepoint brings back what was deleted, or what was inserted is not: PostgreSQL's answer
// is as if nothing had been deleted, or nothing inserted.
func TestARowThatIsReplacedInPart(t *testing.T) {
	play(t, itemsTable, "", func(s *scene) {
		for _, scene := range []struct {
			statements []string
			end        string
			want, left string
		}{
			{[]string{deleteOne, insertAgain, `ROLLBACK TO SAVEPOINT s`}, "COMMIT", "1", "1:11 2:20"},
			{[]string{deleteOne, `ROLLBACK TO SAVEPOINT s`, addOne}, "COMMIT", "1", "1:12 2:20"},
			{[]string{deleteOne, `RELEASE SAVEPOINT s`, insertAgain}, "COMMIT", "0", "1:100 2:20"},
			{[]string{deleteOne, insertAgain, deleteOne}, "COMMIT", "0", "2:20"},
			{[]string{deleteOne, insertAgain, deleteOne, insertAgain, addOne}, "COMMIT", "0", "1:101 2:20"},
			{[]string{deleteOne, insertAgain}, "ROLLBACK", "1", "1:11 2:20"},
		} {
			s.reset()
			a, b := s.begin(`SELECT stock FROM items WHERE id = 1 FOR UPDATE`, `SAVEPOINT s`), s.session()
			b.starts(addOne)
			s.waiting(1)
			for _, query := range scene.statements {
				outcome := a.do(s.ctx, query)
				require.False(s, failed(outcome), "%s: %s", query, outcome)
				if query == deleteOne && s.real {
					s.waitsInPostgreSQL()
				}
			}
			require.Empty(s, a.end(scene.end))
			require.Equal(s, scene.want, b.outcome(), scene.statements)
			s.leaves(scene.left)
		}
	})
}

// All who wait, one behind the other, wait for the old row; who comes after them finds the new one.
func TestSeveralWaitForARowThatIsReplaced(t *testing.T) {
	play(t, itemsTable, "", func(s *scene) {
		for _, first := range []string{addOne, deleteOne} {
			s.reset()
			a := s.begin(first)
			waiters := []*session{s.session(), s.begin(addTwo), s.session(), s.begin()}
			for i, b := range waiters {
				b.starts([]string{addOne, addOne, deleteOne, `SELECT stock FROM items WHERE id = 1 FOR UPDATE`}[i])
				s.waiting(int64(i + 1))
			}
			if first != deleteOne {
				a.does("1", deleteOne)
			}
			a.does("1", insertAgain)
			if s.real {
				s.eventually("they wait in PostgreSQL", func() bool { return s.stats().Waiting == 0 })
				s.waiting(int64(len(waiters)))
			}
			a.commit()
			for i, b := range waiters {
				require.Equal(s, []string{"0", "0", "0", "[]"}[i], b.outcome(), i)
			}
			waiters[1].commit()
			waiters[3].commit()
			s.session().does("1", addOne)
			s.leaves("1:101 2:21")
		}
	})
}
