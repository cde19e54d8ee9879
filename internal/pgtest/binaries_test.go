package pgtest

import (
	"net"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// installation makes a directory that looks like one of the server.
func installation(t *testing.T, dir string) string {
	t.Helper()
	require.NoError(t, os.MkdirAll(dir, 0o700))
	for _, name := range []string{"initdb", "postgres"} {
		program := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(program, []byte("#!/bin/sh\necho "+dir+"\n"), 0o600))
		require.NoError(t, os.Chmod(program, 0o700))
	}
	return dir
}

func TestFindsTheNewestOfTheUsualPlaces(t *testing.T) {
	t.Setenv("PATH", "")
	root := t.TempDir()
	places := []string{root + "/v*/bin"}
	require.Empty(t, findDir(t.Context(), places))
	for _, version := range []string{"9", "15", "10"} {
		installation(t, filepath.Join(root, "v"+version, "bin"))
	}
	// A client alone is no server.
	require.NoError(t, os.MkdirAll(filepath.Join(root, "v16", "bin"), 0o700))
	require.Equal(t, filepath.Join(root, "v15", "bin"), findDir(t.Context(), places))
}

func TestFindsTheServerBehindALinkOnThePath(t *testing.T) {
	root := t.TempDir()
	want := installation(t, filepath.Join(root, "server"))
	links := filepath.Join(root, "links")
	require.NoError(t, os.Mkdir(links, 0o700))
	require.NoError(t, os.Symlink(filepath.Join(want, "initdb"), filepath.Join(links, "initdb")))
	t.Setenv("PATH", links)
	got, err := filepath.EvalSymlinks(findDir(t.Context(), nil))
	require.NoError(t, err)
	want, err = filepath.EvalSymlinks(want)
	require.NoError(t, err)
	require.Equal(t, want, got)
}

func TestAsksPgConfig(t *testing.T) {
	root := t.TempDir()
	want := installation(t, filepath.Join(root, "server"))
	config := filepath.Join(root, "pg_config")
	require.NoError(t, os.WriteFile(config, []byte("#!/bin/sh\necho "+want+"\n"), 0o600))
	require.NoError(t, os.Chmod(config, 0o700))
	t.Setenv("PATH", root)
	require.Equal(t, want, findDir(t.Context(), nil))
}

func TestPortIsLeasedOnce(t *testing.T) {
	t.Parallel()
	lease, err := leasePort(t.Context())
	require.NoError(t, err)
	other, err := tryPort(t.Context(), lease.number)
	require.NoError(t, err)
	require.Nil(t, other, "the port is leased")
	lease.release()
	other, err = tryPort(t.Context(), lease.number)
	require.NoError(t, err)
	require.NotNil(t, other, "the port is free again")
	other.release()
}

func TestPortInUseIsNotLeased(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	lease, err := tryPort(t.Context(), l.Addr().(*net.TCPAddr).Port)
	require.NoError(t, err)
	require.Nil(t, lease)
}
