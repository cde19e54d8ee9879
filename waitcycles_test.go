package writebehind_test

import (
	"fmt"
	"strings"
	"testing"
)

// Sessions that wait for one another in a circle: PostgreSQL ends one of them with
// 40P01, and the others go on.

const (
	addTwo    = `UPDATE items SET stock = stock + 1 WHERE id = 2`
	addThree  = `UPDATE items SET stock = stock + 1 WHERE id = 3`
	addBoth   = `UPDATE items SET stock = stock + 1 WHERE id IN (1, 2)`
	addAll    = `UPDATE items SET stock = stock + 1`
	addPlain  = `UPDATE plain SET n = n + 1 WHERE id = 1`
	plainToo  = itemsTable + `CREATE TABLE plain (id int PRIMARY KEY, n int); INSERT INTO plain VALUES (1, 0), (2, 0);`
	onlyItems = "writebehind.tables=items"
)

func TestTwoRowsInOppositeOrder(t *testing.T) {
	play(t, itemsTable, "", func(s *scene) {
		s.pend()
		a, b := s.begin(addOne), s.begin(addTwo)
		a.finishes(addTwo)
		b.finishes(addOne)
		s.oneDeadlock("1", a, b)
		s.leaves("1:11 2:21")
	})
}

func TestARingOfThree(t *testing.T) {
	play(t, itemsTable+`INSERT INTO items VALUES (3, 'three', 30)`, "", func(s *scene) {
		s.pend()
		a, b, c := s.begin(addOne), s.begin(addTwo), s.begin(addThree)
		a.finishes(addTwo)
		s.waiting(1)
		b.finishes(addThree)
		s.waiting(2)
		c.finishes(addOne)
		s.oneDeadlock("1", a, b, c)
		var sum int64
		for i := range 3 {
			sum += s.value(s.db, `SELECT stock FROM items WHERE id = $1`, i+1).(int64) - int64(10*(i+1))
		}
		if sum != 4 {
			s.Fatalf("two transactions of two additions each, and %d were made", sum)
		}
	})
}

func TestACircleOverATableThatIsNotOptedIn(t *testing.T) {
	play(t, plainToo, onlyItems, func(s *scene) {
		s.pend()
		a, b := s.begin(addOne), s.begin(addPlain)
		a.finishes(addPlain)
		b.finishes(addOne)
		s.oneDeadlock("1", a, b)
		s.leaves("1:11 2:20")
	})
}

func TestACircleWithAStatementOfManyRows(t *testing.T) {
	play(t, itemsTable, "", func(s *scene) {
		s.pend()
		a, b := s.begin(addTwo), s.session()
		b.starts(addBoth) // it has row 1 and waits for row 2
		s.waiting(1)
		a.starts(addOne)
		outcome := a.outcome()
		if outcome == "40P01" {
			a.rollback()
			b.gets("2")
		} else {
			b.gets("40P01")
			a.commit()
		}
		s.leaves("1:11 2:21")
	})
}

func TestACircleWithAnAdvisoryLock(t *testing.T) {
	for _, lock := range []string{`SELECT 1 FROM pg_advisory_xact_lock(1)`, `SELECT 1 FROM pg_advisory_lock(1)`} {
		t.Run(lock[14:], func(t *testing.T) {
			play(t, itemsTable, "", func(s *scene) {
				s.pend()
				a, b := s.begin(), s.begin(addOne)
				a.does("[1]", lock)
				a.finishes(addOne)
				s.waiting(1)
				b.starts(`SELECT 1 FROM pg_advisory_xact_lock(1)`)
				outcome := a.outcome()
				switch {
				case outcome == "40P01" && strings.Contains(lock, "xact"):
					b.gets("[1]")
					b.commit()
				case outcome == "40P01": // a lock of the session outlives its transaction
					s.waiting(1)
					a.does("[true]", `SELECT pg_advisory_unlock(1)`)
					b.gets("[1]")
					b.commit()
				default:
					b.gets("40P01")
					b.rollback()
				}
				s.leaves("1:11 2:20")
			})
		})
	}
}

func TestALockOfTheSessionAndOneOfATransaction(t *testing.T) {
	play(t, itemsTable, "", func(s *scene) {
		s.pend()
		a, b := s.session(), s.begin(addOne)
		a.does("[1]", `SELECT 1 FROM pg_advisory_lock(1)`)
		a.starts(addOne)
		s.waiting(1)
		b.starts(`SELECT 1 FROM pg_advisory_xact_lock(1)`)
		switch outcome := a.outcome(); outcome {
		case "40P01":
			a.does("[true]", `SELECT pg_advisory_unlock(1)`)
			b.gets("[1]")
			b.commit()
		default:
			b.gets("40P01")
			b.rollback()
			a.does("[true]", `SELECT pg_advisory_unlock(1)`)
		}
		s.leaves("1:11 2:20")
	})
}

func TestTwoThatShareARowAndWantToWriteIt(t *testing.T) {
	const share = `SELECT stock FROM items WHERE id = 1 FOR SHARE`
	play(t, itemsTable, "", func(s *scene) {
		s.pend()
		a, b := s.begin(), s.begin()
		a.does("[10]", share)
		b.does("[10]", share)
		a.finishes(addOne)
		b.finishes(addOne)
		s.oneDeadlock("1", a, b)
		s.leaves("1:11 2:20")
	})
}

func TestTheVictimGoesOnFromASavepoint(t *testing.T) {
	play(t, itemsTable, "", func(s *scene) {
		s.pend()
		a, b := s.begin(addOne, `SAVEPOINT s`), s.begin(addTwo, `SAVEPOINT s`)
		a.starts(addTwo)
		b.starts(addOne)
		victim, other, read := a, b, `SELECT stock FROM items WHERE id = 1`
		var outcome string
		select {
		case outcome = <-a.done:
		case outcome = <-b.done:
			victim, other, read = b, a, `SELECT stock FROM items WHERE id = 2`
		}
		if outcome != "40P01" {
			s.Fatal(outcome)
		}
		victim.does("25P02", addOne)
		victim.does("0", `ROLLBACK TO SAVEPOINT s`)
		victim.does(map[*session]string{a: "[11]", b: "[21]"}[victim], read)
		victim.commit()
		other.gets("1")
		other.commit()
		s.leaves(map[*session]string{a: "1:12 2:21", b: "1:11 2:22"}[victim])
	})
}

func TestAPoolOfTransactionsThatWaitForOneAnother(t *testing.T) {
	for _, size := range []int{2, 4} {
		t.Run(fmt.Sprint(size), func(t *testing.T) {
			play(t, itemsTable+`INSERT INTO items VALUES (3, 'three', 30), (4, 'four', 40)`, "", func(s *scene) {
				for id := range 5 {
					s.value(s.db, `SELECT stock FROM items WHERE id = $1`, id)
				}
				s.db.SetMaxOpenConns(size)
				add := func(i int) string {
					return fmt.Sprintf(`UPDATE items SET stock = stock + 1 WHERE id = %d`, i%size+1)
				}
				all := make([]*session, size)
				for i := range all {
					all[i] = s.begin(add(i))
				}
				for i, c := range all {
					c.finishes(add(i + 1))
				}
				s.oneDeadlock("1", all...)
			})
		})
	}
}
