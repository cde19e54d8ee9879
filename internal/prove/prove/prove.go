// Package prove holds what a regression test found by the differential tester
// needs: a test that it printed can be pasted into any test file which
// registers the driver and imports this package.
package prove

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/writebehind/writebehind/internal/pgtest"
	"github.com/writebehind/writebehind/internal/prove/history"
	"github.com/writebehind/writebehind/internal/prove/run"
)

type (
	// History is history.History, as are the other types their namesakes there.
	History = history.History
	// Settings tell how the application opens its database.
	Settings = history.Settings
	// Statement is one call of the application.
	Statement = history.Statement
	// Minted is an argument that stands for a key which PostgreSQL made.
	Minted = history.Minted
	// Named is a string of a type that database/sql has to unwrap.
	Named = history.Named
	// Valued is an argument that hides its value behind driver.Valuer.
	Valued = history.Valued
	// Failing is an argument whose Value fails.
	Failing = history.Failing
	// Number is an int64 of a type that database/sql has to unwrap.
	Number = history.Number
	// Blob is a []byte of a type that database/sql has to unwrap.
	Blob = history.Blob
)

// The constants of a printed history.
const (
	Exec     = history.Exec
	Query    = history.Query
	Begin    = history.Begin
	Commit   = history.Commit
	Rollback = history.Rollback
	Reopen   = history.Reopen
	Copy     = history.Copy
	Direct   = history.Direct
	Once     = history.Once
	Kept     = history.Kept
	UUIDs    = history.UUIDs
)

// Zone is history.Zone.
func Zone(name string) *time.Location { return history.Zone(name) }

// To returns a pointer to a value.
func To[T any](v T) *T { return &v }

// Replay runs a history through the driver "writebehind" and through the real
// one, on the shared server of the test process, and fails the test at the
// first difference an application could see.
func Replay(t testing.TB, h History) {
	t.Helper()
	ReplayDriver(t, "writebehind", h)
}

// ReplayDriver is Replay for the driver of the given name.
func ReplayDriver(t testing.TB, driver string, h History) {
	t.Helper()
	bench, err := run.NewBench(t.Context(), pgtest.Shared(t), driver)
	require.NoError(t, err)
	defer func() { require.NoError(t, bench.Close()) }()
	r, err := bench.Run(t.Context(), h)
	require.NoError(t, err)
	if r.Difference == nil {
		return
	}
	if r.At < len(h.Statements) {
		t.Fatalf("statement %d %s\n%s", r.At, h.Statements[r.At], r.Difference)
	}
	t.Fatalf("after the last statement\n%s", r.Difference)
}
