package writebehind

import (
	"database/sql/driver"
	"time"

	"github.com/writebehind/writebehind/cachekeys"
	"github.com/writebehind/writebehind/internal/rowcache"
	"github.com/writebehind/writebehind/internal/rowimage"
	"github.com/writebehind/writebehind/queue"
)

// attempt is one attempt to defer a write or to answer a read: what it saw, for
// the validation under the commit lock. It lives in its connection and is used
// again.
type attempt struct {
	engine *engine
	table  *table
	schema *schema
	key    []byte
	hash   uint64
	lease  rowcache.Lease

	values   []driver.Value   // of the key
	cells    []driver.Value   // of the row that an INSERT proposes
	checked  []driver.Value   // scratch: the cells that a CHECK constraint looks at
	changed  []int            // columns that an UPDATE gives other values, if that is asked for
	image    []byte           // the row as it is
	room     []byte           // for image, where it is not the cache's
	alone    bool             // image is nobody else's, and stays as it is
	read     time.Time        // the clock, if blocked has looked at it since the stamp
	next     []byte           // the row as it will be
	deltas   []byte           // what the write adds, as the shape says
	found    bool             // the row is there
	blind    bool             // that was not looked up
	given    []driver.Value   // of RETURNING, for the row; nil if it returns none
	result   [][]driver.Value // of RETURNING, for all rows of the statement
	leans    []leaning        // the rows that the write relies on
	moment   time.Time        // now() of a statement outside of a transaction; zero until it is asked for
	asked    bool             // the statement has waited for a look-up
	drew     bool             // the statement has drawn values, or gone by the time
	draws    []drawnValue     // those of sequences
	fresh    *sequence        // the key was drawn from it, so no row has it; nil else
	doubtful bool             // the key was drawn, and a row may have it
	late     bool             // the row was waited for
	gone     bool             // the row was deleted meanwhile
	basis    queue.Receipt    // group in flight that image comes from
	lost     uint64           // of the queue, before it was looked at
	writes   bool             // it is to be deferred, not cached
	buffer   *buffer          // open transaction in which it is made; nil outside
}

// begin starts an attempt at a statement, in a buffered transaction or outside (nil).
// ok is false if the statement must go direct.
func (a *attempt) begin(e *engine, b *buffer, p *plan, args []driver.NamedValue) (ok bool) {
	a.engine, a.buffer, a.table, a.schema, a.writes = e, b, p.table, p.schema, p.write != nil
	a.result, a.leans, a.moment, a.drew, a.draws, a.fresh = nil, a.leans[:0], time.Time{}, false, a.draws[:0], nil
	a.asked, a.late, a.gone = false, false, false
	return len(args) == p.stmt.Params
}

// beginRow is begin for a statement about the one row whose key the sources give.
func (a *attempt) beginRow(e *engine, b *buffer, p *plan, key []source, args []driver.NamedValue) (ok bool) {
	if !a.begin(e, b, p, args) {
		return false
	}
	a.values = a.values[:0]
	for i := range key {
		v, ok := key[i].value(e.values, args)
		if !ok {
			return false
		}
		a.values = append(a.values, v)
	}
	return a.locate()
}

// accompany makes the attempt one at a further row, of a table, of the same statement.
func (a *attempt) accompany(of *attempt, t *table, writes bool) {
	a.engine, a.buffer, a.table, a.schema, a.writes = of.engine, of.buffer, t, of.schema, writes
}

// locate computes the key of the row from its values.
func (a *attempt) locate() (ok bool) {
	if a.key, ok = cachekeys.Append(a.key[:0], a.table.rel, a.values); ok {
		a.hash = rowcache.Hash(a.key)
	}
	return ok
}

// stamp reads the tuple that will be validated: row version and epoch come before
// anything that is looked at under them.
func (a *attempt) stamp() {
	a.read = time.Time{}
	a.lost = a.engine.queue.Lost()
	a.lease = a.engine.cache.Lease(a.hash, a.table.state.epoch.Load(), a.schema.version)
}

// blocked tells whether nothing may be deferred or cached on the table now.
func (a *attempt) blocked() bool {
	if a.held() {
		return true
	}
	if a.writes {
		return false
	}
	a.read = time.Now()
	return !a.engine.mayCache(a.read)
}

// shareBelow is the size in bytes of the largest image in which the strings of an answer
// may lie: one that the application keeps keeps all of it.
const shareBelow = 512

// keep makes a copy of an image the attempt's.
func (a *attempt) keep(image []byte) {
	a.room = append(a.room[:0], image...)
	a.image, a.alone = a.room, false
}

// held is blocked but for the question how long ago the others have heard of this
// process, which takes a look at the clock.
func (a *attempt) held() bool {
	if a.table.state.direct.Load() > 0 || a.engine.schema.Load() != a.schema {
		return true
	}
	if a.writes {
		return a.engine.rows.has(a.hash) || a.engine.ownership.state.Load() != owned
	}
	return a.engine.ownership.state.Load() == shared
}

// Valid implements queue.Validator: it compares the tuple with that of now.
func (a *attempt) Valid() bool { return a.stands() && !a.moved() }

// stands tells whether everything but the row's version is as it was, and moved
// whether that is not.
func (a *attempt) stands() bool {
	if a.blocked() || a.engine.queue.Lost() != a.lost || a.table.state.epoch.Load() != a.lease.Epoch {
		return false
	}
	for _, l := range a.leans {
		if !l.stands() {
			return false
		}
	}
	return a.fresh == nil || a.fresh.isFree(a.values[0])
}

func (a *attempt) moved() bool { return a.engine.cache.Moved(a.hash, a.lease) }

// written returns what the transaction has written to the row; nil if nothing.
// certain is false if that cannot be told, or may not hold any more.
func (a *attempt) written() (r *bufferedRow, certain bool) {
	if a.buffer == nil {
		return nil, true
	}
	if r, certain = a.buffer.row(a.key, a.hash); r == nil || !certain {
		return nil, certain
	}
	return r, a.buffer.schema == a.schema && r.lost == a.lost && r.lease.Epoch == a.lease.Epoch
}

// look finds the row in the transaction's buffer, the overlay or the cache. ok is
// false if none knows; stale says that what is there cannot be relied on.
func (a *attempt) look() (ok, stale bool) {
	a.basis = queue.Receipt{}
	if r, certain := a.written(); !certain {
		return false, true
	} else if r != nil {
		a.keep(r.now.image)
		a.found = r.now.found
		return true, false
	}
	var image []byte
	var state queue.State
	if a.writes {
		image, state, a.basis = a.engine.queue.Pending(a.room[:0], a.key, a.hash, a.schema.version)
	} else {
		image, state = a.engine.queue.Get(a.room[:0], a.key, a.hash, a.schema.version)
	}
	switch state {
	case queue.Present, queue.Absent:
		a.room, a.image, a.alone, a.found = image, image, false, state == queue.Present
		return true, false
	case queue.Stale:
		return false, true
	}
	if a.engine.rows.has(a.hash) {
		return false, false // what is in the cache may be from before
	}
	now := a.read
	if now.IsZero() {
		now = time.Now()
	}
	image, verdict := a.engine.cache.Get(a.key, a.hash, a.lease.Epoch, a.lease.Schema, now)
	if verdict == rowcache.Miss {
		return false, false
	}
	a.image, a.alone, a.found = image, len(image) <= shareBelow, verdict == rowcache.Present
	return true, false
}

// known returns the values of columns of a row, or errUncertain if one is unknown.
func (a *attempt) known(image []byte, columns []int) ([]driver.Value, error) {
	row := make([]driver.Value, len(columns))
	return row, certainRow(row, rowimage.DecodeColumns(image, a.engine.values.Location, columns, row))
}

// decode is known for the row as it is, into a row of the caller's. Its strings may
// share memory with image, if that stays as it is.
func (a *attempt) decode(row []driver.Value, columns []int) error {
	if a.alone {
		return certainRow(row, rowimage.DecodeInPlace(a.image, a.engine.values.Location, columns, row))
	}
	return certainRow(row, rowimage.DecodeColumns(a.image, a.engine.values.Location, columns, row))
}

// certainRow returns errUncertain if a value of a row, decoded without an error, is
// unknown.
func certainRow(row []driver.Value, err error) error {
	if err != nil {
		return err
	}
	for _, v := range row {
		if _, unknown := v.(rowimage.Unknown); unknown {
			return errUncertain
		}
	}
	return nil
}
