package writebehind_test

import (
	"database/sql"
	"log/slog"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/writebehind/writebehind"
	"github.com/writebehind/writebehind/queue/journal"
	"github.com/writebehind/writebehind/queue/journal/journaltest"
)

// openOn opens the shim with its journal on a file system.
func (h *harness) openOn(fs journal.FS, params string) (*sql.DB, *logs) {
	h.Helper()
	log := new(logs)
	connector, err := writebehind.NewConnector(h.dsn+" writebehind.tables=* writebehind.max_delay=1h "+params,
		writebehind.WithJournalFS(fs), writebehind.WithLogger(slog.New(slog.NewTextHandler(log, nil))))
	require.NoError(h, err)
	return sql.OpenDB(connector), log
}

func TestAWriteThatCannotBeSyncedHasNotHappened(t *testing.T) {
	h := newHarness(t, itemsTable, "")
	faults := journaltest.NewFaults(journal.OS())
	params := "writebehind.journal=" + t.TempDir()
	db, log := h.openOn(faults, params)
	update := func() error {
		_, err := db.Exec(`UPDATE items SET stock = stock + 1 WHERE id = 1`)
		return err
	}
	require.NoError(t, update())
	faults.FailFrom(journaltest.OpSync, 1, syscall.EIO)
	err := update()
	require.ErrorIs(t, err, writebehind.ErrJournal)
	require.ErrorContains(t, err, syscall.EIO.Error())
	require.EqualValues(t, 11, h.value(db, stockOfOne), "it has not happened")

	for range 3 {
		require.NoError(t, update())
	}
	require.EqualValues(t, 14, h.value(h.past, stockOfOne), "later ones are direct")
	require.EqualValues(t, 1, statsOf(t, db).Deferred)
	require.Contains(t, statsOf(t, db).LastError, syscall.EIO.Error())
	require.Equal(t, 1, strings.Count(log.String(), "they are direct until it does"), "an operator hears of it, once")
	_ = db.Close() // the journal's error

	again, _ := h.openOn(journal.OS(), params)
	require.EqualValues(t, 14, h.value(again, stockOfOne))
	_, err = again.Exec(`UPDATE items SET stock = stock + 1 WHERE id = 1`)
	require.NoError(t, err)
	require.EqualValues(t, 1, statsOf(t, again).Deferred)
	require.NoError(t, again.Close())
	require.EqualValues(t, 15, h.value(h.past, stockOfOne))
}

// What a failed sync leaves on the disk, where it cannot be erased, must not come
// back: others have written since.
func TestAWriteThatHasNotHappenedDoesNotHappenAtTheNextStart(t *testing.T) {
	h := newHarness(t, itemsTable, "")
	faults := journaltest.NewFaults(journal.OS())
	dir := t.TempDir()
	params := "writebehind.journal=" + dir
	db, log := h.openOn(faults, params)
	_, err := db.Exec(`UPDATE items SET stock = stock + 1 WHERE id = 1`)
	require.NoError(t, err)
	segments, err := filepath.Glob(dir + "/*/*.segment")
	require.NoError(t, err)
	require.NotEmpty(t, segments)
	written := 0
	faults.FailFile(journaltest.OpWrite, func(name string) bool {
		if name == segments[0] {
			written++
		}
		return written > 1
	}, journaltest.Unwritten{Err: syscall.EIO})
	faults.FailFrom(journaltest.OpSync, 1, syscall.EIO)
	_, err = db.Exec(`UPDATE items SET stock = 99 WHERE id = 1`)
	require.ErrorIs(t, err, writebehind.ErrJournal)
	require.Equal(t, 2, written, "it was written, and could not be erased")
	_, err = db.Exec(`UPDATE items SET stock = stock + 1 WHERE id = 1`)
	require.NoError(t, err)
	require.EqualValues(t, 12, h.value(h.past, stockOfOne))

	faults.Heal()  // or the lock could not be given up
	_ = db.Close() // the journal's error
	again, _ := h.openOn(journal.OS(), params)
	require.EqualValues(t, 12, h.value(again, stockOfOne))
	require.NoError(t, writebehind.Flush(t.Context(), again))
	require.EqualValues(t, 12, h.value(h.past, stockOfOne))
	_, err = again.Exec(`UPDATE items SET stock = stock + 1 WHERE id = 1`)
	require.NoError(t, err)
	require.EqualValues(t, 1, statsOf(t, again).Deferred)
	require.NoError(t, again.Close())
	require.EqualValues(t, 13, h.value(h.past, stockOfOne))
	require.NotContains(t, log.String(), "could not be trimmed")
}

func TestAJournalThatCannotBeReadIsAnErrorAndLosesNothing(t *testing.T) {
	h := newHarness(t, itemsTable, "")
	params := "writebehind.journal=" + t.TempDir()
	r := h.newRemote(params)
	r.exec(`UPDATE items SET stock = stock + 1 WHERE id = 1`)
	r.kill()

	faults := journaltest.NewFaults(journal.OS())
	faults.FailFile(journaltest.OpRead, func(name string) bool { return strings.HasSuffix(name, ".segment") }, syscall.EIO)
	db, _ := h.openOn(faults, params)
	_, err := db.Exec(`UPDATE items SET stock = stock + 1 WHERE id = 1`)
	require.ErrorContains(t, err, syscall.EIO.Error())
	require.EqualValues(t, 10, h.value(h.past, stockOfOne))
	faults.Heal()
	require.EqualValues(t, 11, h.value(db, stockOfOne), "the next statement tries again")
	require.NoError(t, db.Close())
	require.EqualValues(t, 11, h.value(h.past, stockOfOne))
}

func TestAFullDiskMakesWritesDirectUntilThereIsRoom(t *testing.T) {
	h := newHarness(t, itemsTable, "")
	faults := journaltest.NewFaults(journal.OS())
	db, log := h.openOn(faults, "writebehind.journal="+t.TempDir())
	outlastsAFullDisk(t, h, db, func() { faults.LimitSpace(0) }, faults.Heal)
	require.NoError(t, db.Close())
	require.Equal(t, 1, strings.Count(log.String(), "they are direct until it does"), "an operator hears of it, once")
	require.Equal(t, 1, strings.Count(log.String(), "the journal takes writes again"))
}

// outlastsAFullDisk fills the disk of a journal and makes room again, and writes
// more meanwhile than a segment has room for.
func outlastsAFullDisk(t *testing.T, h *harness, db *sql.DB, fill, empty func()) {
	t.Helper()
	name := strings.Repeat("x", 1<<20)
	writes := 0
	write := func() (deferred bool) {
		t.Helper()
		before := statsOf(t, db).Deferred
		_, err := db.Exec(`UPDATE items SET name = $1, stock = stock + 1 WHERE id = 1`, name[writes:])
		require.NoError(t, err)
		writes++
		return statsOf(t, db).Deferred > before
	}
	require.True(t, write())
	fill()
	const segment = 64 // writes that fill one; another may have been made ahead
	for write() {
		require.Less(t, writes, 3*segment)
	}
	for range 10 {
		require.False(t, write())
		_, err := db.Exec(`UPDATE items SET stock = 1 WHERE id = 9`) // no row: the journal is not asked
		require.NoError(t, err)
		require.EqualValues(t, 10+writes, h.value(h.past, stockOfOne))
	}
	require.Contains(t, statsOf(t, db).LastError, "no space")
	empty()
	h.eventually("writes are deferred again", write)
	require.EqualValues(t, 10+writes, h.value(db, stockOfOne))
	require.NoError(t, writebehind.Flush(t.Context(), db))
	require.EqualValues(t, 10+writes, h.value(h.past, stockOfOne))
	require.EqualValues(t, len(name)-writes+1, h.value(h.past, `SELECT length(name) FROM items WHERE id = 1`))
	require.Empty(t, statsOf(t, db).LastError)
}
