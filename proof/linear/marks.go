package linear

import (
	"context"
	"database/sql"
	"math"
	"math/rand/v2"
	"slices"
	"sync"

	"golang.org/x/sync/errgroup"
)

// marks are rows of three tables to which goroutines write rising numbers, each to its
// own.
type marks struct {
	*Load
	mu        sync.Mutex
	events    [markers][]event
	snapshots []snapshot
}

const markers = 3

// event is one acknowledged write of a goroutine, or one transaction.
type event struct {
	after     [3]int64 // what the three tables hold then
	call, end int64
}

// snapshot is what the tables held for each goroutine.
type snapshot struct {
	holds [markers][3]int64
	end   int64
}

var markTables = [3]string{"mark_a", "mark_b", "mark_c"}

func (l *Load) marks(ctx context.Context, group *errgroup.Group) *marks {
	m := &marks{Load: l}
	for id := range markers {
		m.events[id] = []event{{}}
		group.Go(func() error {
			random := l.source(40 + uint64(id))
			for seq := range int64(l.Steps / 4) {
				if err := m.write(ctx, id, seq+1, random); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return m
}

// write writes a number to the three tables, together or one after the other, and
// reads it back.
func (m *marks) write(ctx context.Context, id int, seq int64, random *rand.Rand) error {
	if random.IntN(2) == 0 {
		e := m.begin(id, [3]int64{seq, seq, seq})
		err := m.transaction(ctx, true, func(tx *sql.Tx) error {
			for _, table := range markTables {
				if _, err := exec(ctx, tx, `UPDATE `+table+` SET seq = $2 WHERE id = $1`, id, seq); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
		m.end(id, e)
		return m.readBack(ctx, id, [3]int64{seq, seq, seq}, random)
	}
	holds := [3]int64{seq - 1, seq - 1, seq - 1}
	for i, table := range markTables {
		holds[i] = seq
		where := `id = $1`
		if random.IntN(10) == 0 {
			where = `id + 0 = $1` // not keyed: direct
		}
		e := m.begin(id, holds)
		if _, err := exec(ctx, m.DB, `UPDATE `+table+` SET seq = $2 WHERE `+where, id, seq); err != nil {
			return err
		}
		m.end(id, e)
		if err := m.readBack(ctx, id, holds, random); err != nil {
			return err
		}
	}
	return nil
}

// begin notes a write before it is sent: a snapshot may show it at once.
func (m *marks) begin(id int, after [3]int64) int {
	m.did(1)
	m.mu.Lock()
	defer m.mu.Unlock()
	m.events[id] = append(m.events[id], event{after: after, call: m.now(), end: math.MaxInt64})
	return len(m.events[id]) - 1
}

func (m *marks) end(id, e int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.events[id][e].end = m.now()
}

// readBack sees that a goroutine finds what it wrote.
func (m *marks) readBack(ctx context.Context, id int, want [3]int64, random *rand.Rand) error {
	at := random.IntN(3)
	query, expected := `SELECT seq FROM `+markTables[at]+` WHERE id = $1`, want[at:at+1]
	if random.IntN(8) == 0 {
		query, expected = `SELECT a.seq, b.seq, c.seq FROM mark_a a JOIN mark_b b USING (id) JOIN mark_c c USING (id) WHERE id = $1`, want[:]
	}
	cells, err := read(ctx, m.DB, query, id)
	if err != nil {
		return err
	}
	if !slices.Equal(cells, expected) {
		m.violation("own writes: goroutine %d wrote %d and read %d by %s", id, expected, cells, query)
	}
	return nil
}

// sample takes snapshots of PostgreSQL until done is closed, and one after it.
func (m *marks) sample(ctx context.Context, done <-chan struct{}) error {
	for last := false; !last; {
		select {
		case <-done:
			last = true
		default:
		}
		// One statement is one snapshot.
		cells, err := read(context.WithoutCancel(ctx), m.Past, `SELECT a.id, a.seq, b.seq, c.seq
			FROM mark_a a JOIN mark_b b USING (id) JOIN mark_c c USING (id) WHERE id < $1 ORDER BY id`, markers)
		if err != nil {
			return err
		}
		s := snapshot{end: m.now()}
		for id := range markers {
			copy(s.holds[id][:], cells[4*id+1:4*id+4])
		}
		m.snapshots = append(m.snapshots, s)
	}
	return nil
}

// check sees that every snapshot is a state that the acknowledgements passed through.
func (m *marks) check() {
	m.samples += len(m.snapshots)
	var before [markers]int
	for _, s := range m.snapshots {
		var shown [markers]int // the last event of each goroutine
		for id := range markers {
			shown[id] = slices.IndexFunc(m.events[id], func(e event) bool { return e.after == s.holds[id] })
			if shown[id] < before[id] {
				m.violation("prefix: PostgreSQL held %d of goroutine %d, which never was, or no longer", s.holds[id], id)
				return
			}
		}
		before = shown
		for a := range markers {
			for b := range markers {
				next := shown[b] + 1
				if next < len(m.events[b]) && m.events[b][next].end < m.events[a][shown[a]].call {
					m.violation("prefix: PostgreSQL held %d of goroutine %d and not %d of %d, which was acknowledged before that began",
						s.holds[a], a, m.events[b][next].after, b)
					return
				}
			}
		}
	}
}
