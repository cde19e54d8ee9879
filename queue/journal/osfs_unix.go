//go:build unix && !linux && !solaris && !aix

package journal

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"syscall"
)

func (osFS) SyncDir(name string) error { return syncDir(name) }

func (osFS) Lock(name string) (io.Closer, error) {
	return flock(name, os.O_RDWR|os.O_CREATE)
}

func (osFS) Locked(name string) (bool, error) {
	f, err := flock(name, os.O_RDONLY)
	switch {
	case errors.Is(err, ErrLocked):
		return true, nil
	case errors.Is(err, fs.ErrNotExist):
		return false, nil
	case err != nil:
		return false, err
	}
	return false, f.Close()
}

func flock(name string, flag int) (io.Closer, error) {
	f, err := os.OpenFile(name, flag, 0o600)
	if err != nil {
		return nil, err
	}
	err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if err == nil {
		return f, nil
	}
	f.Close()
	if errors.Is(err, syscall.EWOULDBLOCK) {
		err = ErrLocked
	}
	return nil, wrapPath("lock", name, err)
}
