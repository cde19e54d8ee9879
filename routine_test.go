package writebehind_test

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// The END of a routine's body is not that of the transaction it is created in.
func TestCreatingARoutineDoesNotEndATransaction(t *testing.T) {
	h := newHarness(t, `CREATE TABLE items (id int PRIMARY KEY, stock int); INSERT INTO items VALUES (1, 5)`, "")
	conn, err := h.shim.Conn(t.Context())
	require.NoError(t, err)
	defer func() { require.NoError(t, conn.Close()) }()
	for _, query := range []string{
		`BEGIN`,
		`CREATE PROCEDURE p() BEGIN ATOMIC SELECT 1; END`,
		`UPDATE items SET stock = 6 WHERE id = 1`,
		`ROLLBACK`,
	} {
		_, err := conn.ExecContext(t.Context(), query)
		require.NoError(t, err, query)
	}
	var stock int
	require.NoError(t, conn.QueryRowContext(t.Context(), `SELECT stock FROM items WHERE id = 1`).Scan(&stock))
	require.Equal(t, 5, stock)
}
