package writebehind_test

import (
	"database/sql"
	"testing"

	"github.com/stretchr/testify/require"
)

// What comes of those who want the row that a transaction has written, by other
// means than a keyed write.

func TestARowThatIsWrittenAndWantedByOthers(t *testing.T) {
	play(t, itemsTable, "", func(s *scene) {
		for query, want := range map[string][3]string{ // what it gets, then what is left after COMMIT and after ROLLBACK
			addAll: {"2", "1:12 2:21", "1:11 2:21"},
			`UPDATE items SET stock = stock * 2 WHERE name = 'one'`: {"1", "1:22 2:20", "1:20 2:20"},
			`DELETE FROM items WHERE stock < 20`:                    {"1", "2:20", "2:20"},
			`TRUNCATE items`:                                        {"0", "", ""},
			`ALTER TABLE items ALTER stock TYPE bigint`:             {"0", "1:11 2:20", "1:10 2:20"},
			`LOCK TABLE items IN SHARE MODE`:                        {"0", "1:11 2:20", "1:10 2:20"},
			`CREATE INDEX ON items (stock)`:                         {"0", "1:11 2:20", "1:10 2:20"},
			`SELECT stock FROM items WHERE name = 'one' FOR UPDATE`: {"", "1:11 2:20", "1:10 2:20"},
			`INSERT INTO items (id, stock) VALUES (1, 7) ON CONFLICT (id) DO UPDATE SET stock = items.stock + EXCLUDED.stock`: {"1", "1:18 2:20", "1:17 2:20"},
			`INSERT INTO items (id, stock) SELECT id, 7 FROM items ON CONFLICT (id) DO UPDATE SET stock = items.stock + 1`:    {"2", "1:12 2:21", "1:11 2:21"},
		} {
			for i, end := range []string{"COMMIT", "ROLLBACK"} {
				s.reset()
				a, b := s.begin(addOne), s.begin()
				b.starts(query)
				s.waiting(1)
				a.does("[11]", `SELECT stock FROM items WHERE id = 1`)
				require.Empty(s, a.end(end))
				if want[0] == "" {
					b.gets([]string{"[11]", "[10]"}[i])
				} else {
					b.gets(want[0])
				}
				b.commit()
				s.leaves(want[i+1])
			}
		}
	})
}

// reset leaves items as they were, with a row in the cache and one pending.
func (s *scene) reset() {
	s.Helper()
	c := s.session()
	c.do(s.ctx, `DELETE FROM items WHERE id > 0`)
	c.does("2", `INSERT INTO items (id, name, stock) VALUES (1, 'one', 1), (2, 'two', 20)`)
	s.pend()
}

func TestAnAutocommitWriteOfARowThatIsWritten(t *testing.T) {
	play(t, itemsTable, "", func(s *scene) {
		for query, want := range map[string][4]string{
			addOne: {"1", "1", "1:12 2:20", "1:11 2:20"},
			`UPDATE items SET stock = 99 WHERE id = 1 AND stock = 10`:                              {"0", "1", "1:11 2:20", "1:99 2:20"},
			`DELETE FROM items WHERE id = 1`:                                                       {"1", "1", "2:20", "2:20"},
			`INSERT INTO items (id, stock) VALUES (1, 5) ON CONFLICT (id) DO NOTHING`:              {"0", "0", "1:11 2:20", "1:10 2:20"},
			`UPDATE items SET stock = stock + 5 WHERE id = 1 RETURNING stock`:                      {"[16]", "[15]", "1:16 2:20", "1:15 2:20"},
			`INSERT INTO items (id, stock) VALUES (1, 5) ON CONFLICT (id) DO UPDATE SET stock = 3`: {"1", "1", "1:3 2:20", "1:3 2:20"},
		} {
			for i, end := range []string{"COMMIT", "ROLLBACK"} {
				s.reset()
				a, b := s.begin(addOne), s.session()
				b.starts(query)
				s.waiting(1)
				require.Empty(s, a.end(end))
				b.gets(want[i])
				s.leaves(want[i+2])
			}
		}
	})
}

func TestARowThatIsDeletedByAnOpenTransaction(t *testing.T) {
	play(t, itemsTable, "", func(s *scene) {
		for query, want := range map[string][4]string{
			addOne:                           {"0", "1", "2:20", "1:11 2:20"},
			`DELETE FROM items WHERE id = 1`: {"0", "1", "2:20", "2:20"},
			`INSERT INTO items (id, stock) VALUES (1, 5)`:                                          {"1", "23505", "1:5 2:20", "1:10 2:20"},
			`INSERT INTO items (id, stock) VALUES (1, 5) ON CONFLICT (id) DO NOTHING`:              {"1", "0", "1:5 2:20", "1:10 2:20"},
			`SELECT stock FROM items WHERE id = 1 FOR SHARE`:                                       {"[]", "[10]", "2:20", "1:10 2:20"},
			`UPDATE items SET stock = stock + 1 WHERE stock < 15`:                                  {"0", "1", "2:20", "1:11 2:20"},
			`INSERT INTO items (id, stock) VALUES (1, 5) ON CONFLICT (id) DO UPDATE SET stock = 3`: {"1", "1", "1:5 2:20", "1:3 2:20"},
		} {
			for i, end := range []string{"COMMIT", "ROLLBACK"} {
				s.reset()
				a, b := s.begin(`DELETE FROM items WHERE id = 1`), s.begin()
				b.starts(query)
				s.waiting(1)
				a.does("[]", `SELECT stock FROM items WHERE id = 1`)
				s.session().does("[10]", `SELECT stock FROM items WHERE id = 1`)
				require.Empty(s, a.end(end))
				if outcome := b.outcome(); failed(outcome) {
					require.Equal(s, want[i], outcome, query)
					b.rollback()
				} else {
					require.Equal(s, want[i], outcome, query)
					b.commit()
				}
				s.leaves(want[i+2])
			}
		}
	})
}

func TestARowThatIsWantedFromASnapshot(t *testing.T) {
	play(t, itemsTable, "", func(s *scene) {
		for _, level := range []sql.IsolationLevel{sql.LevelRepeatableRead, sql.LevelSerializable} {
			for _, end := range []string{"COMMIT", "ROLLBACK"} {
				for _, query := range []string{addOne, addAll, `SELECT stock FROM items WHERE id = 1 FOR UPDATE`} {
					s.reset()
					a, b := s.begin(addOne), s.session()
					var err error
					b.tx, err = b.conn.BeginTx(s.ctx, &sql.TxOptions{Isolation: level})
					require.NoError(s, err)
					b.does("[10]", `SELECT stock FROM items WHERE id = 1`)
					b.starts(query)
					s.waiting(1)
					require.Empty(s, a.end(end))
					if end == "COMMIT" {
						b.gets("40001")
						b.rollback()
						s.leaves("1:11 2:20")
						continue
					}
					require.False(s, failed(b.outcome()))
					b.rollback()
					s.leaves("1:10 2:20")
				}
			}
		}
	})
}

// Two that each read what the other writes: one of them is told.
func TestAWriteSkewIsFound(t *testing.T) {
	play(t, itemsTable, "", func(s *scene) {
		s.pend()
		var both [2]*session
		for i := range both {
			both[i] = s.session()
			var err error
			both[i].tx, err = both[i].conn.BeginTx(s.ctx, &sql.TxOptions{Isolation: sql.LevelSerializable})
			require.NoError(s, err)
			both[i].does("[30]", sumOfItems)
		}
		outcomes := []string{both[0].do(s.ctx, addOne), both[1].do(s.ctx, addTwo)}
		for i, c := range both {
			if failed(outcomes[i]) {
				c.rollback()
			} else {
				outcomes[i] = c.end("COMMIT")
			}
		}
		require.ElementsMatch(s, []string{"", "40001"}, outcomes)
	})
}

// A session past the shim does not wait for what is in memory, and overwrites
// nothing but what it sets itself.
func TestARowThatIsWrittenPastTheShim(t *testing.T) {
	play(t, itemsTable, "", func(s *scene) {
		s.pend()
		s.session().does("1", addOne)
		a, o := s.begin(addOne), s.outsider()
		o.finishes(`UPDATE items SET price = 7 WHERE id = 1`)
		a.does("[12]", stockOfOne)
		a.commit()
		o.gets("1")
		s.leaves("1:12 2:20")
		require.EqualValues(s, "7.00", s.value(s.past, `SELECT price::text FROM items WHERE id = 1`))
	})
}

// It holds up those who come to PostgreSQL, and what is acknowledged goes there
// when it lets go.
func TestARowThatIsLockedPastTheShim(t *testing.T) {
	play(t, itemsTable, "", func(s *scene) {
		s.pend()
		if !s.pq {
			s.flush()
		}
		o := s.outsider(`UPDATE items SET price = 7 WHERE id = 1`)
		a, b, c := s.begin(), s.session(), s.begin()
		a.finishes(addOne)
		b.starts(addOne)
		c.finishes(`UPDATE items SET stock = stock + 1 WHERE id < 2`)
		s.waiting(1)
		o.commit()
		a.gets("1")
		b.gets("1")
		c.gets("1")
		s.leaves("1:13 2:20")
		require.EqualValues(s, "7.00", s.value(s.past, `SELECT price::text FROM items WHERE id = 1`))
	})
}

func TestATransactionThatHasReadHoldsItsTable(t *testing.T) {
	for _, query := range []string{`TRUNCATE items`, `ALTER TABLE items ADD COLUMN extra int`} {
		t.Run(query, func(t *testing.T) {
			play(t, itemsTable, "", func(s *scene) {
				s.pend()
				a, b := s.begin(), s.session()
				a.does("[10]", stockOfOne)
				b.starts(query)
				s.waiting(1)
				a.does("[10]", stockOfOne)
				a.commit()
				b.gets("0")
			})
		})
	}
}

func TestAWriteOfNoRowHoldsItsTable(t *testing.T) {
	play(t, itemsTable, "", func(s *scene) {
		s.pend()
		a, b := s.begin(), s.session()
		a.does("0", `UPDATE items SET stock = 0 WHERE id = 7`)
		b.starts(`CREATE INDEX ON items (stock)`)
		s.waiting(1)
		a.commit()
		b.gets("0")
	})
}
