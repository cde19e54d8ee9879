// Package generate makes histories from a seed: schemas with every type of key
// and column, and statements in which plainly keyed ones dominate, written in
// many ways and mixed with everything else an application may send.
//
// The same seed gives the same history. Statements are deterministic but for
// what package compare allows to differ: now(), nextval() and gen_random_uuid()
// as defaults or values; no other clock, no random(), no limit without an
// order, no sum of floats.
package generate

import (
	"math/rand/v2"
	"time"

	"github.com/writebehind/writebehind/internal/prove/history"
)

// shapes is the number of statement texts that a history comes back to.
const shapes = 90

// generator makes one history.
type generator struct {
	seed, index uint64
	world       *world
	// values draws arguments and the order of things; shape how a statement is
	// written. A shape is taken up again and again, as an application has few
	// statements.
	values, shape *rand.Rand
	settings      history.Settings
	inTx          bool
}

// History returns the history with that index of a run, with about that many
// statements.
func History(seed, index uint64, statements int) history.History {
	g := &generator{seed: seed, index: index, values: rand.New(rand.NewPCG(seed, index))}
	g.shape = g.values
	g.world = newWorld(g.values)
	g.settings = g.newSettings()
	h := history.History{Settings: g.settings, Schema: g.world.schema}
	for len(h.Statements) < statements {
		h.Statements = append(h.Statements, g.next()...)
	}
	return h
}

func (g *generator) newSettings() history.Settings {
	r := g.values
	s := history.Settings{
		MaxDelay:  []time.Duration{1, 2, 5, 20, 50, 100, 200}[r.IntN(7)] * time.Millisecond,
		BatchRows: []int{1, 2, 3, 10, 100, 5000}[r.IntN(6)],
		CacheSize: []string{"0", "1MB", "64MB"}[r.IntN(3)],
		Binary:    r.IntN(4) == 0,
		TimeZone:  []string{"", "UTC", "Europe/Berlin", "Asia/Kathmandu", "America/New_York"}[r.IntN(5)],
		URL:       r.IntN(2) == 0,
		Conn:      r.IntN(3) == 0,
		Deadline:  r.IntN(3) == 0,
	}
	if r.IntN(4) == 0 {
		// All but one.
		left := r.IntN(len(g.world.tables))
		for i, t := range g.world.tables {
			if i != left {
				if s.Tables != "" {
					s.Tables += ","
				}
				s.Tables += t.qualified()
			}
		}
	}
	return s
}

// daring decides whether a statement may hold values that are refused.
func (g *generator) daring() bool { return g.values.IntN(14) == 0 }

// newShape takes up a shape that was there before, or now and then a new one.
func (g *generator) newShape() {
	n := g.values.Uint64N(shapes)
	if g.values.IntN(5) == 0 {
		n = g.values.Uint64()
	}
	g.shape = rand.New(rand.NewPCG(g.seed^(g.index<<32), n))
}

// next makes the next statement, or a whole transaction.
func (g *generator) next() []history.Statement {
	switch n := g.values.IntN(200); {
	case n < 5:
		return g.transaction()
	case n < 6 && !g.settings.Conn:
		return []history.Statement{{Call: history.Reopen}}
	case n < 6:
		return g.textTransaction()
	}
	return []history.Statement{g.statement()}
}

// statement makes one statement.
func (g *generator) statement() history.Statement {
	g.newShape()
	switch n := g.shape.IntN(1000); {
	case n < 270:
		return g.selectByKey()
	case n < 480:
		return g.update()
	case n < 600:
		return g.insert()
	case n < 690:
		return g.upsert()
	case n < 735:
		return g.del()
	case n < 785:
		return g.selectByKeys()
	case n < 825:
		return g.exists()
	case n < 980:
		return g.other()
	case n < 992:
		return g.mistake()
	default:
		return g.rare()
	}
}

// query makes a statement of rows.
func (g *generator) query(w *writer, ordered bool) history.Statement {
	st := g.send(w)
	st.Call, st.Unordered = history.Query, !ordered
	if g.shape.IntN(60) == 0 {
		st.Call = history.Exec
	}
	return st
}

// write makes a statement that changes rows.
func (g *generator) write(w *writer, returning, ordered bool) history.Statement {
	st := g.send(w)
	st.Unordered = !ordered
	if returning != (g.shape.IntN(40) == 0) {
		st.Call = history.Query
	}
	return st
}

func (g *generator) send(w *writer) history.Statement {
	st := history.Statement{SQL: w.text(), Args: w.args}
	switch n := g.shape.IntN(12); {
	case n < 2:
		st.Prepared = history.Kept
	case n < 3:
		st.Prepared = history.Once
	}
	return st
}
