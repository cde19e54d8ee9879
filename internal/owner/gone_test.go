package owner_test

import (
	"database/sql"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/writebehind/writebehind/internal/owner"
)

func TestADirtyOwnerThatIsGoneIsNamedWithTheWayOut(t *testing.T) {
	w := newWorld(t)
	a := w.start("a", "journal-of-a")
	a.defers()
	w.soon("the row says how much is pending", func() bool {
		var groups int
		require.NoError(t, w.db.QueryRow(`SELECT groups FROM writebehind.owner`).Scan(&groups))
		return groups == 3
	})
	a.dies()
	_, err := w.register("b", "jb", func(o *owner.Options) { o.TakeoverTimeout = 3 * life })
	var dirty *owner.DirtyError
	require.ErrorAs(t, err, &dirty)
	require.Equal(t, "journal-of-a", dirty.Journal)
	require.Equal(t, "host-a", dirty.Host)
	require.Equal(t, "/journals/a", dirty.Path)
	require.Equal(t, os.Getpid(), dirty.PID)
	require.EqualValues(t, 3, dirty.Groups)
	require.WithinDuration(t, time.Now(), dirty.Heartbeat, time.Minute)
	require.False(t, dirty.Live)
	for _, fact := range []string{
		"journal-of-a", "host-a", "/journals/a", "groups pending then: 3", dirty.Heartbeat.Format(time.RFC3339),
		`writebehind.Abandon(ctx, db, "journal-of-a")`, "SELECT writebehind.abandon('journal-of-a')", "Start it again",
	} {
		require.ErrorContains(t, err, fact)
	}
}

func TestWhoIsCertainlyGoneIsNotWaitedFor(t *testing.T) {
	w := newWorld(t)
	here := func(o *owner.Options) { o.Machine, o.Life = "m", time.Hour; o.TakeoverTimeout = time.Hour }
	a, err := w.register("a", "ja", func(o *owner.Options) { here(o); o.PID = endedPID(t) })
	require.NoError(t, err)
	a.Start()
	a.defers()
	a.dies()
	_, err = w.register("b", "jb", here)
	var dirty *owner.DirtyError
	require.ErrorAs(t, err, &dirty)
	require.False(t, dirty.Live)
}

func TestANumberOnAnotherMachineSaysNothing(t *testing.T) {
	w := newWorld(t)
	a, err := w.register("a", "ja", func(o *owner.Options) { o.PID = endedPID(t) })
	require.NoError(t, err)
	a.Start()
	b := w.start("b", "jb")
	require.Equal(t, owner.RoleShared, b.State().Role)
	require.Equal(t, 1, a.engine.yields())
}

func TestTheProcessThatComesBackGoesOnAndLetsTheOthersIn(t *testing.T) {
	w := newWorld(t)
	a := w.start("a", "ja")
	a.defers()
	a.dies()
	waiting := w.arrive("b", "jb", nil)
	w.present("b")

	// The others that wait do not keep it from its own journal.
	back, err := w.register("a2", "ja", nil)
	require.NoError(t, err)
	require.Greater(t, back.Epoch(), a.Epoch(), "what the former process still tries is not accepted")
	epoch, err := back.Take(t.Context()) // it has found what is pending
	require.NoError(t, err)
	require.Equal(t, back.Epoch(), epoch)
	back.engine.setPending(3)
	require.Never(t, func() bool { d, _ := w.dirty(); return !d || len(waiting) > 0 }, 2*life, life/10,
		"the engine is not asked before it is ready, and nobody is let in")
	back.Start()
	require.NoError(t, <-waiting)
	require.Zero(t, back.engine.Pending())
}

func TestAJournalAmongSeveralIsAdopted(t *testing.T) {
	w := newWorld(t)
	a := w.start("a", "ja")
	a.defers()
	a.dies()
	b, err := w.register("b", "jb", func(o *owner.Options) { o.Adopted = []string{"jx", "ja"} })
	require.NoError(t, err)
	dirty, journal := w.dirty()
	require.True(t, dirty)
	require.Equal(t, "jb", journal, "who looks for what is pending finds the others beside it")
	require.EqualValues(t, 2, b.Epoch())
}

func TestAJournalOfThisMachineIsAdoptedAtOnce(t *testing.T) {
	w := newWorld(t)
	here := func(o *owner.Options) { o.Machine, o.Life, o.TakeoverTimeout = "m", time.Hour, time.Hour }
	a, err := w.register("a", "ja", here) // its number is in use, and its heartbeat young
	require.NoError(t, err)
	a.Start()
	a.defers()
	a.dies()
	b, err := w.register("b", "ja", here)
	require.NoError(t, err, "the lock on the journal says that it is gone")
	require.Equal(t, owner.RoleOwner, b.State().Role)
	require.Equal(t, 1, w.instances())
}

func TestWhatWasInMemoryIsLostWithItsProcess(t *testing.T) {
	w := newWorld(t)
	a := w.start("a", "")
	w.exec(`INSERT INTO writebehind.checkpoint (journal, lsn) VALUES ('a', 0)`)
	a.defers()
	w.soon("the row says how much is pending", func() bool {
		var groups int
		require.NoError(t, w.db.QueryRow(`SELECT groups FROM writebehind.owner`).Scan(&groups))
		return groups == 3
	})
	a.dies()
	b := w.start("b", "jb")
	require.Equal(t, 1, w.log.count("what it had not flushed is lost"))
	require.Equal(t, 1, w.log.count("groups=3"))
	b.is(owner.RoleClean)
	dirty, _ := w.dirty()
	require.False(t, dirty)
	b.defers()
	require.Greater(t, b.Epoch(), a.Epoch()+1, "neither epoch nor checkpoint let its last flush pass")
	var abandoned bool
	require.NoError(t, w.db.QueryRow(`SELECT abandoned FROM writebehind.checkpoint WHERE journal = 'a'`).Scan(&abandoned))
	require.True(t, abandoned)
}

func TestAZombieOfTheJournalIsEndedFirst(t *testing.T) {
	w := newWorld(t)
	a := w.start("a", "ja")
	a.defers()
	a.dies()
	zombie, err := w.db.Begin()
	require.NoError(t, err)
	defer zombie.Rollback()
	_, err = zombie.Exec(`SELECT set_config('application_name', $1, true)`, owner.FlushName("ja"))
	require.NoError(t, err)
	stranger, err := w.db.Begin()
	require.NoError(t, err)
	defer stranger.Rollback()
	_, err = stranger.Exec(`SELECT set_config('application_name', $1, true)`, owner.FlushName("another"))
	require.NoError(t, err)

	w.start("b", "ja")
	_, err = zombie.Exec(`SELECT`)
	require.Error(t, err)
	_, err = stranger.Exec(`SELECT`)
	require.NoError(t, err)
}

func TestDeadProcessesAreForgotten(t *testing.T) {
	w := newWorld(t)
	for name, alone := range map[string]bool{"direct": false, "alone": true, "dirty": true} {
		w.exec(`INSERT INTO writebehind.instance (id, journal, host, pid, path, application_name, alone, life, heartbeat, started)
			VALUES ($1, '', 'h', 1, '', '', $2, '1 second', now() - interval '20 seconds', now())`, name, alone)
	}
	w.exec(`UPDATE writebehind.owner SET dirty = true, instance = 'dirty', journal = 'ja'`)
	_, err := w.register("b", "jb", func(o *owner.Options) { o.TakeoverTimeout = 2 * life })
	var dirty *owner.DirtyError
	require.ErrorAs(t, err, &dirty)
	require.False(t, dirty.Live)
	require.Equal(t, 1, w.instances(), "the owner's stays for as long as the database is dirty")
	w.start("a", "ja")
	w.soon("all are forgotten", func() bool { return w.instances() == 1 })
}

func TestWhoIsCertainlyGoneIsForgotten(t *testing.T) {
	w := newWorld(t)
	here := func(o *owner.Options) { o.Machine = "m" }
	gone, err := w.register("gone", "jg", func(o *owner.Options) { here(o); o.PID = endedPID(t) })
	require.NoError(t, err)
	gone.Start()
	gone.dies()
	a, err := w.register("a", "ja", here)
	require.NoError(t, err)
	a.Start()
	a.is(owner.RoleClean)
	require.Equal(t, 1, w.instances())
}

func TestAbandonedJournal(t *testing.T) {
	for name, abandon := range map[string]func(*world, string) error{
		"by Go":  func(w *world, j string) error { return owner.Abandon(w.Context(), w.db, j) },
		"by SQL": func(w *world, j string) error { _, err := w.db.Exec(`SELECT writebehind.abandon($1)`, j); return err },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			require.ErrorContains(t, abandon(w, "nowhere"), "not known")
			require.ErrorContains(t, abandon(w, ""), "not known")
			a := w.start("a", "ja")
			w.exec(`INSERT INTO writebehind.checkpoint (journal, lsn) VALUES ('ja', 7)`)
			a.defers()
			require.ErrorContains(t, abandon(w, "ja"), "live")
			a.dies()
			w.soon("it is given up once it is dead", func() bool { return abandon(w, "ja") == nil })
			var lsn int
			var abandoned bool
			require.NoError(t, w.db.QueryRow(`SELECT lsn, abandoned FROM writebehind.checkpoint WHERE journal = 'ja'`).Scan(&lsn, &abandoned))
			require.True(t, abandoned)
			require.Equal(t, 7, lsn)
			require.NoError(t, abandon(w, "ja"), "again")

			b := w.start("b", "jb")
			b.defers()
			require.Greater(t, b.Epoch(), a.Epoch()+1, "the abandoned process has no epoch that is valid")
			require.NoError(t, abandon(w, "ja"))
			dirty, _ := w.dirty()
			require.True(t, dirty, "another's database stays as it is")
		})
	}
}

func TestAbandoningAProcessThatHasEndedHereNeedsNoPatience(t *testing.T) {
	w := newWorld(t)
	a, err := w.register("a", "ja", func(o *owner.Options) { o.Machine, o.PID, o.Life = "", endedPID(t), time.Hour })
	require.NoError(t, err)
	a.Start()
	a.defers()
	a.dies()
	require.NoError(t, owner.Abandon(t.Context(), w.db, "ja"))
	dirty, _ := w.dirty()
	require.False(t, dirty)
}

func TestAMissingOwnerRowIsAnError(t *testing.T) {
	w := newWorld(t)
	w.exec(`DELETE FROM writebehind.owner`)
	_, err := w.register("a", "ja", nil)
	require.ErrorContains(t, err, "missing")
	require.NotErrorIs(t, err, sql.ErrNoRows)
}

func TestTheEngineIsToldOfProcessesThatHaveDied(t *testing.T) {
	w := newWorld(t)
	a := w.start("a", "ja")
	require.False(t, a.engine.lastDied(), "there was none")
	a.dies()
	b := w.start("b", "jb")
	require.True(t, b.engine.lastDied())
	require.NoError(t, b.Close(t.Context(), true))
	c := w.start("c", "jc")
	require.False(t, c.engine.lastDied(), "it has given up its place")
	require.NoError(t, c.Die(t.Context(), true))
	d := w.start("d", "jd")
	require.True(t, d.engine.lastDied())
	e := w.start("e", "je")
	d.soon("both live", func() bool { return d.State().Role == owner.RoleShared })
	e.dies()
	d.soon("it is alone again", func() bool { return d.State().Role == owner.RoleClean })
	require.True(t, d.engine.lastDied())
}
