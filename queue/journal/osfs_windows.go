package journal

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"syscall"
)

// SyncDir does nothing: NTFS logs its directories.
func (osFS) SyncDir(string) error { return nil }

// Lock opens the file so that nobody else can open it. The system closes it with
// the process.
func (osFS) Lock(name string) (io.Closer, error) { return exclusive(name, syscall.OPEN_ALWAYS) }

func (osFS) Locked(name string) (bool, error) {
	f, err := exclusive(name, syscall.OPEN_EXISTING)
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

func exclusive(name string, how uint32) (io.Closer, error) {
	const sharingViolation = syscall.Errno(32)
	path, err := syscall.UTF16PtrFromString(name)
	if err != nil {
		return nil, err
	}
	handle, err := syscall.CreateFile(path, syscall.GENERIC_READ|syscall.GENERIC_WRITE, 0, nil, how, syscall.FILE_ATTRIBUTE_NORMAL, 0)
	if errors.Is(err, sharingViolation) {
		err = ErrLocked
	}
	if err != nil {
		return nil, wrapPath("lock", name, err)
	}
	return os.NewFile(uintptr(handle), name), nil
}
