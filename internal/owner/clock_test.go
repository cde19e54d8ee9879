package owner_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/writebehind/writebehind/internal/owner"
)

// jump moves every heartbeat, as a server's clock does that is set: forward makes
// them old, back puts them into the future.
func (w *world) jump(by string) {
	w.Helper()
	w.exec(`UPDATE writebehind.instance SET heartbeat = heartbeat - $1::interval`, by)
}

func TestAClockThatJumpsForwardMakesNobodyDead(t *testing.T) {
	w := newWorld(t)
	a := w.start("a", "ja")
	a.is(owner.RoleClean)
	a.cable.cut.Store(true) // its next heartbeat would mend it
	w.jump("1 hour")
	b := w.start("b", "jb")
	require.False(t, a.Fresh(time.Now()), "nobody is let in while it answers from its cache")
	require.True(t, b.engine.isActive())
	a.cable.cut.Store(false)
	a.is(owner.RoleShared)
	b.is(owner.RoleShared)
}

func TestAClockThatJumpsForwardLosesNothing(t *testing.T) {
	w := newWorld(t)
	a := w.start("a", "") // in memory only
	a.defers()
	w.jump("1 hour")
	w.start("b", "jb")
	require.Zero(t, w.log.count("is lost"))
	require.Equal(t, 1, a.engine.yields())
	require.Zero(t, a.engine.Pending())
}

func TestAClockThatJumpsBackDoesNotKeepTheDeadAlive(t *testing.T) {
	w := newWorld(t)
	a := w.start("a", "ja")
	a.is(owner.RoleClean)
	a.dies()
	w.jump("-1 hour")
	b := w.start("b", "jb")
	b.is(owner.RoleClean)

	b.dies()
	w.exec(`UPDATE writebehind.instance SET alone = false`)
	w.jump("-1 hour")
	c := w.start("c", "jc")
	c.is(owner.RoleClean)
	require.Equal(t, 1, w.instances())
}

func TestAClockThatJumpsBackDoesNotHideThatAProcessWasOvertaken(t *testing.T) {
	w := newWorld(t)
	a := w.start("a", "ja")
	a.is(owner.RoleClean)
	a.cable.cut.Store(true)
	w.jump("-1 hour")
	b := w.start("b", "jb")
	b.is(owner.RoleClean)
	require.False(t, a.Fresh(time.Now()))
	a.cable.cut.Store(false)
	a.is(owner.RoleShared)
	b.is(owner.RoleShared)
	require.GreaterOrEqual(t, a.engine.yields(), 1)
}
