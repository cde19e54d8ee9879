package writebehind_test

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestOwnerThatIsCutOffIsNotOvertaken(t *testing.T) {
	h := newHarness(t, itemsTable, "")
	p, through := newProxy(t, h)
	direct := h.dsn
	h.dsn = through
	owner := h.newRemote("writebehind.journal=" + t.TempDir())
	h.dsn = direct
	owner.exec(`UPDATE items SET stock = stock + 1 WHERE id = 1`)
	p.refuse.Store(true)
	p.cut()
	owner.exec(`UPDATE items SET stock = stock + 1 WHERE id = 1`)
	require.Equal(t, "12", owner.value(stockOfOne), "what it knows it can go on with: nobody else is let in")

	newcomer := h.newRemote("writebehind.takeover_timeout=500ms writebehind.journal=" + t.TempDir())
	require.Contains(t, newcomer.do("exec", `UPDATE items SET stock = stock + 1 WHERE id = 1`), "error: ")
	require.EqualValues(t, 10, h.value(h.past, stockOfOne))

	p.refuse.Store(false)
	h.eventually("the owner is back and makes way", func() bool {
		return newcomer.do("exec", `UPDATE items SET stock = stock + 1 WHERE id = 1`) == "1"
	})
	require.EqualValues(t, 13, h.value(h.past, stockOfOne))
	require.Equal(t, "13", owner.value(stockOfOne))
}

func TestProcessWhoseHeartbeatStallsStopsAnsweringFromTheCache(t *testing.T) {
	h := newHarness(t, itemsTable, "")
	one := h.newRemote("writebehind.journal=none")
	require.Equal(t, "10", one.value(stockOfOne))
	require.Equal(t, "10", one.value(stockOfOne))
	lock, err := h.past.Begin()
	require.NoError(t, err)
	_, err = lock.Exec(`SELECT FROM writebehind.owner FOR UPDATE`)
	require.NoError(t, err)
	h.mustPast(`UPDATE items SET stock = 77 WHERE id = 1`) // as another process might that took over meanwhile
	h.eventually("its heartbeat is older than half its life", func() bool {
		return h.value(h.past, `SELECT clock_timestamp() - heartbeat > life / 2 FROM writebehind.instance`) == true
	})
	answer := make(chan string, 1)
	go func() { answer <- one.do("value", stockOfOne) }()
	// It waits until it knows where it stands, and then asks PostgreSQL.
	require.NoError(t, lock.Rollback())
	require.Equal(t, "77", <-answer)
	h.eventually("it caches again", func() bool { return one.do("ownership", "") == "clean" })
}

func TestWhoHasBeenOvertakenDoesNotCommit(t *testing.T) {
	h := newHarness(t, itemsTable, "")
	db := h.open("writebehind", h.dsn+" writebehind.tables=* writebehind.max_delay=1h writebehind.journal="+t.TempDir())
	tx, err := db.Begin()
	require.NoError(t, err)
	_, err = tx.Exec(`UPDATE items SET stock = stock * 5 WHERE id > 0`)
	require.NoError(t, err)
	h.mustPast(`DELETE FROM writebehind.instance`) // as a newcomer does that takes it for dead
	other := h.newRemote("writebehind.journal=" + t.TempDir())
	require.Equal(t, "10", other.value(stockOfOne))
	written := make(chan string, 1)
	go func() { written <- other.do("exec", `UPDATE items SET stock = stock + 1 WHERE id = 1`) }() // it waits for the first
	h.eventually("the first one knows", func() bool { return statsOf(t, db).Ownership == "shared" })
	require.ErrorContains(t, tx.Commit(), "not committed")
	require.Equal(t, "1", <-written)
	require.Equal(t, "ok", other.do("flush", ""))
	require.EqualValues(t, 11, h.value(h.past, stockOfOne))
}
