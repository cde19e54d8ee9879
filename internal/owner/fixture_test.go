package owner_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"log/slog"
	"os"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/lib/pq"
	"github.com/stretchr/testify/require"

	"github.com/writebehind/writebehind/internal/owner"
	"github.com/writebehind/writebehind/internal/pgtest"
	"github.com/writebehind/writebehind/internal/wbschema"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

const (
	life    = 500 * time.Millisecond
	patient = 20 * time.Second
)

// world is a database and the processes on it.
type world struct {
	*testing.T
	dsn string
	db  *sql.DB
	log syncedLog
}

func newWorld(t *testing.T) *world {
	t.Helper()
	server := pgtest.Shared(t)
	w := &world{T: t, dsn: server.DSN(server.CreateDatabase(t))}
	var err error
	w.db, err = sql.Open("postgres", w.dsn)
	require.NoError(t, err)
	t.Cleanup(func() { w.db.Close() })
	require.NoError(t, wbschema.Ensure(t.Context(), w.db))
	return w
}

// process is an owner, its engine and its way to the server.
type process struct {
	*owner.Owner
	*world
	engine *fakeEngine
	cable  *cable
	name   string
}

// options of a process, on a machine of its own. Its number there is one that a
// process of this machine has, in case the machines were confused.
func (w *world) options(name, journal string) (owner.Options, *process) {
	w.Helper()
	connector, err := pq.NewConnector(w.dsn)
	require.NoError(w, err)
	p := &process{world: w, name: name, cable: &cable{Connector: connector}, engine: &fakeEngine{}}
	db := sql.OpenDB(p.cable)
	w.Cleanup(func() { db.Close() })
	return owner.Options{
		DB: db, Instance: name, Journal: journal, Path: "/journals/" + name, Host: "host-" + name, Machine: "machine-" + name,
		Application: "app", PID: os.Getpid(), TakeoverTimeout: patient, Life: life, Engine: p.engine,
		Logger: slog.New(slog.NewTextHandler(&w.log, nil)),
	}, p
}

// register starts a process. What is to be different from options is changed by
// change, which may be nil.
func (w *world) register(name, journal string, change func(*owner.Options)) (*process, error) {
	w.Helper()
	opts, p := w.options(name, journal)
	if change != nil {
		change(&opts)
	}
	var err error
	if p.Owner, err = owner.Register(w.Context(), opts); err != nil {
		return nil, err
	}
	w.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		p.cable.cut.Store(false)
		p.engine.letGo()
		require.NoError(w, p.Close(ctx, false))
	})
	return p, nil
}

// start registers a process that is let in, and starts it.
func (w *world) start(name, journal string) *process {
	w.Helper()
	p, err := w.register(name, journal, nil)
	require.NoError(w, err)
	p.Start()
	return p
}

// arrive registers a process while something else happens.
func (w *world) arrive(name, journal string, change func(*owner.Options)) <-chan error {
	w.Helper()
	done := make(chan error, 1)
	opts, p := w.options(name, journal)
	if change != nil {
		change(&opts)
	}
	go func() {
		var err error
		if p.Owner, err = owner.Register(context.Background(), opts); err == nil {
			w.Cleanup(func() { p.Close(context.Background(), false) })
			p.Start()
		}
		done <- err
	}()
	return done
}

// soon waits for a condition.
func (w *world) soon(what string, f func() bool) {
	w.Helper()
	require.Eventually(w, f, patient, 5*time.Millisecond, what)
}

func (w *world) exec(query string, args ...any) {
	w.Helper()
	_, err := w.db.Exec(query, args...)
	require.NoError(w, err)
}

// dirty tells whether the owner row says so, and for which journal.
func (w *world) dirty() (dirty bool, journal string) {
	w.Helper()
	require.NoError(w, w.db.QueryRow(`SELECT dirty, journal FROM writebehind.owner`).Scan(&dirty, &journal))
	return dirty, journal
}

func (w *world) instances() (n int) {
	w.Helper()
	require.NoError(w, w.db.QueryRow(`SELECT count(*) FROM writebehind.instance`).Scan(&n))
	return n
}

func (w *world) alone(name string) (alone bool) {
	w.Helper()
	err := w.db.QueryRow(`SELECT alone FROM writebehind.instance WHERE id = $1`, name).Scan(&alone)
	if !errors.Is(err, sql.ErrNoRows) {
		require.NoError(w, err)
	}
	return alone
}

// present waits until a process is registered.
func (w *world) present(name string) {
	w.Helper()
	w.soon(name+" is registered", func() bool {
		var there bool
		require.NoError(w, w.db.QueryRow(`SELECT EXISTS (SELECT FROM writebehind.instance WHERE id = $1)`, name).Scan(&there))
		return there
	})
}

func (p *process) is(role owner.Role) {
	p.Helper()
	p.soon(p.name+" is "+string(role), func() bool { return p.State().Role == role })
}

// defers takes the database and has something pending.
func (p *process) defers() {
	p.Helper()
	p.engine.setPending(3)
	_, err := p.Take(p.Context())
	require.NoError(p, err)
}

// dies ends the process without a word to the server, which knows it for as long as
// its life.
func (p *process) dies() {
	p.Helper()
	p.cable.cut.Store(true)
	p.engine.letGo()
	ctx, cancel := context.WithTimeout(p.Context(), 5*time.Second)
	defer cancel()
	require.Error(p, p.Close(ctx, false))
}

// fakeEngine records what it is told. It drains when it is told to yield, unless
// it is stuck.
type fakeEngine struct {
	mu      sync.Mutex
	pending uint64
	active  bool
	stuck   chan struct{}
	failure error
	resumed int
	taken   int
	yielded int
	died    bool // as Resume was last told
}

func (e *fakeEngine) Yield(ctx context.Context) error {
	e.mu.Lock()
	e.active = false
	e.yielded++
	stuck, failure := e.stuck, e.failure
	e.mu.Unlock()
	if stuck != nil {
		select {
		case <-stuck:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	if failure != nil {
		return failure
	}
	e.setPending(0)
	return nil
}

func (e *fakeEngine) Resume(died bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.active = true
	e.resumed++
	e.died = died
}

func (e *fakeEngine) lastDied() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.died
}

func (e *fakeEngine) Taken() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.taken++
}

func (e *fakeEngine) Idle() bool { return e.Pending() == 0 }

func (e *fakeEngine) Pending() uint64 {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.pending
}

func (e *fakeEngine) setPending(n uint64) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.pending = n
}

func (e *fakeEngine) isActive() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.active
}

func (e *fakeEngine) yields() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.yielded
}

func (e *fakeEngine) fail(err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.failure = err
}

// hold makes the engine hang in Yield until letGo.
func (e *fakeEngine) hold() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.stuck = make(chan struct{})
}

func (e *fakeEngine) letGo() {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.stuck != nil {
		close(e.stuck)
		e.stuck = nil
	}
}

// cable is the way to the server. Cut, it ends what is under way and refuses what
// comes.
type cable struct {
	driver.Connector
	cut atomic.Bool
}

var errCut = errors.New("the cable is cut")

func (c *cable) Connect(ctx context.Context) (driver.Conn, error) {
	if c.cut.Load() {
		return nil, errCut
	}
	conn, err := c.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	return &cableConn{Conn: conn, cable: c}, nil
}

// cableConn finds out at the begin of each transaction.
type cableConn struct {
	driver.Conn
	cable *cable
}

func (c *cableConn) IsValid() bool { return !c.cable.cut.Load() }

func (c *cableConn) BeginTx(ctx context.Context, opts driver.TxOptions) (driver.Tx, error) {
	if c.cable.cut.Load() {
		return nil, errCut
	}
	return c.Conn.(driver.ConnBeginTx).BeginTx(ctx, opts)
}

func (c *cableConn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	return c.Conn.(driver.QueryerContext).QueryContext(ctx, query, args)
}

func (c *cableConn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	return c.Conn.(driver.ExecerContext).ExecContext(ctx, query, args)
}

func (c *cableConn) CheckNamedValue(v *driver.NamedValue) error {
	return c.Conn.(driver.NamedValueChecker).CheckNamedValue(v)
}

// endedPID returns the number of a process that has ended.
func endedPID(t *testing.T) int {
	t.Helper()
	cmd := exec.Command("true")
	require.NoError(t, cmd.Run())
	return cmd.Process.Pid
}

// syncedLog is what was logged.
type syncedLog struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *syncedLog) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *syncedLog) count(what string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Count(l.text.String(), what)
}
