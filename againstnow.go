package writebehind

import (
	"database/sql/driver"
	"time"

	"github.com/writebehind/writebehind/rewrite"
)

// comparesWithNow tells whether the condition is about the time of the statement.
func (c *condition) comparesWithNow() bool { return c.op >= rewrite.BeforeNow }

// nearNow is how far a time must be from now(), as it is told here, for it to be certain
// on which side of PostgreSQL's own it lies.
const nearNow = time.Second

// holds evaluates a condition on the value of its column; known is false where it is not
// certain.
func (a *attempt) holds(c *condition, args []driver.NamedValue, cell driver.Value) (holds, known bool) {
	if !c.comparesWithNow() || cell == nil {
		return c.holds(a.engine.values, args, cell)
	}
	a.drew = true // evaluated again at another time, it may come to something else
	at, isTime := cell.(time.Time)
	now, told := a.now()
	if ahead := at.Sub(now); !isTime || !told || ahead.Abs() < nearNow {
		return false, false
	}
	return at.After(now) == (c.op == rewrite.AfterNow || c.op == rewrite.NotBeforeNow), true
}
