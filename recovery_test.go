package writebehind_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/writebehind/writebehind"
)

func eachSync(t *testing.T, test func(t *testing.T, sync string)) {
	t.Helper()
	for _, sync := range []string{"on", "off"} {
		t.Run("sync="+sync, func(t *testing.T) { test(t, " writebehind.sync="+sync) })
	}
}

func TestAcknowledgedWritesSurviveTheProcess(t *testing.T) {
	eachSync(t, func(t *testing.T, sync string) { //nolint:thelper // it is the test
		h := newHarness(t, itemsTable, "")
		journal := " writebehind.journal=" + t.TempDir() + sync
		r := h.newRemote(journal)
		r.exec(`UPDATE items SET stock = stock + 1 WHERE id = 1`)
		r.exec(`UPDATE items SET stock = stock + 1 WHERE id = 1`)
		r.exec(`INSERT INTO items (id, name) VALUES (3, 'three')`)
		r.exec(`DELETE FROM items WHERE id = 2`)
		require.EqualValues(t, 10, h.value(h.past, stockOfOne), "not flushed yet")
		r.kill()

		for range 2 { // the second time nothing has come to be flushed either
			r = h.newRemote(journal)
			require.Equal(t, "12", r.value(stockOfOne), "served before it is flushed")
			require.Equal(t, "three", r.value(`SELECT name FROM items WHERE id = 3`))
			require.Equal(t, "3", r.do("pending", ""))
			require.EqualValues(t, 10, h.value(h.past, stockOfOne))
			r.kill()
		}
		r = h.newRemote(journal)
		r.exec(`UPDATE items SET stock = stock + 1 WHERE id = 1`)
		require.Equal(t, "ok", r.do("flush", ""))
		require.EqualValues(t, 13, h.value(h.past, stockOfOne))
		require.EqualValues(t, 2, h.value(h.past, `SELECT count(*) FROM items`))
		r.kill()
		r = h.newRemote(journal)
		require.Equal(t, "13", r.value(stockOfOne))
		require.Equal(t, "0", r.do("pending", ""), "nothing is applied twice")
		require.Equal(t, "ok", r.do("close", ""))
	})
}

func TestAProcessThatJustExitsLeavesItsWritesInTheJournal(t *testing.T) {
	h := newHarness(t, itemsTable, "")
	journal := "writebehind.journal=" + t.TempDir()
	r := h.newRemote(journal)
	r.exec(`UPDATE items SET stock = stock + 1 WHERE id = 1`)
	require.Equal(t, "ok", r.do("exit", ""))
	require.NoError(t, r.cmd.Wait())
	require.EqualValues(t, 10, h.value(h.past, stockOfOne))
	r = h.newRemote(journal)
	require.Equal(t, "11", r.value(stockOfOne))
	require.Equal(t, "ok", r.do("close", ""))
	require.EqualValues(t, 11, h.value(h.past, stockOfOne))
}

func TestJournalBelongsToOneDatabase(t *testing.T) {
	one, two := newHarness(t, itemsTable, ""), newHarness(t, itemsTable, "")
	journal := " writebehind.journal=" + t.TempDir()
	r := one.newRemote(journal)
	r.exec(`UPDATE items SET stock = stock + 1 WHERE id = 1`)
	r.kill()
	other := two.newRemote(journal)
	answer := other.do("exec", `UPDATE items SET stock = stock + 1 WHERE id = 1`)
	require.Contains(t, answer, "error: writebehind: ")
	require.Contains(t, answer, "database")
	require.EqualValues(t, 10, two.value(two.past, stockOfOne))
}

func TestJournalRefusesAnOlderCopyOfItsDatabase(t *testing.T) {
	h := newHarness(t, itemsTable, "")
	journal := " writebehind.journal=" + t.TempDir()
	r := h.newRemote(journal)
	r.exec(`UPDATE items SET stock = stock + 1 WHERE id = 1`)
	require.Equal(t, "ok", r.do("flush", ""))
	r.exec(`UPDATE items SET stock = stock + 1 WHERE id = 1`)
	r.kill()
	// What was flushed is gone from the database, and still in the journal.
	h.mustPast(`UPDATE items SET stock = 10; UPDATE writebehind.checkpoint SET lsn = 0`)
	r = h.newRemote(journal)
	require.Equal(t, "12", r.value(stockOfOne), "the journal reaches back that far")
	require.Equal(t, "ok", r.do("flush", ""))
	require.EqualValues(t, 12, h.value(h.past, stockOfOne))
}

func TestNoneKeepsNothingAndTheNextProcessGoesOn(t *testing.T) {
	h := newHarness(t, itemsTable, "")
	r := h.newRemote("writebehind.journal=none")
	r.exec(`UPDATE items SET stock = 99 WHERE id = 1`)
	r.kill()
	r = h.newRemote("writebehind.journal=none")
	require.Equal(t, "10", r.value(stockOfOne))
	r.exec(`UPDATE items SET stock = stock + 1 WHERE id = 1`)
	require.Equal(t, "ok", r.do("close", ""))
	require.EqualValues(t, 11, h.value(h.past, stockOfOne))
}

func TestJournalIsNobodyElsesToRead(t *testing.T) {
	h := newHarness(t, itemsTable, "")
	dir := filepath.Join(t.TempDir(), "journal")
	r := h.newRemote("writebehind.journal=" + dir)
	r.exec(`UPDATE items SET stock = 11 WHERE id = 1`)
	require.NoError(t, filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		require.NoError(t, err)
		info, err := d.Info()
		require.NoError(t, err)
		require.Zero(t, info.Mode().Perm()&0o077, path)
		return nil
	}))
	require.Equal(t, "ok", r.do("close", ""))
}

func TestWritesThatTheJournalDoesNotTakeAreDirect(t *testing.T) {
	h := newHarness(t, itemsTable, "")
	r := h.newRemote("writebehind.journal=/proc/no/such/place")
	require.Contains(t, r.do("exec", `UPDATE items SET stock = 11 WHERE id = 1`), "/proc/no/such/place", "a journal that cannot be made is an error")
}

func TestRollingRestartLosesNothingAndAnswersRight(t *testing.T) {
	h := newHarness(t, itemsTable, "")
	old := h.newRemote("writebehind.journal=" + t.TempDir())
	old.exec(`UPDATE items SET stock = stock + 1 WHERE id = 1`)
	require.Equal(t, "11", old.value(stockOfOne))
	fresh := h.newRemote("writebehind.journal=" + t.TempDir())
	require.Equal(t, "11", fresh.value(stockOfOne), "the old process has handed over what was pending")
	require.Equal(t, "shared", fresh.do("ownership", ""))
	require.Equal(t, "shared", old.do("ownership", ""))
	for n := range 3 {
		old.exec(`UPDATE items SET stock = stock + 1 WHERE id = 1`)
		fresh.exec(`UPDATE items SET stock = stock + 1 WHERE id = 1`)
		require.EqualValues(t, 13+2*n, h.value(h.past, stockOfOne), "both are direct")
		require.Equal(t, old.value(stockOfOne), fresh.value(stockOfOne))
	}
	require.Equal(t, "ok", old.do("close", ""))
	h.eventually("the last one left takes ownership again", func() bool {
		fresh.exec(`UPDATE items SET stock = stock + 1 WHERE id = 1`)
		return fresh.do("ownership", "") == "owner"
	})
	require.Equal(t, "ok", fresh.do("close", ""))
	require.Equal(t, h.value(h.past, stockOfOne), h.value(h.shim, stockOfOne))
}

func TestJournalsOfSeveralProcessesAreBroughtHome(t *testing.T) {
	h := newHarness(t, itemsTable, "")
	params := "writebehind.journal=" + t.TempDir()
	want := 10
	for range 3 { // which of the journals becomes the newcomer's own is not determined
		one, other := h.newRemote(params), h.newRemote(params)
		require.Equal(t, fmt.Sprint(want), one.value(stockOfOne))
		require.Equal(t, fmt.Sprint(want), other.value(stockOfOne))
		one.kill()
		h.eventually("the one left is the owner", func() bool {
			other.exec(`UPDATE items SET stock = stock + 1 WHERE id = 1`)
			want++
			return other.do("ownership", "") == "owner"
		})
		other.exec(`UPDATE items SET stock = stock + 1 WHERE id = 1`)
		want++
		require.NotEqual(t, "0", other.do("pending", ""))
		other.kill()
	}
	last := h.newRemote(params)
	require.Equal(t, fmt.Sprint(want), last.value(stockOfOne))
	require.Equal(t, "ok", last.do("close", ""))
	require.EqualValues(t, want, h.value(h.past, stockOfOne))
	require.EqualValues(t, 1, h.value(h.past, `SELECT count(*) FROM writebehind.checkpoint`), "all but its own are gone")
}

func TestOwnerThatIsGoneIsComeBackToOrAbandoned(t *testing.T) {
	h := newHarness(t, itemsTable, "")
	dir := t.TempDir()
	lost := h.newRemote("writebehind.journal=" + dir)
	lost.exec(`UPDATE items SET stock = stock + 1 WHERE id = 1`)
	lost.kill()

	newcomer := h.newRemote("writebehind.takeover_timeout=300ms writebehind.journal=" + t.TempDir())
	answer := newcomer.do("exec", `UPDATE items SET stock = stock + 1 WHERE id = 1`)
	require.Contains(t, answer, dir, "where the writes are")
	require.Contains(t, answer, "bandon")
	var journal string
	require.NoError(t, h.past.QueryRow(`SELECT journal FROM writebehind.owner`).Scan(&journal))
	require.Contains(t, answer, journal)

	back := h.newRemote("writebehind.journal=" + dir)
	require.Equal(t, "11", back.value(stockOfOne))
	back.exec(`UPDATE items SET stock = stock + 1 WHERE id = 1`)
	back.kill()

	require.Equal(t, "ok", newcomer.do("abandon", journal))
	require.Equal(t, "10", newcomer.value(stockOfOne), "what was abandoned is gone, by an operator's word")
	newcomer.exec(`UPDATE items SET stock = stock + 5 WHERE id = 1`)
	require.Equal(t, "ok", newcomer.do("close", ""))
	require.EqualValues(t, 15, h.value(h.past, stockOfOne))

	back = h.newRemote("writebehind.journal=" + dir)
	require.Contains(t, back.do("exec", `UPDATE items SET stock = 0 WHERE id = 1`), "abandoned", "it does not come back unasked")
}

func TestCloseThatCannotDrainKeepsTheRestInTheJournal(t *testing.T) {
	h := newHarness(t, itemsTable, "")
	params := " writebehind.tables=* writebehind.max_delay=1h writebehind.close_timeout=300ms writebehind.journal=" + t.TempDir()
	db := h.open("writebehind", h.dsn+params)
	_, err := db.Exec(`UPDATE items SET stock = stock + 1 WHERE id = 1`)
	require.NoError(t, err)
	blocker, err := h.past.Begin()
	require.NoError(t, err)
	_, err = blocker.Exec(`LOCK TABLE items IN SHARE MODE`)
	require.NoError(t, err)
	err = db.Close()
	require.ErrorIs(t, err, writebehind.ErrPending)
	require.ErrorContains(t, err, "journal keeps")
	require.ErrorContains(t, err, "groups left: 1")
	require.NoError(t, blocker.Rollback())
	require.EqualValues(t, 10, h.value(h.past, stockOfOne))

	again := h.open("writebehind", h.dsn+params)
	require.EqualValues(t, 11, h.value(again, stockOfOne))
	require.NoError(t, writebehind.Flush(context.Background(), again))
	require.EqualValues(t, 11, h.value(h.past, stockOfOne))
}
