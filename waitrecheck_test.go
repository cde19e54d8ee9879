package writebehind_test

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// Who waits for a row has looked at it before, and looks at it again.

// unmet are statements with conditions that row 1 meets until somebody has added one to it,
// and what each gets then.
var unmet = map[string]string{
	`UPDATE items SET stock = 99 WHERE id = 1 AND stock = 10`:                 "0",
	`UPDATE items SET stock = 99 WHERE id = 1 AND stock = 10 RETURNING stock`: "[]",
	`DELETE FROM items WHERE id = 1 AND stock = 10`:                           "0",
	`DELETE FROM items WHERE id = 1 AND stock = 10 RETURNING id`:              "[]",
	`SELECT stock FROM items WHERE id = 1 AND stock = 10 FOR UPDATE`:          "[]",
	`SELECT stock FROM items WHERE id = 1 AND stock = 10 FOR NO KEY UPDATE`:   "[]",
	`SELECT stock FROM items WHERE id = 1 AND stock = 10 FOR SHARE`:           "[]",
	`UPDATE items SET stock = 99 WHERE stock = 10`:                            "0",
}

// It stays locked although nothing has happened to it.
func TestARowThatNoLongerMeetsTheConditionsStaysLocked(t *testing.T) {
	const elsewhere = `SELECT count(*) FROM items` // not by key
	play(t, itemsTable, "", func(s *scene) {
		for query, outcome := range unmet {
			for _, then := range []string{"", addTwo, elsewhere} {
				s.reset()
				a, b, c := s.begin(addOne), s.begin(), s.session()
				b.starts(query)
				s.waiting(1)
				a.commit()
				b.gets(outcome)
				switch then {
				case addTwo:
					b.does("1", then)
				case elsewhere:
					b.does("[2]", then)
				}
				c.starts(addOne)
				s.waiting(1)
				b.does("[11]", `SELECT stock FROM items WHERE id = 1`)
				b.commit()
				c.gets("1")
				if then == addTwo {
					s.leaves("1:12 2:21")
				} else {
					s.leaves("1:12 2:20")
				}
			}
		}
	})
}

func TestASavepointLetsGoOfARowThatDidNotMeetTheConditions(t *testing.T) {
	play(t, itemsTable, "", func(s *scene) {
		for query, outcome := range unmet {
			s.reset()
			a, b, c := s.begin(addOne), s.begin(addTwo, `SAVEPOINT s`), s.session()
			b.starts(query)
			s.waiting(1)
			a.commit()
			b.gets(outcome)
			c.starts(addOne)
			s.waiting(1)
			b.does("0", `ROLLBACK TO SAVEPOINT s`)
			c.gets("1")
			b.commit()
			s.leaves("1:12 2:21")
		}
	})
}

// What does not meet the conditions when it is wanted is not waited for.
func TestARowThatDoesNotMeetTheConditionsIsNotWaitedFor(t *testing.T) {
	const insertThree = `INSERT INTO items (id, name, stock) VALUES (3, 'three', 30)`
	play(t, itemsTable, "", func(s *scene) {
		for query, outcome := range map[string]string{
			`UPDATE items SET stock = 99 WHERE id = 1 AND stock = 11`:        "0",
			`UPDATE items SET stock = 99 WHERE id = 3`:                       "0",
			`UPDATE items SET stock = 99 WHERE id = 3 RETURNING id`:          "[]",
			`DELETE FROM items WHERE id = 1 AND stock = 11`:                  "0",
			`DELETE FROM items WHERE id = 3`:                                 "0",
			`SELECT stock FROM items WHERE id = 1 AND stock = 11 FOR UPDATE`: "[]",
			`SELECT stock FROM items WHERE id = 3 FOR SHARE`:                 "[]",
		} {
			s.reset()
			s.session().does("[]", `SELECT stock FROM items WHERE id = 3`) // known from now on
			made := s.stats().MadeReal
			a, b := s.begin(addOne), s.begin(addTwo)
			a.does("1", insertThree)
			b.does(outcome, query)
			if !s.real {
				require.Equal(s, made, s.stats().MadeReal, query)
			}
			s.session().does(outcome, query)
			a.does("1", addOne) // nobody else has locked it
			a.commit()
			b.commit()
			s.leaves("1:12 2:21 3:30")
			s.session().does("1", `DELETE FROM items WHERE id = 3`)
		}
	})
}

// A lock that goes with an UPDATE gives the row as it was before that, even if it has to
// wait for another lock of the same transaction.
func TestAKeyShareThatWaits(t *testing.T) {
	play(t, itemsTable, "", func(s *scene) {
		s.pend()
		a, b := s.begin(addOne), s.begin()
		a.does("[11]", `SELECT stock FROM items WHERE id = 1 FOR UPDATE SKIP LOCKED`)
		b.starts(`SELECT stock FROM items WHERE id = 1 FOR KEY SHARE`)
		s.waiting(1)
		a.commit()
		b.gets("[10]")
		b.commit()
		s.leaves("1:11 2:20")
	})
}
