package linear

import (
	"context"
	"database/sql"
	"errors"
	"log/slog"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"
	"github.com/stretchr/testify/require"

	"github.com/writebehind/writebehind"
	"github.com/writebehind/writebehind/internal/crash/load"
	"github.com/writebehind/writebehind/internal/crash/record"
	"github.com/writebehind/writebehind/internal/pgtest"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

const (
	keys    = 3
	clients = 5
	kills   = 3
	// Between two kills; and while the server is away.
	operationsUp, attemptsAway = 250, 60
)

// TestLinearizableUnderServerCrashes has goroutines read, set and increment a few
// rows, deferred and direct, while the server is killed and started again.
func TestLinearizableUnderServerCrashes(t *testing.T) {
	for _, journal := range []string{"none", "on", "off"} {
		t.Run("sync "+journal, func(t *testing.T) {
			server := pgtest.New(t)
			server.RequireControl(t)
			seed := uint64(time.Now().UnixNano()) //nolint:gosec // any number will do
			t.Logf("seed %d", seed)
			h := begin(t, server, journal)
			ctx, stop := context.WithCancel(t.Context())
			var running sync.WaitGroup
			for id := range clients {
				rng := rand.New(rand.NewPCG(seed, uint64(id))) //nolint:gosec // it is to be repeatable
				running.Go(func() {
					for ctx.Err() == nil {
						h.step(id, rng)
					}
				})
			}
			for range kills {
				h.await(operationsUp, 0)
				require.NoError(t, server.Kill())
				h.await(0, attemptsAway)
				require.NoError(t, server.Start(t.Context()))
			}
			h.await(operationsUp, 0)
			stop()
			running.Wait()
			require.NoError(t, writebehind.Flush(t.Context(), h.db))
			for key := range keys { // what is left in the end is part of it
				h.try(0, input{kind: read, key: key}, "SELECT max(n) FROM items WHERE id = $1", key)
			}
			require.NotZero(t, h.stats().Deferred)
			require.NotZero(t, h.stats().Direct)
			checkHistory(t, h.operations)
		})
	}
}

// history is what the clients did and saw.
type history struct {
	*testing.T
	db    *sql.DB
	start time.Time

	mu         sync.Mutex
	changed    *sync.Cond
	operations []porcupine.Operation
	attempts   int // those that failed included
}

func begin(t *testing.T, server *pgtest.Server, journal string) *history {
	t.Helper()
	name := server.CreateDatabase(t)
	past, err := sql.Open("postgres", server.DSN(name))
	require.NoError(t, err)
	defer past.Close()
	_, err = past.Exec("CREATE TABLE items (id bigint PRIMARY KEY, n bigint NOT NULL)")
	require.NoError(t, err)
	_, err = past.Exec("INSERT INTO items SELECT g, 0 FROM generate_series(0, $1 - 1) g", keys)
	require.NoError(t, err)

	params := []string{"writebehind.tables=items", "writebehind.max_delay=20ms", "writebehind.journal=none"}
	if journal != "none" {
		params = append(params[:2], "writebehind.journal="+t.TempDir(), "writebehind.sync="+journal)
	}
	connector, err := writebehind.NewConnector(server.DSN(name, params...), writebehind.WithLogger(slog.New(slog.DiscardHandler)))
	require.NoError(t, err)
	h := &history{T: t, db: sql.OpenDB(connector), start: time.Now()}
	h.changed = sync.NewCond(&h.mu)
	t.Cleanup(func() { require.NoError(t, h.db.Close()) })
	return h
}

func (h *history) stats() writebehind.Statistics {
	h.Helper()
	st, err := writebehind.Stats(h.db)
	require.NoError(h, err)
	return st
}

// await returns after so many more operations, and attempts.
func (h *history) await(operations, attempts int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	operations += len(h.operations)
	attempts += h.attempts
	for len(h.operations) < operations || h.attempts < attempts {
		h.changed.Wait()
	}
}

// step is one operation of a client.
func (h *history) step(client int, rng *rand.Rand) {
	key := rng.IntN(keys)
	n := 1 + rng.Int64N(1_000_000)
	// One form in eight is not recognised as keyed, and runs direct.
	direct := rng.IntN(8) == 0
	pick := func(deferred, otherwise string) string {
		if direct {
			return otherwise
		}
		return deferred
	}
	switch kind := []kind{read, read, set, add, add}[rng.IntN(5)]; kind {
	case read:
		h.try(client, input{kind: read, key: key},
			pick("SELECT n FROM items WHERE id = $1", "SELECT max(n) FROM items WHERE id = $1"), key)
	case set:
		h.try(client, input{kind: set, key: key, n: n},
			pick("UPDATE items SET n = $1 WHERE id = $2", "UPDATE items SET n = $1 WHERE id IN ($2)"), n, key)
	case add:
		h.try(client, input{kind: add, key: key, n: n},
			pick("UPDATE items SET n = n + $1 WHERE id = $2", "UPDATE items SET n = n + $1 WHERE id IN ($2)"), n, key)
	}
}

// try runs a statement and records it, unless it is certain that it has not
// happened.
func (h *history) try(client int, in input, query string, args ...any) {
	op := porcupine.Operation{ClientId: client, Input: in, Output: output(0), Call: h.now()}
	n, err := h.run(in.kind, query, args...)
	op.Return = h.now()
	switch {
	case err == nil:
		op.Output = output(n)
	case in.kind == read || errors.Is(err, errNotSent) || load.Outcome(err) == record.Refused:
		h.note(nil)
		return
	default:
		op.Return = never
	}
	h.note(&op)
}

func (h *history) now() int64 { return int64(time.Since(h.start)) }

func (h *history) note(op *porcupine.Operation) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.attempts++
	if op != nil {
		h.operations = append(h.operations, *op)
	}
	h.changed.Broadcast()
}

// errNotSent says that there was no connection for the statement.
var errNotSent = errors.New("not sent")

// errNoRow is an answer that no order explains.
var errNoRow = errors.New("the row was not found")

// run runs a statement on a connection held for it, on which database/sql does not
// repeat it: see load.Worker.Held.
func (h *history) run(k kind, query string, args ...any) (n int64, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	conn, err := h.db.Conn(ctx)
	if err != nil {
		return 0, errNotSent
	}
	defer conn.Close()
	if k == read {
		err := conn.QueryRowContext(ctx, query, args...).Scan(&n)
		if errors.Is(err, sql.ErrNoRows) {
			h.Error(errNoRow)
		}
		return n, err
	}
	result, err := conn.ExecContext(ctx, query, args...)
	if err != nil {
		return 0, err
	}
	affected, err := result.RowsAffected()
	if err == nil && affected != 1 {
		h.Error(errNoRow)
	}
	return 0, err
}
