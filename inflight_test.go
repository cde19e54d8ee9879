package writebehind_test

import (
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/writebehind/writebehind/queue/journal"
	"github.com/writebehind/writebehind/queue/journal/journaltest"
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

// What a transaction reads is durable, and with it all that it has built on: it sees a
// group as a whole, and nothing that a crash could take back.
func TestATransactionReadsWhatIsDurable(t *testing.T) {
	const two = `UPDATE items SET stock = stock + 5 WHERE id = 2`
	for _, test := range []struct {
		query, want string
		first       string // what the transaction does before
		waits       bool
	}{
		{first: addOne, query: stockOfOne, want: "[16]", waits: true},
		{first: addOne, query: `SELECT stock FROM items WHERE id = 2`, want: "[25]", waits: true},
		{first: addOne, query: `SELECT stock FROM items WHERE id IN (1, 2) ORDER BY id`, want: "[16 25]", waits: true},
		{first: addOne, query: `SELECT stock FROM items WHERE id = 1 FOR UPDATE`, want: "[16]", waits: true},
		{first: addOne, query: `SELECT stock FROM items WHERE id = 2 FOR UPDATE`, want: "[25]", waits: true},
		{first: addOne, query: `UPDATE items SET stock = stock + 1 WHERE id = 1 RETURNING stock`, want: "[17]", waits: true},
		{first: addOne, query: `INSERT INTO items (id, stock) VALUES (8, 80) RETURNING stock`, want: "[80]"},
		{query: `UPDATE items SET stock = stock + 1 WHERE id = 1 RETURNING stock`, want: "[16]", waits: true},
		{query: `INSERT INTO items (id, stock) VALUES (1, 3) ON CONFLICT (id) DO UPDATE SET stock = items.stock + EXCLUDED.stock RETURNING stock`, want: "[18]", waits: true},
		{query: `UPDATE items SET stock = stock + 1 WHERE id = 1 AND stock = 10`, want: "0", waits: true},
		{query: stockOfOne, want: "[10]"},
		{query: `SELECT stock FROM items WHERE id IN (1, 2) ORDER BY id`, want: "[10 20]"},
		{query: addOne, want: "1"}, // those who write build on it
	} {
		t.Run(test.first+"; "+test.query, func(t *testing.T) {
			h := newHarness(t, itemsTable, "")
			fs := &gatedFS{FS: journal.OS()}
			db, _ := h.openOn(fs, "writebehind.journal="+t.TempDir())
			for id := range 9 {
				h.value(db, `SELECT stock FROM items WHERE id = $1`, id)
			}
			s := &scene{harness: h, ctx: t.Context(), db: db, sessions: new([]*session)}
			s.session().does("1", `UPDATE items SET price = 1 WHERE id = 2`)
			h.drained(db)
			pending := statsOf(h, db).PendingRows

			fs.gate.Lock()
			group, c := s.begin(`UPDATE items SET stock = stock + 5 WHERE id = 1`, two), s.begin()
			committed := make(chan string, 1)
			go func() { committed <- group.end("COMMIT") }()
			h.eventually("it is in flight", func() bool { return statsOf(h, db).PendingRows == pending+2 })
			if test.first != "" {
				c.does("1", test.first)
			}
			c.starts(test.query)
			if test.waits {
				select {
				case outcome := <-c.done:
					t.Errorf("it has not waited: %s", outcome)
				case <-time.After(50 * time.Millisecond): // one that does not wait has answered by then
				}
			} else {
				c.gets(test.want)
			}
			fs.gate.Unlock()
			if test.waits && !t.Failed() {
				c.gets(test.want)
			}
			require.Empty(t, <-committed)
			require.Empty(t, c.end("ROLLBACK"))
			s.disperse()
			require.NoError(t, db.Close())
		})
	}
}

// If the disk fails instead, what was in flight has not happened, and is not read.
func TestATransactionThatHasBuiltOnWhatIsLost(t *testing.T) {
	for query, want := range map[string]string{
		stockOfOne:                             "[11]",
		`SELECT stock FROM items WHERE id = 2`: "[20]",
		`UPDATE items SET stock = stock + 1 WHERE id = 1 RETURNING stock`:       "[12]",
		`SELECT stock FROM items WHERE id IN (1, 2) ORDER BY id`:                "[11 20]",
		`SELECT stock FROM items WHERE id = 1 FOR UPDATE`:                       "[11]",
		`UPDATE items SET stock = stock + 1 WHERE stock > 15 RETURNING stock`:   "[21]",
		`INSERT INTO items (id, stock) VALUES (8, 80) RETURNING stock`:          "[80]",
		`SELECT stock FROM items WHERE id = 7`:                                  "[]",
		`DELETE FROM items WHERE id = 1 RETURNING stock`:                        "[11]",
		`SELECT stock FROM items WHERE id = 1 AND name = 'one' AND stock <> 16`: "[11]",
	} {
		t.Run(query, func(t *testing.T) {
			h := newHarness(t, itemsTable, "")
			faults := journaltest.NewFaults(journal.OS())
			fs := &gatedFS{FS: faults}
			db, _ := h.openOn(fs, "writebehind.journal="+t.TempDir())
			s := &scene{harness: h, ctx: t.Context(), db: db, sessions: new([]*session)}
			s.session().does("1", `UPDATE items SET price = 1 WHERE id = 2`)
			h.drained(db)

			fs.gate.Lock()
			group, c := s.begin(`UPDATE items SET stock = stock + 5 WHERE id = 1`, `INSERT INTO items (id) VALUES (7)`), s.begin()
			committed := make(chan string, 1)
			go func() { committed <- group.end("COMMIT") }()
			h.eventually("it is in flight", func() bool { return statsOf(h, db).PendingRows == 2 })
			c.does("1", addOne)
			faults.FailFrom(journaltest.OpSync, 1, syscall.EIO)
			c.starts(query)
			select {
			case outcome := <-c.done: // it did not need what is in flight
				c.done <- outcome
			case <-time.After(20 * time.Millisecond): // or waits for it by then
			}
			fs.gate.Unlock()
			require.Contains(t, <-committed, syscall.EIO.Error())
			c.gets(want)
			c.end("ROLLBACK")
			s.disperse()
			_ = db.Close() // the journal's error
		})
	}
}
