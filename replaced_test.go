package writebehind

import (
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"
)

func TestWhoWaitsIsToldWhichRowIsGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var locks rowLocks
		require.NoError(t, locks.taken(t.Context(), 1))
		gone := make(chan []byte, 2)
		for range cap(gone) {
			go func() {
				w, err := locks.lock(t.Context(), 1, true)
				if err == nil {
					locks.unlock(1)
				}
				gone <- w.gone
			}()
		}
		synctest.Wait()
		locks.bury(1, []byte("first"))
		locks.bury(1, []byte("key"))
		locks.unlock(1)
		require.Equal(t, "key", string(<-gone))
		require.Equal(t, "key", string(<-gone))

		w, err := locks.lock(t.Context(), 1, true)
		require.NoError(t, err)
		require.Nil(t, w.gone, "it has not waited")
		locks.bury(1, []byte("key")) // nobody waits
		go func() {
			w, _ := locks.lock(t.Context(), 1, true)
			gone <- w.gone
		}()
		synctest.Wait()
		locks.unlock(1)
		require.Nil(t, <-gone, "nothing was deleted since it waits")
		locks.unlock(1)
		require.Zero(t, locks.held())
	})
}

func TestAnotherRowOfTheSameHashThatIsGone(t *testing.T) {
	a := attempt{key: []byte("key")}
	require.NoError(t, a.waited(rowWait{}))
	require.False(t, a.gone)
	require.ErrorIs(t, a.waited(rowWait{waited: true, gone: []byte("other")}), errRowHeld)
	require.False(t, a.gone)
	require.NoError(t, a.waited(rowWait{waited: true, gone: []byte("key")}))
	require.True(t, a.gone)
}

func TestAllWhoWaitAskPostgreSQL(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var locks rowLocks
		require.True(t, locks.tryKeep(1))
		errs := make(chan error, 3)
		for range cap(errs) {
			go func() { errs <- locks.taken(t.Context(), 1) }()
		}
		synctest.Wait()
		require.Empty(t, errs)
		locks.ask(1)
		for range cap(errs) {
			require.ErrorIs(t, <-errs, errRowHeld)
		}
		require.ErrorIs(t, locks.taken(t.Context(), 1), errRowHeld, "who comes later, too")
		locks.unlock(1)
		require.NoError(t, locks.taken(t.Context(), 1))
		locks.unlock(1)
		locks.ask(1) // nobody has it
		require.Zero(t, locks.held())
	})
}

func TestAllWhoWaitForADirectWriterAskPostgreSQL(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var rows directRows
		rows.add(1)
		errs := make(chan error, 3)
		await := func() { errs <- rows.await(t.Context(), 1, lockPatience{kept: keptPatience}, nil) }
		go await()
		go await()
		synctest.Wait()
		require.Empty(t, errs)
		rows.ask(1)
		require.ErrorIs(t, <-errs, errRowHeld)
		require.ErrorIs(t, <-errs, errRowHeld)
		await()
		require.ErrorIs(t, <-errs, errRowHeld, "who comes later, too")
		rows.remove(1)
		await()
		require.NoError(t, <-errs)
		rows.ask(1) // nobody holds it
	})
}
