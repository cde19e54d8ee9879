package pgtest

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

const (
	basePattern = "pgtest-*.cluster"
	ownerLock   = "owner.lock"

	// maxSocketPath is the longest path of a Unix socket everywhere, without
	// the terminating zero (macOS: 104 bytes with it, Linux: 108).
	maxSocketPath = 103
	socketName    = "/.s.PGSQL.65535"
)

// makeBase makes the directory of one cluster. The lock that it returns is
// held as long as this process lives and says that the directory is in use.
func makeBase(acc account) (dir string, lock *os.File, err error) {
	parent := os.TempDir()
	if len(filepath.Join(parent, basePattern))+len("0123456789")+len(socketName) > maxSocketPath {
		parent = "/tmp"
	}
	dir, err = os.MkdirTemp(parent, basePattern)
	if err != nil {
		return "", nil, fmt.Errorf("pgtest: %w", err)
	}
	if lock, err = lockBase(dir); err == nil {
		err = acc.own(dir)
	}
	if err != nil {
		return "", nil, errors.Join(fmt.Errorf("pgtest: %w", err), os.RemoveAll(dir))
	}
	return dir, lock, nil
}

// lockBase puts the lock into its place only after it is held, so that nobody
// ever sees it free while its owner lives.
func lockBase(dir string) (*os.File, error) {
	tmp := filepath.Join(dir, "new.lock")
	f, err := os.OpenFile(tmp, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	if err := os.Rename(tmp, filepath.Join(dir, ownerLock)); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// sweep removes the directories of processes that have died without Close. It
// is a courtesy: what cannot be removed stays.
func sweep() {
	for _, parent := range []string{os.TempDir(), "/tmp"} {
		dirs, err := filepath.Glob(filepath.Join(parent, basePattern))
		if err != nil {
			continue
		}
		for _, dir := range dirs {
			sweepDir(dir)
		}
	}
}

func sweepDir(dir string) {
	f, err := os.OpenFile(filepath.Join(dir, ownerLock), os.O_RDWR|syscall.O_NOFOLLOW, 0)
	if err != nil {
		return // being made or removed at this moment, or another user's
	}
	defer f.Close()
	if syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) == nil {
		_ = os.RemoveAll(dir)
	}
}

// lockFile waits for the lock that a file stands for and returns how to
// release it. The file stays.
func lockFile(path string) (unlock func(), err error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|syscall.O_NOFOLLOW, 0o600)
	if err != nil {
		return nil, err
	}
	for {
		err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX)
		if !errors.Is(err, syscall.EINTR) {
			break
		}
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return func() { _ = f.Close() }, nil
}
