package writebehind_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/writebehind/writebehind"
)

// A connection that has only been pinged knows of no engine yet; Flush through
// it must find the one that the other connections of the pool use.
func TestFlushThroughAConnectionThatHasDoneNothing(t *testing.T) {
	h := newHarness(t, itemsTable, "")
	idle, err := h.shim.Conn(t.Context())
	require.NoError(t, err)
	require.NoError(t, idle.PingContext(t.Context()))
	h.exec(`UPDATE items SET stock = 77 WHERE id = 1`)
	h.shim.SetMaxIdleConns(1)
	busy, err := h.shim.Conn(t.Context())
	require.NoError(t, err)
	require.NoError(t, idle.Close()) // the only idle one
	require.NoError(t, writebehind.Flush(t.Context(), h.shim))
	require.NoError(t, busy.Close())
	require.EqualValues(t, 77, h.value(h.past, `SELECT stock FROM items WHERE id = 1`))
}

func TestFlushOfAnotherDriverIsAnError(t *testing.T) {
	h := newHarness(t, itemsTable, "")
	require.ErrorContains(t, writebehind.Flush(t.Context(), h.past), "another driver")
	none := h.open("writebehind", h.dsn)
	require.NoError(t, writebehind.Flush(t.Context(), none))
}
