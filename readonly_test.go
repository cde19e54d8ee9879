package writebehind_test

import (
	"testing"

	"github.com/lib/pq"
	"github.com/stretchr/testify/require"
)

// A write that a read-only session refuses is refused at the statement.
func TestNothingIsDeferredInAReadOnlySession(t *testing.T) {
	h := newHarness(t, itemsTable, "default_transaction_read_only=on")
	_, err := h.shim.Exec(`UPDATE items SET stock = 1 WHERE id = $1`, 1)
	var refused *pq.Error
	require.ErrorAs(t, err, &refused)
	require.EqualValues(t, "25006", refused.Code)
	decision, reason := h.explain(`UPDATE items SET stock = 1 WHERE id = $1`)
	require.Equal(t, "direct", decision)
	require.Contains(t, reason, "default_transaction_read_only")
	require.EqualValues(t, 10, h.value(h.shim, `SELECT stock FROM items WHERE id = $1`, 1))
}
