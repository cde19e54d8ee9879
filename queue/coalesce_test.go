package queue

import (
	"math"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/writebehind/writebehind/internal/catalog"
)

// TestMutationsOfOneRowBecomeOne holds the table of what two mutations of a row
// that are pending together send to PostgreSQL.
func TestMutationsOfOneRowBecomeOne(t *testing.T) {
	type step struct {
		kind Kind
		set  []int
		name string
		n    int
	}
	for _, c := range []struct {
		what  string
		stock bool // the row is in PostgreSQL
		steps []step
		sent  []string
		left  row // nil: no row
	}{
		{"insert+update", false, []step{{Insert, nil, "a", 1}, {Update, []int{2}, "a", 2}}, []string{"insert items 1"}, row{"1", "a", "2"}},
		{"insert+delete", false, []step{{Insert, nil, "a", 1}, {Delete, nil, "a", 1}}, nil, nil},
		{"insert+delete+insert", false, []step{{Insert, nil, "a", 1}, {Delete, nil, "a", 1}, {Insert, nil, "b", 2}}, []string{"insert items 1"}, row{"1", "b", "2"}},
		{"insert+delete+upsert", false, []step{{Insert, nil, "a", 1}, {Delete, nil, "a", 1}, {Upsert, []int{2}, "b", 2}}, []string{"upsert items 1"}, row{"1", "b", "2"}},
		{"update+update", true, []step{{Update, []int{2}, "old", 2}, {Update, []int{2}, "old", 3}}, []string{"update items 1"}, row{"1", "old", "3"}},
		{"update+update of another column", true, []step{{Update, []int{2}, "old", 2}, {Update, []int{1}, "new", 2}}, []string{"update items 1"}, row{"1", "new", "2"}},
		{"update+delete", true, []step{{Update, []int{2}, "old", 2}, {Delete, nil, "old", 2}}, []string{"delete items 1"}, nil},
		{"delete+insert", true, []step{{Delete, nil, "old", 0}, {Insert, nil, "a", 1}}, []string{"replace items 1"}, row{"1", "a", "1"}},
		{"delete+upsert", true, []step{{Delete, nil, "old", 0}, {Upsert, []int{2}, "a", 1}}, []string{"replace items 1"}, row{"1", "a", "1"}},
		{"delete+insert+update", true, []step{{Delete, nil, "old", 0}, {Insert, nil, "a", 1}, {Update, []int{1}, "b", 1}}, []string{"replace items 1"}, row{"1", "b", "1"}},
		{"delete+insert+delete", true, []step{{Delete, nil, "old", 0}, {Insert, nil, "a", 1}, {Delete, nil, "a", 1}}, []string{"delete items 1"}, nil},
		{"upsert+update", false, []step{{Upsert, []int{1}, "a", 1}, {Update, []int{2}, "a", 2}}, []string{"upsert items 1"}, row{"1", "a", "2"}},
		{"upsert+update of what is there after all", true, []step{{Upsert, []int{1}, "a", 1}, {Update, []int{2}, "a", 2}}, []string{"upsert items 1"}, row{"1", "a", "2"}},
		{"upsert of what is there after all", true, []step{{Upsert, []int{1}, "a", 1}}, []string{"upsert items 1"}, row{"1", "a", "0"}},
		{"upsert that leaves alone what is there after all", true, []step{{Upsert, nil, "a", 1}}, []string{"upsert items 1"}, row{"1", "old", "0"}},
		{"upsert+delete", false, []step{{Upsert, []int{1}, "a", 1}, {Delete, nil, "a", 1}}, nil, nil},
	} {
		t.Run(c.what, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFixture(t, nil)
				if c.stock {
					f.server.rows["items 1"] = row{"1", "old", "0"}
				}
				for _, s := range c.steps {
					f.commit(f.mutation(items, s.kind, s.set, 1, s.name, s.n))
				}
				f.pending(1)
				f.drain()
				require.Equal(t, c.sent, append([]string(nil), f.server.did(false)...))
				left, there := f.server.table("items")["1"]
				require.Equal(t, c.left != nil, there)
				require.Equal(t, c.left, left)
				require.Empty(t, f.watcher.refused)
			})
		})
	}
}

// TestIncrementsOfOneRowAreAdded has another program change the row before the
// flush: to a stock of 100, where the writers have thought of 0.
func TestIncrementsOfOneRowAreAdded(t *testing.T) {
	type step struct {
		kind     Kind
		set, add []int
		name     string
		n, delta int64
	}
	const most = math.MaxInt64
	for _, c := range []struct {
		what  string
		steps []step
		sent  []string
		left  row
	}{
		{"add", []step{{Update, nil, []int{2}, "a", 1, 1}}, []string{"update items 1"}, row{"1", "old", "101"}},
		{"add+add", []step{{Update, nil, []int{2}, "a", 1, 1}, {Update, nil, []int{2}, "a", -2, -3}}, []string{"update items 1"}, row{"1", "old", "98"}},
		{"set+add", []step{{Update, []int{2}, nil, "a", 7, 0}, {Update, nil, []int{2}, "a", 8, 1}}, []string{"update items 1"}, row{"1", "old", "8"}},
		{"add+set", []step{{Update, nil, []int{2}, "a", 1, 1}, {Update, []int{2}, nil, "a", 8, 0}}, []string{"update items 1"}, row{"1", "old", "8"}},
		{"add+set+add", []step{{Update, nil, []int{2}, "a", 1, 1}, {Update, []int{2}, nil, "a", 8, 0}, {Update, nil, []int{2}, "a", 9, 1}}, []string{"update items 1"}, row{"1", "old", "9"}},
		{"add+set of another column", []step{{Update, nil, []int{2}, "old", 1, 1}, {Update, []int{1}, nil, "b", 1, 0}}, []string{"update items 1"}, row{"1", "b", "101"}},
		{"set of another column+add", []step{{Update, []int{1}, nil, "b", 0, 0}, {Update, nil, []int{2}, "b", 1, 1}}, []string{"update items 1"}, row{"1", "b", "101"}},
		{"set and add, twice", []step{{Update, []int{1}, []int{2}, "b", 1, 1}, {Update, []int{1}, []int{2}, "c", 3, 2}}, []string{"update items 1"}, row{"1", "c", "103"}},
		{"a sum too large", []step{{Update, nil, []int{2}, "a", most, most}, {Update, nil, []int{2}, "a", 5, most}}, []string{"update items 1"}, row{"1", "old", "5"}},
		{"a sum too small", []step{{Update, nil, []int{2}, "a", -most, -most}, {Update, nil, []int{2}, "a", 5, -most}}, []string{"update items 1"}, row{"1", "old", "5"}},
		{"upsert that adds", []step{{Upsert, nil, []int{2}, "a", 3, 0}}, []string{"upsert items 1"}, row{"1", "old", "103"}},
		{"upsert that adds+add", []step{{Upsert, nil, []int{2}, "a", 3, 0}, {Update, nil, []int{2}, "a", 5, 2}}, []string{"upsert items 1"}, row{"1", "old", "105"}},
		{"upsert that adds+set", []step{{Upsert, nil, []int{2}, "a", 3, 0}, {Update, []int{2}, nil, "a", 5, 0}}, []string{"upsert items 1"}, row{"1", "old", "5"}},
		{"upsert that sets+add", []step{{Upsert, []int{2}, nil, "a", 3, 0}, {Update, nil, []int{2}, "a", 5, 2}}, []string{"upsert items 1"}, row{"1", "old", "5"}},
		{"upsert+add", []step{{Upsert, nil, nil, "a", 3, 0}, {Update, nil, []int{2}, "a", 5, 2}}, []string{"upsert items 1"}, row{"1", "old", "5"}},
		{"add+delete", []step{{Update, nil, []int{2}, "a", 1, 1}, {Delete, nil, nil, "a", 1, 0}}, []string{"delete items 1"}, nil},
		{"add+delete+insert+add", []step{{Update, nil, []int{2}, "a", 1, 1}, {Delete, nil, nil, "a", 1, 0}, {Insert, nil, nil, "b", 4, 0}, {Update, nil, []int{2}, "b", 5, 1}}, []string{"replace items 1"}, row{"1", "b", "5"}},
	} {
		t.Run(c.what, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFixture(t, nil)
				f.server.rows["items 1"] = row{"1", "old", "100"}
				for _, s := range c.steps {
					f.commit(f.adding(s.kind, s.set, s.add, s.delta, 1, s.name, s.n))
				}
				f.pending(1)
				f.drain()
				require.Equal(t, c.sent, append([]string(nil), f.server.did(false)...))
				require.Equal(t, c.left, f.server.table("items")["1"])
				require.Empty(t, f.watcher.refused)
			})
		})
	}
}

func TestIncrementOfAnInsertedRowIsPartOfIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, nil)
		f.commit(f.insert(1, "a", 1))
		f.commit(f.adding(Update, nil, []int{2}, 2, 1, "a", 3))
		f.drain()
		require.Equal(t, []string{"insert items 1"}, f.server.did(false))
		require.Equal(t, row{"1", "a", "3"}, f.server.table("items")["1"])
	})
}

func TestReplacedRowOfATableThatIsAllKey(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, nil)
		f.server.rows["tags 1"] = row{"1"}
		f.commit(f.mutation(tags, Delete, nil, 1))
		f.commit(f.mutation(tags, Insert, nil, 1))
		f.drain()
		require.Equal(t, map[string]row{"1": {"1"}}, f.server.table("tags"))
		require.Equal(t, []string{"replace tags 1"}, f.server.did(false), "no replay for what is as it should be")
	})
}

func TestShapesAreInterned(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, nil)
		a := f.queue.Shape(items, Update, []int{2, 1})
		require.Same(t, a, f.queue.Shape(items, Update, []int{1, 2, 2}))
		require.NotSame(t, a, f.queue.Shape(items, Upsert, []int{1, 2}))
		require.NotSame(t, a, f.queue.Shape(items, Update, []int{1}))
		again := *items // the table under another schema
		require.NotSame(t, a, f.queue.Shape(&again, Update, []int{1, 2}))
		require.Equal(t, []int{1, 2}, a.Set)
	})
}

func TestKindsHaveNames(t *testing.T) {
	for k, name := range map[Kind]string{Insert: "insert", Update: "update", Upsert: "upsert", Delete: "delete", Replace: "replace", Nothing: "nothing"} {
		require.Equal(t, name, k.String())
	}
}

func TestParentsComeBeforeChildrenWhoeverIsSeenFirst(t *testing.T) {
	chain := []*catalog.Relation{relation(11, "a", "id"), relation(12, "b", "id"), relation(13, "c", "id")}
	for i := range 2 {
		chain[i+1].References = []catalog.ForeignKey{{Parent: chain[i].Name}}
	}
	chain[0].References = []catalog.ForeignKey{{Parent: chain[0].Name}} // itself
	for _, order := range [][]int{{0, 1, 2}, {2, 1, 0}, {1, 2, 0}, {2, 0, 1}} {
		var all []*set
		for _, i := range order {
			all = append(all, &set{shape: &Shape{Table: chain[i]}})
		}
		rank := ranks(all)
		require.Less(t, rank[chain[0].Name], rank[chain[1].Name], order)
		require.Less(t, rank[chain[1].Name], rank[chain[2].Name], order)
	}
}
