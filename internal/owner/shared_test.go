package owner_test

import (
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/writebehind/writebehind/internal/owner"
)

func TestANewcomerIsLetInWhenTheOwnerHasDrained(t *testing.T) {
	w := newWorld(t)
	a := w.start("a", "ja")
	a.defers()
	a.engine.hold()
	b := w.arrive("b", "jb", nil)
	w.soon("a is told to yield", func() bool { return a.engine.yields() == 1 })
	// A long drain is no reason to take the owner for dead: it goes on beating.
	require.Never(t, func() bool { return len(b) > 0 }, 3*life, life/10)
	require.False(t, a.engine.isActive())
	a.engine.letGo()
	require.NoError(t, <-b)
	require.Zero(t, a.engine.Pending())
	dirty, _ := w.dirty()
	require.False(t, dirty)
	a.is(owner.RoleShared)
	require.False(t, a.Fresh(time.Now()))
	_, err := a.Take(t.Context())
	require.ErrorIs(t, err, owner.ErrShared)
	require.Len(t, a.State().Others, 1)
	require.Equal(t, "host-b", a.State().Others[0].Host)
}

func TestANewcomerIsLetInWhenTheOtherNoLongerCaches(t *testing.T) {
	w := newWorld(t)
	a := w.start("a", "ja")
	a.engine.hold()
	b := w.arrive("b", "jb", nil)
	w.soon("a is told to yield", func() bool { return a.engine.yields() == 1 })
	require.Never(t, func() bool { return len(b) > 0 }, 2*life, life/10, "it may still answer from its cache")
	a.engine.letGo()
	require.NoError(t, <-b)
	require.False(t, w.alone("a"))
	require.False(t, w.alone("b"))
}

func TestTheLastOneLeftTakesOwnershipAgain(t *testing.T) {
	for _, leaves := range []string{"the first", "the second"} {
		t.Run(leaves+" leaves", func(t *testing.T) {
			w := newWorld(t)
			a := w.start("a", "ja")
			b := w.start("b", "jb")
			require.False(t, b.engine.isActive())
			require.Equal(t, owner.RoleShared, b.State().Role)
			stays, goes := a, b
			if leaves == "the first" {
				stays, goes = b, a
			}
			require.NoError(t, goes.Close(t.Context(), true))
			stays.is(owner.RoleClean)
			require.True(t, stays.engine.isActive())
			stays.defers()
			require.Equal(t, owner.RoleOwner, stays.State().Role)
		})
	}
}

func TestTheLastOneLeftWaitsForTheDeathOfTheOther(t *testing.T) {
	w := newWorld(t)
	w.start("a", "ja").dies()
	b := w.start("b", "jb") // a was clean: nothing is lost with it
	b.is(owner.RoleClean)
}

func TestADrainThatFailsKeepsTheDatabaseDirty(t *testing.T) {
	w := newWorld(t)
	a := w.start("a", "ja")
	a.defers()
	a.engine.fail(errors.New("the table is locked"))
	b := w.arrive("b", "jb", nil)
	w.soon("a tries again and again", func() bool { return a.engine.yields() > 2 })
	dirty, _ := w.dirty()
	require.True(t, dirty)
	require.Empty(t, b)
	a.engine.fail(nil)
	require.NoError(t, <-b)
	dirty, _ = w.dirty()
	require.False(t, dirty)
}

func TestAnOwnerThatDoesNotDrainIsNamed(t *testing.T) {
	w := newWorld(t)
	a := w.start("a", "ja")
	a.defers()
	a.engine.fail(errors.New("the table is locked"))
	_, err := w.register("b", "jb", func(o *owner.Options) { o.TakeoverTimeout = life })
	var dirty *owner.DirtyError
	require.ErrorAs(t, err, &dirty)
	require.True(t, dirty.Live)
	require.Equal(t, "host-a", dirty.Host)
	require.Equal(t, 1, w.instances(), "who is refused leaves")
	w.soon("a goes on", a.engine.isActive)
	require.Equal(t, owner.RoleOwner, a.State().Role)
}

func TestOneThatDoesNotGiveWayIsNamed(t *testing.T) {
	w := newWorld(t)
	a := w.start("a", "ja")
	a.engine.hold()
	_, err := w.register("b", "jb", func(o *owner.Options) { o.TakeoverTimeout = life })
	require.ErrorIs(t, err, owner.ErrBusy)
	require.ErrorContains(t, err, "host-a")
}

func TestTakeSeesANewcomerBeforeTheHeartbeatDoes(t *testing.T) {
	w := newWorld(t)
	a := w.start("a", "ja")
	w.exec(`INSERT INTO writebehind.instance (id, journal, host, pid, path, application_name, heartbeat, started)
		VALUES ('b', '', 'h', 1, '', '', now() + interval '1 hour', now())`)
	_, err := a.Take(t.Context())
	require.ErrorIs(t, err, owner.ErrShared)
	dirty, _ := w.dirty()
	require.False(t, dirty)
	a.is(owner.RoleShared)
}

// Whoever comes first, and however closely: never do two believe that they are
// alone, and in the end all are in.
func TestProcessesThatStartTogetherShare(t *testing.T) {
	for range 3 {
		w := newWorld(t)
		var mu sync.Mutex
		var all []*process
		var wait sync.WaitGroup
		for _, name := range []string{"a", "b", "c"} {
			opts, p := w.options(name, "j"+name)
			wait.Go(func() {
				var err error
				if p.Owner, err = owner.Register(w.Context(), opts); err != nil {
					t.Error(err)
					return
				}
				p.Start()
				mu.Lock()
				defer mu.Unlock()
				all = append(all, p)
			})
		}
		ended := make(chan struct{})
		go func() { wait.Wait(); close(ended) }()
		for done := false; !done; {
			select {
			case <-ended:
				done = true
			case <-time.After(time.Millisecond):
			}
			var alone int
			require.NoError(t, w.db.QueryRow(`SELECT count(*) FROM writebehind.instance WHERE alone`).Scan(&alone))
			require.LessOrEqual(t, alone, 1)
		}
		require.Len(t, all, 3)
		for _, p := range all {
			p.is(owner.RoleShared)
			require.NoError(t, p.Close(w.Context(), true))
		}
	}
}
