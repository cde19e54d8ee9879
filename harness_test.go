package writebehind_test

import (
	"context"
	"database/sql"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/writebehind/writebehind"
	"github.com/writebehind/writebehind/internal/pgtest"
)

// harness is one database, seen through the shim and past it.
type harness struct {
	*testing.T
	shim *sql.DB // tables opted in
	past *sql.DB // lib/pq alone
	dsn  string  // of lib/pq

	params  string // what the shim's DSN has more
	session string // what both DSNs say of the session
	binary  bool   // both send parameters in binary format
}

// newHarness makes a database with the given schema. params are appended to the
// shim's DSN; nothing is flushed by age unless they say so.
func newHarness(t *testing.T, ddl string, params string) *harness {
	t.Helper()
	return newHarnessIn(t, pgtest.Shared(t).DSN(borrowDatabase(t)), ddl, params)
}

// newHarnessOn is newHarness on a server of the test's own.
func newHarnessOn(t *testing.T, server *pgtest.Server, ddl string, params string) *harness {
	t.Helper()
	return newHarnessIn(t, server.DSN(server.CreateDatabase(t)), ddl, params)
}

func newHarnessIn(t *testing.T, dsn, ddl, params string) *harness {
	t.Helper()
	h := &harness{T: t, dsn: dsn}
	h.past = h.open("postgres", h.dsn)
	h.mustPast(ddl)
	if !strings.Contains(params, "writebehind.max_delay") {
		params += " writebehind.max_delay=1h"
	}
	if !strings.Contains(params, "writebehind.tables") {
		params += " writebehind.tables=*"
	}
	h.params = " writebehind.journal=none " + params
	h.shim = h.open("writebehind", h.dsn+h.params)
	return h
}

func (h *harness) open(driver, dsn string) *sql.DB {
	h.Helper()
	db, err := sql.Open(driver, dsn)
	require.NoError(h, err)
	h.Cleanup(func() { require.NoError(h, db.Close()) })
	return db
}

func (h *harness) mustPast(query string, args ...any) {
	h.Helper()
	_, err := h.past.Exec(query, args...)
	require.NoError(h, err)
}

// exec executes on the shim and returns the number of rows affected.
func (h *harness) exec(query string, args ...any) int64 {
	h.Helper()
	result, err := h.shim.Exec(query, args...)
	require.NoError(h, err)
	n, err := result.RowsAffected()
	require.NoError(h, err)
	return n
}

// value reads one value; nil if there is no row.
func (h *harness) value(db *sql.DB, query string, args ...any) any {
	h.Helper()
	var v any
	err := db.QueryRow(query, args...).Scan(&v)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	require.NoError(h, err)
	return v
}

func (h *harness) stats() writebehind.Statistics { h.Helper(); return statsOf(h, h.shim) }

func statsOf(t require.TestingT, db *sql.DB) writebehind.Statistics {
	st, err := writebehind.Stats(db)
	require.NoError(t, err)
	return st
}

func (h *harness) flush() {
	h.Helper()
	require.NoError(h, writebehind.Flush(context.Background(), h.shim))
}

// table returns the row of SHOW writebehind.tables for a table.
func (h *harness) table(name string) (mode, reason string) {
	h.Helper()
	rows, err := h.shim.Query(`SHOW writebehind.tables`)
	require.NoError(h, err)
	defer rows.Close()
	for rows.Next() {
		var table, optedIn, m, r string
		require.NoError(h, rows.Scan(&table, &optedIn, &m, &r))
		if table == name || table == "public."+name {
			mode, reason = m, r
		}
	}
	require.NoError(h, rows.Err())
	return mode, reason
}

// conn returns one connection, given back at the end of the test.
func (h *harness) conn(db *sql.DB) *sql.Conn {
	h.Helper()
	c, err := db.Conn(context.Background())
	require.NoError(h, err)
	h.Cleanup(func() { _ = c.Close() })
	return c
}

func (h *harness) explain(query string, args ...any) (decision, reason string) {
	h.Helper()
	var keyed, table string
	require.NoError(h, h.shim.QueryRow("EXPLAIN WRITEBEHIND "+query, args...).Scan(&decision, &keyed, &table, &reason))
	return decision, reason
}

// eventually waits until a condition holds.
func (h *harness) eventually(what string, holds func() bool) {
	h.Helper()
	require.Eventually(h, holds, 20*time.Second, 2*time.Millisecond, what)
}

const itemsTable = `CREATE TABLE items (id bigint PRIMARY KEY, name text NOT NULL DEFAULT 'new', stock int NOT NULL DEFAULT 0, price numeric(10,2));
	INSERT INTO items VALUES (1, 'one', 10, 1.50), (2, 'two', 20, NULL);`
