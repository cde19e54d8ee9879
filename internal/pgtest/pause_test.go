package pgtest_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/writebehind/writebehind/internal/pgtest"
)

func TestPausedServerAnswersOnceItIsResumed(t *testing.T) {
	t.Parallel()
	s := pgtest.New(t)
	s.RequireControl(t)
	db := open(t, s.DSN("postgres"))
	require.NoError(t, db.PingContext(t.Context()))

	require.NoError(t, s.Pause())
	answered := make(chan error, 1)
	go func() {
		_, err := db.ExecContext(context.Background(), "SELECT 1")
		answered <- err
	}()
	select {
	case err := <-answered:
		require.Fail(t, "a paused server answers", "%v", err)
	case <-time.After(100 * time.Millisecond):
	}
	require.NoError(t, s.Resume())
	require.NoError(t, <-answered, "the connection stays")

	require.NoError(t, s.Pause())
	require.NoError(t, s.Kill())
	require.Error(t, s.Pause())
}
