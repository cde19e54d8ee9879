package writebehind_test

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// The numbers leave one or two above what it takes today. database/sql alone
// takes about 8 for a QueryRow with Scan and 4 for an Exec.
func TestHotPathAllocatesLittle(t *testing.T) {
	h := newHarness(t, itemsTable, "")
	const runs = 2000
	var name string
	var stock int
	read := testing.AllocsPerRun(runs, func() {
		if err := h.shim.QueryRow(`SELECT name, stock FROM items WHERE id = $1`, 1).Scan(&name, &stock); err != nil {
			t.Fatal(err)
		}
	})
	write := testing.AllocsPerRun(runs, func() {
		if _, err := h.shim.Exec(`UPDATE items SET stock = stock + $1, name = $2 WHERE id = $3`, 1, "name", 1); err != nil {
			t.Fatal(err)
		}
	})
	overlay := testing.AllocsPerRun(runs, func() {
		if err := h.shim.QueryRow(`SELECT name, stock FROM items WHERE id = $1`, 1).Scan(&name, &stock); err != nil {
			t.Fatal(err)
		}
	})
	t.Logf("cached read %v, deferred update %v, read of a pending row %v", read, write, overlay)
	require.EqualValues(t, 1, h.stats().PendingRows)
	require.LessOrEqual(t, read, 16.0, "cached read")
	require.LessOrEqual(t, overlay, 15.0, "read of a pending row")
	require.LessOrEqual(t, write, 9.0, "deferred update")
}
