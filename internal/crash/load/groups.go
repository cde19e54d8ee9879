package load

// group is a transaction of keyed writes and nothing else.
func (w *Worker) group() *plan { return w.compose("group", nil) }

// groupWithSavepoint undoes a part of itself, or keeps it after all.
func (w *Worker) groupWithSavepoint() *plan {
	return w.compose("group-savepoint", func(g *group) {
		undo := len(g.undo)
		g.plan.with(0, "SAVEPOINT part")
		for range 1 + w.rng.IntN(2) {
			g.add(w.member())
		}
		if w.rng.IntN(3) == 0 {
			g.plan.with(0, "RELEASE SAVEPOINT part")
			return
		}
		g.plan.with(0, "ROLLBACK TO SAVEPOINT part")
		g.back(undo)
	})
}

// groupRolledBack is rolled back: none of it may be there.
func (w *Worker) groupRolledBack() *plan {
	p := w.compose("group-rolled-back", nil)
	if p != nil {
		p.rollBack = true
	}
	return p
}

// groupMadeReal has a statement among the others that only PostgreSQL can execute.
func (w *Worker) groupMadeReal() *plan {
	return w.compose("group-real", func(g *group) {
		if w.rng.IntN(3) == 0 {
			g.plan.with(1, "SELECT count(*) FROM events WHERE worker = $1", w.id)
			return
		}
		g.add(w.some(beyond))
	})
}

// groupThatFails fails at its last statement: none of it may be there.
func (w *Worker) groupThatFails() *plan {
	p := w.compose("group-failed", nil)
	if p == nil {
		return nil
	}
	return p.with(1, "SELECT 1 / 0")
}

// groupThatRecovers goes on from a savepoint after a statement has failed.
func (w *Worker) groupThatRecovers() *plan {
	return w.compose("group-recovered", func(g *group) {
		undo := len(g.undo)
		g.plan.with(0, "SAVEPOINT part")
		g.add(w.member())
		g.plan.statements = append(g.plan.statements, statement{query: "SELECT 1 / 0", fails: true})
		g.plan.with(0, "ROLLBACK TO SAVEPOINT part")
		g.back(undo)
	})
}
