package compat

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/writebehind/writebehind"
	"github.com/writebehind/writebehind/internal/pgtest"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

// shop is the program, written with one of the libraries.
type shop interface {
	// db is the pool that the library works on.
	db() *sql.DB
	// run is everything that a shop does, once.
	run(tr *trace)
	// order is the hot part: a customer, by key, buys two products.
	order(tr *trace, round int)
}

// library is how the users of a library open their database.
type library struct {
	name string
	open func(t *testing.T, driver, dsn string, tr *trace) shop
	// least is the percentage of the keyed statements of the hot part that must
	// not wait for PostgreSQL.
	least float64
}

// libraries are all that the shop is written for.
var libraries = []library{
	{"sqlx", openSQLX, 95},
	{"gorm", openGORM(false, false), 95},
	{"gorm prepared", openGORM(true, false), 95},
	{"gorm without default transaction", openGORM(false, true), 95},
	{"bun", openBun, 95},
	{"ent", openEnt, 95},
	{"sqlc", openSQLC(false), 95},
	{"sqlc prepared", openSQLC(true), 95},
}

// database makes the shop's tables in a new database, and returns its DSN.
func database(t *testing.T) string {
	t.Helper()
	server := pgtest.Shared(t)
	dsn := server.DSN(server.CreateDatabase(t))
	execute(t, dsn, Schema)
	return dsn
}

func execute(t *testing.T, dsn, statements string) {
	t.Helper()
	db := open(t, "postgres", dsn)
	_, err := db.Exec(statements)
	require.NoError(t, err)
}

func open(t *testing.T, driver, dsn string) *sql.DB {
	t.Helper()
	db, err := sql.Open(driver, dsn)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	return db
}

// behind is the DSN with all tables opted in.
func behind(t *testing.T, dsn string) string {
	t.Helper()
	return fmt.Sprintf("%s writebehind.tables=* writebehind.sync=on writebehind.journal=%s", dsn, t.TempDir())
}

// TestSameShop runs each program on both drivers.
func TestSameShop(t *testing.T) {
	for _, lib := range libraries {
		t.Run(lib.name, func(t *testing.T) {
			plain := shopping(t, lib, "postgres", database(t), false)
			dsn := database(t)
			shim := shopping(t, lib, "writebehind", dsn, true)
			require.Equal(t, plain, shim)
		})
	}
}

// shopping runs a program and returns its trace and all tables.
func shopping(t *testing.T, lib library, driver, dsn string, flush bool) string {
	t.Helper()
	tr := newTrace()
	name := dsn
	if flush {
		name = behind(t, dsn)
	}
	s := lib.open(t, driver, name, tr)
	s.run(tr)
	for round := range 5 {
		s.order(tr, round)
	}
	if flush {
		require.NoError(t, writebehind.Flush(context.Background(), s.db()))
		st, err := writebehind.Stats(s.db())
		require.NoError(t, err)
		require.NotZero(t, st.Deferred+st.Cached, "the shim had no part in it")
		require.Zero(t, st.RefusedGroups)
	}
	past := open(t, "postgres", dsn)
	tr.same.tables = true
	for _, table := range []string{"customers", "products", "orders", "order_lines"} {
		tr.dump(t, past, table)
	}
	require.Empty(t, tr.same.wrong)
	return strings.Join(tr.lines, "\n")
}
