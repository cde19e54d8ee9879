package journal

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"strings"
	"syscall"
)

// Locks that belong to an open file, not to the process: two journals of one
// process exclude each other, and others can ask about them without taking them.
// From fcntl.h; package syscall does not name them.
const (
	ofdGetlk = 36
	ofdSetlk = 37
)

// Sync is fdatasync: it skips the times of a file, which no recovery needs, and
// with them, on a file that was filled ahead, the file system's own journal.
func (f osFile) Sync() error {
	for {
		err := syscall.Fdatasync(int(f.Fd()))
		if !errors.Is(err, syscall.EINTR) {
			return wrapPath("fdatasync", f.Name(), err)
		}
	}
}

func (f osFile) Map(size int64) ([]byte, func() error, error) {
	data, err := syscall.Mmap(int(f.Fd()), 0, int(size), syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_SHARED)
	if err != nil {
		return nil, nil, wrapPath("mmap", f.Name(), err)
	}
	return data, func() error { return syscall.Munmap(data) }, nil
}

func (osFS) SyncDir(name string) error { return syncDir(name) }

func (osFS) Lock(name string) (io.Closer, error) {
	f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	err = syscall.FcntlFlock(f.Fd(), ofdSetlk, &syscall.Flock_t{Type: syscall.F_WRLCK})
	if err == nil {
		return f, nil
	}
	f.Close()
	if errors.Is(err, syscall.EAGAIN) || errors.Is(err, syscall.EACCES) {
		err = ErrLocked
	}
	return nil, wrapPath("lock", name, err)
}

func (osFS) Locked(name string) (bool, error) {
	f, err := os.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	defer f.Close()
	lock := syscall.Flock_t{Type: syscall.F_WRLCK}
	if err := syscall.FcntlFlock(f.Fd(), ofdGetlk, &lock); err != nil {
		return false, wrapPath("lock", name, err)
	}
	return lock.Type != syscall.F_UNLCK, nil
}

func (osFS) Boot() string {
	id, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(id))
}
