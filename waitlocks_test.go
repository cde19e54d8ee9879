package writebehind_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// What becomes of those who want a row that another transaction has locked.

// rowHolders are ways to hold row 1 of items that leave it as it was.
var rowHolders = []string{
	`SELECT stock FROM items WHERE id = 1 FOR UPDATE`,
	`SELECT stock FROM items WHERE id = 1 FOR NO KEY UPDATE`,
	`SELECT stock FROM items WHERE id = 1 FOR SHARE`,
	`UPDATE items SET stock = 10 WHERE id = 1`,
	`SELECT stock FROM items WHERE stock = 10 FOR UPDATE`, // not by key
	`UPDATE items SET stock = stock + 0 WHERE name LIKE 'o%'`,
}

func TestARowThatIsLocked(t *testing.T) {
	play(t, itemsTable, "", func(s *scene) {
		for _, hold := range rowHolders {
			s.session().does("1", `UPDATE items SET stock = 20 WHERE id = 2`)
			s.pend()
			holder := s.begin(hold)
			a := s.begin()
			a.does("55P03", `SELECT stock FROM items WHERE id = 1 FOR UPDATE NOWAIT`)
			a.does("25P02", addTwo)
			a.rollback()
			a = s.begin(`SAVEPOINT s`)
			a.does("55P03", `SELECT stock FROM items WHERE id = 1 FOR NO KEY UPDATE NOWAIT`)
			a.does("0", `ROLLBACK TO SAVEPOINT s`)
			a.does("[]", `SELECT stock FROM items WHERE id = 1 FOR UPDATE SKIP LOCKED`)
			a.does("[10]", `SELECT stock FROM items WHERE id = 1`)
			a.commit()
			s.session().does("55P03", `SELECT stock FROM items WHERE id = 1 FOR UPDATE NOWAIT`)
			s.session().does("[]", `SELECT stock FROM items WHERE id = 1 FOR UPDATE SKIP LOCKED`)

			a = s.begin(`SET LOCAL lock_timeout = '15ms'`)
			a.does("55P03", addOne)
			a.rollback()
			a = s.begin(addTwo, `SAVEPOINT s`, `SET LOCAL statement_timeout = '15ms'`)
			a.does("57014", `SELECT stock FROM items WHERE id = 1 FOR UPDATE`)
			a.does("0", `ROLLBACK TO SAVEPOINT s`)
			a.does("[21]", `SELECT stock FROM items WHERE id = 2`)
			a.commit()
			c := s.session()
			c.does("0", `SET lock_timeout = '15ms'`)
			c.does("55P03", addOne)
			c.does("0", `SET lock_timeout = 0`)
			c.does("0", `SET statement_timeout = '15ms'`)
			c.does("57014", addOne)
			c.does("0", `SET statement_timeout = 0`)

			b := s.begin()
			b.starts(addOne)
			s.waiting(1)
			c.starts(addOne)
			s.waiting(2)
			holder.does("[10]", `SELECT stock FROM items WHERE id = 1`)
			holder.commit()
			b.gets("1")
			b.commit()
			c.gets("1")
			s.leaves("1:12 2:21")
		}
	})
}

func TestAWaitIsGivenUp(t *testing.T) {
	play(t, itemsTable, "", func(s *scene) {
		s.pend()
		holder := s.begin(`UPDATE items SET stock = 10 WHERE id = 1`)
		for _, query := range []string{addOne, `SELECT stock FROM items WHERE id = 1 FOR UPDATE`} {
			for _, within := range []bool{false, true} {
				for _, how := range []string{"canceled", "deadline"} {
					a := s.session()
					if within {
						a = s.begin(addTwo)
					}
					ctx, cancel := context.WithCancel(s.ctx)
					if how == "deadline" {
						ctx, cancel = context.WithTimeout(s.ctx, 60*time.Millisecond)
					}
					go func() { a.done <- a.do(ctx, query) }()
					if how == "canceled" {
						s.waiting(1)
						cancel()
					}
					want := []string{"57014"}
					if !s.pq {
						want = append(want, how) // it had not come to PostgreSQL yet
					}
					require.Contains(s, want, a.outcome())
					cancel()
					if within {
						require.NotEmpty(s, a.end("COMMIT"), "the transaction has failed")
					}
					s.waitsNoMore()
				}
			}
		}
		holder.does("1", addOne)
		holder.commit()
		s.leaves("1:11 2:20")
	})
}

// waitsNoMore waits until PostgreSQL knows of nobody who waits.
func (s *scene) waitsNoMore() {
	s.Helper()
	s.eventually("nobody waits", func() bool {
		return s.value(s.past, `SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()`) == int64(0)
	})
}

func TestLocksThatGoTogether(t *testing.T) {
	play(t, itemsTable, "", func(s *scene) {
		s.pend()
		for locks, together := range map[[2]string]bool{
			{"FOR SHARE", "FOR SHARE"}:                 true,
			{"FOR SHARE", "FOR KEY SHARE"}:             true,
			{"FOR KEY SHARE", "FOR KEY SHARE"}:         true,
			{"FOR KEY SHARE", "FOR NO KEY UPDATE"}:     true,
			{"FOR NO KEY UPDATE", "FOR KEY SHARE"}:     true,
			{"FOR SHARE", "FOR NO KEY UPDATE"}:         false,
			{"FOR NO KEY UPDATE", "FOR NO KEY UPDATE"}: false,
			{"FOR KEY SHARE", "FOR UPDATE"}:            false,
			{"FOR UPDATE", "FOR KEY SHARE"}:            false,
		} {
			want := "55P03"
			if together {
				want = "[10]"
			}
			a, b := s.begin(), s.begin()
			a.does("[10]", `SELECT stock FROM items WHERE id = 1 `+locks[0])
			b.does(want, `SELECT stock FROM items WHERE id = 1 `+locks[1]+` NOWAIT`)
			b.rollback()
			a.commit()
			s.leaves("1:10 2:20")
		}
	})
}

func TestAnUpdateGoesWithAKeyShare(t *testing.T) {
	play(t, itemsTable, "", func(s *scene) {
		s.pend()
		a := s.begin(`SELECT stock FROM items WHERE id = 1 FOR KEY SHARE`)
		s.session().does("1", addOne)
		b := s.begin(addOne)
		a.does("[11]", `SELECT stock FROM items WHERE id = 1`)
		b.commit()
		a.does("[12]", `SELECT stock FROM items WHERE id = 1`)
		c := s.begin()
		c.starts(`DELETE FROM items WHERE id = 1`)
		s.waiting(1)
		a.commit()
		c.gets("1")
		c.commit()
		s.leaves("2:20")
	})
}

func TestWorkersThatSkipWhatOthersHave(t *testing.T) {
	const next = `SELECT id FROM items WHERE stock > 0 ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED`
	play(t, itemsTable, "", func(s *scene) {
		s.pend()
		a, b, c := s.begin(addOne), s.begin(), s.begin()
		b.does("[2]", next)
		c.does("[]", next)
		b.does("1", `UPDATE items SET stock = 0 WHERE id = 2`)
		b.commit()
		c.does("[]", next)
		a.rollback()
		c.does("[1]", next)
		c.does("1", `UPDATE items SET stock = 0 WHERE id = 1`)
		c.commit()
		s.leaves("1:0 2:0")
	})
}

func TestAConditionIsLookedAtAgainAfterTheWait(t *testing.T) {
	cases := map[string][2]string{ // committed, rolled back
		`UPDATE items SET stock = 99 WHERE id = 1 AND stock = 10`:                {"0 1:11 2:20", "1 1:99 2:20"},
		`UPDATE items SET stock = stock * 2 WHERE stock = 10`:                    {"0 1:11 2:20", "1 1:20 2:20"},
		`DELETE FROM items WHERE id = 1 AND stock = 11`:                          {"0 1:11 2:20", "0 1:10 2:20"},
		`UPDATE items SET stock = stock + 5 WHERE id = 1 RETURNING stock`:        {"[16] 1:16 2:20", "[15] 1:15 2:20"},
		`SELECT stock FROM items WHERE id = 1 AND stock = 10 FOR UPDATE`:         {"[] 1:11 2:20", "[10] 1:10 2:20"},
		`SELECT stock FROM items WHERE stock IN (10, 11) ORDER BY id FOR UPDATE`: {"[11] 1:11 2:20", "[10] 1:10 2:20"},
	}
	play(t, itemsTable, "", func(s *scene) {
		for query, after := range cases {
			for i, end := range []string{"COMMIT", "ROLLBACK"} {
				s.pend()
				a, b := s.begin(addOne), s.begin()
				outcome, left, _ := strings.Cut(after[i], " ")
				if strings.HasPrefix(query, "DELETE") {
					b.does(outcome, query) // what it does not see it does not wait for
				} else {
					b.starts(query)
					s.waiting(1)
				}
				require.Empty(s, a.end(end))
				if !strings.HasPrefix(query, "DELETE") {
					b.gets(outcome)
				}
				b.commit()
				s.leaves(left)
			}
		}
	})
}
