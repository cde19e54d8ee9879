package queue

import (
	"bytes"
	"cmp"
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/writebehind/writebehind/internal/catalog"
	"github.com/writebehind/writebehind/internal/rowimage"
	"github.com/writebehind/writebehind/rewrite"
)

// How long one statement of a flush may run, and wait for a lock, before the
// flush is tried again.
const (
	statementTimeout = 60 * time.Second
	lockTimeout      = 10 * time.Second
)

// begin gives a flush transaction its own settings.
var begin = fmt.Sprintf(`SELECT set_config('synchronous_commit', 'on', true), `+
	`set_config('statement_timeout', '%d', true), set_config('lock_timeout', '%d', true), `+
	`set_config('DateStyle', 'ISO', true), set_config('search_path', 'pg_catalog', true), set_config('application_name', $1, true), `+
	`pg_catalog.pg_advisory_xact_lock($2)`, // see Options.WaitLock
	statementTimeout.Milliseconds(), lockTimeout.Milliseconds())

// flush is the work on one memtable, over as many attempts as it takes. It is
// kept in the memtable, so that it outlives a panic.
type flush struct {
	done bool // the memtable is in PostgreSQL
	// statements are those that bring it there, encoded when they are first asked for.
	statements func() ([]statement, error)
	oneByOne   bool      // replay the groups instead of the coalesced rows
	force      bool      // an operator has said that what does not fit is to be refused
	refused    []refusal // by the last attempt
	off        offRows   // of the last attempt
	timeouts   int       // attempts that ended in a timeout
	conflicts  int       // attempts that met a lock or a deadlock
}

// refusal is one mutation of a group that PostgreSQL refused for good.
type refusal struct {
	lsn   LSN
	table *catalog.Relation
	key   []byte
	hash  uint64
	err   error
}

// attempt brings the memtable to PostgreSQL in one transaction.
func (f *flush) attempt(q *Queue, m *memtable) error {
	ctx, cancel := context.WithTimeout(q.life, 10*statementTimeout)
	defer cancel()
	tx, err := q.opts.DB.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	refused, moved, err := f.write(ctx, q, tx, m)
	if err != nil || !moved {
		// Not deferred: database/sql would wait for itself if the driver panics in a
		// statement. Then the end of ctx rolls back.
		_ = tx.Rollback() // the first error counts
		if err != nil {
			return err
		}
		f.done, err = q.look(ctx, m)
		return err
	}
	// Whatever a failed COMMIT is said to have failed of, a pooler or a server on
	// its way down may have said it after the fact: the checkpoint tells.
	f.refused = refused
	if err := tx.Commit(); err != nil {
		return err
	}
	f.done = true
	return nil
}

// write moves the checkpoint and sends the memtable's rows or groups.
func (f *flush) write(ctx context.Context, q *Queue, tx *sql.Tx, m *memtable) (refused []refusal, moved bool, err error) {
	var ignored [7]any
	if err := tx.QueryRowContext(ctx, begin, q.opts.Application, q.opts.WaitLock).
		Scan(&ignored[0], &ignored[1], &ignored[2], &ignored[3], &ignored[4], &ignored[5], &ignored[6]); err != nil {
		return nil, false, err
	}
	if moved, err = q.moveCheckpoint(ctx, tx, m); err != nil || !moved {
		return nil, moved, err
	}
	f.off = nil
	if f.oneByOne || q.doubtful(m) {
		r := replay{flush: f, queue: q, tx: tx}
		err := r.run(ctx, m)
		return r.refused, true, err
	}
	return nil, true, f.writeSets(ctx, tx)
}

var errWrongCount = errors.New("queue: a row to be written was not there, or was there already")

// set is the rows of a memtable that one statement carries.
type set struct {
	shape *Shape
	rows  []*entry
}

// statement is a set as it is sent.
type statement struct {
	set
	params params
}

// encode makes statements of the coalesced rows of a memtable, one per shape.
func encode(q *Queue, m *memtable) ([]statement, error) {
	sets := sets(q, m)
	statements := make([]statement, len(sets))
	for i, s := range sets {
		slices.SortFunc(s.rows, func(a, b *entry) int {
			return bytes.Compare(m.data.get(a.key, a.keyLen), m.data.get(b.key, b.keyLen))
		})
		statements[i].set = s
		p := &statements[i].params
		p.reset(s.shape)
		for _, e := range s.rows {
			if err := p.addImage(q.opts.Location, m.rowOf(e)); err != nil {
				return nil, err
			}
		}
	}
	return statements, nil
}

// writeSets writes the coalesced rows.
func (f *flush) writeSets(ctx context.Context, tx *sql.Tx) error {
	statements, err := f.statements()
	if err != nil {
		return err
	}
	for i := range statements {
		s := &statements[i]
		off, err := s.params.exec(ctx, tx, len(s.rows))
		if err != nil {
			return err
		}
		for _, n := range off {
			f.off.add(s.rows[n].hash)
		}
	}
	return nil
}

// sets groups the rows by shape, in the order in which they may be written:
// deletes child first, then what inserts parent first, then updates.
func sets(q *Queue, m *memtable) []set {
	byShape := make(map[uint32]*set)
	var all []*set
	for n := range uint32(m.rows) {
		e := m.entry(n)
		s := byShape[e.shape]
		if s == nil {
			s = &set{shape: q.shapes.get(e.shape)}
			byShape[e.shape] = s
			if s.shape.Kind != Nothing {
				all = append(all, s)
			}
		}
		s.rows = append(s.rows, e)
	}
	rank := ranks(all)
	slices.SortFunc(all, func(a, b *set) int {
		if c := cmp.Compare(phase(a.shape.Kind), phase(b.shape.Kind)); c != 0 {
			return c
		}
		c := cmp.Compare(rank[a.shape.Table.Name], rank[b.shape.Table.Name])
		if a.shape.Kind == Delete {
			c = -c
		}
		if c == 0 {
			c = cmp.Compare(a.shape.id, b.shape.id)
		}
		return c
	})
	ordered := make([]set, len(all))
	for i, s := range all {
		ordered[i] = *s
	}
	return ordered
}

func phase(k Kind) int {
	switch k {
	case Delete:
		return 0
	case Insert, Upsert, Replace:
		return 1
	default:
		return 2
	}
}

// ranks orders the tables by their foreign keys, parents before children.
func ranks(all []*set) map[catalog.Name]int {
	tables := make(map[catalog.Name]*catalog.Relation)
	for _, s := range all {
		tables[s.shape.Table.Name] = s.shape.Table
	}
	rank := make(map[catalog.Name]int)
	next := 0
	var visit func(name catalog.Name)
	visit = func(name catalog.Name) {
		table, queued := tables[name]
		if _, seen := rank[name]; seen || !queued {
			return
		}
		rank[name] = 0 // cuts cycles
		for _, fk := range table.References {
			visit(fk.Parent)
		}
		next++
		rank[name] = next
	}
	for _, s := range all {
		visit(s.shape.Table.Name)
	}
	return rank
}

// params are the array parameters of one statement.
type params struct {
	shape  *Shape
	arrays []rewrite.Array
	cells  []driver.Value
	text   []byte
}

func (p *params) reset(s *Shape) {
	p.shape = s
	p.arrays = make([]rewrite.Array, len(s.params))
	p.cells = make([]driver.Value, len(s.params))
}

// addImage adds the row's values to the arrays.
func (p *params) addImage(loc *time.Location, image []byte) error {
	if err := rowimage.DecodeColumns(image, loc, p.shape.params, p.cells); err != nil {
		return err
	}
	return p.add()
}

// addCells adds values that were encoded in the order of the parameters.
func (p *params) addCells(loc *time.Location, cells []byte) error {
	if err := rowimage.Decode(cells, loc, p.cells); err != nil {
		return err
	}
	return p.add()
}

func (p *params) add() error {
	for i, v := range p.cells {
		if v == nil {
			p.arrays[i].AppendNull()
			continue
		}
		column, t, _ := p.shape.param(i)
		text, ok := t.AppendText(p.text[:0], v)
		if !ok {
			return fmt.Errorf("queue: column %q of %s: no text form for a %T", p.shape.Table.Columns[column].Name, p.shape.Table.Name, v)
		}
		p.text = text
		p.arrays[i].Append(text)
	}
	return nil
}

// exec runs the statement and checks that it wrote n rows. It returns the places
// of those, in the order in which they were added, that are not what they were
// expected to become.
func (p *params) exec(ctx context.Context, tx *sql.Tx, n int) (off []int, err error) {
	args := make([]any, len(p.arrays))
	for i := range p.arrays {
		args[i] = string(p.arrays[i].Bytes())
	}
	affected, off, err := p.run(ctx, tx, args)
	if err != nil {
		return nil, err
	}
	if affected != int64(n) && !p.shape.keeps {
		return nil, fmt.Errorf("%w: %s of %s wrote %d rows, not %d", errWrongCount, p.shape.Kind, p.shape.Table.Name, affected, n)
	}
	return off, nil
}

func (p *params) run(ctx context.Context, tx *sql.Tx, args []any) (affected int64, off []int, err error) {
	if p.shape.deltas() == 0 {
		result, err := tx.ExecContext(ctx, p.shape.sql, args...)
		if err != nil {
			return 0, nil, err
		}
		affected, err = result.RowsAffected()
		return affected, nil, err
	}
	var numbers sql.NullString
	if err := tx.QueryRowContext(ctx, p.shape.sql, args...).Scan(&affected, &numbers); err != nil || !numbers.Valid {
		return affected, nil, err
	}
	for number := range strings.SplitSeq(numbers.String, ",") {
		n, err := strconv.Atoi(number)
		if err != nil {
			return 0, nil, err
		}
		off = append(off, n-1)
	}
	return affected, off, nil
}
