package load

import "github.com/writebehind/writebehind/internal/crash/record"

func (w *Worker) insertOrderOfAccount() *plan {
	account, _, ok := w.draw(record.Accounts)
	if !ok {
		return nil
	}
	k, ok := w.fresh(record.Orders)
	if !ok {
		return nil
	}
	s := record.State{Present: true, Ref: account.ID, Stamp: w.stamp()}
	return (&plan{kind: "insert-child"}).to(k, s).
		with(1, "INSERT INTO orders (id, account, v) VALUES ($1, $2, $3)", record.UUID(k.ID), s.Ref, s.Stamp.Text())
}

func (w *Worker) moveOrder() *plan {
	k, s, ok := w.draw(record.Orders)
	account, _, found := w.draw(record.Accounts)
	if !ok || !found {
		return nil
	}
	s.Ref, s.Stamp = account.ID, w.stamp()
	return (&plan{kind: "move"}).to(k, s).
		with(1, "UPDATE orders SET account = $1, v = $2 WHERE id = $3", s.Ref, s.Stamp.Text(), record.UUID(k.ID))
}

// deleteAccount spares parents that the worker knows of. An order whose outcome is
// open may be another: then the server refuses, and that is right.
func (w *Worker) deleteAccount() *plan {
	k, _, ok := w.draw(record.Accounts)
	if !ok {
		return nil
	}
	for _, s := range w.there(record.Orders).state {
		if s.Ref == k.ID {
			return nil
		}
	}
	return (&plan{kind: "delete-parent"}).to(k, record.State{}).with(1, "DELETE FROM accounts WHERE id = $1", k.ID)
}

// two draws two rows of a table.
func (w *Worker) two(t record.Table) (k1, k2 record.Key, ok bool) {
	k1, _, ok1 := w.draw(t)
	k2, _, ok2 := w.draw(t)
	return k1, k2, ok1 && ok2 && k1 != k2
}

func (w *Worker) updateTwo() *plan {
	k1, k2, ok := w.two(record.Events)
	if !ok {
		return nil
	}
	s := record.State{Present: true, Stamp: w.stamp()}
	return (&plan{kind: "update-two"}).to(k1, s).to(k2, s).
		with(2, "UPDATE events SET worker = $1, seq = $2, v = $3 WHERE id IN ($4, $5)", w.id, w.seq, s.Stamp.Text(), k1.ID, k2.ID)
}

func (w *Worker) insertTwo() *plan {
	if len(w.there(record.Events).keys) >= mostRows || w.drawn > record.RowsPerOp-2 {
		return nil
	}
	k1, k2 := w.brandNew(record.Events), w.brandNew(record.Events)
	s := record.State{Present: true, Stamp: w.stamp()}
	return (&plan{kind: "insert-two"}).to(k1, s).to(k2, s).
		with(2, "INSERT INTO events (id, worker, seq, v) VALUES ($1, $2, $3, $4), ($5, $2, $3, $4)",
			k1.ID, w.id, w.seq, s.Stamp.Text(), k2.ID)
}
