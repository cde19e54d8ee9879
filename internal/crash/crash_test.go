package main

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/writebehind/writebehind/internal/crash/child"
	"github.com/writebehind/writebehind/internal/pgtest"
)

func TestMain(m *testing.M) {
	if os.Getenv(child.Env) != "" {
		os.Exit(child.Main())
	}
	pgtest.Main(m)
}

func laboratoryRun(t *testing.T, o options) (fine bool, output string) {
	t.Helper()
	var out bytes.Buffer
	fine, err := run(t.Context(), &out, o)
	if errors.Is(err, pgtest.ErrExternal) {
		t.Skip(err)
	}
	require.NoError(t, err, out.String())
	return fine, out.String()
}

func named(t *testing.T, name string) mode {
	t.Helper()
	m, ok := modeNamed(name)
	require.True(t, ok)
	return m
}

// program builds the program anew, without the race detector that the test may run
// under: it makes a child three times as slow to start.
func program(t *testing.T) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "crash")
	out, err := exec.CommandContext(t.Context(), "go", "build", "-o", name, ".").CombinedOutput()
	require.NoError(t, err, string(out))
	return name
}

// TestPromisesShort is the short form of the command, each time with other
// moments: one mode each with one journal.
func TestPromisesShort(t *testing.T) {
	fine, out := laboratoryRun(t, options{
		cycles: 1, seed: uint64(time.Now().UnixNano()), workers: 4, program: program(t), //nolint:gosec // any number will do
		only: []kind{
			{named(t, "child"), "on"},
			{named(t, "server"), "off"},
			{named(t, "both"), "off"},
			{named(t, "network"), "on"},
			{named(t, "power"), "on"},
			{named(t, "power"), "off"},
			{named(t, "child"), noJournal},
		},
	})
	t.Log(out)
	require.True(t, fine)
	require.Regexp(t, `\ncrash: lost 0 duplicated 0 reordered 0\n$`, out)
}

func TestFirstLineRepeatsTheRun(t *testing.T) {
	o := options{cycles: 3, seed: 7, modes: []mode{named(t, "child"), named(t, "power")}, syncs: []string{"on", "off"}, none: true}
	require.Equal(t, `go run ./internal/crash -cycles 3 -seed 7 -modes child,power -sync "on,off" -none`, o.command())
	require.Len(t, o.kinds(), 5, "power loss without a journal says nothing")
}
