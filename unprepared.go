package writebehind

import (
	"context"
	"fmt"
	"slices"

	"github.com/writebehind/writebehind/rewrite"
)

// A statement that can be deferred or cached is prepared in memory: PostgreSQL is
// certain to accept it, and may never have to execute it. It is prepared there when
// it must run on the real connection for the first time, which by then may be
// another one than at Prepare.
//
// What an application could notice is a change of the schema in between. A statement
// that PostgreSQL has prepared fails if the change gives its result other columns
// ("cached plan must not change result type", SQLSTATE 0A000); one that is not
// prepared yet answers as a statement does that was prepared after the change. A pool
// prepares a statement on each of its connections, at a time of its own choosing, so
// this is an answer that any execution may get. A change that makes the statement
// invalid is an error at the execution in both cases.

// accepted tells whether PostgreSQL is certain to accept the statement when it is
// prepared. What is deferred or cached it would have executed, for some arguments:
// tables, columns and operators are there, each literal is a value of its type, and
// each parameter has one type that PostgreSQL can tell. It checks privileges, and
// arguments, when it executes.
func (p *plan) accepted() bool { return p.read != nil || p.write != nil }

// prepareLater prepares an accepted statement in memory.
func (c *Conn) prepareLater(p *plan) *Stmt {
	s := &Stmt{conn: c, query: p.query, inputs: p.stmt.Params}
	if !c.connector.backend.isPQ() {
		s.inputs = -1 // another driver may not count them
	}
	c.unprepared = append(c.unprepared, s)
	return s
}

// prepareBuffered prepares an accepted statement in the buffered transaction. It
// returns nil if that is real now, and the statement must be prepared in it.
func (c *Conn) prepareBuffered(ctx context.Context, p *plan) (*Stmt, error) {
	b, err := c.enterBuffer()
	if b == nil {
		return nil, err
	}
	defer b.give()
	if p.accepted() && c.free(ctx) {
		// To prepare it PostgreSQL locks the table, and takes a snapshot.
		again := b.touchTable(p.table.state, p.tableLock())
		if again || p.table.state.direct.Load() == 0 {
			b.asked = true
			return c.prepareLater(p), nil
		}
	}
	return nil, c.makeReal(b) // an error must fail the transaction
}

// tableLock is the lock that an accepted statement takes on its table.
func (p *plan) tableLock() tableLock {
	switch {
	case p.stmt.Form != rewrite.Select:
		return rowExclusive
	case p.stmt.Lock != "":
		return rowShare
	}
	return accessShare
}

// prepare prepares the statement on the real connection, unless it is. args is how
// many arguments are to be executed with: where NumInput did not tell how many it
// takes, database/sql could not compare.
func (s *Stmt) prepare(ctx context.Context, args int) error {
	if s.real != nil {
		return nil
	}
	if err := s.prepareNow(ctx); err != nil {
		return err
	}
	if n := s.real.NumInput(); n >= 0 && n != args {
		return fmt.Errorf("sql: expected %d arguments, got %d", n, args)
	}
	return nil
}

func (s *Stmt) prepareNow(ctx context.Context) error {
	real, err := prepareReal(ctx, s.conn.real, s.query)
	if err != nil {
		return err
	}
	s.conn.forget(s)
	s.real, s.conn.prepared = real, true
	return nil
}

// prepareAll prepares all that is unprepared for a statement that may end what is
// prepared: it is to end these, too.
func (c *Conn) prepareAll(ctx context.Context) error {
	for _, s := range slices.Clone(c.unprepared) {
		if err := c.beforeSnapshot(ctx, c.engine.plan(s.query)); err != nil {
			return err
		}
		_ = s.prepareNow(ctx) // it fails again when the statement is executed
	}
	return nil
}

// forget removes a statement from those that are unprepared.
func (c *Conn) forget(s *Stmt) {
	if i := slices.Index(c.unprepared, s); i >= 0 {
		c.unprepared = slices.Delete(c.unprepared, i, i+1)
	}
}
