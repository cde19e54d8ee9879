package writebehind

import (
	"context"
	"database/sql/driver"
	"regexp"

	"github.com/writebehind/writebehind/rewrite"
)

// Before a process has an engine nothing is pending and nothing cached, so a
// statement that names no table can run as it is, and the time that an engine
// takes to start is not taken from its deadline. But a function that it calls may
// write, and go on doing so while an engine starts.

// early is an early statement, or the transaction of one, that may still write.
type early struct{ holds []earlyHold } // guarded by registry.mu

// earlyHold is what an early statement holds of an engine that was started
// meanwhile.
type earlyHold struct {
	engine     *engine
	tables     []*tableState
	generation uint64 // of the engine's activity
}

// nameless tells whether a statement names no table: it is empty, or a SELECT
// without FROM. Which functions it calls is not asked.
func nameless(st *rewrite.Statement) bool {
	if st.Opaque != "" || st.Several || st.Session || len(st.Relations) > 0 {
		return false
	}
	return st.Verb == "" || st.Verb == "SELECT" && st.Effect == rewrite.Reads
}

// constantsOnly is a SELECT, or nothing, that neither sees nor does anything:
// it has no function, operator, cast or literal but numbers.
var constantsOnly = regexp.MustCompile(`^(?i:\s*select\b[\w\s,]*)?[\s;]*$`)

// passes tells whether a statement can run before there is an engine.
func (c *Conn) passes(query string) bool {
	if c.early != nil && c.inTransaction() && parseControl(query).verb == noControl {
		// An engine might wait for what this transaction has locked. If one is
		// started meanwhile, the transaction holds all of its tables.
		return true
	}
	st := rewrite.Parse(query)
	if !nameless(st) {
		return false
	}
	for _, f := range st.Functions {
		if locksOrNotifies[f.Name] {
			return false
		}
	}
	if c.early != nil || !c.inTransaction() && constantsOnly.MatchString(query) {
		return true
	}
	// A function may see and do anything, and in a transaction even a constant
	// may take the snapshot by which the rest of it is read.
	token, ok := engines.begin()
	c.early = token
	return ok
}

// endEarly is called after every statement and transaction of the connection.
func (c *Conn) endEarly() {
	if c.early != nil && !c.inTransaction() {
		engines.end(c.early)
		c.early = nil
	}
}

// begin admits an early statement; false if the process has an engine, for
// whatever database, or is about to have one.
func (r *registry) begin() (*early, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.all) > 0 {
		return nil, false
	}
	s := &early{}
	r.early[s] = struct{}{}
	return s, true
}

func (r *registry) end(s *early) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.early, s)
	for _, h := range s.holds {
		h.engine.activity.end(h.generation)
		h.engine.owe(h.tables) // it may have changed the schema, too
	}
}

// holdEarly keeps the tables of a new engine direct until the early statements
// under way have ended; mu is held.
func (r *registry) holdEarly(e *engine) {
	tables := states(e.schema.Load().sorted())
	for s := range r.early {
		e.hold(tables, false) // nobody has buffered anything yet
		s.holds = append(s.holds, earlyHold{e, tables, e.activity.begin()})
	}
}

func (c *Conn) queryEarly(ctx context.Context, query string, s *Stmt, args []driver.NamedValue) (driver.Rows, error) {
	rows, err := c.queryReal(ctx, query, s, args)
	if c.early == nil {
		return rows, err
	}
	if err != nil {
		c.endEarly()
		return nil, err
	}
	return &heldRows{realRows: realRows{rows}, finish: func(error) { c.endEarly() }}, nil
}
