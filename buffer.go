package writebehind

import (
	"bytes"
	"context"
	"database/sql/driver"
	"slices"
	"sync/atomic"
	"time"

	"github.com/writebehind/writebehind/internal/catalog"
	"github.com/writebehind/writebehind/internal/rowcache"
	"github.com/writebehind/writebehind/queue"
)

// buffer is a transaction that PostgreSQL does not know of. Its keyed writes are
// kept here, and their rows locked in this process, until COMMIT makes them one
// group. What only PostgreSQL can do makes it real: see makeReal.
//
// It belongs to one connection; but whoever writes past the buffers to a row that it
// has locked, or to more rows of a table that it has written, makes it real, from
// another goroutine. All its fields are guarded by turn.
type buffer struct {
	engine *engine
	owner  *Conn           // it writes to its fields with the turn only, others do not
	ctx    context.Context //nolint:containedctx // of BEGIN
	opts   driver.TxOptions
	byText bool  // begun by a statement
	single bool  // it is one statement's, which runs direct if it cannot stay
	lock   int64 // the advisory lock that it holds once it is real

	turn    chan struct{}
	wanted  chan struct{} // has a token while others want the transaction to yield
	waiting atomic.Uint64 // hash of the row whose lock it waits for; 0: of none
	state   bufferState

	schema  *schema // of the writes; nil before the first
	rows    map[uint64]*bufferedRow
	kept    []keptRow // the rows that are locked, in that order
	tables  []*tableState
	touched []touchedTable
	ops     []bufferedOp
	marks   []savepoint
	moment  time.Time     // now() in it; zero if that was not known when it began
	leans   []leaning     // tables whose rows its writes rely on
	needs   queue.LSN     // newest group that may have a row on which they rely
	basis   queue.Receipt // newest group in flight that what it was answered comes from
	noted   int64         // operations, undone ones included
	bytes   int64         // that they take
	asked   bool          // a statement was answered: PostgreSQL would have taken a snapshot

	real realTransaction // once it is real
}

type bufferState uint8

const (
	bufferOpen   bufferState = iota
	bufferReal               // PostgreSQL has it
	bufferBroken             // it could not be made real: it can only be rolled back
	bufferOver
)

// realTransaction is what a buffer has become. The connection takes it over.
type realTransaction struct {
	conn       driver.Conn
	session    catalog.Session
	tx         driver.Tx // nil if it was begun by a statement
	held       held
	generation uint64 // of the engine's activity
	fresh      bool   // it has no snapshot yet
	failure    error  // for the next statement to return
}

// bufferedRow is a row that the transaction has written.
type bufferedRow struct {
	table *table
	key   []byte
	hash  uint64

	lease rowcache.Lease // under which it was seen as the others see it
	lost  uint64         // of the queue, then
	born  bool           // there was none: the transaction has made the row
	blind bool           // which was not looked up
	now   rowState       // as the transaction sees it
}

// rowState is a row's image, or that there is none.
type rowState struct {
	image []byte
	found bool
}

// bufferedOp is a statement that must be repeated if the transaction is made
// real.
type bufferedOp struct {
	query string
	args  []driver.NamedValue
	rows  int64 // affected, or returned
	reads bool  // it returns rows
	first bool  // of the mutations of one statement

	shape  *queue.Shape // of the mutation; nil if it changes nothing
	row    *bufferedRow
	deltas []byte   // what it adds
	before rowState // the row before it
	after  rowState // and after it
}

// deletes tells whether the operation deletes a row.
func (op *bufferedOp) deletes() bool { return op.shape != nil && op.shape.Kind == queue.Delete }

// image is that of the operation's mutation: the row after it, or, of a Delete, before.
func (op *bufferedOp) image() []byte {
	if op.deletes() {
		return op.before.image
	}
	return op.after.image
}

// savepoint is a position in a buffer.
type savepoint struct {
	name      string
	ops, kept int
}

func newBuffer(ctx context.Context, c *Conn, opts driver.TxOptions) *buffer {
	b := &buffer{engine: c.engine, owner: c, lock: c.engine.bufferLock(), ctx: ctx, opts: opts, turn: make(chan struct{}, 1), wanted: make(chan struct{}, 1), rows: make(map[uint64]*bufferedRow)}
	b.moment, _ = c.engine.clock.now()
	return b
}

// bufferLock returns an advisory lock that no other transaction has.
func (e *engine) bufferLock() int64 { return e.locksBegin + e.locksGiven.Add(1) }

// take takes the turn.
func (b *buffer) take() { b.turn <- struct{}{} }

// give ends the turn.
func (b *buffer) give() { <-b.turn }

// row returns what the transaction has written to a row; nil if nothing. certain
// is false if another row has its hash.
func (b *buffer) row(key []byte, hash uint64) (r *bufferedRow, certain bool) {
	r = b.rows[hash]
	if r == nil {
		return nil, true
	}
	return r, bytes.Equal(r.key, key)
}

// keep locks the row of an attempt to the end of the transaction, and waits, if it is
// to wait, until no direct writer holds it.
func (b *buffer) keep(ctx context.Context, a *attempt, wait bool) error {
	w, err := b.keepRow(ctx, keptRow{hash: a.hash, table: a.table, key: a.key}, wait)
	if err != nil {
		return err
	}
	return a.waited(w)
}

// keepRow is keep for a row, or values of UNIQUE columns.
func (b *buffer) keepRow(ctx context.Context, r keptRow, wait bool) (w rowWait, err error) {
	if !b.keeps(r.hash) {
		if w, err = b.engine.locks.keep(ctx, r.hash, b, wait); err != nil {
			return w, err
		}
		r.key = bytes.Clone(r.key)
		b.kept = append(b.kept, r)
	}
	if !wait {
		return w, nil
	}
	w.waited = w.waited || b.engine.rows.has(r.hash)
	return w, b.engine.rows.await(ctx, r.hash, b.engine.locks.patience, b.wanted)
}

// keeps tells whether the transaction has locked a row.
func (b *buffer) keeps(hash uint64) bool {
	return b.engine.locks.keeper(hash) == b
}

// keptRow is a row that the transaction has locked, or values of UNIQUE columns.
type keptRow struct {
	hash   uint64
	table  *table
	key    []byte
	values bool
}

// leanOn notes that the transaction relies on a row of a table, which a group up to
// newest may have written.
func (b *buffer) leanOn(l leaning, newest queue.LSN) {
	b.needs = max(b.needs, newest)
	if !slices.Contains(b.leans, l) {
		b.leans = append(b.leans, l)
	}
}

// unkeep unlocks the rows that were locked last, all but the first n.
func (b *buffer) unkeep(n int) {
	for len(b.kept) > n {
		last := len(b.kept) - 1
		b.engine.locks.unlock(b.kept[last].hash)
		b.kept = b.kept[:last]
	}
}

// write adds a mutation to the transaction, which repeatable makes one to be repeated.
func (b *buffer) write(a *attempt, shape *queue.Shape) {
	var op bufferedOp
	r := b.rows[a.hash]
	if r == nil {
		r = &bufferedRow{
			table: a.table, key: bytes.Clone(a.key), hash: a.hash,
			lease: a.lease, lost: a.lost, born: !a.found, blind: a.blind, now: rowState{bytes.Clone(a.image), a.found},
		}
		b.rows[a.hash] = r
	}
	op.shape, op.row, op.before = shape, r, r.now
	if op.after = (rowState{found: shape.Kind != queue.Delete}); op.after.found {
		op.after.image = bytes.Clone(a.next)
	}
	op.deltas = bytes.Clone(a.deltas)
	r.now = op.after
	b.schema = a.schema
	b.note(op)
}

// wrote tells whether one of the operations after the first ones wrote the row of an
// attempt.
func (b *buffer) wrote(a *attempt, first int) bool {
	return slices.ContainsFunc(b.ops[first:], func(op bufferedOp) bool { return op.row != nil && op.row.hash == a.hash })
}

// repeatable says how the mutations of one statement, those after a position, are to be
// repeated: all of them by the statement itself, or, if it has drawn values that it would
// not draw again, or gone by the time, each by the row that it came to.
func (b *buffer) repeatable(after savepoint, statement bufferedOp, drew bool) error {
	ops := b.ops[after.ops:]
	if len(ops) > 0 && ops[0].query != "" {
		return nil // it has only locked a row
	}
	if len(ops) > 0 && !drew {
		ops[0].query, ops[0].args, ops[0].rows = statement.query, cloneArgs(statement.args), statement.rows
		return nil
	}
	var err error
	for i := range ops {
		op := &ops[i]
		if op.query, op.args, err = b.engine.queue.Statement(op.shape, op.image()); err != nil {
			return err
		}
		op.rows = 1
	}
	return nil
}

// claimed notes that the values that the transaction has claimed are those of rows of a
// group.
func (b *buffer) claimed(lsn queue.LSN) {
	for _, r := range b.kept {
		if r.values {
			b.engine.claims.add(r.hash, lsn, b.engine.queue)
		}
	}
}

// note adds an operation that is to be repeated.
func (b *buffer) note(op bufferedOp) {
	op.args = cloneArgs(op.args)
	b.ops = append(b.ops, op)
	size := int64(len(op.query) + len(op.before.image) + len(op.after.image) + len(op.deltas) + 128)
	b.noted, b.bytes = b.noted+1, b.bytes+size
	b.engine.buffering.ops.Add(1)
	b.engine.buffering.bytes.Add(size)
}

// cloneArgs copies arguments whose memory is the caller's.
func cloneArgs(args []driver.NamedValue) []driver.NamedValue {
	args = slices.Clone(args)
	for i := range args {
		if b, ok := args[i].Value.([]byte); ok {
			args[i].Value = bytes.Clone(b)
		}
	}
	return args
}

// Bounds on one transaction; a larger one is made real. All of them together have
// those of what is pending.
const (
	maxBufferedOps   = 10_000
	maxBufferedBytes = 16 << 20
)

// full tells whether the transaction, or all of them together, have reached a bound.
func (b *buffer) full() bool {
	all, s := &b.engine.buffering, &b.engine.settings
	return len(b.ops) >= maxBufferedOps || b.bytes >= maxBufferedBytes ||
		all.ops.Load() >= int64(s.maxPendingRows) || all.bytes.Load() >= s.maxPendingBytes
}

// buffering counts what all open transactions have buffered.
type buffering struct{ ops, bytes atomic.Int64 }

// mark sets a savepoint.
func (b *buffer) mark(name, query string) {
	b.note(bufferedOp{query: query})
	b.marks = append(b.marks, savepoint{name, len(b.ops), len(b.kept)})
}

// find returns the position of the newest savepoint of a name, -1 if there is
// none.
func (b *buffer) find(name string) int {
	for i := len(b.marks) - 1; i >= 0; i-- {
		if b.marks[i].name == name {
			return i
		}
	}
	return -1
}

// backTo undoes what came after a savepoint, which stays.
func (b *buffer) backTo(name string) bool {
	i := b.find(name)
	if i < 0 {
		return false
	}
	b.undo(b.marks[i])
	b.marks = b.marks[:i+1]
	return true
}

// here is the position that the transaction has come to.
func (b *buffer) here() savepoint { return savepoint{ops: len(b.ops), kept: len(b.kept)} }

// undo undoes what came after a position.
func (b *buffer) undo(m savepoint) {
	for n := len(b.ops) - 1; n >= m.ops; n-- {
		if op := &b.ops[n]; op.row != nil {
			op.row.now = op.before
		}
	}
	clear(b.ops[m.ops:])
	b.ops = b.ops[:m.ops]
	for _, r := range b.kept[m.kept:] {
		delete(b.rows, r.hash) // nothing written is left of it: the lock came first
	}
	b.unkeep(m.kept)
}

// release forgets a savepoint and those after it; what was done since stays.
func (b *buffer) release(name string) bool {
	i := b.find(name)
	if i < 0 {
		return false
	}
	for _, m := range b.marks[i:] {
		b.ops[m.ops-1].query = "" // the savepoint itself need not be set again
	}
	b.marks = b.marks[:i]
	return true
}

// statements returns how many statements have made the mutations of the transaction.
func (b *buffer) statements() (n uint64) {
	for i := range b.ops {
		if b.ops[i].first {
			n++
		}
	}
	return n
}

// group returns the mutations of the transaction, in their order.
func (b *buffer) group() []queue.Mutation {
	var group []queue.Mutation
	for i := range b.ops {
		op := &b.ops[i]
		if op.shape == nil {
			continue
		}
		group = append(group, queue.Mutation{Shape: op.shape, Key: op.row.key, Hash: op.row.hash, Image: op.image(), Deltas: op.deltas, Blind: op.row.blind})
	}
	return group
}

// register makes the transaction known to those who write past the buffers to a
// table. The queue's commit lock is held.
func (b *buffer) register(t *tableState) {
	if !slices.Contains(b.tables, t) {
		if len(b.tables) == 0 {
			b.engine.buffers++
		}
		b.tables = append(b.tables, t)
		if t.buffers == nil {
			t.buffers = make(map[*buffer]struct{})
		}
		t.buffers[b] = struct{}{}
	}
}

// unregister is the end of that. The queue's commit lock is held.
func (b *buffer) unregister() {
	for _, t := range b.touched {
		delete(t.state.users, b)
	}
	b.touched = nil
	for _, t := range b.tables {
		delete(t.buffers, b)
	}
	if len(b.tables) > 0 {
		b.engine.buffers--
	}
	b.tables = nil
}

// end forgets all that the transaction was.
func (b *buffer) end(as bufferState) {
	if len(b.tables)+len(b.touched) > 0 {
		b.engine.queue.Exclusive(b.unregister)
	}
	b.unkeep(0)
	b.engine.buffering.ops.Add(-b.noted)
	b.engine.buffering.bytes.Add(-b.bytes)
	b.noted, b.bytes = 0, 0
	b.state = as
	b.rows, b.ops, b.marks, b.schema, b.leans = nil, nil, nil, nil, nil
}

// Valid implements queue.Validator: it tells whether what the transaction was
// made from still holds. Nobody who defers has written its rows: they are locked.
// Whoever writes past the buffers, or finds that a row is not what it was taken
// for, moves an epoch or holds the row.
func (b *buffer) Valid() bool {
	e := b.engine
	if e.ownership.state.Load() != owned || e.schema.Load() != b.schema {
		return false
	}
	for _, r := range b.rows {
		s := r.table.state
		if s.direct.Load() > 0 || e.rows.has(r.hash) || s.epoch.Load() != r.lease.Epoch || e.queue.Lost() != r.lost {
			return false
		}
	}
	return !slices.ContainsFunc(b.leans, func(l leaning) bool { return !l.stands() })
}
