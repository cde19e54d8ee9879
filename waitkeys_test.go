package writebehind_test

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// Waits for the end of a transaction that decides whether a key is there.

func TestTwoInsertTheSameKey(t *testing.T) {
	const insert = `INSERT INTO items (id, stock) VALUES (3, 30)`
	play(t, itemsTable, "", func(s *scene) {
		for query, want := range map[string][4]string{ // what it gets after COMMIT and ROLLBACK, then what is left
			insert: {"23505", "1", "3:30", "3:30"},
			`INSERT INTO items (id, stock) VALUES (3, 31) ON CONFLICT (id) DO NOTHING`:                                         {"0", "1", "3:30", "3:31"},
			`INSERT INTO items (id, stock) VALUES (3, 31) ON CONFLICT (id) DO UPDATE SET stock = items.stock + EXCLUDED.stock`: {"1", "1", "3:61", "3:31"},
			`INSERT INTO items (id, stock) SELECT id + 1, 31 FROM items WHERE id = 2`:                                          {"23505", "1", "3:30", "3:31"},
			`INSERT INTO items (id, stock) VALUES (4, 40), (3, 31) ON CONFLICT DO NOTHING`:                                     {"1", "2", "3:30 4:40", "3:31 4:40"},
		} {
			for i, end := range []string{"COMMIT", "ROLLBACK"} {
				for _, within := range []bool{true, false}[:1+i] {
					s.reset()
					a, b := s.begin(insert), s.session()
					if within {
						b = s.begin(`SAVEPOINT s`)
					}
					b.starts(query)
					s.waiting(1)
					s.session().does("[]", `SELECT stock FROM items WHERE id = 3`)
					require.Empty(s, a.end(end))
					b.gets(want[i])
					switch {
					case within && failed(want[i]):
						b.does("25P02", insert)
						b.does("0", `ROLLBACK TO SAVEPOINT s`)
						b.does("[30]", `SELECT stock FROM items WHERE id = 3`)
						b.commit()
					case within:
						b.commit()
					}
					s.leaves("1:10 2:20 " + want[i+2])
				}
			}
		}
	})
}

func TestTwoInsertTwoKeysInOppositeOrder(t *testing.T) {
	play(t, itemsTable, "", func(s *scene) {
		const three, four = `INSERT INTO items (id, stock) VALUES (3, 30)`, `INSERT INTO items (id, stock) VALUES (4, 40)`
		s.pend()
		a, b := s.begin(three), s.begin(four)
		a.finishes(four)
		b.finishes(three)
		s.oneDeadlock("1", a, b)
		s.leaves("1:10 2:20 3:30 4:40")
	})
}

func TestTwoInsertTheSameUniqueValue(t *testing.T) {
	const ddl = `CREATE TABLE items (id bigint PRIMARY KEY, stock int NOT NULL, code text UNIQUE); INSERT INTO items VALUES (1, 10, 'a'), (2, 20, 'b')`
	play(t, ddl, "", func(s *scene) {
		for i, end := range []string{"COMMIT", "ROLLBACK"} {
			for _, query := range []string{`INSERT INTO items VALUES (4, 40, 'c')`, `UPDATE items SET code = 'c' WHERE id = 2`} {
				s.pend()
				a, b := s.begin(`INSERT INTO items VALUES (3, 30, 'c')`), s.session()
				b.starts(query)
				s.waiting(1)
				require.Empty(s, a.end(end))
				b.gets([]string{"23505", "1"}[i])
				left := "1:10 2:20"
				switch {
				case end == "COMMIT":
					left += " 3:30"
				case query[0] == 'I':
					left += " 4:40"
				}
				s.leaves(left)
				c := s.session()
				c.do(s.ctx, `DELETE FROM items WHERE id > 2`)
				c.does("1", `UPDATE items SET code = 'b' WHERE id = 2`)
			}
		}
	})
}

func TestAValueThatAnOpenTransactionGivesUp(t *testing.T) {
	const ddl = `CREATE TABLE items (id bigint PRIMARY KEY, stock int NOT NULL, code text UNIQUE); INSERT INTO items VALUES (1, 10, 'a'), (2, 20, 'b')`
	play(t, ddl, "", func(s *scene) {
		for i, end := range []string{"ROLLBACK", "COMMIT"} {
			for _, give := range []string{`UPDATE items SET code = NULL WHERE id = 1`, `DELETE FROM items WHERE id = 1`} {
				s.session().do(s.ctx, `DELETE FROM items WHERE id <> 2`)
				s.session().does("1", `INSERT INTO items VALUES (1, 10, 'a')`)
				s.pend()
				a, b := s.begin(give), s.session()
				b.starts(`UPDATE items SET code = 'a', stock = 21 WHERE id = 2`)
				s.waiting(1)
				require.Empty(s, a.end(end))
				b.gets([]string{"23505", "1"}[i])
				switch {
				case end == "ROLLBACK":
					s.leaves("1:10 2:20")
				case give[0] == 'D':
					s.leaves("2:21")
				default:
					s.leaves("1:10 2:21")
				}
				s.session().does("1", `UPDATE items SET code = 'b', stock = 20 WHERE id = 2`)
			}
		}
	})
}

// Children, each written while the transaction that has its parent is open.
func TestAParentThatAnOpenTransactionWrites(t *testing.T) {
	play(t, ownersToo, "writebehind.tables=items,owners", func(s *scene) {
		const child = `INSERT INTO items VALUES (3, 30, 3)`
		for _, end := range []string{"COMMIT", "ROLLBACK"} {
			s.pend()
			a, b := s.begin(`INSERT INTO owners VALUES (3, 'c')`), s.session()
			b.does("23503", child) // it does not wait for a parent that is not there yet
			b.does("23503", `UPDATE items SET owner = 3 WHERE id = 2`)
			a.does("1", `INSERT INTO items VALUES (4, 40, 3)`)
			require.Empty(s, a.end(end))
			want, left := "1", "1:10 2:20 3:30 4:40"
			if end == "ROLLBACK" {
				want, left = "23503", "1:10 2:20"
			}
			b.does(want, child)
			s.leaves(left)
			s.session().do(s.ctx, `DELETE FROM items WHERE id > 2; DELETE FROM owners WHERE id > 2`)
		}
		for _, remove := range []string{`DELETE FROM owners WHERE id = 3`, `UPDATE owners SET id = 4 WHERE id = 3`, `DELETE FROM owners WHERE name = 'c'`} {
			for i, end := range []string{"COMMIT", "ROLLBACK"} {
				s.session().do(s.ctx, `DELETE FROM items WHERE id > 2; DELETE FROM owners WHERE id > 2`)
				s.session().does("1", `INSERT INTO owners VALUES (3, 'c')`)
				s.pend()
				a, b := s.begin(remove), s.begin(addTwo)
				b.starts(child)
				s.waiting(1)
				require.Empty(s, a.end(end))
				b.gets([]string{"23503", "1"}[i])
				if end == "COMMIT" {
					b.does("25P02", addTwo)
					b.rollback()
				} else {
					b.commit()
				}
				s.leaves([]string{"1:10 2:20", "1:10 2:21 3:30"}[i])
				s.session().does("1", `UPDATE items SET stock = 20 WHERE id = 2`)
			}
		}
	})
}

func TestAParentWhoseChildrenAnOpenTransactionWrites(t *testing.T) {
	play(t, ownersToo, "writebehind.tables=items,owners", func(s *scene) {
		for write, want := range map[string][4]string{ // what DELETE of the parent gets after COMMIT and ROLLBACK, then what is left
			`INSERT INTO items VALUES (3, 30, 3)`:     {"23503", "1", "1:10 2:20 3:30", "1:10 2:20"},
			`UPDATE items SET owner = 3 WHERE id = 1`: {"23503", "1", "1:10 2:20", "1:10 2:20"},
		} {
			for i, end := range []string{"COMMIT", "ROLLBACK"} {
				s.session().do(s.ctx, `DELETE FROM items WHERE id > 2`)
				s.session().does("1", `UPDATE items SET owner = 1 WHERE id = 1`)
				s.session().do(s.ctx, `DELETE FROM owners WHERE id > 2`)
				s.session().does("1", `INSERT INTO owners VALUES (3, 'c')`)
				s.pend()
				a, b := s.begin(write), s.session()
				b.starts(`DELETE FROM owners WHERE id = 3`)
				s.waiting(1)
				require.Empty(s, a.end(end))
				b.gets(want[i])
				s.leaves(want[i+2])
			}
		}
		for i, end := range []string{"COMMIT", "ROLLBACK"} { // the last child is deleted
			s.session().do(s.ctx, `DELETE FROM items WHERE id > 2`)
			s.session().do(s.ctx, `INSERT INTO owners VALUES (3, 'c')`)
			s.session().does("1", `INSERT INTO items VALUES (3, 30, 3)`)
			s.pend()
			a, b := s.begin(`DELETE FROM items WHERE id = 3`), s.session()
			b.starts(`DELETE FROM owners WHERE id = 3`)
			s.waiting(1)
			require.Empty(s, a.end(end))
			b.gets([]string{"1", "23503"}[i])
			s.leaves([]string{"1:10 2:20", "1:10 2:20 3:30"}[i])
		}
	})
}
