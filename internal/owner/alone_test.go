package owner_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/writebehind/writebehind/internal/owner"
)

func TestTheOnlyProcessCachesAndDefers(t *testing.T) {
	w := newWorld(t)
	a, err := w.register("a", "ja", nil)
	require.NoError(t, err)
	require.False(t, a.engine.isActive(), "the engine is not called before Start")
	a.Start()
	require.True(t, a.engine.isActive(), "it is told before Start returns")
	require.True(t, a.Fresh(time.Now()))
	require.Equal(t, owner.RoleClean, a.State().Role)
	require.Zero(t, a.Epoch())

	a.engine.setPending(3)
	epoch, err := a.Take(t.Context())
	require.NoError(t, err)
	require.EqualValues(t, 1, epoch)
	require.Equal(t, epoch, a.Epoch())
	require.Equal(t, owner.RoleOwner, a.State().Role)
	dirty, journal := w.dirty()
	require.True(t, dirty)
	require.Equal(t, "ja", journal)
	again, err := a.Take(t.Context())
	require.NoError(t, err)
	require.Equal(t, epoch, again, "what is taken is taken")
	w.soon("the row says how much is pending", func() bool {
		var groups int
		require.NoError(t, w.db.QueryRow(`SELECT groups FROM writebehind.owner`).Scan(&groups))
		return groups == 3
	})

	a.engine.setPending(0)
	a.is(owner.RoleClean)
	w.soon("the database is clean once nothing is pending", func() bool { dirty, _ := w.dirty(); return !dirty })
	next, err := a.Take(t.Context())
	require.NoError(t, err)
	require.Equal(t, epoch+1, next, "each time it is taken has an epoch of its own")
}

func TestClosingCleansIfDrained(t *testing.T) {
	w := newWorld(t)
	a := w.start("a", "ja")
	a.defers()
	require.NoError(t, a.Close(t.Context(), true))
	dirty, _ := w.dirty()
	require.False(t, dirty)
	require.Zero(t, w.instances())
	require.NoError(t, a.Close(t.Context(), true), "closing again does nothing")
	_, err := a.Take(t.Context())
	require.ErrorIs(t, err, owner.ErrClosed)
	require.False(t, a.Fresh(time.Now()))
}

func TestClosingWithoutDrainKeepsTheDatabaseForItsJournal(t *testing.T) {
	w := newWorld(t)
	a := w.start("a", "ja")
	a.defers()
	require.NoError(t, a.Close(t.Context(), false))
	dirty, _ := w.dirty()
	require.True(t, dirty)
	require.Zero(t, w.instances())

	// Whoever has the journal goes on at once.
	b := w.start("b", "ja")
	require.Equal(t, owner.RoleOwner, b.State().Role)
	require.EqualValues(t, 2, b.Epoch())
	b.engine.setPending(0)
	b.is(owner.RoleClean)
}

func TestClosingWhileTheServerIsAwayCanBeTriedAgain(t *testing.T) {
	w := newWorld(t)
	a := w.start("a", "ja")
	a.cable.cut.Store(true)
	require.Error(t, a.Close(t.Context(), true))
	a.cable.cut.Store(false)
	require.NoError(t, a.Close(t.Context(), true))
	require.Zero(t, w.instances())
}

func TestClosingEndsAYieldThatHangs(t *testing.T) {
	w := newWorld(t)
	a := w.start("a", "ja")
	a.defers()
	a.engine.hold()
	b := w.arrive("b", "jb", nil)
	w.soon("a yields", func() bool { return a.engine.yields() > 0 })
	require.NoError(t, a.Close(t.Context(), true))
	require.NoError(t, <-b)
}

func TestRegisteringHonoursItsContextAndLeavesNothing(t *testing.T) {
	w := newWorld(t)
	a := w.start("a", "ja")
	a.defers()
	a.engine.hold()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	opts, _ := w.options("b", "jb")
	done := make(chan error, 1)
	go func() {
		_, err := owner.Register(ctx, opts)
		done <- err
	}()
	w.present("b")
	cancel()
	require.ErrorIs(t, <-done, context.Canceled)
	require.Equal(t, 1, w.instances())
	a.engine.letGo()
	w.soon("a goes on when the newcomer has given up", a.engine.isActive)
}

func TestTheEngineHearsThatTheDatabaseIsItsBeforeAnyHeartbeat(t *testing.T) {
	w := newWorld(t)
	a := w.start("a", "ja")
	a.is(owner.RoleClean)
	_, err := a.Take(t.Context())
	require.NoError(t, err)
	a.engine.mu.Lock()
	defer a.engine.mu.Unlock()
	require.Equal(t, 1, a.engine.taken)
}
