package linear

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/anishathalye/porcupine"
	"golang.org/x/sync/errgroup"
)

// registers are rows of which each is used for a while by several goroutines.
type registers struct {
	*Load
	mu      sync.Mutex
	history map[int][]porcupine.Operation
}

const (
	registerUsers  = 4
	registersAtAny = 3  // rows in use at a time
	registerSteps  = 40 // of a goroutine, until it goes on to other rows
)

func (l *Load) registers(ctx context.Context, group *errgroup.Group) *registers {
	r := &registers{Load: l, history: map[int][]porcupine.Operation{}}
	for user := range registerUsers {
		group.Go(func() error {
			random := l.source(uint64(user))
			for i := range l.Steps {
				first := i / registerSteps * registersAtAny
				var err error
				if random.IntN(5) == 0 {
					err = r.transaction(ctx, user, first, random)
				} else {
					err = r.single(ctx, user, first+random.IntN(registersAtAny), random)
				}
				if err != nil {
					return err
				}
			}
			return nil
		})
	}
	return r
}

func (r *registers) record(user, id int, call int64, o operation) {
	end := r.now()
	r.did(len(o.steps))
	r.mu.Lock()
	defer r.mu.Unlock()
	r.history[id] = append(r.history[id], porcupine.Operation{ClientId: user, Input: o, Call: call, Return: end})
}

// single executes one statement outside of a transaction.
func (r *registers) single(ctx context.Context, user, id int, random *rand.Rand) error {
	call := r.now()
	if random.IntN(6) == 0 { // of two rows at a time
		return r.several(ctx, user, id, random)
	}
	s := randomStep(random)
	if err := s.run(ctx, r.DB, id, random.IntN(8)); err != nil {
		return err
	}
	r.record(user, id, call, operation{steps: []step{s}, keeps: true})
	return nil
}

// several reads two rows with one statement.
func (r *registers) several(ctx context.Context, user, id int, random *rand.Rand) error {
	call := r.now()
	other := id + 1
	query := `SELECT id, v FROM registers WHERE id IN ($1, $2)`
	if random.IntN(3) == 0 {
		query = `SELECT id, v FROM registers WHERE id BETWEEN $1 AND $2`
	}
	cells, err := read(ctx, r.DB, query, id, other)
	if err != nil {
		return err
	}
	for _, key := range []int{id, other} {
		s := step{kind: get}
		for i := 0; i < len(cells); i += 2 {
			if cells[i] == int64(key) {
				s.rows, s.value = s.rows+1, cells[i+1]
			}
		}
		r.record(user, key, call, operation{steps: []step{s}, keeps: true})
	}
	return nil
}

// randomStep returns a statement; small values, so that they meet.
func randomStep(random *rand.Rand) step {
	return step{kind: kind(random.IntN(int(remove) + 1)), v: int64(random.IntN(5)), old: int64(random.IntN(5))}
}

// run executes the statement and takes its answer. way chooses how it is written: 0
// is a way that no key is recognised in.
func (s *step) run(ctx context.Context, on runner, id, way int) (err error) {
	where := ` WHERE id = $1`
	if way == 0 {
		where = ` WHERE id + 0 = $1`
	}
	switch s.kind {
	case get:
		err = s.returned(read(ctx, on, `SELECT v FROM registers`+where, id))
	case insert:
		s.rows, err = exec(ctx, on, `INSERT INTO registers (id, v) VALUES ($1, $2)`, id, s.v)
		if s.refused = state(err) == uniqueViolation; s.refused {
			err = nil
		}
	case insertOrNothing:
		s.rows, err = exec(ctx, on, `INSERT INTO registers (id, v) VALUES ($1, $2) ON CONFLICT DO NOTHING`, id, s.v)
	case upsert:
		s.rows, err = exec(ctx, on, `INSERT INTO registers (id, v) VALUES ($1, $2) ON CONFLICT (id) DO UPDATE SET v = EXCLUDED.v`, id, s.v)
	case upsertAdd:
		s.rows, err = exec(ctx, on, `INSERT INTO registers (id, v) VALUES ($1, $2) ON CONFLICT (id) DO UPDATE SET v = registers.v + EXCLUDED.v`, id, s.v)
	case set:
		s.rows, err = exec(ctx, on, `UPDATE registers SET v = $2`+where, id, s.v)
	case add:
		s.rows, err = exec(ctx, on, `UPDATE registers SET v = v + $2`+where, id, s.v)
	case addReturning:
		err = s.returned(read(ctx, on, `UPDATE registers SET v = v + $2`+where+` RETURNING v`, id, s.v))
	case compareAndSet:
		s.rows, err = exec(ctx, on, `UPDATE registers SET v = $2`+where+` AND v = $3`, id, s.v, s.old)
	case remove:
		s.rows, err = exec(ctx, on, `DELETE FROM registers`+where, id)
	}
	return err
}

func (s *step) returned(cells []int64, err error) error {
	s.rows = int64(len(cells))
	if s.rows > 0 {
		s.value = cells[0]
	}
	return err
}

// transaction locks one or two rows and does a few things to each. What it does is one
// operation on each row only because the row is locked from its first statement on.
func (r *registers) transaction(ctx context.Context, user, first int, random *rand.Rand) error {
	ids := random.Perm(registersAtAny)[:1+random.IntN(2)]
	slices.Sort(ids)
	keeps := random.IntN(4) > 0
	var done map[int]operation
	var call int64
	err := r.Load.transaction(ctx, keeps, func(tx *sql.Tx) error {
		done, call = map[int]operation{}, r.now()
		for _, at := range ids {
			id := first + at
			steps, err := hold(ctx, tx, id, random)
			if err != nil {
				return err
			}
			if steps != nil {
				done[id] = operation{steps: steps, keeps: keeps}
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	for id, o := range done {
		r.record(user, id, call, o)
	}
	return nil
}

// hold locks a row and does a few things to it, some of which it takes back. It
// returns nil if there is no row.
func hold(ctx context.Context, tx *sql.Tx, id int, random *rand.Rand) ([]step, error) {
	s := step{kind: get}
	switch random.IntN(3) {
	case 0:
		s.kind = add
		if err := s.run(ctx, tx, id, random.IntN(8)); err != nil {
			return nil, err
		}
	case 1:
		s.kind, s.v = upsert, 1
		if err := s.run(ctx, tx, id, 1); err != nil {
			return nil, err
		}
	default:
		if err := s.returned(read(ctx, tx, `SELECT v FROM registers WHERE id = $1 FOR UPDATE`, id)); err != nil {
			return nil, err
		}
	}
	if s.rows == 0 {
		return nil, nil
	}
	steps := []step{s}
	saved := false
	for range random.IntN(4) {
		next := step{kind: []kind{get, set, add, addReturning, compareAndSet, upsertAdd}[random.IntN(6)], v: int64(random.IntN(5))}
		switch {
		case random.IntN(4) > 0:
			if err := next.run(ctx, tx, id, random.IntN(8)); err != nil {
				return nil, err
			}
		case saved:
			next.kind, saved = rollbackTo, false
			if _, err := tx.ExecContext(ctx, `ROLLBACK TO SAVEPOINT s`); err != nil {
				return nil, err
			}
		default:
			next.kind, saved = savepoint, true
			if _, err := tx.ExecContext(ctx, `SAVEPOINT s`); err != nil {
				return nil, err
			}
		}
		steps = append(steps, next)
	}
	return steps, nil
}

// check finds the registers whose history no order explains.
func (r *registers) check() {
	for id, history := range r.history {
		switch porcupine.CheckOperationsTimeout(model, history, 20*time.Second) {
		case porcupine.Illegal:
			slices.SortFunc(history, func(a, b porcupine.Operation) int { return cmp.Compare(a.Call, b.Call) })
			r.violation("registers: the history of row %d is not linearizable: %s", id, describe(history))
		case porcupine.Unknown:
			r.undecided++
		case porcupine.Ok:
		}
	}
}

// describe shows the shortest start of a history that is not linearizable. What was
// under way when it ends is left out.
func describe(history []porcupine.Operation) string {
	ends := make([]int64, len(history))
	for i, o := range history {
		ends[i] = o.Return
	}
	slices.Sort(ends)
	var text strings.Builder
	for _, end := range ends {
		var part []porcupine.Operation
		for _, o := range history {
			if o.Call <= end {
				part = append(part, o)
			}
		}
		if porcupine.CheckOperationsTimeout(model, part, time.Second) != porcupine.Illegal {
			continue
		}
		for _, o := range part[max(0, len(part)-12):] {
			fmt.Fprintf(&text, "\n%v %v %s", time.Duration(o.Call), time.Duration(o.Return), model.DescribeOperation(o.Input, nil))
		}
		break
	}
	return text.String()
}
