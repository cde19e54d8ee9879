package catalog_test

import (
	"database/sql"
	"testing"

	_ "github.com/lib/pq"
	"github.com/stretchr/testify/require"

	"github.com/writebehind/writebehind/internal/catalog"
	"github.com/writebehind/writebehind/internal/pgtest"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

// database returns a connection to a fresh database after running statements
// in it. It is one connection, so that SET holds.
func database(t *testing.T, statements ...string) *sql.DB {
	t.Helper()
	server := pgtest.Shared(t)
	db, err := sql.Open("postgres", server.DSN(server.CreateDatabase(t)))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	db.SetMaxOpenConns(1)
	run(t, db, statements...)
	return db
}

// connString returns the DSN of the database that db is connected to.
func connString(t *testing.T, db *sql.DB) string {
	t.Helper()
	var name string
	require.NoError(t, db.QueryRowContext(t.Context(), `SELECT current_database()`).Scan(&name))
	return pgtest.Shared(t).DSN(name)
}

func run(t *testing.T, db *sql.DB, statements ...string) {
	t.Helper()
	for _, s := range statements {
		_, err := db.ExecContext(t.Context(), s)
		require.NoError(t, err, s)
	}
}

func load(t *testing.T, q catalog.Querier) *catalog.Catalog {
	t.Helper()
	c, err := catalog.Load(t.Context(), q, nil)
	require.NoError(t, err)
	return c
}

// loaded loads the schema that statements make in a fresh database.
func loaded(t *testing.T, statements ...string) *catalog.Catalog {
	t.Helper()
	return load(t, database(t, statements...))
}

func relation(t *testing.T, c *catalog.Catalog, name string) *catalog.Relation {
	t.Helper()
	r, found := c.Resolve("", name)
	require.True(t, found, "relation %s", name)
	return r
}

func column(t *testing.T, r *catalog.Relation, name string) catalog.Column {
	t.Helper()
	i := r.Column(name)
	require.GreaterOrEqual(t, i, 0, "column %s of %s", name, r.Name)
	return r.Columns[i]
}

func names(relations []*catalog.Relation) []string {
	var n []string
	for _, r := range relations {
		n = append(n, r.Name.String())
	}
	return n
}
