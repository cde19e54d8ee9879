package queue

import (
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"
)

func TestFlushOrdersStatementsByForeignKeys(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, nil)
		order := func(kind Kind, set []int, id int) Mutation {
			return f.mutation(orders, kind, set, id, "o", 1)
		}
		f.commit(f.insert(1, "old", 1), f.insert(2, "old", 1), order(Insert, nil, 11), order(Insert, nil, 12))
		f.drain()
		f.server.did(true) // connected it is from here on

		// The worst order for a flush that would go by the order of arrival.
		f.commit(order(Update, []int{1}, 12))
		f.commit(f.update(2, "new", 2))
		f.commit(order(Insert, nil, 13))
		f.commit(f.insert(4, "new", 1))
		f.commit(f.insert(3, "new", 1))
		f.commit(f.delete(1, "old", 1))
		f.commit(order(Delete, nil, 11))
		f.drain()
		require.Equal(t, []string{
			"begin", "settings", "checkpoint",
			"delete orders 11", "delete items 1", // children first
			"insert items 3,4", "insert orders 13", // parents first, keys sorted
			"update items 2", "update orders 12",
			"commit",
		}, f.server.did(true))
	})
}

func TestFlushSendsOneStatementPerShape(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, nil)
		f.commit(f.insert(1, "a", 1), f.insert(2, "b", 1), f.insert(3, "c", 1))
		f.drain()
		f.server.did(true)
		f.commit(f.mutation(items, Update, []int{1}, 1, "x", 1))
		f.commit(f.mutation(items, Update, []int{2}, 2, "b", 9))
		f.commit(f.mutation(items, Update, []int{2}, 3, "c", 9))
		f.commit(f.mutation(items, Update, []int{1}, 3, "z", 9)) // now both columns
		f.drain()
		require.ElementsMatch(t, []string{"update items 1", "update items 2", "update items 3"}, f.server.did(false))
		require.Equal(t, map[string]row{"1": {"1", "x", "1"}, "2": {"2", "b", "9"}, "3": {"3", "z", "9"}}, f.server.table("items"))
	})
}

func TestGetSeesTheNewestMemtableFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, func(o *Options) { o.BatchRows = 2 })
		f.server.bend(func(s *server) { s.hook = failing("begin", always, errLost) })
		f.commit(f.insert(1, "first", 1), f.insert(2, "x", 1))
		f.commit(f.update(1, "second", 2), f.update(2, "x", 2))
		require.Equal(t, 2, f.queue.Stats().Memtables)
		got, state := f.get(1)
		require.Equal(t, Present, state)
		require.Equal(t, string(image(1, "second", 2)), got)
		f.commit(f.delete(1, "second", 2))
		_, state = f.get(1)
		require.Equal(t, Absent, state, "a tombstone hides older memtables")
		got, state = f.get(2)
		require.Equal(t, Present, state)
		require.Equal(t, string(image(2, "x", 2)), got)
		_, state = f.get(3)
		require.Equal(t, Missing, state)
		_, state = f.getOf(items, 2, 7)
		require.Equal(t, Stale, state, "another schema")
		f.server.bend(func(s *server) { s.hook = nil })
		f.drain()
		require.Equal(t, map[string]row{"2": {"2", "x", "2"}}, f.server.table("items"))
	})
}

func TestGetAppendsToWhatItIsGiven(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, nil)
		f.commit(f.insert(1, "a", 1))
		got, state := f.queue.Get([]byte("before "), rowKey(items, 1), 1, 1)
		require.Equal(t, Present, state)
		require.Equal(t, "before "+string(image(1, "a", 1)), string(got))
		clear(got)
		again, _ := f.get(1)
		require.Equal(t, string(image(1, "a", 1)), again, "an answer is the caller's own")
	})
}

func TestKeysOfOneHashAreDifferentRows(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, nil)
		for id := range 4 {
			m := f.insert(id, "a", id)
			m.Hash = 42
			f.commit(m)
		}
		for id := range 4 {
			got, state := f.queue.Get(nil, rowKey(items, id), 42, 1)
			require.Equal(t, Present, state)
			require.Equal(t, image(id, "a", id), got)
		}
		_, state := f.queue.Get(nil, rowKey(items, 5), 42, 1)
		require.Equal(t, Missing, state)
		f.pending(4)
	})
}
