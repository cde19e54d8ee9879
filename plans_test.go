package writebehind

import (
	"database/sql"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/writebehind/writebehind/internal/pgtest"
)

// newPlanner returns the engine of a database with one opted-in table.
func newPlanner(tb testing.TB) *engine {
	tb.Helper()
	server := pgtest.Shared(tb)
	db, err := sql.Open("writebehind", server.DSN(server.CreateDatabase(tb))+" writebehind.tables=items writebehind.journal=none")
	require.NoError(tb, err)
	tb.Cleanup(func() { require.NoError(tb, db.Close()) })
	_, err = db.Exec(`CREATE TABLE items (id bigint PRIMARY KEY, name text, stock int)`)
	require.NoError(tb, err)
	conn, err := db.Conn(tb.Context())
	require.NoError(tb, err)
	defer conn.Close()
	var e *engine
	require.NoError(tb, conn.Raw(func(c any) error { e = c.(*Conn).engine; return nil }))
	return e
}

// kept is how many plans are kept.
func (c *plans) kept() (n int) {
	for _, generation := range []*atomic.Pointer[sync.Map]{&c.young, &c.old} {
		if m := generation.Load(); m != nil {
			m.Range(func(any, any) bool { n++; return true })
		}
	}
	return n
}

var inlined = map[string]string{
	"select": `SELECT "items"."id", "items"."name", "items"."stock" FROM "items" WHERE ("items"."id" = %d)`,
	"update": `UPDATE "items" SET "name" = 'it''s new', "stock" = 17 WHERE ("id" = %d)`,
}

func TestStatementsWithTheirValuesInThemDoNotTakeThePlaceOfOthers(t *testing.T) {
	e := newPlanner(t)
	const query = `SELECT name FROM items WHERE id = $1`
	e.plan(query)
	p := e.plan(query)
	require.Same(t, p, e.plan(query), "it is kept when it is seen for the second time")
	before := e.plans.kept()
	for i := range 50_000 {
		require.NotNil(t, e.plan(fmt.Sprintf(inlined["select"], i)).read)
		require.NotNil(t, e.plan(fmt.Sprintf(inlined["update"], i)).write)
	}
	require.Same(t, p, e.plan(query), "it has not been used since")
	require.Equal(t, before, e.plans.kept())
}

func TestHowManyPlansAreKeptIsBounded(t *testing.T) {
	e := newPlanner(t)
	const query = `SELECT name FROM items WHERE id = $1`
	e.plan(query)
	p := e.plan(query)
	for i := range 5 * planGeneration {
		for range 2 {
			e.plan(fmt.Sprintf(inlined["update"], i))
		}
		if i%1000 == 0 {
			require.Same(t, p, e.plan(query), "it is in use")
		}
	}
	require.LessOrEqual(t, e.plans.kept(), 2*planGeneration)
	require.Greater(t, e.plans.kept(), planGeneration)
}

// What a statement with its values in it costs until there is a plan: kept always,
// or when it is seen for the second time; and what it costs to find a plan.
func BenchmarkPlan(b *testing.B) {
	e := newPlanner(b)
	for name, format := range inlined {
		texts := make([]string, 100_000)
		for i := range texts {
			texts[i] = fmt.Sprintf(format, i)
		}
		for how, plan := range map[string]func(query string) *plan{
			"kept always": func(query string) *plan {
				e.plans.get(query)
				p := e.newPlan(e.schema.Load(), query)
				e.plans.put(p)
				return p
			},
			"kept at the second sight": e.plan,
		} {
			b.Run(name+" "+how, func(b *testing.B) {
				e.plans.clear()
				b.ReportAllocs()
				for i := 0; b.Loop(); i++ {
					plan(texts[i%len(texts)])
				}
				b.ReportMetric(float64(e.plans.kept()), "kept")
			})
		}
		b.Run(name+" known", func(b *testing.B) {
			for b.Loop() {
				e.plan(texts[0])
			}
		})
	}
}
