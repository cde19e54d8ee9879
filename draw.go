package writebehind

import (
	"crypto/rand"
	"database/sql/driver"
	"fmt"
	"time"

	"github.com/writebehind/writebehind/internal/catalog"
)

// draw is a value that PostgreSQL would make while it executes a statement, and
// that is made here instead.
type draw uint8

const (
	noDraw       draw = iota
	drawNow           // now(): one value for a statement, or for a transaction
	drawUUID          // gen_random_uuid()
	drawSequence      // the next value of the column's sequence
	unbound           // a value that PostgreSQL must make: the statement is direct
)

// drawnDefault returns what makes the default of a column, noDraw if nothing here
// does.
func drawnDefault(c *catalog.Column) draw {
	switch c.Default.Kind {
	case catalog.DefaultNow:
		return drawNow
	case catalog.DefaultUUID:
		return drawUUID
	case catalog.DefaultSequence:
		return drawSequence
	}
	return noDraw
}

// value returns the canonical value of a source; ok is false where it is not
// certain.
func (a *attempt) value(s *source, args []driver.NamedValue) (v driver.Value, ok bool) {
	switch s.draw {
	case noDraw:
		return s.value(a.engine.values, args)
	case drawNow:
		at, ok := a.now()
		if !ok {
			return nil, false
		}
		a.drew = true
		return s.column.Type.Argument(a.engine.values.Own(), at)
	case drawUUID:
		a.drew = true
		return s.column.Type.Argument(a.engine.values.Own(), newUUID())
	}
	return nil, false // a sequence is drawn from by propose
}

// now returns now() of the statement, or of the transaction, in the session's time
// zone.
func (a *attempt) now() (at time.Time, ok bool) {
	moment := &a.moment
	if a.buffer != nil {
		moment = &a.buffer.moment
	}
	if moment.IsZero() {
		if *moment, ok = a.engine.clock.now(); !ok {
			return time.Time{}, false
		}
	}
	if a.engine.values.Location == nil {
		return time.Time{}, false
	}
	return moment.In(a.engine.values.Location), true
}

// newUUID returns a random UUID as gen_random_uuid() makes it: version 4, variant 1.
// (PostgreSQL: src/backend/utils/adt/uuid.c).
func newUUID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // it never fails
	b[6] = b[6]&0x0f | 0x40
	b[8] = b[8]&0x3f | 0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
