package writebehind_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/lib/pq"
	"github.com/stretchr/testify/require"

	"github.com/writebehind/writebehind"
	"github.com/writebehind/writebehind/internal/pgtest"
)

// scene is where one scenario of several sessions is played: once with lib/pq
// alone, which shows that what the scenario requires is PostgreSQL's way, and
// then through the shim. No scene is to last until its context ends.
type scene struct {
	*harness
	ctx   context.Context //nolint:containedctx // of all that is done
	db    *sql.DB         // under test
	begun int             // transactions, of which every second one is begun and ended by statements
	pq    bool            // it is lib/pq
	real  bool            // PostgreSQL knows of every transaction

	sessions *[]*session
}

const sceneLasts = 30 * time.Second

// play plays a scenario with every driver. shim is appended to the shim's DSN.
func play(t *testing.T, ddl, shim string, scenario func(s *scene)) {
	t.Helper()
	playOn(t, pgtest.Shared(t), ddl, shim, scenario)
}

// playOn is play on a server of the test's own, or the shared one.
func playOn(t *testing.T, server *pgtest.Server, ddl, shim string, scenario func(s *scene)) {
	t.Helper()
	t.Parallel()
	for _, variant := range []struct {
		name, params string
	}{
		{name: "lib/pq"},
		{name: "direct", params: "writebehind.transactions=direct "},
		{name: "buffer", params: buffering + " "},
	} {
		t.Run(variant.name, func(t *testing.T) {
			t.Parallel()
			var database string
			if server == pgtest.Shared(t) {
				database = borrowDatabase(t)
			} else {
				database = server.CreateDatabase(t)
			}
			h := newHarnessIn(t, server.DSN(database)+" deadlock_timeout=20ms", ddl, variant.params+shim)
			ctx, cancel := context.WithTimeout(context.Background(), sceneLasts)
			t.Cleanup(cancel)
			s := &scene{harness: h, ctx: ctx, db: h.shim, sessions: new([]*session), real: variant.params != buffering+" "}
			t.Cleanup(s.disperse)
			if variant.params == "" {
				s.db, s.pq = h.open("postgres", h.dsn), true
			}
			s.db.SetMaxIdleConns(20) // as many as a scene has sessions
			scenario(s)
			require.NoError(t, ctx.Err(), "nothing hangs")
		})
	}
}

// pend has rows in the cache and an acknowledged write that is not flushed.
func (s *scene) pend() {
	s.Helper()
	for id := range 3 {
		s.value(s.db, `SELECT stock FROM items WHERE id = $1`, id)
	}
	s.session().does("1", `UPDATE items SET stock = 10 WHERE id = 1`)
}

// session is one that does one thing at a time.
type session struct {
	*scene
	conn *sql.Conn
	tx   *sql.Tx // nil outside of one, and if it is begun by text
	done chan string
}

func (s *scene) session() *session {
	s.Helper()
	conn, err := s.db.Conn(s.ctx)
	require.NoError(s, err)
	c := &session{scene: s, conn: conn, done: make(chan string, 1)}
	*s.sessions = append(*s.sessions, c)
	return c
}

// disperse ends all sessions.
func (s *scene) disperse() {
	for _, c := range *s.sessions {
		if c.tx != nil {
			_ = c.tx.Rollback()
		}
		_ = c.conn.Close()
	}
	*s.sessions = nil
}

// begin begins a transaction and does what it is to have done before anything
// else happens.
func (s *scene) begin(queries ...string) *session {
	s.Helper()
	c := s.session()
	s.begun++
	if s.begun%2 == 0 {
		c.does("0", `BEGIN`)
	} else {
		var err error
		c.tx, err = c.conn.BeginTx(s.ctx, nil)
		require.NoError(s, err)
	}
	for _, query := range queries {
		outcome := c.do(s.ctx, query)
		require.False(s, failed(outcome), "%s: %s", query, outcome)
	}
	return c
}

// outsider begins a transaction of a session past the shim.
func (s *scene) outsider(queries ...string) *session {
	s.Helper()
	past := *s
	past.db, past.begun = s.past, 0
	return past.begin(queries...)
}

// do executes a statement and tells what came of it: the rows affected, the rows
// returned, or the error.
func (c *session) do(ctx context.Context, query string, args ...any) string {
	var on interface {
		ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
		QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	} = c.conn
	if c.tx != nil {
		on = c.tx
	}
	if !strings.HasPrefix(query, "SELECT") && !strings.Contains(query, "RETURNING") {
		result, err := on.ExecContext(ctx, query, args...)
		if err != nil {
			return failure(err)
		}
		n, err := result.RowsAffected()
		if err != nil {
			return failure(err)
		}
		return fmt.Sprint(n)
	}
	rows, err := on.QueryContext(ctx, query, args...)
	if err != nil {
		return failure(err)
	}
	defer rows.Close()
	var all []string
	for rows.Next() {
		var v sql.NullString
		if err := rows.Scan(&v); err != nil {
			return failure(err)
		}
		all = append(all, v.String)
	}
	if err := rows.Err(); err != nil {
		return failure(err)
	}
	return "[" + strings.Join(all, " ") + "]"
}

// failure is the SQLSTATE of an error, or what it is if it has none.
func failure(err error) string {
	var refused *pq.Error
	switch {
	case errors.As(err, &refused):
		return string(refused.Code)
	case errors.Is(err, context.DeadlineExceeded):
		return "deadline"
	case errors.Is(err, context.Canceled):
		return "canceled"
	}
	return err.Error()
}

func failed(outcome string) bool { return len(outcome) == len("40P01") && outcome[0] != '[' }

// does requires what comes of a statement.
func (c *session) does(want, query string, args ...any) {
	c.Helper()
	require.Equal(c, want, c.do(c.ctx, query, args...), query)
}

// starts begins a statement that is to wait for somebody.
func (c *session) starts(query string) {
	go func() { c.done <- c.do(c.ctx, query) }()
}

// gets requires what comes of the statement that was started.
func (c *session) gets(want string) {
	c.Helper()
	require.Equal(c, want, c.outcome())
}

func (c *session) outcome() string {
	c.Helper()
	select {
	case outcome := <-c.done:
		return outcome
	case <-time.After(sceneLasts + 5*time.Second):
		require.Fail(c, "it hangs")
		return ""
	}
}

func (c *session) commit()   { c.Helper(); require.Empty(c, c.end("COMMIT")) }
func (c *session) rollback() { c.Helper(); require.Empty(c, c.end("ROLLBACK")) }

// end ends the transaction and returns what failed.
func (c *session) end(how string) string {
	c.Helper()
	var err error
	switch {
	case c.tx == nil:
		_, err = c.conn.ExecContext(c.ctx, how)
	case how == "COMMIT":
		err = c.tx.Commit()
	default:
		err = c.tx.Rollback()
	}
	c.tx = nil
	if err != nil {
		return failure(err)
	}
	return ""
}

// finishes begins a statement after which the transaction ends, as it can.
func (c *session) finishes(query string) {
	go func() {
		outcome, how := c.do(c.ctx, query), "COMMIT"
		if failed(outcome) {
			how = "ROLLBACK"
		}
		c.done <- outcome + c.end(how)
	}()
}

// waiting waits until so many sessions wait for locks, in PostgreSQL or in this
// process.
func (s *scene) waiting(n int64) {
	s.Helper()
	s.eventually("sessions wait for locks", func() bool {
		waiting := s.value(s.past, `SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()`).(int64)
		if !s.pq {
			waiting += int64(s.stats().Waiting)
		}
		return waiting >= n
	})
}

// oneDeadlock requires that one of the sessions is the victim of a deadlock, and
// that the others get what they want.
func (s *scene) oneDeadlock(others string, sessions ...*session) {
	s.Helper()
	outcomes, want := make([]string, len(sessions)), []string{"40P01"}
	for i, c := range sessions {
		outcomes[i] = c.outcome()
		if i > 0 {
			want = append(want, others)
		}
	}
	require.ElementsMatch(s, want, outcomes)
}

// leaves requires what is left of items, read by key and in PostgreSQL, when all
// sessions have ended.
func (s *scene) leaves(want string) {
	s.Helper()
	s.disperse()
	byKey := func() string {
		var all []string
		for id := range 6 {
			if v := s.value(s.db, `SELECT stock FROM items WHERE id = $1`, id); v != nil {
				all = append(all, fmt.Sprintf("%d:%d", id, v))
			}
		}
		return strings.Join(all, " ")
	}
	require.Equal(s, want, byKey())
	if !s.pq {
		require.NoError(s, writebehind.Flush(s.ctx, s.db))
		require.Zero(s, s.stats().RefusedGroups)
	}
	require.Equal(s, want, s.value(s.past, `SELECT coalesce(string_agg(id || ':' || stock, ' ' ORDER BY id), '') FROM items`))
	require.Equal(s, want, byKey())
}
