package queue

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// model is what the application thinks there is, and every state it has passed
// through.
type model struct {
	*fixture
	rows    map[int]modelRow
	history []map[string]row // after each group; the first is empty
	reached int              // index of the state that the server was last seen in
}

type modelRow struct {
	name  string
	stock int
}

// table is the state of the model as the server would hold it.
func (m *model) table() map[string]row {
	table := make(map[string]row)
	for id, r := range m.rows {
		key := strconv.Itoa(id)
		table[key] = row{key, r.name, strconv.Itoa(r.stock)}
	}
	return table
}

// mutate draws a mutation that is certain of its row, and does it to the model.
func (m *model) mutate(t *rapid.T, id int) Mutation {
	old, there := m.rows[id]
	fresh := modelRow{rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "name"), rapid.IntRange(0, 9).Draw(t, "stock")}
	set := rapid.SampledFrom([][]int{{1}, {2}, {1, 2}}).Draw(t, "set")
	kind, adds := Insert, false
	switch {
	case there && rapid.Bool().Draw(t, "delete"):
		delete(m.rows, id)
		return m.delete(id, old.name, old.stock)
	case there:
		kind, adds = Update, slices.Contains(set, 2) && rapid.Bool().Draw(t, "add")
		if !slices.Contains(set, 1) {
			fresh.name = old.name
		}
		if !slices.Contains(set, 2) {
			fresh.stock = old.stock
		}
	case rapid.Bool().Draw(t, "upsert"):
		kind = Upsert
	default:
		set = nil
	}
	m.rows[id] = fresh
	if adds {
		return m.adding(Update, slices.DeleteFunc(slices.Clone(set), func(c int) bool { return c == 2 }), []int{2}, int64(fresh.stock-old.stock), id, fresh.name, fresh.stock)
	}
	return m.mutation(items, kind, set, id, fresh.name, fresh.stock)
}

// check compares what can be seen with the model.
func (m *model) check(t *rapid.T) {
	server := m.server.table("items")
	for id := range 4 {
		got, state := m.get(id)
		want, there := m.rows[id]
		switch state {
		case Present:
			require.True(t, there, "row %d", id)
			require.Equal(t, string(image(id, want.name, want.stock)), got)
		case Absent:
			require.False(t, there, "row %d", id)
		default:
			require.Equal(t, Missing, state)
			require.Equal(t, m.table()[strconv.Itoa(id)], server[strconv.Itoa(id)], "what has left the overlay is in PostgreSQL")
		}
	}
	for !reflect.DeepEqual(m.history[m.reached], server) {
		m.reached++
		require.Less(t, m.reached, len(m.history), "the server holds a state that never was, or went back: %v", server)
	}
}

// TestOverlayAndServerFollowTheModel does random things to a few rows under
// random faults. Whatever happens, reads see the newest write, and the server
// goes through states that the application went through, in their order.
func TestOverlayAndServerFollowTheModel(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		var failure any // rapid ends a test by a panic, which must not end the bubble
		synctest.Test(t, func(t *testing.T) {
			defer func() { failure = recover() }()
			f := newFixture(t, func(o *Options) { o.BatchRows, o.MaxRows, o.MaxDelay = 3, 1000, time.Second })
			m := &model{fixture: f, rows: make(map[int]modelRow), history: []map[string]row{{}}}
			rt.Repeat(map[string]func(*rapid.T){
				"write": func(t *rapid.T) {
					ids := rapid.SliceOfNDistinct(rapid.IntRange(0, 3), 1, 3, rapid.ID[int]).Draw(t, "ids")
					var group []Mutation
					for _, id := range ids {
						group = append(group, m.mutate(t, id))
					}
					m.commit(group...)
					m.history = append(m.history, maps.Clone(m.table()))
					synctest.Wait()
				},
				"age": func(*rapid.T) {
					time.Sleep(time.Second)
					synctest.Wait()
				},
				"barrier": func(t *rapid.T) {
					m.server.bend(func(s *server) { s.hook, s.commit = nil, nil })
					m.drain()
					require.Equal(t, m.table(), m.server.table("items"))
					m.pending(0)
				},
				"fault": func(t *rapid.T) {
					where := rapid.SampledFrom([]string{"connect", "begin", "settings", "insert", "update", "delete", "commit", "checkpoint", "look"}).Draw(t, "where")
					err := rapid.SampledFrom([]error{errLost, pgError("40001"), pgError("25006"), pgError("57014"), pgError("57P01")}).Draw(t, "error")
					m.server.bend(func(s *server) { s.hook = failing(where, rapid.IntRange(1, 3).Draw(t, "times"), err) })
				},
				"lost answer": func(t *rapid.T) {
					done := rapid.Bool().Draw(t, "done")
					m.server.bend(func(s *server) {
						s.commit = func() (bool, error) {
							s.bend(func(s *server) { s.commit = nil })
							return done, errLost
						}
					})
				},
				"": m.check,
			})
			m.server.bend(func(s *server) { s.hook, s.commit = nil, nil })
			m.drain()
			require.Equal(rt, m.table(), m.server.table("items"))
			require.Empty(rt, m.watcher.refused, "nothing was ever wrong with a write")
			require.NoError(rt, m.queue.Close(t.Context()), fmt.Sprint(m.queue.Stats()))
		})
		if failure != nil {
			panic(failure)
		}
	})
}
