package owner_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/writebehind/writebehind/internal/owner"
)

func TestADirtyOwnerThatIsCutOffKeepsTheDatabase(t *testing.T) {
	w := newWorld(t)
	a := w.start("a", "ja")
	a.defers()
	a.cable.cut.Store(true)
	_, err := w.register("b", "jb", func(o *owner.Options) { o.TakeoverTimeout = 3 * life })
	var dirty *owner.DirtyError
	require.ErrorAs(t, err, &dirty)
	require.True(t, a.Fresh(time.Now()), "nobody was let in")
	require.True(t, a.engine.isActive())
	require.Error(t, a.Check(t.Context()), "a direct write cannot be announced")
	require.Equal(t, 1, w.log.count("cannot show"), "it is logged once")

	a.cable.cut.Store(false)
	require.NoError(t, a.Check(t.Context()))
	require.Equal(t, owner.RoleOwner, a.State().Role)
	require.Zero(t, a.engine.yields(), "it has lost nothing")
	require.NoError(t, a.State().Failure)
}

func TestACleanOneThatIsCutOffStopsToCacheBeforeAnotherIsLetIn(t *testing.T) {
	w := newWorld(t)
	a := w.start("a", "ja")
	a.cable.cut.Store(true)
	b := w.arrive("b", "jb", nil)
	w.present("b")
	var fresh bool
	for len(b) == 0 { // as long as b was not in, at the time of the answer
		fresh = a.Fresh(time.Now())
		if len(b) > 0 {
			break
		}
	}
	require.NoError(t, <-b)
	require.False(t, fresh)
	require.False(t, a.Fresh(time.Now()))
	_, err := a.Take(t.Context())
	require.Error(t, err, "it cannot defer without the server")

	// b is alone and has taken the database when a is back.
	w.soon("b is alone", func() bool { return w.alone("b") })
	a.cable.cut.Store(false)
	require.NoError(t, a.Check(t.Context()), "it is let in again, when b has made way")
	require.Equal(t, 1, a.engine.yields(), "what it had cached is stale")
	a.is(owner.RoleShared)
	require.False(t, w.alone("b"))
}

func TestOneThatWasSilentTooLongForgetsWhatItHadCached(t *testing.T) {
	w := newWorld(t)
	a := w.start("a", "ja")
	a.cable.cut.Store(true)
	b := w.start("b", "jb") // after a's life
	require.NoError(t, b.Close(t.Context(), true))
	a.cable.cut.Store(false)
	w.soon("a is told to yield and to resume", func() bool { return a.engine.yields() == 1 && a.engine.isActive() })
	a.is(owner.RoleClean)
}

func TestAStalledHeartbeatIsMadeUpForBeforeADirectWrite(t *testing.T) {
	w := newWorld(t)
	a := w.start("a", "ja")
	b := w.start("b", "jb")
	a.is(owner.RoleShared)
	// The heartbeat of a hangs, but its statements pass.
	lock, err := w.db.Begin()
	require.NoError(t, err)
	_, err = lock.Exec(`SELECT FROM writebehind.instance WHERE id = 'a' FOR UPDATE`)
	require.NoError(t, err)
	w.soon("a's heartbeat is old", func() bool { return a.State().Age > life })
	ctx, cancel := context.WithTimeout(t.Context(), life/10)
	defer cancel()
	require.Error(t, a.Check(ctx), "the write waits for the heartbeat")
	require.NoError(t, lock.Rollback())
	require.NoError(t, a.Check(t.Context()))
	require.Less(t, a.State().Age, life)
	a.is(owner.RoleShared)
	b.is(owner.RoleShared)
}

func TestCheckCostsNothingWhileTheHeartbeatIsYoung(t *testing.T) {
	w := newWorld(t)
	a, err := w.register("a", "ja", func(o *owner.Options) { o.Life = time.Hour })
	require.NoError(t, err)
	a.cable.cut.Store(true)
	require.NoError(t, a.Check(t.Context()))
	require.Zero(t, testing.AllocsPerRun(100, func() { _ = a.Check(context.Background()); _ = a.Fresh(time.Now()) }))
}

func TestOneWhoseRowHasVanishedRegistersAgain(t *testing.T) {
	w := newWorld(t)
	a := w.start("a", "ja")
	w.exec(`DELETE FROM writebehind.instance`)
	w.present("a")
	w.soon("a was told that others may have written", func() bool { return a.engine.yields() == 1 && a.engine.isActive() })
	a.is(owner.RoleClean)
}

func TestOneThatWasAbandonedFlushesNothingMore(t *testing.T) {
	w := newWorld(t)
	a := w.start("a", "ja")
	a.defers()
	a.engine.fail(context.DeadlineExceeded) // nothing that is pending passes any more
	a.cable.cut.Store(true)
	w.soon("it is given up", func() bool { return owner.Abandon(w.Context(), w.db, "ja") == nil })
	b := w.start("b", "jb")
	b.defers()
	a.cable.cut.Store(false)
	a.is(owner.RoleLost)
	w.soon("a is told", func() bool { return a.engine.yields() > 1 })
	require.False(t, a.engine.isActive())
	require.False(t, a.Fresh(time.Now()))
	require.NotEqual(t, a.Epoch(), b.Epoch())
	_, err := a.Take(t.Context())
	require.ErrorIs(t, err, owner.ErrLost)
	ctx, cancel := context.WithTimeout(t.Context(), life)
	defer cancel()
	require.ErrorIs(t, a.Check(ctx), owner.ErrLost)
	require.Zero(t, b.engine.yields(), "it does not disturb the others")

	a.engine.fail(nil) // an operator has seen to what was pending
	require.NoError(t, a.Check(t.Context()))
	a.is(owner.RoleShared)
	b.is(owner.RoleShared)
}

func TestOneInMemoryThatIsCutOffDoesNotCacheBeyondItsLife(t *testing.T) {
	w := newWorld(t)
	a := w.start("a", "")
	a.defers()
	a.cable.cut.Store(true)
	w.start("b", "jb")
	require.False(t, a.Fresh(time.Now()))
	a.cable.cut.Store(false)
	a.is(owner.RoleShared)
	require.Equal(t, 1, a.engine.yields())
}

func TestAServerThatHasLostTheTakeIsToldAgain(t *testing.T) {
	w := newWorld(t)
	a := w.start("a", "ja")
	a.defers()
	epoch := a.Epoch()
	w.exec(`WITH i AS (DELETE FROM writebehind.instance)
		UPDATE writebehind.owner SET epoch = epoch - 1, dirty = false, instance = '', journal = ''`)
	w.soon("the database is dirty again", func() bool { dirty, journal := w.dirty(); return dirty && journal == "ja" })
	require.Equal(t, epoch, a.Epoch())
	require.Zero(t, a.engine.yields())
	require.Equal(t, 1, w.instances())
}

func TestASessionThatIsCutOffInAStepDoesNotLockTheOthersOut(t *testing.T) {
	w := newWorld(t)
	a := w.start("a", "ja")
	// As the server sees it: a transaction that holds the row and says no more.
	opts, _ := w.options("b", "jb")
	conn, err := opts.DB.Conn(t.Context())
	require.NoError(t, err)
	defer conn.Close()
	_, err = conn.ExecContext(t.Context(), `BEGIN; SET LOCAL idle_in_transaction_session_timeout = '700ms';
		SELECT FROM writebehind.owner FOR UPDATE`)
	require.NoError(t, err)
	w.soon("a's heartbeat hangs", func() bool { return a.State().Age > life/2 })
	require.NoError(t, a.Check(t.Context()))
	a.is(owner.RoleClean)
}
