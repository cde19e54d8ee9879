package queue

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/lib/pq"
	"github.com/stretchr/testify/require"

	"github.com/writebehind/writebehind/internal/pgerr"
	"github.com/writebehind/writebehind/internal/pgtest"
	"github.com/writebehind/writebehind/internal/wbschema"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

// postgres is a queue before a real server.
type postgres struct {
	*fixture
	db     *sql.DB // past the queue
	faults *faults
}

const itemsDDL = `CREATE TABLE items (id bigint PRIMARY KEY, name text, stock bigint);
	INSERT INTO items SELECT g, 'old', 0 FROM generate_series(1, 10) g`

func newPostgres(t *testing.T, server *pgtest.Server, change func(*Options)) *postgres {
	t.Helper()
	dsn := server.DSN(server.CreateDatabase(t), "connect_timeout=5")
	db, err := sql.Open("postgres", dsn)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	_, err = db.Exec(itemsDDL)
	require.NoError(t, err)

	connector, err := pq.NewConnector(dsn)
	require.NoError(t, err)
	p := &postgres{fixture: &fixture{T: t, watcher: &watcher{}}, db: db, faults: &faults{Connector: connector}}
	flush := sql.OpenDB(p.faults)
	t.Cleanup(func() { require.NoError(t, flush.Close()) })
	opts := Options{
		DB: flush, Location: time.UTC, Observer: p.watcher, Logger: slog.New(slog.DiscardHandler),
		MaxDelay: time.Hour, BatchRows: 1000, MaxRows: 100_000, MaxBytes: 1 << 30, Block: true,
	}
	if change != nil {
		change(&opts)
	}
	require.NoError(t, wbschema.Ensure(t.Context(), db))
	require.NoError(t, NewCheckpoint(t.Context(), db, "journal-1"))
	opts.Checkpoint = "journal-1"
	p.queue = Open(opts)
	p.watcher.queue = p.queue
	p.queue.Run()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		require.NoError(t, p.queue.Close(ctx))
	})
	return p
}

// patient drains until it works.
func (p *postgres) patient() {
	p.Helper()
	require.Eventually(p, func() bool { return p.queue.Drain(p.Context(), p.queue.Newest()) == nil }, 30*time.Second, 10*time.Millisecond)
}

// table returns the rows of items by their keys.
func (p *postgres) table() map[int]modelRow {
	p.Helper()
	rows, err := p.db.Query(`SELECT id, name, stock FROM items`)
	require.NoError(p, err)
	defer rows.Close()
	all := make(map[int]modelRow)
	for rows.Next() {
		var id int
		var r modelRow
		require.NoError(p, rows.Scan(&id, &r.name, &r.stock))
		all[id] = r
	}
	require.NoError(p, rows.Err())
	return all
}

// faults is a connector of lib/pq whose next COMMIT something happens to.
type faults struct {
	driver.Connector
	mu            sync.Mutex
	before, after func()
}

func (f *faults) Connect(ctx context.Context) (driver.Conn, error) {
	c, err := f.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	return &faultyConn{real: c.(realConn), faults: f}, nil
}

type realConn interface {
	driver.Conn
	driver.ConnBeginTx
	driver.ExecerContext
	driver.QueryerContext
	driver.Validator
}

type faultyConn struct {
	real   realConn
	faults *faults
	tx     driver.Tx
}

func (c *faultyConn) Prepare(query string) (driver.Stmt, error) { return c.real.Prepare(query) }
func (c *faultyConn) Close() error                              { return c.real.Close() }
func (c *faultyConn) Begin() (driver.Tx, error) {
	return c.BeginTx(context.Background(), driver.TxOptions{})
}
func (c *faultyConn) IsValid() bool { return c.real.IsValid() }

func (c *faultyConn) BeginTx(ctx context.Context, opts driver.TxOptions) (driver.Tx, error) {
	var err error
	c.tx, err = c.real.BeginTx(ctx, opts)
	return c, err
}

func (c *faultyConn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	return c.real.ExecContext(ctx, query, args)
}

func (c *faultyConn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	return c.real.QueryContext(ctx, query, args)
}

func (c *faultyConn) Rollback() error { return c.tx.Rollback() }

func (c *faultyConn) Commit() error {
	c.faults.mu.Lock()
	before, after := c.faults.before, c.faults.after
	c.faults.before, c.faults.after = nil, nil
	c.faults.mu.Unlock()
	if before != nil {
		before()
	}
	if err := c.tx.Commit(); err != nil {
		return err
	}
	if after != nil {
		after()
		return driver.ErrBadConn // nobody has heard the answer
	}
	return nil
}

func TestServerKilledAroundCommitNeitherLosesNorDoubles(t *testing.T) {
	server := pgtest.New(t)
	server.RequireControl(t)
	for _, when := range []string{"before", "after"} {
		t.Run(when, func(t *testing.T) {
			p := newPostgres(t, server, nil)
			kill := func() {
				if err := server.Kill(); err != nil {
					t.Error(err)
				}
			}
			if when == "before" {
				p.faults.before = kill
			} else {
				p.faults.after = kill
			}
			p.commit(p.mutation(items, Insert, nil, 11, "new", 1))
			p.commit(p.delete(1, "old", 0))
			p.commit(p.update(2, "changed", 1))
			require.Error(t, p.queue.Drain(t.Context(), p.queue.Newest()), "the barrier hears of it")
			require.NoError(t, server.Start(t.Context()))
			p.patient()
			table := p.table()
			require.Equal(t, modelRow{"new", 1}, table[11])
			require.Equal(t, modelRow{"changed", 1}, table[2])
			require.NotContains(t, table, 1)
			require.Empty(t, p.watcher.refused, "an insert or a delete done twice would have been refused")
		})
	}
}

func TestServerKilledUnderLoadNeitherLosesNorDoubles(t *testing.T) {
	server := pgtest.New(t)
	server.RequireControl(t)
	p := newPostgres(t, server, func(o *Options) { o.MaxDelay, o.BatchRows = time.Millisecond, 50 })
	want := p.table()
	stop := make(chan struct{})
	var writer sync.WaitGroup
	writer.Go(func() {
		for n := 11; ; n++ {
			select {
			case <-stop:
				return
			case <-time.After(50 * time.Microsecond):
			}
			// A counter whose increments arrive as what they come to, and a new row.
			counter := n%10 + 1
			r := want[counter]
			r.stock++
			want[counter], want[n] = r, modelRow{"new", n}
			p.commit(p.update(counter, r.name, r.stock), p.insert(n, "new", n))
		}
	})
	for range 3 {
		flushed := p.queue.Stats().Flushes
		require.Eventually(t, func() bool { return p.queue.Stats().Flushes > flushed+3 }, 20*time.Second, time.Millisecond)
		require.NoError(t, server.Kill())
		require.NoError(t, server.Start(t.Context()))
	}
	close(stop)
	writer.Wait()
	p.patient()
	require.Equal(t, want, p.table())
	require.Empty(t, p.watcher.refused)
}

func TestKeyTakenByAnotherProgramRefusesItsGroupAlone(t *testing.T) {
	p := newPostgres(t, pgtest.Shared(t), nil)
	p.commit(p.insert(11, "a", 1))
	bad := p.commit(p.insert(12, "b", 1), p.update(1, "with it", 1))
	p.commit(p.update(2, "changed", 1))
	p.commit(p.update(11, "a", 2))
	_, err := p.db.Exec(`INSERT INTO items VALUES (12, 'outside', 0)`)
	require.NoError(t, err)
	p.drain()
	table := p.table()
	require.Equal(t, modelRow{"outside", 0}, table[12])
	require.Equal(t, modelRow{"old", 0}, table[1], "all of the group, or nothing")
	require.Equal(t, modelRow{"changed", 1}, table[2])
	require.Equal(t, modelRow{"a", 2}, table[11])
	require.EqualValues(t, 1, p.queue.Stats().RefusedGroups)
	require.Len(t, p.watcher.refused, 2)
	require.Equal(t, bad, p.watcher.refused[0].lsn)
	require.Equal(t, "23505", pgerr.State(p.watcher.refused[0].err))
}

func TestUpsertGivesWayToAnotherProgramsRow(t *testing.T) {
	p := newPostgres(t, pgtest.Shared(t), nil)
	p.commit(p.mutation(items, Upsert, []int{2}, 11, "a", 5), p.mutation(items, Upsert, nil, 12, "b", 5))
	_, err := p.db.Exec(`INSERT INTO items VALUES (11, 'outside', 0), (12, 'outside', 0)`)
	require.NoError(t, err)
	p.drain()
	require.Equal(t, modelRow{"outside", 5}, p.table()[11])
	require.Equal(t, modelRow{"outside", 0}, p.table()[12])
	require.Empty(t, p.watcher.refused)
}

// TestCoalescedMutationsOnAServer sends every kind of statement, and odd values.
func TestCoalescedMutationsOnAServer(t *testing.T) {
	p := newPostgres(t, pgtest.Shared(t), nil)
	odd := "\\\"',{}() NULL\n\u00e9"
	p.commit(p.delete(1, "old", 0))
	p.commit(p.insert(1, odd, 1)) // replace
	p.commit(p.insert(11, "", 1))
	p.commit(p.insert(12, "x", 1))
	p.commit(p.delete(12, "x", 1)) // nothing
	p.commit(p.mutation(items, Update, []int{2}, 3, "old", 7))
	p.commit(p.mutation(items, Update, []int{1}, 3, "NULL", 7))
	p.commit(p.mutation(items, Upsert, []int{1}, 13, odd, 1))
	p.commit(p.delete(2, "old", 0))
	p.drain()
	table := p.table()
	require.Equal(t, modelRow{odd, 1}, table[1])
	require.Equal(t, modelRow{"", 1}, table[11])
	require.Equal(t, modelRow{"NULL", 7}, table[3])
	require.Equal(t, modelRow{odd, 1}, table[13])
	require.NotContains(t, table, 2)
	require.NotContains(t, table, 12)
	require.EqualValues(t, 1, p.queue.Stats().Flushes)
}

func TestFlushWaitsForALockedRow(t *testing.T) {
	p := newPostgres(t, pgtest.Shared(t), nil)
	other, err := p.db.Begin()
	require.NoError(t, err)
	_, err = other.Exec(`UPDATE items SET name = 'theirs' WHERE id = 1`)
	require.NoError(t, err)
	p.commit(p.mutation(items, Update, []int{2}, 1, "old", 7))
	drained := make(chan error, 1)
	go func() { drained <- p.queue.Drain(t.Context(), 1) }()
	p.waiting()
	_, state := p.get(1)
	require.Equal(t, Present, state)
	require.NoError(t, other.Commit())
	require.NoError(t, <-drained)
	require.Equal(t, modelRow{"theirs", 7}, p.table()[1])
}

// waiting waits until a session of the database waits for a lock.
func (p *postgres) waiting() {
	p.Helper()
	require.Eventually(p, func() bool {
		var n int
		err := p.db.QueryRow(`SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`).Scan(&n)
		return err == nil && n > 0
	}, 20*time.Second, time.Millisecond)
}

func TestFlushThatLosesADeadlockIsTriedAgain(t *testing.T) {
	p := newPostgres(t, pgtest.Shared(t), nil)
	_, err := p.db.Exec(`DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET deadlock_timeout = ''20ms''', current_database()); END $$`)
	require.NoError(t, err)
	other, err := p.db.Begin()
	require.NoError(t, err)
	for _, query := range []string{`SET LOCAL deadlock_timeout = '1h'`, `UPDATE items SET name = 'theirs' WHERE id = 2`} {
		_, err = other.Exec(query)
		require.NoError(t, err)
	}
	// Two statements, so that the first holds what the other session wants next.
	p.commit(p.delete(1, "old", 0))
	p.commit(p.mutation(items, Update, []int{2}, 2, "old", 7))
	drained := make(chan error, 1)
	go func() { drained <- p.queue.Drain(t.Context(), p.queue.Newest()) }()
	p.waiting()
	_, err = other.Exec(`UPDATE items SET name = 'theirs' WHERE id = 1`)
	require.NoError(t, err, "the flush gave way")
	require.NoError(t, other.Commit())
	require.NoError(t, <-drained, "a barrier waits for it")
	table := p.table()
	require.NotContains(t, table, 1)
	require.Equal(t, modelRow{"theirs", 7}, table[2])
	require.Positive(t, p.queue.Stats().Retries)
	require.Empty(t, p.watcher.refused)
}

func TestTableThatIsGonePausesAndComesBack(t *testing.T) {
	p := newPostgres(t, pgtest.Shared(t), nil)
	p.commit(p.update(1, "changed", 1))
	_, err := p.db.Exec(`ALTER TABLE items RENAME TO elsewhere`)
	require.NoError(t, err)
	require.Equal(t, "42P01", pgerr.State(p.queue.Drain(t.Context(), 1)))
	require.True(t, p.queue.Stats().Paused)
	_, err = p.db.Exec(`ALTER TABLE elsewhere RENAME TO items`)
	require.NoError(t, err)
	p.patient()
	require.Equal(t, modelRow{"changed", 1}, p.table()[1])
}

func TestDeferredConstraintsAreCheckedGroupByGroup(t *testing.T) {
	p := newPostgres(t, pgtest.Shared(t), nil)
	_, err := p.db.Exec(`ALTER TABLE items ADD CONSTRAINT stocks UNIQUE (name, stock) DEFERRABLE INITIALLY DEFERRED`)
	require.Error(t, err, "the stock has doubles")
	_, err = p.db.Exec(`UPDATE items SET stock = id; ALTER TABLE items ADD CONSTRAINT stocks UNIQUE (stock) DEFERRABLE INITIALLY DEFERRED`)
	require.NoError(t, err)
	p.commit(p.update(1, "swap", 2), p.update(2, "swap", 1)) // allowed at the end of the group
	p.commit(p.insert(11, "taken", 3))
	p.commit(p.insert(12, "fine", 12))
	p.drain()
	table := p.table()
	require.Equal(t, modelRow{"swap", 2}, table[1])
	require.Equal(t, modelRow{"swap", 1}, table[2])
	require.NotContains(t, table, 11)
	require.Equal(t, modelRow{"fine", 12}, table[12])
	require.EqualValues(t, 1, p.queue.Stats().RefusedGroups)
}

func TestFlushIsDurableWhateverTheDatabaseSays(t *testing.T) {
	p := newPostgres(t, pgtest.Shared(t), nil)
	_, err := p.db.Exec(`DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET synchronous_commit = off', current_database()); END $$;
		CREATE TABLE seen (setting text);
		CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
			INSERT INTO public.seen VALUES (concat_ws(' ', current_setting('synchronous_commit'), current_setting('statement_timeout'), current_setting('lock_timeout')));
			RETURN NEW; END $$;
		CREATE TRIGGER note AFTER UPDATE ON items FOR EACH STATEMENT EXECUTE FUNCTION note()`)
	require.NoError(t, err)
	p.commit(p.update(1, "a", 1))
	p.drain()
	var seen string
	require.NoError(t, p.db.QueryRow(`SELECT setting FROM seen`).Scan(&seen))
	require.Equal(t, fmt.Sprintf("on %dmin %ds", int(statementTimeout.Minutes()), int(lockTimeout.Seconds())), seen)
}
