package load

import "github.com/writebehind/writebehind/internal/crash/record"

// group is a transaction in the making. Meanwhile the worker knows its rows as the
// transaction has them, so that what is drawn next may be one that it has written.
type group struct {
	worker *Worker
	plan   *plan
	undo   []was           // rows as they were before each write, in that order
	counts []record.Effect // on counters
}

// was is what the worker knew of a row.
type was struct {
	key   record.Key
	state record.State
	known bool
}

// add adds the statements of a plan and, now and then, has the transaction look at
// what it has written. Without a plan nothing happens.
func (g *group) add(p *plan) {
	if p == nil {
		return
	}
	w := g.worker
	g.plan.statements = append(g.plan.statements, p.statements...)
	for _, e := range p.effects {
		if e.Key.Table.Counts() {
			g.counts = append(g.counts, e)
			continue
		}
		s, known := w.know(e.Key)
		g.undo = append(g.undo, was{e.Key, s, known})
		w.put(e.Key, e.To)
		if w.rng.IntN(4) == 0 {
			g.plan.statements = append(g.plan.statements, statement{back: &Row{Key: e.Key, State: e.To}})
		}
	}
}

// back has the worker know what it knew before all writes but the first n.
func (g *group) back(n int) {
	for len(g.undo) > n {
		last := len(g.undo) - 1
		u := g.undo[last]
		g.undo = g.undo[:last]
		if u.known {
			g.worker.put(u.key, u.state)
		} else {
			g.worker.forget(u.key)
		}
	}
}

// finish ends the making and returns the plan, nil if it comes to nothing. The
// worker knows what it knew before it.
func (g *group) finish() *plan {
	effects := g.counts
	first := make(map[record.Key]bool)
	for _, u := range g.undo {
		if first[u.key] {
			continue
		}
		first[u.key] = true
		if now, _ := g.worker.know(u.key); !u.known || now != u.state {
			effects = append(effects, record.Effect{Key: u.key, To: now})
		}
	}
	g.back(0)
	if len(effects) == 0 {
		return nil
	}
	g.plan.effects = effects
	return g.plan
}

// compose makes a group of two to five writes, to some of which counters are
// subject, with something special among them.
func (w *Worker) compose(kind string, special func(*group)) *plan {
	g := &group{worker: w, plan: &plan{kind: kind, transaction: true}}
	n := 2 + w.rng.IntN(4)
	// Rows of all workers are always locked in the same order.
	var counters []record.Key
	switch w.rng.IntN(5) {
	case 0, 1:
		pairs := Twins()
		counters = pairs[w.rng.IntN(len(pairs))][:]
	case 2:
		hot := HotRows()
		counters = []record.Key{hot[w.rng.IntN(len(hot))]}
	}
	n -= len(counters)
	if len(counters) > 0 && w.rng.IntN(2) == 0 { // what follows comes between the twins
		g.add(new(plan).count(counters[0]))
		counters = counters[1:]
	}
	at := w.rng.IntN(n + 1)
	for i := range n + 1 {
		if i == at && special != nil {
			special(g)
		}
		if i < n {
			g.add(w.member())
		}
	}
	for _, k := range counters {
		g.add(new(plan).count(k))
	}
	return g.finish()
}

// member is one keyed write of a group.
func (w *Worker) member() *plan { return w.some(members) }

// some makes a plan of a list that has one for the rows there are, as a rule.
func (w *Worker) some(from []choice) *plan {
	for range 10 {
		if p := w.one(from); p != nil {
			return p
		}
	}
	return nil
}
