package writebehind_test

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/lib/pq"
	"github.com/stretchr/testify/require"

	"github.com/writebehind/writebehind/internal/pgtest"
)

// How transactions end: after an error, prepared for somebody else to commit, and
// when many of them wait for one another.

func TestATransactionThatHasFailed(t *testing.T) {
	play(t, itemsTable, "", func(s *scene) {
		for query, state := range map[string]string{
			`INSERT INTO items (id, stock) VALUES (2, 7)`:      "23505",
			`UPDATE items SET name = NULL WHERE id = 1`:        "23502",
			`UPDATE items SET stock = 3000000000 WHERE id = 1`: "22003",
			`UPDATE items SET nothing = 1 WHERE id = 1`:        "42703",
			`UPDATE items SET stock = 1 / 0 WHERE id = 1`:      "22012",
			`SELECT nonsense`:               "42703",
			`nonsense`:                      "42601",
			`ROLLBACK TO SAVEPOINT nowhere`: "3B001",
			`SELECT stock FROM items WHERE id = 2 FOR UPDATE NOWAIT`: "55P03",
		} {
			s.reset()
			holder := s.begin(`UPDATE items SET stock = stock + 0 WHERE id = 2`)
			if state == "23505" {
				holder.rollback()
			}
			a := s.begin(addOne)
			a.does(state, query)
			for _, next := range []string{addOne, stockOfOne, `SELECT 1`, sumOfItems, `SAVEPOINT s`, `SELECT stock FROM items WHERE id = 1 FOR UPDATE`} {
				a.does("25P02", next)
			}
			s.session().does("[10]", stockOfOne)
			want := pq.ErrInFailedTransaction.Error()
			if a.tx == nil {
				want = "" // PostgreSQL says ROLLBACK to it, and no more
			}
			require.Equal(s, want, a.end("COMMIT"), query)
			s.session().does("[10]", stockOfOne)
			s.session().does("1", addOne)

			a = s.begin(addOne, `SAVEPOINT s`, addOne)
			a.does(state, query)
			a.does("25P02", addOne)
			a.does("0", `ROLLBACK TO SAVEPOINT s`)
			a.does("[12]", stockOfOne)
			a.does("1", addOne)
			a.does("0", `RELEASE SAVEPOINT s`)
			a.does("3B001", `ROLLBACK TO SAVEPOINT s`)
			a.rollback()
			a = s.begin(addOne, `SAVEPOINT s`)
			a.does(state, query)
			a.does("0", `ROLLBACK TO SAVEPOINT s`)
			a.commit()
			if state != "23505" {
				holder.rollback()
			}
			s.leaves("1:12 2:20")
		}
	})
}

// What was locked after a savepoint is free once it is rolled back to, and those
// who wait get it; what was locked before is not.
func TestASavepointLetsGo(t *testing.T) {
	play(t, itemsTable, "", func(s *scene) {
		for _, query := range []string{addTwo, `UPDATE items SET stock = stock + 1 WHERE stock > 15`, `SELECT stock FROM items WHERE id = 2 FOR UPDATE`} {
			s.reset()
			a, b, c := s.begin(addOne, `SAVEPOINT s`, addTwo), s.begin(), s.session()
			b.starts(query)
			c.starts(addOne)
			s.waiting(2)
			a.does("0", `ROLLBACK TO SAVEPOINT s`)
			require.Contains(s, []string{"1", "[20]"}, b.outcome())
			b.does("1", `UPDATE items SET stock = 30 WHERE id = 2`)
			b.commit()
			a.does("[30]", `SELECT stock FROM items WHERE id = 2`)
			a.does("1", addTwo)
			a.commit()
			c.gets("1")
			s.leaves("1:12 2:31")
		}
	})
}

func TestATransactionThatIsPrepared(t *testing.T) {
	server := pgtest.New(t, pgtest.WithSetting("max_prepared_transactions", "10"))
	server.RequireControl(t)
	playOn(t, server, plainToo, onlyItems, func(s *scene) {
		for i, end := range []string{"COMMIT", "ROLLBACK"} {
			for _, past := range []bool{false, true} {
				s.session().do(s.ctx, `DELETE FROM items WHERE id > 2`)
				s.session().do(s.ctx, `UPDATE items SET stock = 20 WHERE id = 2`)
				s.pend()
				name := fmt.Sprintf("'%s %v'", s.Name(), past)
				a := s.session()
				a.does("0", `BEGIN`)
				a.does("1", addOne)
				a.does("1", `INSERT INTO items (id, stock) VALUES (3, 30)`)
				a.does("0", `PREPARE TRANSACTION `+name)
				a.does("[10]", stockOfOne)
				b, c, d := s.begin(addTwo), s.session(), s.begin()
				b.does("[10]", stockOfOne)
				d.does("55P03", `SELECT stock FROM items WHERE id = 1 FOR UPDATE NOWAIT`)
				d.rollback()
				b.starts(addOne)
				c.starts(`INSERT INTO items (id, stock) VALUES (3, 31) ON CONFLICT (id) DO NOTHING`)
				s.waiting(2)
				s.session().does("[10]", stockOfOne)
				s.session().does("[30]", sumOfItems)
				by := s.session()
				if past {
					elsewhere := *s
					elsewhere.db = s.past
					by = elsewhere.session()
				}
				by.does("0", end+` PREPARED `+name)
				b.gets("1")
				b.does([]string{"[12]", "[11]"}[i], stockOfOne)
				b.commit()
				c.gets([]string{"0", "1"}[i])
				s.session().does("1", addOne)
				s.leaves([]string{"1:13 2:21 3:30", "1:12 2:21 3:31"}[i])
			}
		}
	})
}

// Whatever waits for whatever, all ends, and each committed addition is there.
func TestManyTransactionsInAnyOrder(t *testing.T) {
	play(t, otherToo+`INSERT INTO items SELECT i, 'more', 0 FROM generate_series(3, 5) i`, ours, func(s *scene) {
		s.pend()
		s.db.SetMaxOpenConns(12)
		statements := []func() (string, int64){
			func() (string, int64) {
				return fmt.Sprintf(`UPDATE items SET stock = stock + 1 WHERE id = %d`, 1+rand.N(5)), 1
			},
			func() (string, int64) {
				return fmt.Sprintf(`UPDATE items SET stock = stock + 1 WHERE id = %d`, 1+rand.N(5)), 1
			},
			func() (string, int64) {
				return fmt.Sprintf(`UPDATE items SET stock = stock + 1 WHERE id = %d`, 1+rand.N(5)), 1
			},
			func() (string, int64) {
				return fmt.Sprintf(`SELECT stock FROM items WHERE id = %d FOR UPDATE`, 1+rand.N(5)), 0
			},
			func() (string, int64) {
				return fmt.Sprintf(`SELECT stock FROM items WHERE id = %d FOR SHARE`, 1+rand.N(5)), 0
			},
			func() (string, int64) { return fmt.Sprintf(`UPDATE plain SET n = n + 1 WHERE id = %d`, 1+rand.N(2)), 0 },
			func() (string, int64) {
				return fmt.Sprintf(`UPDATE other SET stock = stock + 1 WHERE id = %d`, 1+rand.N(2)), 1
			},
			func() (string, int64) { return `UPDATE items SET stock = stock + 1 WHERE id IN (4, 2)`, 2 },
			func() (string, int64) { return `SELECT sum(i.stock) FROM items i JOIN other o USING (id)`, 0 },
			func() (string, int64) { return fmt.Sprintf(`SELECT 1 FROM pg_advisory_xact_lock(%d)`, 1+rand.N(2)), 0 },
		}
		var wg sync.WaitGroup
		var mu sync.Mutex
		var added int64
		for i := range 10 {
			wg.Go(func() {
				for range 8 {
					n, err := s.anyTransaction(i < 8, statements)
					switch err {
					case "":
						mu.Lock()
						added += n
						mu.Unlock()
					case "40P01":
					default:
						s.Errorf("%s", err)
						return
					}
				}
			})
		}
		wg.Wait()
		if !s.pq {
			s.flush()
			require.Zero(s, s.stats().RefusedGroups)
		}
		require.EqualValues(s, 330+added, s.value(s.past, `SELECT (SELECT sum(stock) FROM items) + (SELECT sum(stock) FROM other)`))
		for id := range 6 {
			require.Equal(s, s.value(s.past, `SELECT stock FROM items WHERE id = $1`, id), s.value(s.db, `SELECT stock FROM items WHERE id = $1`, id))
		}
	})
}

// anyTransaction does some statements, in a transaction or one alone, and returns
// what they have added, or the error.
func (s *scene) anyTransaction(several bool, statements []func() (string, int64)) (added int64, err string) {
	if !several {
		query, n := statements[rand.N(len(statements)-1)]()
		c := &session{scene: s}
		var broken error
		if c.conn, broken = s.db.Conn(s.ctx); broken != nil {
			return 0, broken.Error()
		}
		defer c.conn.Close()
		if outcome := c.do(s.ctx, query); failed(outcome) {
			return 0, outcome
		}
		return n, ""
	}
	tx, broken := s.db.BeginTx(s.ctx, nil)
	if broken != nil {
		return 0, broken.Error()
	}
	defer func() { _ = tx.Rollback() }()
	c := &session{scene: s, tx: tx}
	for range 1 + rand.N(4) {
		query, n := statements[rand.N(len(statements))]()
		if outcome := c.do(s.ctx, query); failed(outcome) {
			return 0, outcome
		}
		added += n
	}
	return added, c.end("COMMIT")
}
