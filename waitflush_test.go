package writebehind_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Transactions that hold locks and then need what others have written and what is
// still to be flushed: where lib/pq has no circle, the flush makes none.

const (
	sumOfItems = `SELECT sum(stock) FROM items`
	joined     = `SELECT i.stock + o.stock FROM items i JOIN other o USING (id) WHERE o.stock > 0 ORDER BY id`
	otherToo   = plainToo + `CREATE TABLE other (id bigint PRIMARY KEY, stock int NOT NULL); INSERT INTO other VALUES (1, 100), (2, 200);`
	addOther   = `UPDATE other SET stock = stock + 1 WHERE id = 1`
	ours       = "writebehind.tables=items,other"
)

// tableLocks are first statements of a transaction that lock more than a buffer can.
var tableLocks = []string{
	`LOCK TABLE items`,
	`LOCK TABLE items IN EXCLUSIVE MODE`,
	`LOCK TABLE items IN SHARE MODE`,
	`UPDATE items SET stock = stock + 0 WHERE stock > 0`,
	`SELECT stock FROM items ORDER BY id FOR UPDATE`,
	`ALTER TABLE items ADD COLUMN extra int`,
	`DELETE FROM items WHERE stock < 0`,
	`CREATE INDEX ON items (stock)`,
}

func TestABarrierOfOneWhoHoldsATable(t *testing.T) {
	play(t, otherToo, ours, func(s *scene) {
		for _, lock := range tableLocks {
			s.pend()
			c := s.session()
			c.does("1", `UPDATE other SET stock = 100 WHERE id = 1`)
			a := s.begin(addPlain, lock)
			c.does("1", addOther)
			a.does("[30]", sumOfItems)
			a.does("[111 220]", joined)
			c.does("1", addOther)
			a.does("1", addOne)
			a.does("[113 220]", joined)
			a.rollback()
			s.leaves("1:10 2:20")
		}
	})
}

func TestABarrierOfOneForWhomOthersWait(t *testing.T) {
	play(t, otherToo, ours, func(s *scene) {
		for _, lock := range tableLocks[:6] {
			s.pend()
			s.session().does("1", `UPDATE other SET stock = 100 WHERE id = 1`)
			a, b, c, d := s.begin(addPlain, lock), s.session(), s.begin(addOther), s.session()
			b.starts(addTwo)
			c.starts(addOne)
			s.waiting(2)
			d.does("1", `UPDATE other SET stock = stock + 1 WHERE id = 2`)
			a.does("[30]", sumOfItems)
			a.does("[110 221]", joined)
			a.rollback()
			b.gets("1")
			c.gets("1")
			c.rollback()
			d.does("1", `UPDATE other SET stock = stock - 1 WHERE id = 2`)
			s.leaves("1:10 2:21")
			s.session().does("1", `UPDATE items SET stock = 20 WHERE id = 2`)
		}
	})
}

// B has buffered something and waits for A, who needs all that was acknowledged.
func TestABarrierOfOneForWhomABufferWaits(t *testing.T) {
	play(t, otherToo, ours, func(s *scene) {
		s.pend()
		a, b, c := s.begin(addPlain), s.begin(addTwo), s.session()
		b.starts(addPlain)
		s.waiting(1)
		c.does("1", addOther)
		c.starts(addTwo)
		s.waiting(2)
		a.does("[30]", sumOfItems)
		a.does("[111 220]", joined)
		a.does("1", addOne)
		a.commit()
		b.gets("1")
		b.commit()
		c.gets("1")
		s.leaves("1:11 2:22")
	})
}

func TestACircleOfABarrierAndABuffer(t *testing.T) {
	play(t, otherToo, ours, func(s *scene) {
		s.pend()
		a, b, c := s.begin(addPlain), s.begin(addOne), s.begin()
		c.finishes(addOne)
		s.waiting(1)
		a.finishes(addAll)
		s.waiting(2)
		b.finishes(addPlain)
		one, two, victims := 10, 20, 0
		for i, outcome := range []string{a.outcome(), b.outcome(), c.outcome()} {
			switch {
			case outcome == "40P01":
				victims++
			case i == 0:
				require.Equal(s, "2", outcome)
				one, two = one+1, two+1
			default:
				require.Equal(s, "1", outcome)
				one++
			}
		}
		require.Contains(s, []int{1, 2}, victims, "lib/pq alone may have two, as well")
		s.leaves(fmt.Sprintf("1:%d 2:%d", one, two))
	})
}

// A waits for B, whose row is looked up meanwhile, the look-up for O, and O for A.
func TestACircleThroughALookUp(t *testing.T) {
	play(t, otherToo, ours, func(s *scene) {
		a := s.begin(addPlain)
		s.session().does("1", `UPDATE other SET stock = 100 WHERE id = 1`)
		b, o := s.begin(addOther), s.outsider(`LOCK TABLE items`)
		b.finishes(addTwo)
		s.waiting(1)
		a.finishes(`UPDATE other SET stock = stock + 1`)
		s.waiting(2)
		o.finishes(addPlain)
		outcomes := []string{a.outcome(), b.outcome(), o.outcome()}
		require.Contains(s, outcomes, "40P01")
		if outcomes[1] == "1" {
			s.leaves("1:10 2:21")
		} else {
			s.leaves("1:10 2:20")
		}
	})
}

const ownersToo = `CREATE TABLE owners (id int PRIMARY KEY, name text); INSERT INTO owners VALUES (1, 'a'), (2, 'b');
	CREATE TABLE items (id bigint PRIMARY KEY, stock int NOT NULL, owner int REFERENCES owners); INSERT INTO items VALUES (1, 10, 1), (2, 20, 2);`

// Whoever writes a child waits for one who has locked its parent, who in turn
// needs what has been written.
func TestABarrierOfOneWhoHasLockedAParent(t *testing.T) {
	for _, tables := range []string{"items", "items,owners"} {
		t.Run(tables, func(t *testing.T) {
			play(t, ownersToo, "writebehind.tables="+tables, func(s *scene) {
				for _, lock := range []string{
					`SELECT name FROM owners WHERE id = 1 FOR UPDATE`,
					`LOCK TABLE owners`,
					`DELETE FROM owners WHERE id > 2; UPDATE owners SET id = 3 WHERE id = 1; UPDATE owners SET id = 1 WHERE id = 3`,
				} {
					s.pend()
					s.session().does("1", `UPDATE items SET owner = NULL WHERE id = 1`)
					s.session().does("1", `INSERT INTO items VALUES (4, 40, 2)`)
					a, b, c, d := s.begin(lock), s.session(), s.session(), s.begin()
					b.starts(`UPDATE items SET owner = 1 WHERE id = 2`)
					c.starts(`INSERT INTO items VALUES (3, 30, 1)`)
					d.starts(`UPDATE items SET owner = 1, stock = stock + 1 WHERE id = 1`)
					s.waiting(3)
					s.session().does("1", `UPDATE items SET stock = 41 WHERE id = 4`)
					a.does("[71]", sumOfItems)
					a.does("[20 41]", `SELECT stock FROM items JOIN owners ON owner = owners.id ORDER BY items.id`)
					a.commit()
					b.gets("1")
					c.gets("1")
					d.gets("1")
					d.commit()
					s.leaves("1:11 2:20 3:30 4:41")
					s.session().does("2", `DELETE FROM items WHERE id > 2`)
					s.session().does("1", `UPDATE items SET owner = 2 WHERE id = 2`)
				}
			})
		})
	}
}

func TestACircleOverAParent(t *testing.T) {
	for _, tables := range []string{"items", "items,owners"} {
		t.Run(tables, func(t *testing.T) {
			play(t, ownersToo, "writebehind.tables="+tables, func(s *scene) {
				s.pend()
				a, b := s.begin(`SELECT name FROM owners WHERE id = 1 FOR UPDATE`), s.begin(addOne)
				b.finishes(`INSERT INTO items VALUES (3, 30, 1)`)
				s.waiting(1)
				a.finishes(addOne)
				outcomes := []string{a.outcome(), b.outcome()}
				require.ElementsMatch(s, []string{"40P01", "1"}, outcomes)
				want := "1:11 2:20"
				if outcomes[1] == "1" {
					want += " 3:30"
				}
				s.leaves(want)
			})
		})
	}
}

// Two that have written children of the same parent share it, and each may write
// what no foreign key refers to.
func TestWritersOfChildrenMakeNoCircle(t *testing.T) {
	play(t, ownersToo, "writebehind.tables=items,owners", func(s *scene) {
		s.pend()
		const rename = `UPDATE owners SET name = name || '!' WHERE id = 1`
		a, b := s.begin(`INSERT INTO items VALUES (3, 30, 1)`), s.begin(`INSERT INTO items VALUES (4, 40, 1)`)
		a.does("1", rename)
		b.starts(rename)
		s.waiting(1)
		a.does("[60]", sumOfItems)
		a.commit()
		b.gets("1")
		b.does("[100]", sumOfItems)
		b.commit()
		s.leaves("1:10 2:20 3:30 4:40")
		s.session().does("[a!!]", `SELECT name FROM owners WHERE id = 1`)
	})
}

func TestABarrierOfOneWithALockOfTheSession(t *testing.T) {
	play(t, plainToo, onlyItems, func(s *scene) {
		s.pend()
		a := s.session()
		a.does("[1]", `SELECT 1 FROM pg_advisory_lock(1)`)
		s.session().does("1", addOne)
		o := s.outsider(`SELECT stock FROM items WHERE id = 1 FOR UPDATE`)
		o.starts(`SELECT 1 FROM pg_advisory_xact_lock(1)`)
		s.waiting(1)
		if s.pq {
			a.does("[31]", sumOfItems)
		} else { // there is a circle, since what was acknowledged must come first
			require.Contains(s, []string{"[31]", "40P01"}, a.do(s.ctx, sumOfItems))
		}
		s.value(s.past, `SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE query = 'SELECT 1 FROM pg_advisory_xact_lock(1)' AND datname = current_database()`)
		require.Contains(s, []string{"57014", "40P01"}, o.outcome())
		o.rollback()
		a.does("[true]", `SELECT pg_advisory_unlock(1)`)
	})
}

func TestACircleThroughAReplay(t *testing.T) {
	play(t, plainToo, onlyItems, func(s *scene) {
		s.pend()
		if !s.pq {
			s.flush()
		}
		o := s.outsider(`SELECT stock FROM items WHERE id = 1 FOR UPDATE`)
		a, b := s.begin(addPlain), s.begin()
		b.starts(addOne) // buffer: done; else it waits for O
		s.eventually("it waits, or is done", func() bool {
			return len(b.done) == 1 || s.value(s.past, `SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()`) == int64(1)
		})
		before := len(b.done)
		a.finishes(addAll)
		s.waiting(2 - int64(before))
		o.finishes(addPlain)
		ended := make(chan string, 1)
		go func() {
			outcome := <-b.done
			ended <- outcome + b.end("COMMIT") // else the others would wait for it
		}()
		outcomes := []string{a.outcome(), o.outcome(), <-ended}
		require.True(s, slices.ContainsFunc(outcomes, func(o string) bool { return strings.HasPrefix(o, "40P01") }), "%v", outcomes)
	})
}

func TestABarrierOfABufferThatMustYield(t *testing.T) {
	play(t, plainToo, onlyItems, func(s *scene) {
		a, b := s.begin(addPlain), s.begin()
		s.pend()
		b.does("1", addTwo)
		o := s.outsider(`SELECT stock FROM items WHERE id = 1 FOR UPDATE`)
		b.finishes(sumOfItems)
		buffer := strings.Contains(s.params, buffering)
		if buffer {
			s.waiting(2) // for the flush, which waits for the outsider
		}
		a.finishes(addAll)
		if buffer {
			s.waiting(3)
		} else {
			s.waiting(1)
		}
		o.finishes(addPlain)
		require.Contains(s, []string{a.outcome(), b.outcome(), o.outcome()}, "40P01")
	})
}
