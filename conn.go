package writebehind

import (
	"context"
	"database/sql/driver"
	"errors"
	"runtime"
	"time"

	"github.com/writebehind/writebehind/internal/catalog"
	"github.com/writebehind/writebehind/internal/pgerr"
	"github.com/writebehind/writebehind/rewrite"
)

var (
	_ driver.Conn               = (*Conn)(nil)
	_ driver.ConnBeginTx        = (*Conn)(nil)
	_ driver.ConnPrepareContext = (*Conn)(nil)
	_ driver.Execer             = (*Conn)(nil) //nolint:staticcheck // lib/pq's connection has it, so ours has
	_ driver.ExecerContext      = (*Conn)(nil)
	_ driver.NamedValueChecker  = (*Conn)(nil)
	_ driver.Pinger             = (*Conn)(nil)
	_ driver.Queryer            = (*Conn)(nil) //nolint:staticcheck // as above
	_ driver.QueryerContext     = (*Conn)(nil)
	_ driver.SessionResetter    = (*Conn)(nil)
	_ driver.Validator          = (*Conn)(nil)
)

// Conn is a connection. Like every driver.Conn it is used by one goroutine at a
// time. The real connection behind it is made when something needs it.
type Conn struct {
	connector *Connector
	engine    *engine     // nil until a statement needs it: so far everything has passed through
	real      driver.Conn // nil until something needs it
	met       bool        // the real session has been compared with the engine's
	stale     bool        // it must be again before anything is deferred or cached
	session   catalog.Session
	attempt   attempt
	last      lastValues
	parent    attempt // to find a row that the attempt's one refers to
	ahead     ahead
	spare     *cachedRows // to be used again
	many      []attempt   // of the rows of a list of keys

	buffer        *buffer // the transaction, while PostgreSQL does not know of it
	tx            *Tx     // begun by BeginTx
	textTx        bool    // begun by a statement, and real
	freshSnapshot bool    // the next statement takes the snapshot of its transaction
	sessionLocks  bool    // the session may hold locks outside of transactions
	otherKeys     bool    // the transaction has changed how the session reads a text
	readCommitted bool    // the transaction was buffered, and nothing has changed its level since
	dirty         string  // why the session may not be what decisions are made for
	foreign       string  // why it is not, whatever its settings
	limits        string  // of a new session, see catalog.Session
	opaque        string  // why the names in a statement may not be what they seem
	held          held
	reloads       bool // the schema is to be read again when held ends
	counted       bool // among the engine's activity, in generation
	generation    uint64
	early         *early
	prepared      bool // the real connection has prepared statements of the application
	unprepared    []*Stmt
	streak        uint // statements answered from memory
	yielded       time.Time
	lastPlan      *plan // of the statement before
}

// attach makes the connection one of the engine's that its connector uses.
func (c *Conn) attach(from *Connector) {
	c.engine = from.engine
	engines.attach(c.engine)
	c.dirty, c.foreign, c.opaque, c.limits = from.foreign, from.foreign, from.opaque, from.limits
}

// Unwrap returns the real driver's connection, making it if need be; nil if
// that fails. What is done with it is not seen by the shim.
func (c *Conn) Unwrap() driver.Conn {
	if c.leaveBuffer() != nil || c.dial(context.Background()) != nil {
		return nil
	}
	return c.real
}

// ExecContext executes a statement: deferred if it can be, else direct.
func (c *Conn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	return c.exec(ctx, query, nil, args)
}

// QueryContext executes a statement that may return rows: from overlay and
// cache if it can be, else direct.
func (c *Conn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	return c.query(ctx, query, nil, args)
}

// exec executes a statement, prepared (s) or not (nil).
func (c *Conn) exec(ctx context.Context, query string, s *Stmt, args []driver.NamedValue) (driver.Result, error) {
	p, err := c.plan(ctx, query)
	switch {
	case err != nil:
		return nil, err
	case p == nil:
		defer c.endEarly()
		return c.execReal(ctx, query, s, args)
	case p.control.verb != noControl:
		return c.execControl(ctx, p)
	}
	switch {
	case c.buffer != nil:
		if result, done, err := c.execBuffered(ctx, p, query, args); done || err != nil {
			c.endFailed(ctx, p, err)
			return result, err
		}
	case p.write != nil && c.free(ctx):
		if result, done, err := c.deferWrite(ctx, p, args); done || err != nil {
			c.answered() // only now: the row is no longer locked
			return result, err
		}
	case p.stmt.Step == rewrite.Begin && len(args) == 0 && c.free(ctx) && c.engine.mayBuffer(driver.TxOptions{}):
		c.buffer = newBuffer(context.WithoutCancel(ctx), c, driver.TxOptions{})
		c.buffer.byText = true
		return driver.RowsAffected(0), nil
	}
	h, err := c.enter(ctx, p, args)
	if err != nil {
		c.endFailed(ctx, p, err)
		return nil, err
	}
	query, s = c.askLast(p, query, s)
	result, err := c.execReal(ctx, query, s, args)
	c.forgetLast(p)
	c.leave(ctx, p, h, err)
	return result, err
}

// query executes a statement that may return rows, prepared (s) or not (nil).
func (c *Conn) query(ctx context.Context, query string, s *Stmt, args []driver.NamedValue) (driver.Rows, error) {
	p, err := c.plan(ctx, query)
	switch {
	case err != nil:
		return nil, err
	case p == nil:
		return c.queryEarly(ctx, query, s, args)
	case p.control.verb != noControl:
		return c.queryControl(ctx, p, args)
	}
	switch {
	case c.buffer != nil:
		if rows, done, err := c.queryBuffered(ctx, p, query, args); done || err != nil {
			return rows, err
		}
	case p.write != nil && p.write.returning != nil && c.free(ctx):
		if _, done, err := c.deferWrite(ctx, p, args); done || err != nil {
			c.answered() // only now: the row is no longer locked
			if err != nil {
				return nil, err
			}
			return c.returned(p), nil
		}
	case p.read != nil && p.read.lock == noRowLock && c.free(ctx):
		if rows, done, err := c.cachedRead(ctx, nil, p, args); done || err != nil {
			return rows, err
		}
	}
	h, err := c.enter(ctx, p, args)
	if err != nil {
		return nil, err
	}
	query, s = c.askLast(p, query, s)
	rows, err := c.queryReal(ctx, query, s, args)
	c.forgetLast(p)
	if err != nil || p.stmt.Effect < rewrite.Writes && h.nothing() && !p.reach.ddl {
		c.leave(ctx, p, h, err)
		return rows, err
	}
	// The statement goes on until its rows are closed.
	return &heldRows{realRows: realRows{rows}, finish: func(err error) { c.leave(ctx, p, h, err) }}, nil
}

// returned is the result of the write that was just done from memory.
func (c *Conn) returned(p *plan) driver.Rows {
	return newCachedRows(p.write.returning.result, c.attempt.result)
}

func (c *Conn) execReal(ctx context.Context, query string, s *Stmt, args []driver.NamedValue) (driver.Result, error) {
	if s != nil {
		if err := s.prepare(ctx, len(args)); err != nil {
			return nil, err
		}
		return s.execReal(ctx, args)
	}
	return execReal(ctx, c.real, query, args)
}

func (c *Conn) queryReal(ctx context.Context, query string, s *Stmt, args []driver.NamedValue) (driver.Rows, error) {
	if s != nil {
		if err := s.prepare(ctx, len(args)); err != nil {
			return nil, err
		}
		return s.queryReal(ctx, args)
	}
	return queryReal(ctx, c.real, query, args)
}

// plan returns the plan of a statement; nil if it passes through untouched, and
// then there is a real connection.
func (c *Conn) plan(ctx context.Context, query string) (*plan, error) {
	if c.engine == nil {
		if !c.connector.settings.optsIn() || c.passes(query) {
			err := c.dial(ctx)
			if err != nil {
				c.endEarly()
			}
			return nil, err
		}
		if err := c.connector.engage(ctx, c); err != nil {
			return nil, err
		}
	}
	if p := c.lastPlan; p != nil && p.query == query && p.schema == c.engine.schema.Load() {
		return p, nil
	}
	p := c.engine.plan(query)
	if len(query) <= planTextBytes {
		c.lastPlan = p
	}
	return p, nil
}

// inTransaction tells whether a real transaction is, or may be, open.
func (c *Conn) inTransaction() bool { return c.tx != nil && c.tx.real != nil || c.textTx }

// free tells whether the connection may defer and cache now.
func (c *Conn) free(ctx context.Context) bool {
	if c.inTransaction() || c.foreign != "" || ctx.Err() != nil || syncWanted(ctx) {
		return false
	}
	if c.stale {
		c.met = false
	}
	if !c.met && c.real != nil && c.meet(ctx) != nil {
		return false
	}
	return c.dirty == "" && c.opaque == ""
}

// yieldAfter is how long statements are answered from memory before the goroutine
// yields, which is looked at once in clockEvery statements. It never blocks on the
// network as it would with another driver, and would keep the others waiting for all
// of its 10 ms: the flusher, the look-ups, the rest of the application.
const (
	yieldAfter = 200 * time.Microsecond
	clockEvery = 32
)

// answered counts a statement that was answered from memory.
func (c *Conn) answered() {
	c.streak++
	if c.streak%clockEvery == 0 && time.Since(c.yielded) > yieldAfter {
		runtime.Gosched()
		c.yielded = time.Now()
	}
}

// dial makes the real connection if there is none yet.
func (c *Conn) dial(ctx context.Context) error {
	if c.real != nil {
		return nil
	}
	real, err := c.connector.backend.dial(ctx)
	if err != nil {
		return err
	}
	c.real = real
	return nil
}

// meet makes the real connection if there is none yet, and sees whether its
// session is one that the engine's decisions are made for. Inside a transaction
// no question is asked: nothing is deferred or cached there, and the question
// could fail, or take the transaction's snapshot.
func (c *Conn) meet(ctx context.Context) error {
	if err := c.dial(ctx); err != nil {
		return err
	}
	if c.met || c.inTransaction() {
		return nil
	}
	session, err := catalog.ReadSession(ctx, c.real)
	switch {
	case err == nil:
		c.compare(session)
	case c.session.BackendPID == 0 || pgerr.State(err) == "" || ctx.Err() != nil:
		return err
	default: // what the application has made of the session forbids to ask
		c.dirty, c.opaque = unreadable, unreadable
	}
	return nil
}

// compare sees whether a real session is one that the engine's decisions are made
// for.
func (c *Conn) compare(session catalog.Session) {
	c.met, c.stale, c.session = true, false, session
	c.dirty, c.opaque = c.foreign, ""
	if c.dirty == "" && (session.Class() != c.engine.session.Class() || session.Limits != c.limits) {
		c.dirty = otherSession
	}
	if !session.StandardConformingStrings {
		c.opaque = quotingOff
	}
}

// Exec implements the older driver.Execer, which database/sql does not call.
func (c *Conn) Exec(query string, args []driver.Value) (driver.Result, error) {
	return c.ExecContext(context.Background(), query, named(args))
}

// Query implements the older driver.Queryer, which database/sql does not call.
func (c *Conn) Query(query string, args []driver.Value) (driver.Rows, error) {
	return c.QueryContext(context.Background(), query, named(args))
}

// CheckNamedValue converts an argument as the real driver does.
func (c *Conn) CheckNamedValue(nv *driver.NamedValue) error {
	if c.connector.backend.isPQ() {
		switch v := nv.Value.(type) { // as lib/pq and database/sql do between them
		case nil, int64, string, bool, float64, time.Time, []byte:
			return nil
		case int:
			nv.Value = int64(v)
			return nil
		}
	}
	real := c.real
	if real == nil && c.engine != nil {
		return c.engine.checkNamedValue(nv)
	}
	if real == nil {
		if err := c.dial(context.Background()); err != nil {
			return err
		}
		real = c.real
	}
	return checkNamedValue(real, nv)
}

func checkNamedValue(real driver.Conn, nv *driver.NamedValue) error {
	if checker, ok := real.(driver.NamedValueChecker); ok {
		return checker.CheckNamedValue(nv)
	}
	return driver.ErrSkip
}

// Ping asks the real server whether it is there.
func (c *Conn) Ping(ctx context.Context) error {
	if b := c.buffer; b != nil { // another one may be making it real
		b.take()
		defer b.give()
	}
	if err := c.dial(ctx); err != nil {
		return err
	}
	if pinger, ok := c.real.(driver.Pinger); ok {
		return pinger.Ping(ctx)
	}
	return nil
}

// ResetSession is called before the connection is used again.
func (c *Conn) ResetSession(ctx context.Context) error {
	if c.buffer != nil { // begun by a statement and never ended
		return nil
	}
	if resetter, ok := c.real.(driver.SessionResetter); ok {
		return resetter.ResetSession(ctx)
	}
	return nil
}

// IsValid tells whether the connection can be kept.
func (c *Conn) IsValid() bool {
	if validator, ok := c.real.(driver.Validator); ok {
		return validator.IsValid()
	}
	return true
}

// Close closes the real connection. When it is the last one to its database,
// what is pending is brought to PostgreSQL first.
func (c *Conn) Close() error {
	if b := c.buffer; b != nil {
		b.take()
		if b.state == bufferOpen {
			b.end(bufferOver)
		}
		if b.state == bufferReal {
			_ = c.takeOver(b) // nobody is there to hear of a failure
		}
		c.buffer = nil
		b.give()
	}
	var err error
	if c.real != nil {
		err = c.real.Close()
	}
	c.textTx, c.tx = false, nil
	c.endEarly()
	if c.engine == nil {
		return err
	}
	c.finish(context.Background(), err)
	return errors.Join(err, engines.detach(c.engine))
}
