package writebehind_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/writebehind/writebehind/internal/pgtest"
)

// Two servers of one system identifier, as a copy of a data directory has (and
// every cluster of pgtest), with databases of one OID: one engine serves both,
// and the second gets the rows of the first.
func TestACopyOfAClusterIsAnotherDatabase(t *testing.T) {
	open := func() *harness {
		server := pgtest.New(t)
		require.NoError(t, server.AddDatabase(t.Context(), "same"))
		return newHarnessIn(t, server.DSN("same"), itemsTable, "")
	}
	first, second := open(), open()
	const oid = `SELECT oid::text FROM pg_database WHERE datname = current_database()`
	require.Equal(t, first.value(first.past, oid), second.value(second.past, oid))
	second.mustPast(`UPDATE items SET name = 'of the second' WHERE id = 1`)
	const name = `SELECT name FROM items WHERE id = 1`
	require.Equal(t, "one", first.value(first.shim, name))
	require.Equal(t, "of the second", second.value(second.shim, name))
	second.exec(`UPDATE items SET stock = 99 WHERE id = 1`)
	second.flush()
	require.EqualValues(t, 99, second.value(second.past, stockOfOne))
	require.EqualValues(t, 10, first.value(first.past, stockOfOne))
}
