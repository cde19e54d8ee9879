package load

import (
	"math/rand/v2"
	"slices"

	"github.com/writebehind/writebehind/internal/crash/record"
)

// rows are rows of one table from which one can be drawn.
type rows struct {
	keys  []record.Key
	state map[record.Key]record.State
}

func (r *rows) init() { r.state = make(map[record.Key]record.State) }

func (r *rows) put(k record.Key, s record.State) {
	if _, there := r.state[k]; !there {
		r.keys = append(r.keys, k)
	}
	r.state[k] = s
}

func (r *rows) drop(k record.Key) {
	if _, there := r.state[k]; !there {
		return
	}
	delete(r.state, k)
	i := slices.Index(r.keys, k)
	r.keys[i] = r.keys[len(r.keys)-1]
	r.keys = r.keys[:len(r.keys)-1]
}

// draw returns one of the rows. ok is false if there is none.
func (r *rows) draw(rng *rand.Rand) (k record.Key, s record.State, ok bool) {
	if len(r.keys) == 0 {
		return k, s, false
	}
	k = r.keys[rng.IntN(len(r.keys))]
	return k, r.state[k], true
}

func slot(t record.Table) int {
	switch t {
	case record.Accounts:
		return 0
	case record.Orders:
		return 1
	}
	return 2
}

func (w *Worker) there(t record.Table) *rows { return &w.present[slot(t)] }
func (w *Worker) free(t record.Table) *rows  { return &w.absent[slot(t)] }

// put notes what a row of the worker holds.
func (w *Worker) put(k record.Key, s record.State) {
	w.forget(k)
	if s.Present {
		w.there(k.Table).put(k, s)
	} else {
		w.free(k.Table).put(k, s)
	}
}

// know returns what a row of the worker holds, which may be that it is absent;
// ok is false for one that it does not know of.
func (w *Worker) know(k record.Key) (s record.State, ok bool) {
	if s, ok = w.there(k.Table).state[k]; !ok {
		s, ok = w.free(k.Table).state[k]
	}
	return s, ok
}

// forget leaves a row alone from now on.
func (w *Worker) forget(k record.Key) {
	w.there(k.Table).drop(k)
	w.free(k.Table).drop(k)
}
