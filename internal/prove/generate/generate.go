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
	"strings"
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
	// plain is set in phases in which the application sends only what is keyed
	// and ordinary. Without them hardly a row would live long enough to be read
	// from memory. left is the number of statements until the phase ends.
	plain bool
	left  int
	focus int   // index of the table that most of a plain phase is about
	fresh int64 // keys made so far that no row had before

	// scripts are what each connection is about to send: the rest of a
	// transaction. on is the connection that the last statement went to.
	scripts [][]history.Statement
	on      int
	// unsure is set once a statement was sent of which only PostgreSQL knows whether
	// it has drawn from a sequence, by connection.
	unsure []bool
	// sessions says that connections change what their sessions remember.
	// reopens has all of them end what they are about, to reopen the database.
	sessions, reopens bool
	// tame is set while a transaction is made that a driver in front of PostgreSQL
	// may well be able to keep to itself to the end; it goes with plain.
	tame bool
	// gentle says that nearly everything in the history is tame.
	gentle bool
	// inside is set while a transaction is made; repeats and dares while a
	// statement that is to fail.
	inside, repeats, dares bool
}

// History returns the history with that index of a run, with about that many
// statements.
func History(seed, index uint64, statements int) history.History {
	g := &generator{seed: seed, index: index, values: rand.New(rand.NewPCG(seed, index))}
	g.shape = g.values
	g.world = newWorld(g.values)
	g.settings = g.newSettings()
	g.scripts = make([][]history.Statement, 1)
	if g.values.IntN(10) < 4 {
		g.scripts = make([][]history.Statement, 2+g.values.IntN(3))
		g.settings.Conn = false // it says nothing of several
	}
	g.unsure = make([]bool, len(g.scripts))
	g.sessions = g.values.IntN(8) == 0
	g.gentle = !g.sessions && g.values.IntN(5) < 3
	g.plain = g.values.IntN(3) > 0 // the first phase is the other one
	h := history.History{Settings: g.settings, Schema: g.world.schema}
	for len(h.Statements) < statements {
		h.Statements = append(h.Statements, g.turn())
	}
	for k, rest := range g.scripts {
		for _, st := range rest {
			st.Conn = k
			h.Statements = append(h.Statements, st)
		}
	}
	return h
}

// turn chooses the connection that sends the next statement.
func (g *generator) turn() history.Statement {
	if len(g.scripts) > 1 && g.values.IntN(2) == 0 {
		g.on = g.values.IntN(len(g.scripts))
	}
	if g.reopens {
		g.on = g.unfinished()
		if g.reopens = g.on >= 0; !g.reopens {
			g.on = 0
			return history.Statement{Call: history.Reopen}
		}
	}
	script := &g.scripts[g.on]
	if len(*script) == 0 {
		*script = g.next()
	}
	st := (*script)[0]
	st.Conn = g.on
	st.Unordered = st.Unordered || len(g.scripts) > 1 && g.sweeps(st.SQL)
	*script = (*script)[1:]
	return g.certain(st)
}

// sweeps reports whether a statement may write several rows behind the
// application's back, in no certain order: by a trigger, a function or a
// foreign key. With several connections it matters which of them it has locked
// when it has to wait.
func (g *generator) sweeps(text string) bool {
	text = strings.ToLower(text)
	for _, hidden := range []string{"odd", "bump", "do $$"} {
		if strings.Contains(text, hidden) {
			return true
		}
	}
	if strings.HasPrefix(text, "commit") || strings.HasPrefix(text, "end") {
		return g.world.deferrable
	}
	for _, t := range g.world.swept {
		if (strings.Contains(text, "delete") || strings.Contains(text, "update")) && strings.Contains(text, strings.ToLower(t.name)) {
			return true
		}
	}
	return false
}

func (g *generator) newSettings() history.Settings {
	r := g.values
	s := history.Settings{
		MaxDelay:  time.Duration([]int{1, 2, 5, 20, 50, 100, 200}[r.IntN(7)]) * time.Millisecond,
		BatchRows: []int{1, 2, 3, 10, 100, 5000}[r.IntN(6)],
		CacheSize: []string{"0", "1MB", "1MB", "1MB", "64MB", "64MB", "64MB", "64MB", "", "", "", ""}[r.IntN(12)],
		Binary:    r.IntN(4) == 0,
		TimeZone:  []string{"", "UTC", "Europe/Berlin", "Asia/Kathmandu", "America/New_York"}[r.IntN(5)],
		URL:       r.IntN(2) == 0,
		Conn:      r.IntN(3) == 0,
		Deadline:  r.IntN(3) == 0,
		Sync:      []string{"", "", "", "", "on", "off"}[r.IntN(6)],
		Real:      r.IntN(8) == 0,
	}
	if r.IntN(4) == 0 {
		// All but one, which is not the one that most statements are about.
		left := 1 + r.IntN(len(g.world.tables)-1)
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
func (g *generator) daring() bool {
	if g.dares {
		return true
	}
	if g.plain {
		return g.values.IntN(100) == 0
	}
	return g.values.IntN(14) == 0
}

// writer starts the text of a statement about a table.
func (g *generator) writer(t *table) *writer {
	w := newWriter(g.shape, g.values, t)
	if g.plain {
		w.plainness = 15
	}
	w.tame = g.tame
	return w
}

// rarely is true once in so many shapes, and never in a plain phase.
func (g *generator) rarely(of int) bool { return g.shape.IntN(of) == 0 && !g.plain }

// newShape takes up a shape that was there before, or now and then a new one.
func (g *generator) newShape() {
	n := g.values.Uint64N(shapes)
	if g.values.IntN(5) == 0 {
		n = g.values.Uint64()
	}
	stream := g.seed ^ g.index<<32
	if g.plain {
		stream = ^stream
	}
	if g.tame {
		stream ^= 1 << 63
	}
	g.shape = rand.New(rand.NewPCG(stream, n))
}

// next makes the next statement, or a whole transaction.
func (g *generator) next() []history.Statement {
	if g.left--; g.left < 0 {
		g.plain = !g.plain
		g.left = 6 + g.values.IntN(15)
		if g.plain {
			g.left *= 16
			if g.gentle {
				g.left *= 4
			}
			g.focus = max(0, g.values.IntN(2*len(g.world.tables))-len(g.world.tables))
		}
	}
	often := 7
	if len(g.scripts) > 1 {
		often = 16
		if g.gentle {
			often = 25
		}
	}
	switch n := g.values.IntN(200); {
	case n < often:
		return g.transaction()
	case n < often+1 || n < often+5 && g.sessions:
		g.reopens = true
	case n < often+14 && g.sessions:
		return []history.Statement{g.sessionSetting()}
	case n == 199:
		return g.schemaChange()
	case n == 198 && g.values.IntN(2) == 0:
		return g.copyInto()
	}
	g.tame = g.gentle && g.plain && g.values.IntN(10) > 0
	defer func() { g.tame = false }()
	return []history.Statement{g.statement()}
}

// unfinished is the number of a connection that has more to send; -1 if there is
// none.
func (g *generator) unfinished() int {
	for k, s := range g.scripts {
		if len(s) > 0 {
			return k
		}
	}
	return -1
}

// statement makes one statement.
func (g *generator) statement() history.Statement {
	g.newShape()
	if g.plain {
		return g.keyed()
	}
	switch n := g.shape.IntN(1000); {
	case n < 270:
		return g.selectByKey()
	case n < 480:
		return g.update()
	case n < 600:
		return g.insert()
	case n < 705:
		return g.upsert()
	case n < 740:
		return g.del()
	case n < 785:
		return g.selectByKeys()
	case n < 825:
		return g.exists()
	case n < 890:
		return g.other()
	case n < 950:
		return g.arbitrary()
	case n < 970:
		return g.mistake()
	default:
		return g.rare()
	}
}

// keyed makes one of the statements that a driver in front of PostgreSQL is
// for.
func (g *generator) keyed() history.Statement {
	n := g.shape.IntN(100)
	if g.inside && (g.tame || g.values.IntN(2) == 0) { // most of them writes
		n = 40 + n*54/100
	}
	switch {
	case n < 45:
		return g.selectByKey()
	case n < 86:
		return g.update()
	case n < 89:
		return g.insert()
	case n < 91:
		return g.upsert()
	case n < 92:
		return g.del()
	case n < 97:
		return g.selectByKeys()
	default:
		return g.exists()
	}
}

// query makes a statement of rows.
func (g *generator) query(w *writer, ordered bool) history.Statement {
	st := g.send(w)
	st.Call, st.Unordered = history.Query, !ordered
	if g.rarely(60) {
		st.Call = history.Exec
	}
	return st
}

// write makes a statement that changes rows.
func (g *generator) write(w *writer, returning, ordered bool) history.Statement {
	st := g.send(w)
	st.Unordered = !ordered
	if returning != g.rarely(40) {
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
