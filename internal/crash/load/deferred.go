package load

import "github.com/writebehind/writebehind/internal/crash/record"

func (w *Worker) hotIncrement() *plan {
	keys := HotRows()
	k := keys[w.rng.IntN(len(keys))]
	return (&plan{kind: "hot"}).count(k)
}

// count adds the increment of a counter to a plan.
func (p *plan) count(k record.Key) *plan {
	p.effects = append(p.effects, record.Effect{Key: k, Add: 1})
	if k.Table == record.Twin {
		return p.with(1, "UPDATE events SET seq = seq + 1 WHERE id = $1", k.ID)
	}
	return p.with(1, "UPDATE accounts SET n = n + 1 WHERE id = $1", k.ID)
}

func (w *Worker) increment() *plan {
	k, s, ok := w.draw(record.Accounts)
	if !ok {
		return nil
	}
	s.N++
	return (&plan{kind: "increment"}).to(k, s).
		with(1, "UPDATE accounts SET n = n + 1 WHERE id = $1", k.ID)
}

func (w *Worker) incrementAndNote() *plan {
	k, s, ok := w.draw(record.Accounts)
	if !ok {
		return nil
	}
	s.N, s.Stamp = s.N+3, w.stamp()
	return (&plan{kind: "increment+note"}).to(k, s).
		with(1, "UPDATE accounts SET n = n + $1, note = $2 WHERE id = $3", 3, s.Stamp.Text(), k.ID)
}

func (w *Worker) note() *plan {
	k, s, ok := w.draw(record.Accounts)
	if !ok {
		return nil
	}
	s.Stamp = w.stamp()
	return (&plan{kind: "note"}).to(k, s).
		with(1, "UPDATE accounts SET note = $1 WHERE id = $2", s.Stamp.Text(), k.ID)
}

func (w *Worker) upsertAccount() *plan {
	k, s, ok := w.draw(record.Accounts)
	if !ok || w.rng.IntN(2) == 0 {
		if k, ok = w.fresh(record.Accounts); !ok {
			return nil
		}
		s = record.State{Present: true}
	}
	s.N, s.Stamp = s.N+2, w.stamp()
	return (&plan{kind: "upsert"}).to(k, s).
		with(1, `INSERT INTO accounts (id, n, note) VALUES ($1, $2, $3)
			ON CONFLICT (id) DO UPDATE SET n = accounts.n + EXCLUDED.n, note = EXCLUDED.note`, k.ID, 2, s.Stamp.Text())
}

func (w *Worker) insertAccount() *plan {
	k, ok := w.fresh(record.Accounts)
	if !ok {
		return nil
	}
	s := record.State{Present: true, Stamp: w.stamp()}
	return (&plan{kind: "insert"}).to(k, s).
		with(1, "INSERT INTO accounts (id, n, note) VALUES ($1, $2, $3)", k.ID, 0, s.Stamp.Text())
}

func (w *Worker) insertEvent() *plan {
	k, ok := w.fresh(record.Events)
	if !ok {
		return w.deleteEvent()
	}
	s := record.State{Present: true, Stamp: w.stamp()}
	return (&plan{kind: "insert"}).to(k, s).
		with(1, "INSERT INTO events (id, worker, seq, v) VALUES ($1, $2, $3, $4)", k.ID, w.id, w.seq, s.Stamp.Text())
}

func (w *Worker) updateEvent() *plan {
	k, s, ok := w.draw(record.Events)
	if !ok {
		return nil
	}
	s.Stamp = w.stamp()
	return (&plan{kind: "update"}).to(k, s).
		with(1, "UPDATE events SET worker = $1, seq = $2, v = $3 WHERE id = $4", w.id, w.seq, s.Stamp.Text(), k.ID)
}

func (w *Worker) upsertEvent() *plan {
	k, _, ok := w.draw(record.Events)
	if !ok || w.rng.IntN(2) == 0 {
		if k, ok = w.fresh(record.Events); !ok {
			return nil
		}
	}
	s := record.State{Present: true, Stamp: w.stamp()}
	return (&plan{kind: "upsert"}).to(k, s).
		with(1, `INSERT INTO events (id, worker, seq, v) VALUES ($1, $2, $3, $4)
			ON CONFLICT (id) DO UPDATE SET worker = EXCLUDED.worker, seq = EXCLUDED.seq, v = EXCLUDED.v`,
			k.ID, w.id, w.seq, s.Stamp.Text())
}

func (w *Worker) deleteEvent() *plan {
	k, _, ok := w.draw(record.Events)
	if !ok {
		return nil
	}
	return (&plan{kind: "delete"}).to(k, record.State{}).with(1, "DELETE FROM events WHERE id = $1", k.ID)
}

func (w *Worker) insertOrder() *plan {
	k, ok := w.fresh(record.Orders)
	if !ok {
		return w.deleteOrder()
	}
	s := record.State{Present: true, Stamp: w.stamp()}
	return (&plan{kind: "insert"}).to(k, s).
		with(1, "INSERT INTO orders (id, account, v) VALUES ($1, NULL, $2)", record.UUID(k.ID), s.Stamp.Text())
}

func (w *Worker) updateOrder() *plan {
	k, s, ok := w.draw(record.Orders)
	if !ok {
		return nil
	}
	s.Stamp = w.stamp()
	return (&plan{kind: "update"}).to(k, s).
		with(1, "UPDATE orders SET v = $1 WHERE id = $2", s.Stamp.Text(), record.UUID(k.ID))
}

func (w *Worker) deleteOrder() *plan {
	k, _, ok := w.draw(record.Orders)
	if !ok {
		return nil
	}
	return (&plan{kind: "delete"}).to(k, record.State{}).with(1, "DELETE FROM orders WHERE id = $1", record.UUID(k.ID))
}
