package writebehind

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestHowLongAgoTheOthersHaveHeardIsAskedAnew(t *testing.T) {
	e, s := new(engine), new(schema)
	e.schema.Store(s)
	e.ownership.state.Store(owned)
	longAgo := time.Now().Add(-time.Hour)
	a := attempt{engine: e, schema: s, table: &table{state: new(tableState)}, read: longAgo}
	require.True(t, a.blocked(), "it has no row of its own")
	require.True(t, a.read.After(longAgo))

	a.read, a.writes = time.Time{}, true
	require.False(t, a.blocked())
	require.Zero(t, a.read, "a write does not look at the clock")
}
