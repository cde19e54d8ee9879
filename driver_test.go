package writebehind_test

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/writebehind/writebehind"
)

func TestKeyedUpdateIsAcknowledgedBeforePostgreSQLHasIt(t *testing.T) {
	h := newHarness(t, itemsTable, "")
	require.EqualValues(t, 1, h.exec(`UPDATE items SET stock = stock - 3, price = $1 WHERE id = $2`, "2.5", 1))
	require.EqualValues(t, 0, h.exec(`UPDATE items SET stock = 1 WHERE id = $1`, 99))
	require.EqualValues(t, 10, h.value(h.past, `SELECT stock FROM items WHERE id = 1`))
	require.EqualValues(t, 1, h.stats().PendingRows)

	require.EqualValues(t, 7, h.value(h.shim, `SELECT stock FROM items WHERE id = $1`, 1), "the overlay answers")
	require.Equal(t, []byte("2.50"), h.value(h.shim, `SELECT price FROM items WHERE id = $1`, 1), "as PostgreSQL would store it")

	require.NoError(t, writebehind.Flush(context.Background(), h.shim))
	require.EqualValues(t, 7, h.value(h.past, `SELECT stock FROM items WHERE id = 1`))
	require.Zero(t, h.stats().PendingRows)
}

func TestOtherStatementsSeeAcknowledgedWrites(t *testing.T) {
	h := newHarness(t, itemsTable+`CREATE VIEW dear AS SELECT * FROM items WHERE price > 1`, "")
	for i, query := range []string{
		`SELECT sum(stock) FROM items`, `SELECT sum(d.stock) FROM dear AS d`, `WITH x AS (TABLE public.items) SELECT sum(stock) FROM x`,
		`SELECT (query_to_xml('SELECT sum(stock) AS s FROM items', false, false, ''))::text LIKE '%<s>%'`,
	} {
		h.exec(`UPDATE items SET stock = stock + 1 WHERE id = 1`)
		require.EqualValues(t, 1, h.stats().PendingRows)
		v := h.value(h.shim, query)
		require.Zero(t, h.stats().PendingRows, query)
		if i != 3 {
			require.Equal(t, v, h.value(h.past, query))
		}
	}
}

func TestInsertUpsertAndDelete(t *testing.T) {
	h := newHarness(t, itemsTable, "")
	require.EqualValues(t, 1, h.exec(`INSERT INTO items (id, stock) VALUES ($1, $2)`, 3, 30))
	require.Equal(t, "new", h.value(h.shim, `SELECT name FROM items WHERE id = $1`, 3))
	const upsert = `INSERT INTO items (id, name, stock) VALUES ($1, $2, $3) ON CONFLICT (id) DO UPDATE SET stock = items.stock + EXCLUDED.stock`
	require.EqualValues(t, 1, h.exec(upsert, 3, "three", 5))
	require.EqualValues(t, 1, h.exec(upsert, 4, "four", 5))
	require.EqualValues(t, 0, h.exec(`INSERT INTO items (id) VALUES (4) ON CONFLICT DO NOTHING`))
	require.EqualValues(t, 1, h.exec(`DELETE FROM items WHERE id = $1`, 1))
	require.EqualValues(t, 0, h.exec(`DELETE FROM items WHERE id = $1`, 1))
	require.EqualValues(t, 0, h.exec(`DELETE FROM items WHERE id = $1 AND name = $2`, 2, "other"))
	require.Nil(t, h.value(h.shim, `SELECT name FROM items WHERE id = $1`, 1))
	require.EqualValues(t, 3, h.stats().PendingRows)
	require.EqualValues(t, 1, h.exec(`INSERT INTO items (id, name) VALUES (1, 'again')`))
	require.EqualValues(t, 1, h.exec(`INSERT INTO items (id) VALUES (5)`))
	require.EqualValues(t, 1, h.exec(`DELETE FROM items WHERE id = 5`))
	require.EqualValues(t, 2, h.value(h.past, `SELECT count(*) FROM items`), "nothing has been flushed")

	var got []string
	rows, err := h.shim.Query(`SELECT format('%s %s %s %s', id, name, stock, price) FROM items ORDER BY id`)
	require.NoError(t, err)
	for rows.Next() {
		var line string
		require.NoError(t, rows.Scan(&line))
		got = append(got, line)
	}
	require.NoError(t, rows.Err())
	require.Equal(t, []string{"1 again 0 ", "2 two 20 ", "3 new 35 ", "4 four 5 "}, got)
}

func TestWritesOfManyGoroutinesAddUp(t *testing.T) {
	h := newHarness(t, itemsTable, "writebehind.max_delay=1ms")
	const writers, each = 16, 200
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for i := range each {
				if _, err := h.shim.Exec(`UPDATE items SET stock = stock + 1 WHERE id = $1`, 1+(w+i)%2); err != nil {
					t.Error(err)
				}
				if i%50 == 0 {
					var sum int64
					if err := h.shim.QueryRow(`SELECT sum(stock) FROM items`).Scan(&sum); err != nil {
						t.Error(err)
					}
				}
			}
		})
	}
	wg.Wait()
	require.EqualValues(t, 30+writers*each, h.value(h.shim, `SELECT sum(stock) FROM items`))
}

func TestPrefixHoldsAcrossTables(t *testing.T) {
	h := newHarness(t, `CREATE TABLE a (id int PRIMARY KEY, n int); CREATE TABLE b (id int PRIMARY KEY, n int);
		INSERT INTO a VALUES (1, 0); INSERT INTO b VALUES (1, 0)`, "writebehind.max_delay=1ms writebehind.batch_rows=1")
	stop := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		for i := 1; ; i++ {
			select {
			case <-stop:
				return
			default:
			}
			for _, table := range []string{"a", "b"} {
				if _, err := h.shim.Exec(fmt.Sprintf(`UPDATE %s SET n = $1 WHERE id = 1`, table), i); err != nil {
					t.Error(err)
				}
			}
		}
	})
	for range 300 {
		var a, b int
		require.NoError(t, h.past.QueryRow(`SELECT a.n, b.n FROM a, b`).Scan(&a, &b))
		require.True(t, a == b || a == b+1, "a is written first: a %d, b %d", a, b)
	}
	close(stop)
	wg.Wait()
}
