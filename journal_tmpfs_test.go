//go:build linux

package writebehind_test

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/writebehind/writebehind/queue/journal"
)

func TestAFullFileSystemMakesWritesDirectUntilThereIsRoom(t *testing.T) {
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=160m,mode=0700"); err != nil {
		t.Skip("mounting a small file system needs root: ", err)
	}
	t.Cleanup(func() { require.NoError(t, syscall.Unmount(dir, syscall.MNT_DETACH)) })
	h := newHarness(t, itemsTable, "")
	db, _ := h.openOn(journal.OS(), "writebehind.journal="+filepath.Join(dir, "journal"))
	ballast := filepath.Join(dir, "ballast")
	outlastsAFullDisk(t, h, db, func() {
		err := os.WriteFile(ballast, make([]byte, 160<<20), 0o600)
		require.ErrorIs(t, err, syscall.ENOSPC)
	}, func() { require.NoError(t, os.Remove(ballast)) })
	require.NoError(t, db.Close())
}
