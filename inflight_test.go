package writebehind_test

import (
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/writebehind/writebehind/queue/journal"
)

// gatedFS is a file system on which a sync waits while the gate is shut.
type gatedFS struct {
	journal.FS
	gate sync.Mutex
}

type gatedFile struct {
	journal.File
	fs *gatedFS
}

func (fs *gatedFS) Create(name string) (journal.File, error) {
	f, err := fs.FS.Create(name)
	return &gatedFile{f, fs}, err
}

func (fs *gatedFS) Open(name string, write bool) (journal.File, error) {
	f, err := fs.FS.Open(name, write)
	return &gatedFile{f, fs}, err
}

func (f *gatedFile) Sync() error {
	f.fs.gate.Lock()
	defer f.fs.gate.Unlock()
	return f.File.Sync()
}

// A transaction may change a row that is not durable yet. Whoever has heard of that finds
// the row, also if the transaction is rolled back.
func TestARollbackOutlastsWhatItHasSeen(t *testing.T) {
	for _, byText := range []bool{false, true} {
		h := newHarness(t, itemsTable, "")
		fs := &gatedFS{FS: journal.OS()}
		db, _ := h.openOn(fs, "writebehind.journal="+t.TempDir())
		_, err := db.Exec(addOne)
		require.NoError(t, err)
		h.drained(db)

		fs.gate.Lock()
		inserted := make(chan error, 1)
		go func() {
			_, err := db.Exec(`INSERT INTO items (id) VALUES (7)`)
			inserted <- err
		}()
		h.eventually("it is in flight", func() bool { return statsOf(h, db).PendingRows == 1 })
		conn := h.conn(db)
		_, err = conn.ExecContext(t.Context(), `BEGIN`)
		require.NoError(t, err)
		if !byText {
			_, err = conn.ExecContext(t.Context(), `ROLLBACK`)
			require.NoError(t, err)
		}
		rollback := func() error { _, err := conn.ExecContext(t.Context(), `ROLLBACK`); return err }
		exec := conn.ExecContext
		if !byText {
			tx, err := conn.BeginTx(t.Context(), nil)
			require.NoError(t, err)
			rollback, exec = tx.Rollback, tx.ExecContext
		}
		result, err := exec(t.Context(), `UPDATE items SET stock = 1 WHERE id = 7`)
		require.NoError(t, err)
		n, err := result.RowsAffected()
		require.NoError(t, err)
		require.EqualValues(t, 1, n)
		ended := make(chan error, 1)
		go func() { ended <- rollback() }()
		select {
		case err := <-ended:
			require.NoError(t, err)
			t.Fatal("it has not waited")
		case <-time.After(50 * time.Millisecond): // one that does not wait has ended by then
		}
		fs.gate.Unlock()
		require.NoError(t, <-ended)
		require.EqualValues(t, 0, h.value(db, `SELECT stock FROM items WHERE id = 7`))
		require.NoError(t, db.Close())
	}
}
